#include "cli/simulated.h"

#include <math.h>

#include "base/arena.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"

#define SECOND 1e-12 /* of a picosecond */

size_t simulated_path(struct arena *arena, const struct simulation *simulation,
                      struct view_part ret[SIMULATED_PATH]) {
    const struct critical_path *path = &simulation->path;
    size_t count = 0;
    for (int action = 0; action < ACTION_COUNT; action++) {
        if (action != ACTION_COLLECTIVE && path->of_action[action] > 0) {
            const char *name = action == ACTION_FULL ? "full backward" : action_names[action];
            ret[count++] = (struct view_part){name, (double)path->of_action[action] * SECOND};
        }
    }
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
        if (path->of_axis[axis] > 0) {
            const char *name = arena_format(arena, "%s collectives", axis_names[axis]);
            ret[count++] = (struct view_part){name, (double)path->of_axis[axis] * SECOND};
        }
    }
    if (path->waiting > 0) {
        ret[count++] = (struct view_part){"waiting", (double)path->waiting * SECOND};
    }
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && ret[j].value > ret[j - 1].value; j--) {
            struct view_part moved = ret[j];
            ret[j] = ret[j - 1];
            ret[j - 1] = moved;
        }
    }
    return count;
}

struct memory_report simulated_memory(const struct simulating *simulating, const struct simulation *simulation) {
    const struct rank_report *fullest = &simulation->ranks[simulation->fullest];
    return (struct memory_report){.peak = fullest->peak,
                                  .limit = simulating->planning.cost.memory_limit,
                                  .rank = fullest->rank,
                                  .parts = fullest->parts};
}

static bool is_used(const struct simulation *simulation, int stream) {
    bool used = false;
    for (int64_t role = 0; role < simulation->program.role_count; role++) {
        used = used || simulation->ranks[role].busy[stream] > 0;
    }
    return used;
}

enum { ENDS_SHOWN = 8, ALL_SHOWN = 24 };

/* Of many roles those at both ends, the busiest and the fullest. */
static bool is_shown(const struct simulation *simulation, int64_t role) {
    int64_t roles = simulation->program.role_count;
    return roles <= ALL_SHOWN || role < ENDS_SHOWN || role >= roles - ENDS_SHOWN || role == simulation->busiest ||
           role == simulation->fullest;
}

static void add_role(const struct simulation *simulation, const struct rank_report *report, struct table *table) {
    struct arena *arena = table->arena;
    size_t row = table_row(table), column = 0;
    double end = (double)simulation->result.end;
    table_set(table, row, column++, "%lld", (long long)report->rank);
    table_set(table, row, column++, "%lld", (long long)report->ranks);
    table_set(table, row, column++, "%lld", (long long)report->pipeline_rank);
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        if (is_used(simulation, stream)) {
            double part = end > 0 ? (double)report->busy[stream] / end : 0;
            table_set(table, row, column++, "%s%%", text_fixed(arena, 100 * part, 1));
        }
    }
    table_set(table, row, column++, "%lld", (long long)report->in_flight);
    table_set(table, row, column++, "%s", units_human(arena, report->allocator.allocated, UNIT_BYTES, 3));
    table_set(table, row, column++, "%s", units_human(arena, report->allocator.reserved, UNIT_BYTES, 3));
    table_set(table, row, column, "%s", units_human(arena, report->peak, UNIT_BYTES, 3));
}

static void add_roles(const struct simulation *simulation, size_t width, struct text *out) {
    struct table table;
    table_init(&table, out->arena);
    table_column(&table, "rank", false, 0);
    table_column(&table, "alike", false, 1);
    table_column(&table, "stage", false, 0);
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        if (is_used(simulation, stream)) {
            table_column(&table, stream_names[stream], false, stream <= STREAM_DATA ? 0 : 2);
        }
    }
    table_column(&table, "in flight", false, 1);
    table_column(&table, "allocated", false, 0);
    table_column(&table, "reserved", false, 1);
    table_column(&table, "memory", false, 0);
    int64_t left_out = 0;
    for (int64_t role = 0; role < simulation->program.role_count; role++) {
        if (is_shown(simulation, role)) {
            add_role(simulation, &simulation->ranks[role], &table);
        } else {
            left_out++;
        }
    }
    text_add(out, "\nbusy streams, most activations in flight, most memory\n");
    table_render(&table, width, out);
    if (left_out > 0) {
        text_add_format(out, "and %lld stages between\n", (long long)left_out);
    }
}

/* "7.245 s a step, 0.5% over the closed form's 7.210 s; 640 K tokens/s; bubble 9.1%" */
static void add_summary(const struct simulating *simulating, const struct simulation *simulation, struct text *out) {
    struct arena *arena = out->arena;
    const struct cost_context *cost = &simulating->planning.cost;
    double step = simulation->step_time, closed = simulating->estimate.step_time;
    text_add_format(out, "%s a step", units_human(arena, step, UNIT_SECONDS, 4));
    if (closed > 0) {
        text_add_format(out, ", %s%% %s the closed form's %s", text_fixed(arena, 100 * fabs(step / closed - 1), 1),
                        step < closed ? "below" : "above", units_human(arena, closed, UNIT_SECONDS, 4));
    }
    text_add_format(out, "; %s tokens/s, bubble %s%%, %s events\n",
                    view_amount(arena, (double)cost->job->global_batch * (double)cost->tokens / step),
                    text_fixed(arena, 100 * simulation->bubble, 1),
                    view_amount(arena, (double)simulation->result.events));
}

static void add_draws(const struct simulate_options *options, const struct simulation *simulation, struct text *out) {
    if (options->seeds > 1) {
        text_add_format(out, "of %lld steps half take less than %s, 95%% less than %s, 99%% less than %s\n",
                        (long long)options->seeds, units_human(out->arena, simulation->p50, UNIT_SECONDS, 4),
                        units_human(out->arena, simulation->p95, UNIT_SECONDS, 4),
                        units_human(out->arena, simulation->p99, UNIT_SECONDS, 4));
    }
}

void simulated_text(const struct simulating *simulating, const struct simulate_options *options,
                    const struct simulation *simulation, size_t width, struct text *out) {
    struct view_part time[VIEW_TIME_PARTS], memory[VIEW_MEMORY_PARTS], path[SIMULATED_PATH];
    struct memory_report report = simulated_memory(simulating, simulation);
    view_heading(&simulating->planning.cost, out);
    text_add_format(out, "%s\n\n", view_decision(out->arena, &simulating->plan->decision));
    add_summary(simulating, simulation, out);
    add_draws(options, simulation, out);
    view_time_parts(&simulation->parts, time);
    view_parts("step", time, VIEW_TIME_PARTS, simulation->step_time, UNIT_SECONDS, out);
    view_memory_parts(&report.parts, memory);
    view_parts(arena_format(out->arena, "memory of rank %lld", (long long)report.rank), memory, VIEW_MEMORY_PARTS,
               report.peak, UNIT_BYTES, out);
    add_roles(simulation, width, out);
    size_t count = simulated_path(out->arena, simulation, path);
    view_parts("critical path", path, count, (double)simulation->result.end * SECOND, UNIT_SECONDS, out);
}

void simulated_csv(const struct simulation *simulation, struct text *out) {
    struct table table;
    table_init(&table, out->arena);
    static const char *const heads[] = {"rank", "ranks", "stage", "in_flight", "peak_bytes", "allocated_bytes",
                                        "reserved_bytes", "span_start_s", "span_end_s"};
    enum { HEADS = sizeof heads / sizeof *heads };
    for (size_t i = 0; i < HEADS; i++) {
        table_column(&table, heads[i], false, 0);
    }
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        table_column(&table, arena_format(out->arena, "busy_%s_s", stream_names[stream]), false, 0);
    }
    for (int64_t role = 0; role < simulation->program.role_count; role++) {
        const struct rank_report *r = &simulation->ranks[role];
        const double values[HEADS] = {(double)r->rank, (double)r->ranks, (double)r->pipeline_rank,
                                      (double)r->in_flight, r->peak, r->allocator.allocated, r->allocator.reserved,
                                      (double)r->span_start * SECOND, (double)r->span_end * SECOND};
        size_t row = table_row(&table);
        char number[32];
        for (size_t i = 0; i < HEADS; i++) {
            text_shortest(values[i], number);
            table_set(&table, row, i, "%s", number);
        }
        for (size_t stream = 0; stream < STREAM_COUNT; stream++) {
            text_shortest((double)r->busy[stream] * SECOND, number);
            table_set(&table, row, HEADS + stream, "%s", number);
        }
    }
    table_csv(&table, out);
}
