#include "cli/neighbours.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cost/rule.h"
#include "schedule/schedule.h"

struct asking {
    struct context *context;
    const struct simulating *simulating;
    const struct simulate_options *options;
    struct neighbour *found;
    size_t count;
};

static bool is_before(const struct neighbour *a, const struct neighbour *b) {
    return a->fits != b->fits ? a->fits : a->step_time < b->step_time;
}

static void add(struct asking *asking, const struct neighbour *neighbour) {
    size_t at = asking->count++;
    for (; at > 0 && is_before(neighbour, &asking->found[at - 1]); at--) {
        asking->found[at] = asking->found[at - 1];
    }
    asking->found[at] = *neighbour;
}

/* Simulates a legal decision; what cannot be simulated is no neighbour. */
static void try(struct asking *asking, const struct decision *decision, const char *what) {
    struct arena *arena = asking->context->arena;
    const struct cost_context *cost = &asking->simulating->planning.cost;
    const struct plan *own = asking->simulating->plan;
    struct arena_place begin = arena_mark(arena);
    struct neighbour neighbour = {.what = what};
    if (asking->count < NEIGHBOURS_MOST && rule_reasons(arena, cost, decision).count == 0) {
        struct plan *plan = ARENA_NEW(arena, struct plan);
        struct simulation *simulation = ARENA_NEW(arena, struct simulation);
        struct diag *diag = ARENA_NEW(arena, struct diag);
        struct simulate_options options = *asking->options;
        options.seeds = 1;
        options.root = NULL;
        *plan = (struct plan){.devices = own->devices, .job = own->job, .decision = *decision};
        diag_init(diag, arena);
        if (simulate(arena, cost, plan, &options, simulation, diag) == OK) {
            neighbour.step_time = simulation->step_time;
            neighbour.peak = simulation->ranks[simulation->fullest].peak;
            neighbour.fits = neighbour.peak <= cost->memory_limit;
        }
    }
    arena_rewind(arena, begin);
    if (neighbour.step_time > 0) {
        add(asking, &neighbour);
    }
}

static void try_recompute(struct asking *asking, const struct decision *own) {
    const char *const names[] = {"recompute none", "recompute selective", "recompute full"};
    for (int mode = 0; mode < RECOMPUTE_KINDS; mode++) {
        struct decision other = *own;
        other.recompute = mode;
        if (mode != own->recompute) {
            try(asking, &other, names[mode]);
        }
    }
}

static void try_micro_batch(struct asking *asking, const struct decision *own) {
    for (int64_t size = 1; size <= 4 * own->micro_batch && size <= 64; size *= 2) {
        struct decision other = *own;
        int64_t share = own->parallel.dp * size;
        const char *what = arena_format(asking->context->arena, "micro-batch %lld", (long long)size);
        other.micro_batch = size;
        other.micro_batches = asking->simulating->plan->job.global_batch / share;
        if (size != own->micro_batch) {
            try(asking, &other, what);
        }
    }
}

static void try_schedules(struct asking *asking, const struct decision *own) {
    struct arena *arena = asking->context->arena;
    for (int schedule = 0; schedule < SCHEDULE_COUNT && own->parallel.pp > 1; schedule++) {
        const struct schedule *s = schedules[schedule];
        int64_t most = s->fixed_chunks > 0 || !s->chunked ? 1 : 4;
        for (int64_t factor = 1; factor <= most && s->searched; factor *= 2) {
            struct decision other = *own;
            other.schedule = schedule;
            other.parallel.vpp = s->fixed_chunks > 0 ? s->fixed_chunks : s->chunked ? 2 * factor : 1;
            if (schedule != own->schedule || other.parallel.vpp != own->parallel.vpp) {
                const char *what = other.parallel.vpp > 1 && s->fixed_chunks == 0
                                       ? arena_format(arena, "schedule %s, vpp %lld", s->name,
                                                      (long long)other.parallel.vpp)
                                       : arena_format(arena, "schedule %s", s->name);
                try(asking, &other, what);
            }
        }
    }
}

static void try_sharding(struct asking *asking, const struct decision *own) {
    for (int64_t zero = 0; zero <= 3; zero++) {
        struct decision other = *own;
        other.parallel.zero = zero;
        if (zero != own->parallel.zero) {
            try(asking, &other, arena_format(asking->context->arena, "zero %lld", (long long)zero));
        }
    }
    struct decision other = *own;
    other.parallel.sp = !own->parallel.sp;
    try(asking, &other, other.parallel.sp ? "with sp" : "without sp");
}

void neighbours_ask(struct context *context, const struct simulating *simulating,
                    const struct simulate_options *options, struct neighbour ret[NEIGHBOURS_MOST],
                    size_t *ret_count) {
    struct asking asking = {context, simulating, options, ret, 0};
    const struct decision *own = &simulating->plan->decision;
    try_recompute(&asking, own);
    try_micro_batch(&asking, own);
    try_schedules(&asking, own);
    try_sharding(&asking, own);
    *ret_count = asking.count;
}

enum { SHOWN = 6 };

void neighbours_text(const struct neighbour *neighbours, size_t count, double step_time, bool fits, struct text *out) {
    struct arena *arena = out->arena;
    const char *goal = fits ? "faster" : "fit";
    struct table table;
    table_init(&table, arena);
    table_column(&table, "instead", true, 0);
    table_column(&table, "step", false, 0);
    table_column(&table, "saves", false, 0);
    table_column(&table, "memory", false, 0);
    size_t better = 0;
    for (size_t i = 0; i < count && better < SHOWN; i++) {
        const struct neighbour *n = &neighbours[i];
        if (n->fits && (!fits || n->step_time < step_time)) {
            size_t row = table_row(&table);
            table_set(&table, row, 0, "%s", n->what);
            table_set(&table, row, 1, "%s", units_human(arena, n->step_time, UNIT_SECONDS, 4));
            table_set(&table, row, 2, "%s%%", text_fixed(arena, 100 * (1 - n->step_time / step_time), 2));
            table_set(&table, row, 3, "%s", units_human(arena, n->peak, UNIT_BYTES, 3));
            better++;
        }
    }
    if (better == 0) {
        text_add_format(out, "\nno single change of the plan makes it %s (%zu tried)\n", goal, count);
        return;
    }
    text_add_format(out, "\na single change of the plan makes it %s (%zu tried)\n", goal, count);
    table_render(&table, 0, out);
}

void neighbours_json(const struct neighbour *neighbours, size_t count, struct json *json) {
    json_key(json, "instead");
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        json_key(json, "what");
        json_string(json, neighbours[i].what);
        json_key(json, "step_time_s");
        json_number(json, neighbours[i].step_time);
        json_key(json, "peak_bytes");
        json_number(json, neighbours[i].peak);
        json_key(json, "fits");
        json_bool(json, neighbours[i].fits);
        json_close_object(json);
    }
    json_close_array(json);
}
