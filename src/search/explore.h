/* Opens one node (a shape with a micro-batch) into all its configurations and prices those that no bound rules out:
 *
 *   mesh order                                        model states
 *    └ sequence choice ── bounds of the node           layers with their exchanges
 *       └ stage map x recomputation x ZeRO ── bound     load
 *          └ schedule ── bytes                           price
 */
#ifndef PARPLAN_SEARCH_EXPLORE_H
#define PARPLAN_SEARCH_EXPLORE_H

#include "search/best.h"
#include "search/frontier.h"

struct arena;

struct explore_plan {
    const struct search_space *space;
    const struct frontier *frontier;
    enum objective objectives[BEST_OBJECTIVES];
    int objective_count;
    bool exhaustive; /* prices what is legal, whatever bounds and memory say */
};

/* Room for one worker's intermediate results, reused from node to node. */
struct explorer;
struct explorer *explorer_open(struct arena *arena, const struct explore_plan *plan);
struct floors *explorer_floors(struct explorer *explorer);
struct shape_cuts *explorer_cuts(struct explorer *explorer);

/* `kept` is the best of the search before; adds to `found` what may be better, and to `tally`. */
void explore_node(struct explorer *explorer, const struct search_node *node, const struct best *kept,
                  struct best *found, struct tally *tally);

#endif
