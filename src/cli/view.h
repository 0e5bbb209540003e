/* Estimates for people and for scripts: table, details, JSON, CSV. */
#ifndef PARPLAN_CLI_VIEW_H
#define PARPLAN_CLI_VIEW_H

#include <stddef.h>

#include "plan/plan.h"

struct arena;
struct cost_context;
struct json;
struct text;

/* One line that says what is planned: model, cluster, batch. */
void view_heading(const struct cost_context *context, struct text *out);
/* One row an estimate. Axes that are 1 in all rows, and choices that are the same in all, have no column; cost and
 * energy have one when the job asks for them. `simulated`: a step time beside each row's; NULL: none. */
void view_table(const struct cost_context *context, const struct list *estimates, const double *simulated, size_t width,
                struct text *out);
/* "6.47 s a step (5.69 s to 7.25 s), 648 K tokens/s, 0.65 USD and 518 kJ a million tokens"; no newline. */
void view_summary(const struct estimate *estimate, struct text *out);
/* Where time and memory of one estimate go. */
void view_detail(const struct estimate *estimate, struct text *out);
/* The members of struct estimate, nested ones flattened, SI base units, one row each. */
void view_csv(const struct list *estimates, struct text *out);

/* "tp 8, pp 4, dp 16, zero 1+sp, micro-batch 1, schedule 1f1b, recompute none": axes of size 1 are left out. */
const char *view_decision(struct arena *arena, const struct decision *decision);
/* "70.6 B": three significant digits in the short scale that parameters are quoted in. */
const char *view_amount(struct arena *arena, double value);

/* Parts of a step's time or of the peak, with their names, in the order of the struct. */
struct view_part {
    const char *name;
    double value;
};
enum { VIEW_TIME_PARTS = 9, VIEW_MEMORY_PARTS = 8 };
void view_time_parts(const struct time_parts *time, struct view_part ret[VIEW_TIME_PARTS]);
void view_memory_parts(const struct memory_parts *memory, struct view_part ret[VIEW_MEMORY_PARTS]);
/* A table of them under `title`, each with its share of `whole`; those next to nothing are left out. */
void view_parts(const char *title, const struct view_part *parts, size_t count, double whole, enum dimension dimension,
                struct text *out);

#endif
