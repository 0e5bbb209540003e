#include "cli/view.h"

#include "base/arena.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cost/context.h"
#include "schedule/schedule.h"

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
    text_add_format(out, ", on %lld x %s in %lld %s, %lld sequences of %lld tokens a step\n",
                    (long long)context->world, context->device->name, (long long)context->nodes,
                    context->nodes == 1 ? "node" : "nodes", (long long)context->job->global_batch,
                    (long long)context->job->seq_len);
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

const char *view_decision(struct arena *arena, const struct decision *decision) {
    const struct parallel *p = &decision->parallel;
    const struct {
        const char *name;
        int64_t size;
    } axes[] = {{"tp", p->tp}, {"pp", p->pp}, {"vpp", p->vpp}, {"dp", p->dp},
                {"cp", p->cp}, {"ep", p->ep}, {"etp", p->etp}};
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        if (axes[i].size > 1) {
            text_add_format(&text, "%s %lld, ", axes[i].name, (long long)axes[i].size);
        }
    }
    const struct estimate estimate = {.decision = *decision};
    text_add_format(&text, "zero %lld, micro-batch %lld, schedule %s, recompute %s", (long long)p->zero,
                    (long long)decision->micro_batch, choice("schedule", &estimate), choice("recompute", &estimate));
    return text.data;
}

/* Columns of axes in the table, shown when some row has more than one rank there. */
static const struct {
    const char *head;
    size_t offset;
    bool always;
} axis_columns[] = {
    {"tp", offsetof(struct parallel, tp), true},   {"pp", offsetof(struct parallel, pp), true},
    {"vpp", offsetof(struct parallel, vpp), false}, {"dp", offsetof(struct parallel, dp), true},
    {"cp", offsetof(struct parallel, cp), false},  {"ep", offsetof(struct parallel, ep), false},
    {"etp", offsetof(struct parallel, etp), false},
};
enum { AXIS_COLUMNS = sizeof axis_columns / sizeof *axis_columns };

static int64_t axis_value(const struct estimate *estimate, size_t column) {
    return *(const int64_t *)(const void *)((const char *)&estimate->decision.parallel + axis_columns[column].offset);
}

static bool is_shown(const struct list *estimates, size_t column) {
    const struct estimate *rows = estimates->items;
    bool shown = axis_columns[column].always;
    for (size_t i = 0; i < estimates->count; i++) {
        shown = shown || axis_value(&rows[i], column) > 1;
    }
    return shown;
}

static const char *percent(struct arena *arena, double part, double whole) {
    return whole > 0 ? arena_format(arena, "%s%%", text_fixed(arena, 100 * part / whole, 1)) : "";
}

static double exposed(const struct time_parts *time) {
    return time->tp_exposed + time->pp_exposed + time->dp_exposed + time->cp_exposed + time->ep_exposed;
}

/* The columns after the axes. */
static void set_row(struct table *table, size_t row, size_t column, const struct estimate *e) {
    struct arena *arena = table->arena;
    table_set(table, row, column++, "%lld%s", (long long)e->decision.parallel.zero,
              e->decision.parallel.sp ? "+sp" : "");
    table_set(table, row, column++, "%lld x %lld", (long long)e->decision.micro_batches,
              (long long)e->decision.micro_batch);
    table_set(table, row, column++, "%s", choice("schedule", e));
    table_set(table, row, column++, "%s", choice("recompute", e));
    table_set(table, row, column++, "%s", units_human(arena, e->memory.peak, UNIT_BYTES, 3));
    table_set(table, row, column++, "%s", percent(arena, e->time.bubble, e->step_time));
    table_set(table, row, column++, "%s", percent(arena, exposed(&e->time), e->step_time));
    table_set(table, row, column++, "%s", units_human(arena, e->step_time, UNIT_SECONDS, 4));
    table_set(table, row, column++, "%s", text_fixed(arena, e->model_tflops_per_gpu, 1));
    table_set(table, row, column, "%s", percent(arena, e->mfu, 1));
}

void view_table(const struct list *estimates, size_t width, struct text *out) {
    struct table table;
    table_init(&table, out->arena);
    table_column(&table, "#", false, 0);
    bool shown[AXIS_COLUMNS];
    for (size_t i = 0; i < AXIS_COLUMNS; i++) {
        shown[i] = is_shown(estimates, i);
        if (shown[i]) {
            table_column(&table, axis_columns[i].head, false, 0);
        }
    }
    table_column(&table, "zero", false, 1);
    table_column(&table, "micro-batches", false, 1);
    table_column(&table, "schedule", true, 0);
    table_column(&table, "recompute", true, 0);
    table_column(&table, "memory", false, 0);
    table_column(&table, "bubble", false, 2);
    table_column(&table, "exposed", false, 2);
    table_column(&table, "step", false, 0);
    table_column(&table, "TFLOP/s", false, 3);
    table_column(&table, "MFU", false, 1);
    const struct estimate *rows = estimates->items;
    for (size_t i = 0; i < estimates->count; i++) {
        size_t row = table_row(&table), column = 0;
        table_set(&table, row, column++, "%zu", i + 1);
        for (size_t axis = 0; axis < AXIS_COLUMNS; axis++) {
            if (shown[axis]) {
                table_set(&table, row, column++, "%lld", (long long)axis_value(&rows[i], axis));
            }
        }
        set_row(&table, row, column, &rows[i]);
    }
    table_render(&table, width, out);
}

static void add_parts(const char *title, const struct view_part *parts, size_t count, double whole,
                      enum dimension dimension, struct text *out) {
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
    add_parts("step", time, VIEW_TIME_PARTS, estimate->step_time, UNIT_SECONDS, out);
    add_parts(arena_format(out->arena, "memory of rank %lld", (long long)estimate->memory.rank), memory,
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
