/* What search, estimate and score have in common: the three inputs, loaded and counted. */
#ifndef PARPLAN_CLI_PLANNING_H
#define PARPLAN_CLI_PLANNING_H

#include "cli/load.h"
#include "cost/estimate.h"

/* Operands MODEL TOPOLOGY [JOB] and what follows from them. */
struct planning {
    struct model *model;
    struct topology *topology;
    struct job *job;
    struct cost_context cost;
};

extern const struct operand planning_operands[];

/* Loads all three, reporting the errors of all. */
enum status planning_load(struct context *context, const struct scale *scale, struct planning *ret) MUST_CHECK;

/* An estimate as a plan: complete, with rank map, layout and the identity of its inputs. */
struct plan *planning_plan(struct context *context, const struct planning *planning, const struct estimate *estimate,
                           double lower_bound, double gap);
/* Writes a plan as a document to `path`. */
enum status planning_save(struct context *context, const struct plan *plan, const char *path) MUST_CHECK;

#endif
