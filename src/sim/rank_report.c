#include "sim/rank_report.h"

#include <math.h>

#include "base/arena.h"
#include "sim/lanes.h"

int64_t replica_rank(const struct mesh *mesh, int64_t replica, int64_t pipeline_rank) {
    int64_t tp = mesh->axes[AXIS_TP].size, cp = mesh->axes[AXIS_CP].size;
    struct coordinates at = {.tp = replica % tp, .cp = replica / tp % cp, .dp = replica / tp / cp, .pp = pipeline_rank};
    return mesh_rank(mesh, &at);
}

int64_t rank_replica(const struct mesh *mesh, int64_t rank) {
    struct coordinates at = mesh_coordinates(mesh, rank);
    return at.tp + mesh->axes[AXIS_TP].size * (at.cp + mesh->axes[AXIS_CP].size * at.dp);
}

/* The instance of a role whose compute stream works longest, the first of equals. */
static int64_t busiest_instance(const struct simulation *s, int64_t role) {
    int64_t roles = s->program.role_count, most = role;
    for (int64_t replica = 1; replica < s->result.replicas; replica++) {
        int64_t instance = replica * roles + role;
        if (s->result.busy[instance * STREAM_COUNT + STREAM_COMPUTE] >
            s->result.busy[most * STREAM_COUNT + STREAM_COMPUTE]) {
            most = instance;
        }
    }
    return most;
}

/* Passes of a schedule: kernels and the exchanges within; no messages, no gradients, no optimizer. */
static bool is_in_pass(const struct instruction *instruction) {
    switch ((enum action)instruction->action) {
    case ACTION_FORWARD:
    case ACTION_BACKWARD:
    case ACTION_WEIGHT:
    case ACTION_FULL:
    case ACTION_PAIR:
    case ACTION_RECOMPUTE:
    case ACTION_SHARD:
    case ACTION_SHARD_END:
    case ACTION_HOST:
        return true;
    case ACTION_COLLECTIVE:
        return instruction->stream != STREAM_DATA && instruction->stage != NOTHING;
    case ACTION_SEND:
    case ACTION_RECEIVE:
    case ACTION_OPTIMIZER:
    case ACTION_LOAD:
    case ACTION_STORE:
    case ACTION_COUNT:
        break;
    }
    return false;
}

/* The times of a role's instructions, of the instance that stands for it. */
struct times {
    const int64_t *starts, *ends;
};

static struct times times_of(const struct simulation *s, const struct rank_report *report, int64_t role) {
    int64_t roles = s->program.role_count;
    int64_t place = report->instance / roles * s->program.count + s->program.roles[role].first;
    return (struct times){&s->result.starts[place], &s->result.ends[place]};
}

/* The instruction of any lane that begins next, or NOTHING. */
static int32_t next_of(struct lane lanes[STREAM_COUNT], const int64_t *starts) {
    struct lane *first = NULL;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        struct lane *lane = &lanes[stream];
        if (lane->next < lane->count &&
            (!first || starts[lane->items[lane->next]] < starts[first->items[first->next]])) {
            first = lane;
        }
    }
    return first ? first->items[first->next++] : NOTHING;
}

/* Sets the span of a rank's passes; returns the time in which any of them runs. */
static int64_t measure_span(struct arena *arena, const struct simulation *s, int64_t role, struct times times,
                            struct rank_report *report) {
    struct lane lanes[STREAM_COUNT];
    struct arena_place begin = arena_mark(arena);
    lanes_open(arena, &s->program, role, lanes);
    const struct instruction *instructions = &s->program.instructions[s->program.roles[role].first];
    int64_t worked = 0;
    report->span_start = report->span_end = -1;
    for (int32_t i = next_of(lanes, times.starts); i != NOTHING; i = next_of(lanes, times.starts)) {
        if (!is_in_pass(&instructions[i])) {
            continue;
        }
        int64_t reached = report->span_end > times.starts[i] ? report->span_end : times.starts[i];
        worked += times.ends[i] > reached ? times.ends[i] - reached : 0;
        report->span_start = report->span_start < 0 ? times.starts[i] : report->span_start;
        report->span_end = times.ends[i] > report->span_end ? times.ends[i] : report->span_end;
    }
    arena_rewind(arena, begin);
    if (report->span_start < 0) { /* all its micro-batches skip it */
        report->span_start = report->span_end = 0;
    }
    return worked;
}

/* A chunk's visits by micro-batches, to see the first and the last instruction of each. */
struct visits {
    const struct program *program;
    int32_t *left; /* of chunk and micro-batch: backward's instructions to come; -1 - left once forward has begun */
    int64_t held, most;
};

static int32_t *visit_of(const struct visits *v, int32_t stage, int32_t micro_batch) {
    return &v->left[v->program->stages[stage].chunk * v->program->micro_batches + micro_batch];
}

/* Whether the instruction is a part of backward, and of which visit. */
static bool is_backward(const struct program *program, const struct instruction *instruction, int32_t *ret_stage,
                        int32_t *ret_micro_batch) {
    if (instruction->stage == NOTHING || instruction->micro_batch == NOTHING) {
        return false;
    }
    *ret_stage = instruction->stage;
    *ret_micro_batch = instruction->micro_batch;
    if (instruction->action == ACTION_PAIR) {
        *ret_stage = program->works[instruction->work].other;
        *ret_micro_batch = instruction->partner;
        return *ret_stage != NOTHING && *ret_micro_batch != NOTHING;
    }
    return instruction->action == ACTION_BACKWARD || instruction->action == ACTION_FULL;
}

static void count_forward(struct visits *v, const struct instruction *instruction) {
    bool forward = instruction->action == ACTION_FORWARD || instruction->action == ACTION_PAIR;
    if (!forward || instruction->stage == NOTHING || instruction->micro_batch == NOTHING) {
        return;
    }
    int32_t *left = visit_of(v, instruction->stage, instruction->micro_batch);
    if (*left >= 0) {
        *left = -1 - *left;
        v->held++;
        v->most = v->held > v->most ? v->held : v->most;
    }
}

/* Most chunk activations at once: from the begin of forward to the end of the (input gradient's) backward. A rank's
 * passes follow one another, so their order tells. */
static int64_t count_in_flight(struct arena *arena, const struct program *program, int64_t role) {
    const struct instruction *instructions = &program->instructions[program->roles[role].first];
    int64_t count = program->roles[role].count, chunks = 1;
    for (int64_t i = 0; i < program->stage_count; i++) {
        chunks = program->stages[i].chunk >= chunks ? program->stages[i].chunk + 1 : chunks;
    }
    struct arena_place begin = arena_mark(arena);
    struct visits v = {.program = program,
                       .left = ARENA_ARRAY(arena, int32_t, (size_t)(chunks * program->micro_batches))};
    int32_t stage, micro_batch;
    for (int64_t i = 0; i < count; i++) {
        if (is_backward(program, &instructions[i], &stage, &micro_batch)) {
            ++*visit_of(&v, stage, micro_batch);
        }
    }
    for (int64_t i = 0; i < count; i++) {
        count_forward(&v, &instructions[i]);
        if (is_backward(program, &instructions[i], &stage, &micro_batch)) {
            int32_t *left = visit_of(&v, stage, micro_batch);
            *left += *left < 0 ? 1 : 0;
            v.held -= *left == -1;
        }
    }
    arena_rewind(arena, begin);
    return v.most;
}

/* Bytes of the peak by what they hold. */
static void count_memory(struct arena *arena, const struct simulation *s, int64_t role, struct times times,
                         const struct memory_parts *outside, bool expandable, struct rank_report *report) {
    memory_curve(arena, &s->program, role, times.starts, times.ends, &report->memory);
    struct arena_place begin = arena_mark(arena);
    allocator_replay(arena, &s->program, role, times.starts, times.ends, expandable, &report->allocator);
    arena_rewind(arena, begin);
    const double *held = report->memory.at_peak;
    report->parts = (struct memory_parts){
        .weights = held[TENSOR_WEIGHTS],
        .gradients = held[TENSOR_GRADIENTS],
        .optimizer = held[TENSOR_OPTIMIZER],
        .activations = held[TENSOR_ACTIVATIONS] + held[TENSOR_WORKING],
        .logits = held[TENSOR_LOGITS],
        .communication = held[TENSOR_COMMUNICATION] + outside->communication,
        .runtime = outside->runtime,
        .allocator = fmax(0, report->allocator.reserved - report->allocator.allocated),
    };
    report->outside = outside->communication + outside->runtime;
    report->peak = report->memory.peak + report->outside + report->parts.allocator;
}

static void report_role(struct arena *arena, const struct mesh *mesh, const struct memory_parts *outside,
                        bool expandable, int64_t role, struct simulation *s, int64_t *worked) {
    struct rank_report *report = &s->ranks[role];
    int64_t pipeline_rank = s->program.roles[role].pipeline_rank, roles = s->program.role_count;
    int64_t instance = busiest_instance(s, role);
    *report = (struct rank_report){.pipeline_rank = pipeline_rank,
                                   .rank = replica_rank(mesh, instance / roles, pipeline_rank),
                                   .ranks = s->program.replicas,
                                   .instance = instance};
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        report->busy[stream] = s->result.busy[instance * STREAM_COUNT + stream];
    }
    struct times times = times_of(s, report, role);
    *worked += measure_span(arena, s, role, times, report);
    report->in_flight = count_in_flight(arena, &s->program, role);
    count_memory(arena, s, role, times, outside, expandable, report);
}

void report_ranks(struct arena *arena, const struct cost_context *context, const struct plan *plan, bool expandable,
                  struct simulation *ret) {
    int64_t roles = ret->program.role_count, worked = 0, end = 0, span = 0;
    struct cut cut = cost_cut(context, &plan->decision.parallel);
    struct memory_parts outside = {.communication = cost_library_bytes(context, &cut),
                                   .runtime = context->device->context + context->device->workspace};
    ret->ranks = ARENA_ARRAY(arena, struct rank_report, (size_t)roles);
    ret->busiest = ret->fullest = 0;
    for (int64_t role = 0; role < roles; role++) {
        struct rank_report *report = &ret->ranks[role];
        report_role(arena, &cut.mesh, &outside, expandable, role, ret, &worked);
        end = report->span_end > end ? report->span_end : end;
        span = report->span_end - report->span_start > span ? report->span_end - report->span_start : span;
        ret->busiest = report->busy[STREAM_COMPUTE] > ret->ranks[ret->busiest].busy[STREAM_COMPUTE] ? role
                                                                                                   : ret->busiest;
        ret->fullest = report->peak > ret->ranks[ret->fullest].peak ? role : ret->fullest;
    }
    ret->makespan = (double)end * 1e-12;
    ret->span = (double)span * 1e-12;
    ret->bubble = end > 0 ? 1 - (double)worked / ((double)roles * (double)end) : 0;
}
