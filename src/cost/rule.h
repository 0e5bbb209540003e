/* What makes a configuration illegal: named rules, one row each. The search never offers what a rule refuses; estimate
 * and --why-not print the rule. */
#ifndef PARPLAN_COST_RULE_H
#define PARPLAN_COST_RULE_H

#include <stdbool.h>

#include "cost/context.h"
#include "plan/plan.h"

/* What a rule looks at, so that a search can ask early: the axes alone, with the micro-batch, or all. */
enum rule_scope { RULE_SHAPE, RULE_CUT, RULE_MICRO_BATCH, RULE_WHOLE };

struct rule {
    const char *name, *doc; /* doc: the rule as a sentence */
    enum rule_scope scope;
    bool (*broken)(const struct cost_context *context, const struct decision *decision);
};
extern const struct rule rules[]; /* ends with name NULL */

/* The first rule of `scope` that the decision breaks, or NULL. */
const struct rule *rule_broken(const struct cost_context *context, const struct decision *decision,
                               enum rule_scope scope);

/* Every rule broken, as texts with the values at hand; NULL-terminated, in the arena. */
struct list rule_reasons(struct arena *arena, const struct cost_context *context, const struct decision *decision);

#endif
