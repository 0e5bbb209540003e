/* Configurations a user does not want: "tp > 8", "ep > 1 && cp > 1 || zero == 3". Names are the axes (tp, pp, vpp, dp,
 * cp, ep, etp, zero, sp, micro_batch, micro_batches), numbers are whole; && binds closer than ||. */
#ifndef PARPLAN_PLAN_CONSTRAINT_H
#define PARPLAN_PLAN_CONSTRAINT_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/field.h"
#include "plan/plan.h"

struct arena;
struct constraint;

/* Compiles the texts of job.forbid; *ret is NULL for an empty list. */
enum status constraint_parse(struct arena *arena, const struct list *texts, const struct constraint **ret,
                             struct diag *diag) MUST_CHECK;

/* Whether any of the texts holds for the decision. */
bool constraint_forbids(const struct constraint *constraint, const struct decision *decision);

#endif
