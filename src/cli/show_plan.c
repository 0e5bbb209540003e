/* A plan's decision, where each mesh axis lies, the layers of each stage, and what was expected of it. */
#include "cli/show.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "plan/plan.h"

static void write_json(const struct plan *plan, struct text *text) {
    struct json json;
    json_init(&json, text, false);
    json_fields(&json, plan_fields, plan);
    text_add_char(text, '\n');
}

static void add_axes(const struct plan *plan, struct text *text) {
    struct table table;
    table_init(&table, text->arena);
    table_column(&table, "axis", true, 0);
    table_column(&table, "size", false, 0);
    table_column(&table, "stride", false, 0);
    table_column(&table, "within", true, 0);
    const struct plan_axis *axes = plan->axes.items;
    for (size_t i = 0; i < plan->axes.count; i++) {
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%s", axes[i].axis);
        table_set(&table, row, 1, "%lld", (long long)axes[i].size);
        table_set(&table, row, 2, "%lld", (long long)axes[i].stride);
        table_set(&table, row, 3, "%s", axes[i].scope ? axes[i].scope : "");
    }
    text_add_char(text, '\n');
    table_render(&table, terminal_width(), text);
}

static void add_stages(const struct plan *plan, struct text *text) {
    struct table table;
    table_init(&table, text->arena);
    table_column(&table, "stage", false, 0);
    table_column(&table, "chunk", false, 0);
    table_column(&table, "layers", true, 0);
    table_column(&table, "and", true, 0);
    const struct plan_stage *stages = plan->layout.items;
    for (size_t i = 0; i < plan->layout.count; i++) {
        const struct plan_stage *stage = &stages[i];
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%lld", (long long)stage->rank);
        table_set(&table, row, 1, "%lld", (long long)stage->chunk);
        if (stage->layers > 0) {
            table_set(&table, row, 2, "%lld-%lld (%lld)", (long long)stage->first,
                      (long long)(stage->first + stage->layers - 1), (long long)stage->layers);
        } else {
            table_set(&table, row, 2, "none");
        }
        table_set(&table, row, 3, "%s", stage->extra ? stage->extra : "");
    }
    text_add_char(text, '\n');
    table_render(&table, terminal_width(), text);
}

static void add_expected(const struct plan *plan, struct text *text) {
    const struct estimate *expected = &plan->expected;
    struct arena *arena = text->arena;
    text_add_format(text, "\nexpected: %s a step (%s to %s), peak memory %s of %s on rank %lld\n",
                    units_human(arena, expected->step_time, UNIT_SECONDS, 4),
                    units_human(arena, expected->step_time_low, UNIT_SECONDS, 4),
                    units_human(arena, expected->step_time_high, UNIT_SECONDS, 4),
                    units_human(arena, expected->memory.peak, UNIT_BYTES, 3),
                    units_human(arena, expected->memory.limit, UNIT_BYTES, 3), (long long)expected->memory.rank);
}

static void write_text(const struct plan *plan, struct text *text) {
    const struct decision *decision = &plan->decision;
    text_add_format(text, "%s on %s, %lld devices, %lld sequences of %lld tokens a step\n",
                    plan->model ? plan->model : "model", plan->topology ? plan->topology : "topology",
                    (long long)plan->devices, (long long)plan->job.global_batch, (long long)plan->job.seq_len);
    text_add_format(text, "%s\n%lld micro-batches, %s stages, mesh order %s\n", view_decision(text->arena, decision),
                    (long long)decision->micro_batches, field_choice(plan_fields, "stages", plan),
                    field_choice(parallel_fields, "order", &decision->parallel));
    if (plan->axes.count) {
        add_axes(plan, text);
    }
    if (plan->layout.count) {
        add_stages(plan, text);
    }
    if (plan->expected.step_time > 0) {
        add_expected(plan, text);
    }
}

enum status show_plan(struct context *context, const struct word *word) {
    struct plan *plan = NULL;
    TRY(load_plan(context, word, &plan, NULL));
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        write_json(plan, &text);
    } else {
        write_text(plan, &text);
    }
    return output_result(context, &text);
}
