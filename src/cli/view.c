#include "cli/view.h"

#include "base/arena.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cost/context.h"
#include "schedule/schedule.h"
#include "topology/topology.h"

const char *view_amount(struct arena *arena, double value) {
    static const char *const scales[] = {"", " K", " M", " B", " T", " Q"};
    size_t scale = 0;
    while (value >= 999.5 && scale + 1 < sizeof scales / sizeof *scales) {
        value /= 1000;
        scale++;
    }
    int decimals = scale == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return arena_format(arena, "%s%s", text_fixed(arena, value, decimals), scales[scale]);
}

void view_heading(const struct cost_context *context, struct text *out) {
    struct arena *arena = out->arena;
    int64_t total = count_total(context->model), active = count_active(context->model);
    text_add_format(out, "%s, %s parameters", context->model->name, view_amount(arena, (double)total));
    if (active != total) {
        text_add_format(out, " (%s active)", view_amount(arena, (double)active));
    }
    const struct topology *topology = context->topology;
    const char *device =
        topology_is_uniform(topology) ? arena_format(arena, "x %s", context->device->name) : "devices";
    bool named = !text_equal(topology->name, context->device->name);
    text_add_format(out, ", on %s%s%lld %s in %lld %s%s, %lld %s of %lld tokens a step\n",
                    named ? topology->name : "", named ? " (" : "", (long long)context->world, device,
                    (long long)context->nodes, context->nodes == 1 ? "node" : "nodes", named ? ")" : "",
                    (long long)context->job->global_batch, context->model->image ? "images" : "sequences",
                    (long long)context->tokens);
}

void view_time_parts(const struct time_parts *time, struct view_part ret[VIEW_TIME_PARTS]) {
    const struct view_part parts[VIEW_TIME_PARTS] = {
        {"compute", time->compute},        {"bubble", time->bubble},         {"tp exposed", time->tp_exposed},
        {"pp exposed", time->pp_exposed},  {"dp exposed", time->dp_exposed}, {"cp exposed", time->cp_exposed},
        {"ep exposed", time->ep_exposed},  {"optimizer", time->optimizer},   {"overhead", time->overhead},
    };
    for (size_t i = 0; i < VIEW_TIME_PARTS; i++) {
        ret[i] = parts[i];
    }
}

void view_memory_parts(const struct memory_parts *memory, struct view_part ret[VIEW_MEMORY_PARTS]) {
    const struct view_part parts[VIEW_MEMORY_PARTS] = {
        {"weights", memory->weights},         {"gradients", memory->gradients},
        {"optimizer", memory->optimizer},     {"activations", memory->activations},
        {"logits", memory->logits},           {"communication", memory->communication},
        {"runtime", memory->runtime},         {"allocator", memory->allocator},
    };
    for (size_t i = 0; i < VIEW_MEMORY_PARTS; i++) {
        ret[i] = parts[i];
    }
}

static const char *choice(const char *key, const struct estimate *estimate) {
    return field_choice(estimate_fields, key, estimate);
}

/* "8 ring", "8 usp 4x2" (heads by 4, sequence by 2): the degree and what is exchanged. */
static const char *context_cell(struct arena *arena, const struct parallel *p) {
    if (p->cp_kind == CONTEXT_USP) {
        return arena_format(arena, "%lld usp %lldx%lld", (long long)p->cp, (long long)p->ulysses,
                            (long long)(p->cp / p->ulysses));
    }
    return arena_format(arena, "%lld %s", (long long)p->cp, field_choice(parallel_fields, "cp_kind", p));
}

/* Axes, in the order of table and text; in the table those not `always` there are shown when some row uses them. */
static const struct {
    const char *name;
    size_t offset;
    bool always;
} axes[] = {
    {"tp", offsetof(struct parallel, tp), true},  {"pp", offsetof(struct parallel, pp), true},
    {"vpp", offsetof(struct parallel, vpp), false}, {"dp", offsetof(struct parallel, dp), true},
    {"cp", offsetof(struct parallel, cp), false}, {"ep", offsetof(struct parallel, ep), false},
    {"etp", offsetof(struct parallel, etp), false},
};
enum { AXES = sizeof axes / sizeof *axes };

static int64_t axis_size(const struct parallel *parallel, size_t axis) {
    return *(const int64_t *)(const void *)((const char *)parallel + axes[axis].offset);
}

static const char *axis_cell(struct arena *arena, const struct parallel *parallel, size_t axis) {
    int64_t size = axis_size(parallel, axis);
    return axes[axis].offset == offsetof(struct parallel, cp) && size > 1
               ? context_cell(arena, parallel)
               : arena_format(arena, "%lld", (long long)size);
}

const char *view_decision(struct arena *arena, const struct decision *decision) {
    const struct parallel *p = &decision->parallel;
    const struct estimate estimate = {.decision = *decision};
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < AXES; i++) {
        if (axis_size(p, i) > 1) {
            text_add_format(&text, "%s %s, ", axes[i].name, axis_cell(arena, p, i));
        }
    }
    text_add_format(&text, "zero %lld%s, micro-batch %lld, schedule %s, recompute %s", (long long)p->zero,
                    p->sp ? "+sp" : "", (long long)decision->micro_batch, choice("schedule", &estimate),
                    choice("recompute", &estimate));
    return text.data;
}

static bool is_shown(const struct list *estimates, size_t axis) {
    const struct estimate *rows = estimates->items;
    bool shown = axes[axis].always;
    for (size_t i = 0; i < estimates->count; i++) {
        shown = shown || axis_size(&rows[i].decision.parallel, axis) > 1;
    }
    return shown;
}

/* What only tells rows apart, shown when it does. */
enum { CHOICES = 2 };
static const char *const choice_heads[CHOICES] = {"mesh order", "stages"};

static const char *choice_cell(const struct estimate *e, size_t which) {
    return which == 0 ? field_choice(parallel_fields, "order", &e->decision.parallel) : choice("stages", e);
}

static bool is_different(const struct list *estimates, size_t which) {
    const struct estimate *rows = estimates->items;
    bool different = false;
    for (size_t i = 1; i < estimates->count; i++) {
        different = different || !text_equal(choice_cell(&rows[0], which), choice_cell(&rows[i], which));
    }
    return different;
}

/* Objectives beside time and memory, whose columns are shown when the job asks for them. */
enum { PRICES = 2 };
static const struct {
    const char *head, *name;
    int objective;
} prices[PRICES] = {{"USD/Mtoken", "cost", OBJECTIVE_COST}, {"kJ/Mtoken", "energy", OBJECTIVE_ENERGY}};

static bool is_asked(const struct job *job, size_t which) {
    bool asked = job->objective == prices[which].objective;
    for (size_t i = 0; i < job->pareto.count; i++) {
        asked = asked || text_equal(((const char *const *)job->pareto.items)[i], prices[which].name);
    }
    return asked;
}

static const char *price_cell(struct arena *arena, const struct estimate *e, size_t which) {
    double value = which == 0 ? e->cost_per_mtoken : e->energy_per_mtoken / 1e3;
    return value > 0 ? text_fixed(arena, value, which == 0 ? 4 : 1) : "-";
}

static const char *percent(struct arena *arena, double part, double whole) {
    return whole > 0 ? arena_format(arena, "%s%%", text_fixed(arena, 100 * part / whole, 1)) : "";
}

static double exposed(const struct time_parts *time) {
    return time->tp_exposed + time->pp_exposed + time->dp_exposed + time->cp_exposed + time->ep_exposed;
}

/* The columns after the axes, and which of the optional ones are there. */
struct shown {
    bool axes[AXES], choices[CHOICES], prices[PRICES];
    const double *simulated; /* by row; NULL: no column */
};

static void add_columns(struct table *table, const struct shown *shown) {
    table_column(table, "#", false, 0);
    for (size_t i = 0; i < AXES; i++) {
        if (shown->axes[i]) {
            table_column(table, axes[i].name, axes[i].offset == offsetof(struct parallel, cp), 0);
        }
    }
    table_column(table, "zero", false, 1);
    table_column(table, "batches", false, 1);
    table_column(table, "schedule", true, 0);
    table_column(table, "recompute", true, 0);
    for (size_t i = 0; i < CHOICES; i++) {
        if (shown->choices[i]) {
            table_column(table, choice_heads[i], true, 0);
        }
    }
    table_column(table, "memory", false, 0);
    table_column(table, "bubble", false, 3);
    table_column(table, "exposed", false, 3);
    table_column(table, "step", false, 0);
    if (shown->simulated) {
        table_column(table, "simulated", false, 0);
    }
    for (size_t i = 0; i < PRICES; i++) {
        if (shown->prices[i]) {
            table_column(table, prices[i].head, false, 0);
        }
    }
    table_column(table, "TFLOP/s", false, 4);
    table_column(table, "MFU", false, 2);
}

static void add_row(struct table *table, const struct shown *shown, const struct estimate *e) {
    struct arena *arena = table->arena;
    const struct decision *d = &e->decision;
    size_t row = table_row(table), column = 0;
    table_set(table, row, column++, "%zu", row + 1);
    for (size_t i = 0; i < AXES; i++) {
        if (shown->axes[i]) {
            table_set(table, row, column++, "%s", axis_cell(arena, &d->parallel, i));
        }
    }
    table_set(table, row, column++, "%lld%s", (long long)d->parallel.zero, d->parallel.sp ? "+sp" : "");
    table_set(table, row, column++, "%lld x %lld", (long long)d->micro_batches, (long long)d->micro_batch);
    table_set(table, row, column++, "%s", choice("schedule", e));
    table_set(table, row, column++, "%s", choice("recompute", e));
    for (size_t i = 0; i < CHOICES; i++) {
        if (shown->choices[i]) {
            table_set(table, row, column++, "%s", choice_cell(e, i));
        }
    }
    table_set(table, row, column++, "%s", units_human(arena, e->memory.peak, UNIT_BYTES, 3));
    table_set(table, row, column++, "%s", percent(arena, e->time.bubble, e->step_time));
    table_set(table, row, column++, "%s", percent(arena, exposed(&e->time), e->step_time));
    table_set(table, row, column++, "%s", units_human(arena, e->step_time, UNIT_SECONDS, 4));
    if (shown->simulated) {
        double step = shown->simulated[row];
        table_set(table, row, column++, "%s", step > 0 ? units_human(arena, step, UNIT_SECONDS, 4) : "-");
    }
    for (size_t i = 0; i < PRICES; i++) {
        if (shown->prices[i]) {
            table_set(table, row, column++, "%s", price_cell(arena, e, i));
        }
    }
    table_set(table, row, column++, "%s", text_fixed(arena, e->model_tflops_per_gpu, 1));
    table_set(table, row, column, "%s", percent(arena, e->mfu, 1));
}

void view_table(const struct cost_context *context, const struct list *estimates, const double *simulated, size_t width,
                struct text *out) {
    const struct estimate *rows = estimates->items;
    struct table table;
    struct shown shown = {.simulated = simulated};
    for (size_t i = 0; i < AXES; i++) {
        shown.axes[i] = is_shown(estimates, i);
    }
    for (size_t i = 0; i < CHOICES; i++) {
        shown.choices[i] = is_different(estimates, i);
    }
    for (size_t i = 0; i < PRICES; i++) {
        shown.prices[i] = is_asked(context->job, i);
    }
    table_init(&table, out->arena);
    add_columns(&table, &shown);
    for (size_t i = 0; i < estimates->count; i++) {
        add_row(&table, &shown, &rows[i]);
    }
    table_render(&table, width, out);
}

void view_summary(const struct estimate *e, struct text *out) {
    struct arena *arena = out->arena;
    text_add_format(out, "%s a step (%s to %s), %s tokens/s", units_human(arena, e->step_time, UNIT_SECONDS, 4),
                    units_human(arena, e->step_time_low, UNIT_SECONDS, 4),
                    units_human(arena, e->step_time_high, UNIT_SECONDS, 4), view_amount(arena, e->tokens_per_s));
    if (e->cost_per_mtoken > 0) {
        text_add_format(out, ", %s USD", text_fixed(arena, e->cost_per_mtoken, 4));
    }
    if (e->energy_per_mtoken > 0) {
        text_add_format(out, "%s %s", e->cost_per_mtoken > 0 ? " and" : ",",
                        units_human(arena, e->energy_per_mtoken, UNIT_ENERGY, 3));
    }
    text_add(out, e->cost_per_mtoken > 0 || e->energy_per_mtoken > 0 ? " a million tokens" : "");
}

void view_parts(const char *title, const struct view_part *parts, size_t count, double whole, enum dimension dimension,
                struct text *out) {
    struct table table;
    table_init(&table, out->arena);
    table_column(&table, title, true, 0);
    table_column(&table, units_human(out->arena, whole, dimension, 4), false, 0);
    table_column(&table, "", false, 0);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].value > 1e-6 * whole) {
            size_t row = table_row(&table);
            table_set(&table, row, 0, "%s", parts[i].name);
            table_set(&table, row, 1, "%s", units_human(out->arena, parts[i].value, dimension, 3));
            table_set(&table, row, 2, "%s", percent(out->arena, parts[i].value, whole));
        }
    }
    text_add_char(out, '\n');
    table_render(&table, 0, out);
}

void view_detail(const struct estimate *estimate, struct text *out) {
    struct view_part time[VIEW_TIME_PARTS], memory[VIEW_MEMORY_PARTS];
    view_time_parts(&estimate->time, time);
    view_memory_parts(&estimate->memory.parts, memory);
    view_parts("step", time, VIEW_TIME_PARTS, estimate->step_time, UNIT_SECONDS, out);
    view_parts(arena_format(out->arena, "memory of rank %lld", (long long)estimate->memory.rank), memory,
              VIEW_MEMORY_PARTS, estimate->memory.peak, UNIT_BYTES, out);
}

/* Heads (row NULL) or values of the flattened members. */
static void add_cells(const struct field *fields, const void *object, bool heads, bool *first, struct text *out) {
    for (const struct field *field = fields; field->key; field++) {
        if (field->kind == FIELD_STRUCT) {
            add_cells(field->fields, heads ? NULL : field_member(field, object), heads, first, out);
            continue;
        }
        if (field->kind == FIELD_TEXTS) {
            continue;
        }
        text_add(out, *first ? "" : ",");
        *first = false;
        if (heads) {
            text_add(out, field->key);
            text_add(out, field->kind == FIELD_QUANTITY ? units_suffix(field->dimension) : "");
        } else if (field->kind == FIELD_QUANTITY) {
            char number[32];
            text_shortest(*(const double *)field_member(field, object), number);
            text_add(out, number);
        } else {
            text_add(out, field_text(out->arena, field, object));
        }
    }
}

void view_csv(const struct list *estimates, struct text *out) {
    const struct estimate *rows = estimates->items;
    bool first = true;
    add_cells(estimate_fields, NULL, true, &first, out);
    text_add_char(out, '\n');
    for (size_t i = 0; i < estimates->count; i++) {
        first = true;
        add_cells(estimate_fields, &rows[i], false, &first, out);
        text_add_char(out, '\n');
    }
}
