/* What simulate and explain have in common: a plan with the model, topology and job that it names, and how its step is
 * simulated. */
#ifndef PARPLAN_CLI_SIMULATING_H
#define PARPLAN_CLI_SIMULATING_H

#include "cli/planning.h"
#include "sim/simulate.h"

struct node;

struct simulating {
    const char *path;
    struct plan *plan;
    const struct node *root;   /* the plan's document: places of errors */
    struct planning planning;  /* what the plan names; the job is the plan's */
    struct estimate estimate;  /* the closed form's word on the same plan; nothing where it has stages or an order
                                  of its own, which the closed form does not know */
};

/* How a step is simulated: options of the commands. */
struct simulating_options {
    int detail, contention;
    const char *scenario;
    bool every_rank, expandable_segments;
    int64_t seeds, seed;
};
extern const struct field simulating_fields[];
extern const struct operand simulating_operands[];

/* Loads the plan that `word` names, and what it names: paths from the plan's folder, else as they stand. The
 * topology is scaled to the plan's devices. A plan that breaks a rule is refused at its place. */
enum status simulating_load(struct context *context, const struct word *word, struct simulating *ret) MUST_CHECK;

/* The options with their scenario, if any, loaded and checked. */
enum status simulating_choose(struct context *context, const struct simulating *simulating,
                              const struct simulating_options *options, struct simulate_options *ret) MUST_CHECK;

/* simulate(), its time taken. */
enum status simulating_run(struct context *context, const struct simulating *simulating,
                           const struct simulate_options *options, struct simulation *ret) MUST_CHECK;

#endif
