/* A pipeline schedule, executed and drawn: a chart for the terminal, a picture (-o FILE.svg), or numbers as JSON. The
 * schedule is one of the table's or an order of passes in a text file (schedule/order_text.h). */
#include "cli/show.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "schedule/execute.h"
#include "schedule/order_text.h"
#include "schedule/schedule.h"
#include "timeline/write.h"
#include "yaml/document.h"

enum { PP_DEFAULT = 4, MICRO_BATCHES_DEFAULT = 8, CHUNKS_DEFAULT = 2, LARGEST_CHART = 20000000 };

struct shown {
    const char *name;
    struct order order;
    struct stage_costs costs;
    struct execution run;
};

/* Times of passes as flags give them: F, B, W and of a pair; all 1 when not given. */
static enum status read_costs(struct context *context, const struct show_options *options, struct shown *shown) {
    const double *times = options->pass_times.items;
    size_t given = options->pass_times.count;
    size_t stages = (size_t)shown->order.stages, ranks = (size_t)shown->order.ranks;
    double each[3] = {1, 1, 1};
    if (given != 0 && given != 3 && given != 4) {
        return diag_error(context->diag, options_mark(context, "pass-times"),
                          "--pass-times: F,B,W or F,B,W,FB, not %zu numbers", given);
    }
    for (size_t i = 0; i < given; i++) {
        if (!(times[i] >= 0)) {
            return diag_error(context->diag, options_mark(context, "pass-times"),
                              "--pass-times: a pass takes no negative time");
        }
        if (i < 3) {
            each[i] = times[i];
        }
    }
    double *arrays[3];
    for (int kind = 0; kind < 3; kind++) {
        arrays[kind] = ARENA_ARRAY(context->arena, double, stages + 1);
        for (size_t i = 0; i < stages; i++) {
            arrays[kind][i] = each[kind];
        }
    }
    double *pair = given == 4 ? ARENA_ARRAY(context->arena, double, ranks) : NULL;
    for (size_t i = 0; pair != NULL && i < ranks; i++) {
        pair[i] = times[3];
    }
    const double *shard = options->shard_times.items;
    size_t shards = options->shard_times.count;
    shown->costs = (struct stage_costs){.forward = arrays[0], .backward = arrays[1], .weight = arrays[2], .pair = pair,
                                        .hop = options->p2p, .shard = shards > 0 ? shard[0] : 0,
                                        .shard_end = shards > 1 ? shard[1] : 0, .barrier = shards > 2 ? shard[2] : 0};
    return OK;
}

/* What schedules that order for given times go by; NULL without them, or where read_costs will refuse them. */
static const struct pass_times *times_of(struct arena *arena, const struct show_options *options) {
    const double *passes = options->pass_times.items;
    const double *shards = options->shard_times.items;
    double shard[3] = {0};
    if (options->pass_times.count < 3) {
        return NULL;
    }
    for (size_t i = 0; i < options->shard_times.count && i < 3; i++) {
        shard[i] = shards[i];
    }
    struct pass_times *times = ARENA_NEW(arena, struct pass_times);
    *times = (struct pass_times){.forward = passes[0], .backward = passes[1], .weight = passes[2],
                                 .hop = options->p2p, .shard = shard[0], .shard_end = shard[1], .barrier = shard[2]};
    bool wrong = !(passes[0] >= 0) || !(passes[1] >= 0) || !(passes[2] >= 0) || !(shard[0] >= 0) || !(shard[1] >= 0) ||
                 !(shard[2] >= 0);
    return wrong ? NULL : times;
}

static struct schedule_shape shape_of(struct arena *arena, const struct show_options *options,
                                      const struct schedule *schedule) {
    int64_t chunks = options->chunks > 0         ? options->chunks
                     : schedule->fixed_chunks > 0 ? schedule->fixed_chunks
                     : schedule->chunked          ? CHUNKS_DEFAULT
                                                  : 1;
    bool alone = schedule == schedules[SCHEDULE_NONE];
    return (struct schedule_shape){.ranks = options->pp > 0 ? options->pp : alone ? 1 : PP_DEFAULT,
                                   .micro_batches = options->micro_batches,
                                   .chunks = chunks,
                                   .group = options->group,
                                   .skip = options->skip,
                                   .cap = options->cap,
                                   .times = times_of(arena, options)};
}

static enum status make_named(struct context *context, const struct word *word, const struct schedule *schedule,
                              struct shown *shown) {
    struct schedule_shape shape = shape_of(context->arena, context->options, schedule);
    if (shape.ranks > LARGEST_CHART / (3 * shape.chunks) / shape.micro_batches) {
        return diag_error(context->diag, word->mark, "%s: so many passes cannot be meant", schedule->name);
    }
    const char *broken = schedule->refuse(&shape);
    if (broken != NULL) {
        return diag_error(context->diag, word->mark, "%s with --pp %lld --micro-batches %lld --chunks %lld: %s",
                          schedule->name, (long long)shape.ranks, (long long)shape.micro_batches,
                          (long long)shape.chunks, broken);
    }
    shown->name = schedule->name;
    order_make(context->arena, schedule, &shape, &shown->order);
    return OK;
}

/* The placement that a text means: which rank runs the first stage of the second chunk. */
static enum placement guess_placement(const struct order *order) {
    if (order->ways == 2) {
        return PLACEMENT_TWO_WAY;
    }
    int64_t last = order->ranks - 1;
    for (int64_t i = order->first[last]; i < order->first[last + 1]; i++) {
        if (order->passes[i].visit.stage == order->ranks && order->ranks > 1) {
            return PLACEMENT_WAVE;
        }
    }
    return PLACEMENT_LINEAR;
}

static enum status make_written(struct context *context, const struct word *word, struct shown *shown) {
    struct source *source = NULL;
    const char *const *lines = NULL;
    const int64_t *numbers = NULL;
    struct order_fault fault;
    TRY(document_read(context->arena, word->text, &source, context->diag));
    int64_t count = order_lines(context->arena, source->text, &lines, &numbers);
    order_read(context->arena, lines, count, &shown->order, &fault);
    if (fault.reason != NULL) {
        struct mark mark = {source, count > 0 ? (unsigned)numbers[fault.line] : 1, (unsigned)fault.column + 1,
                            (unsigned)fault.length};
        return diag_error(context->diag, mark, "%s", fault.reason);
    }
    const char *broken = order_refuse(context->arena, &shown->order, guess_placement(&shown->order));
    if (broken != NULL) {
        struct mark whole = {source, 0, 0, 0};
        return diag_error(context->diag, whole, "%s", broken);
    }
    shown->name = word->text;
    return OK;
}

static enum status make_order(struct context *context, const struct word *word, struct shown *shown) {
    const struct schedule *schedule = schedule_find(word->text);
    if (schedule != NULL) {
        return make_named(context, word, schedule, shown);
    }
    if (strpbrk(word->text, "/.") != NULL || access(word->text, F_OK) == 0) {
        return make_written(context, word, shown);
    }
    enum status status = diag_error(context->diag, word->mark, "no schedule '%s'", word->text);
    const char *nearest = text_nearest(word->text, schedule_names, SCHEDULE_COUNT);
    if (nearest != NULL) {
        diag_help(context->diag, "did you mean '%s'?", nearest);
    } else {
        diag_help(context->diag, "parplan show schedule lists them; an order of passes of your own is named as a file");
    }
    return status;
}

static void write_numbers(struct json *json, const char *key, const struct shown *shown,
                          double (*number)(const struct rank_run *run)) {
    json_key(json, key);
    json_open_array(json);
    for (int64_t rank = 0; rank < shown->order.ranks; rank++) {
        json_number(json, number(&shown->run.ranks[rank]));
    }
    json_close_array(json);
}

static double span_of(const struct rank_run *run) {
    return run->end - run->start;
}

static double busy_of(const struct rank_run *run) {
    return run->busy;
}

static double held_to_b(const struct rank_run *run) {
    return (double)run->held_to_backward;
}

static double held_to_w(const struct rank_run *run) {
    return (double)run->held_to_weight;
}

static void write_json(const struct shown *shown, struct text *text) {
    struct json json;
    json_init(&json, text, false);
    json_open_object(&json);
    json_key(&json, "makespan");
    json_number(&json, shown->run.makespan);
    write_numbers(&json, "spans", shown, span_of);
    write_numbers(&json, "busy", shown, busy_of);
    json_key(&json, "bubble_total");
    json_number(&json, execution_bubble(&shown->run, shown->order.ranks));
    json_key(&json, "bubble_span");
    json_number(&json, execution_span_bubble(&shown->run, shown->order.ranks));
    write_numbers(&json, "peak_held_to_b", shown, held_to_b);
    write_numbers(&json, "peak_held_to_w", shown, held_to_w);
    json_key(&json, "orders");
    json_open_array(&json);
    for (int64_t rank = 0; rank < shown->order.ranks; rank++) {
        json_open_array(&json);
        for (int64_t i = shown->order.first[rank]; i < shown->order.first[rank + 1]; i++) {
            char token[PASS_TEXT_SIZE];
            pass_text(&shown->order.passes[i], token);
            json_string(&json, token);
        }
        json_close_array(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    text_add_char(text, '\n');
}

static const struct {
    const char *name;
    enum sort sort;
} pass_looks[] = {
    [PASS_FORWARD] = {"F", SORT_FORWARD}, [PASS_BACKWARD] = {"B", SORT_BACKWARD}, [PASS_WEIGHT] = {"W", SORT_WEIGHT},
    [PASS_FULL] = {"BW", SORT_FULL},      [PASS_PAIR] = {"F&B", SORT_PAIR},       [PASS_SHARD] = {"S", SORT_HEAD},
    [PASS_SHARD_END] = {"T", SORT_HEAD},
};
static const char *const pass_names[] = {"F", "B", "W", "BW", "F&B", "S", "T"};

/* One unit of time is drawn as one second. */
static struct timeline *make_timeline(struct arena *arena, const struct shown *shown) {
    const struct order *order = &shown->order;
    struct timeline *timeline = ARENA_NEW(arena, struct timeline);
    struct timeline_group *groups = ARENA_ARRAY(arena, struct timeline_group, (size_t)order->ranks);
    struct timeline_lane *lanes = ARENA_ARRAY(arena, struct timeline_lane, (size_t)order->ranks);
    struct slice *slices = ARENA_ARRAY(arena, struct slice, (size_t)order->first[order->ranks] + 1);
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        groups[rank] = (struct timeline_group){rank, 1, arena_format(arena, "rank %lld", (long long)rank)};
        lanes[rank] = (struct timeline_lane){(int32_t)rank, 0, "compute"};
        for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
            const struct pass *pass = &order->passes[i];
            slices[i] = (struct slice){.start = (int64_t)(shown->run.starts[i] * PICOSECONDS + 0.5),
                                       .end = (int64_t)(shown->run.ends[i] * PICOSECONDS + 0.5),
                                       .lane = (int32_t)rank,
                                       .name = (int32_t)pass->kind,
                                       .micro_batch = pass->visit.micro_batch,
                                       .stage = pass->visit.stage,
                                       .layer = -1,
                                       .sort = (int32_t)pass_looks[pass->kind].sort};
        }
    }
    *timeline = (struct timeline){.title = arena_format(arena, "%s, %lld ranks, %lld micro-batches", shown->name,
                                                        (long long)order->ranks,
                                                        (long long)(order->micro_batches * order->ways)),
                                  .groups = groups, .lanes = lanes, .slices = slices, .names = pass_names,
                                  .group_count = order->ranks, .lane_count = order->ranks,
                                  .slice_count = order->first[order->ranks],
                                  .name_count = sizeof pass_names / sizeof *pass_names,
                                  .end = (int64_t)(shown->run.makespan * PICOSECONDS + 0.5)};
    return timeline;
}

static void write_table(struct context *context, const struct shown *shown, struct text *text) {
    const struct order *order = &shown->order;
    int64_t most_b = 0, most_w = 0;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        const struct rank_run *run = &shown->run.ranks[rank];
        most_b = run->held_to_backward > most_b ? run->held_to_backward : most_b;
        most_w = run->held_to_weight > most_w ? run->held_to_weight : most_w;
    }
    struct gantt_style style = {.columns = (int)terminal_width(),
                                .color = terminal_color((enum color_choice)context->globals.color, STDOUT_FILENO),
                                .ascii = context->globals.ascii || !terminal_utf8()};
    timeline_gantt(make_timeline(context->arena, shown), &style, text);
    text_add_format(text, "\nmakespan %s, longest span of a rank %s, idle %s %%\n",
                    text_fixed(context->arena, shown->run.makespan, 2), text_fixed(context->arena, shown->run.span, 2),
                    text_fixed(context->arena, 100 * execution_bubble(&shown->run, order->ranks), 1));
    text_add_format(text, "most chunk activations held: %lld until backward, %lld until the weight gradient\n",
                    (long long)most_b, (long long)most_w);
}

enum status show_schedule(struct context *context, const struct word *word) {
    struct shown shown = {0};
    const char *output = context->globals.output;
    TRY(make_order(context, word, &shown));
    TRY(read_costs(context, context->options, &shown));
    if (!order_execute(context->arena, &shown.order, &shown.costs, &shown.run)) {
        return diag_error(context->diag, word->mark, "%s deadlocks", shown.name);
    }
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON || (output != NULL && text_ends(output, ".json"))) {
        write_json(&shown, &text);
    } else if (output != NULL && text_ends(output, ".svg")) {
        timeline_svg(make_timeline(context->arena, &shown), 0, true, &text);
    } else {
        write_table(context, &shown, &text);
    }
    return output_result(context, &text);
}

enum status show_schedules(struct context *context) {
    struct text text;
    text_init(&text, context->arena);
    for (size_t i = 0; schedules[i] != NULL; i++) {
        text_add_format(&text, "%-16s %s\n", schedules[i]->name, schedules[i]->doc);
    }
    return output_result(context, &text);
}
