/* What the parts of a price cost, in nanoseconds: the parts that many configurations share and the one that each has to
 * itself (cost/price.h). */
#include "bench.h"

#include "collective/collective.h"
#include "cost/kernel.h"
#include "cost/price.h"

struct setting {
    const char *model, *topology;
    int64_t devices;
    struct parallel parallel;
};

static const struct setting settings[] = {
    {"gpt3-175b",
     "a100-sxm-80g",
     4096,
     {.tp = 8, .pp = 8, .vpp = 2, .dp = 64, .cp = 1, .ep = 1, .etp = 1, .zero = 1, .sp = true, .ulysses = 1}},
    {"deepseek-v3",
     "h100-sxm",
     2048,
     {.tp = 1, .pp = 8, .vpp = 2, .dp = 128, .cp = 2, .ep = 64, .etp = 1, .zero = 1, .ulysses = 1}},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

/* All that the parts are computed into. */
struct parts {
    struct cost_context context;
    struct cut cut;
    struct work_cost work;
    struct stage_map map;
    struct state_spans spans;
    struct state_cost states[STAGE_CLASSES];
    struct stage_load load;
    struct price price;
    double sum; /* keeps results in use */
};

static void part_gemm(struct parts *p) {
    p->sum += kernel_gemm(p->context.device, DTYPE_BF16, 4096, 12288, 1536, 1);
}

static void part_collective(struct parts *p) {
    p->sum += collective_seconds(&p->spans.dense, COLLECTIVE_ALL_REDUCE, 1e8, NULL);
}

static void part_cut(struct parts *p) {
    const struct parallel parallel = p->cut.parallel;
    p->cut = cost_cut(&p->context, &parallel);
}

static void part_work(struct parts *p) {
    cost_work(&p->context, &p->cut, 1, &p->work);
}

static void part_map(struct parts *p) {
    stage_map_make(&p->context, p->cut.parallel.pp, p->cut.parallel.vpp, PLACEMENT_LINEAR, false, &p->map);
}

static void part_states(struct parts *p) {
    for (int64_t i = 0; i < p->map.class_count; i++) {
        cost_state(&p->context, &p->cut, &p->spans, &p->map.classes[i], false, 1, &p->states[i]);
    }
}

static void part_load(struct parts *p) {
    cost_load(&p->context, &p->map, &p->work, p->states, RECOMPUTE_SELECTIVE, 1, &p->load);
}

static void price_with(struct parts *p, enum schedule_name name) {
    cost_price(&p->context, &p->cut, &p->map, p->states, &p->load, schedules[name], 64, &p->price);
    p->sum += p->price.step;
}

static void part_gpipe(struct parts *p) {
    price_with(p, SCHEDULE_GPIPE);
}

static void part_interleaved(struct parts *p) {
    price_with(p, SCHEDULE_INTERLEAVED);
}

static void part_zb_v(struct parts *p) {
    price_with(p, SCHEDULE_ZB_V);
}

static const struct {
    const char *what;
    void (*run)(struct parts *parts);
} steps[] = {
    {"a GEMM", part_gemm},
    {"an all-reduce", part_collective},
    {"cut: communicators", part_cut},
    {"work: layers of a cut and micro-batch", part_work},
    {"stage map", part_map},
    {"model states of all classes", part_states},
    {"load: passes of all classes", part_load},
    {"price under gpipe", part_gpipe},
    {"price under interleaved", part_interleaved},
    {"price under zb-v", part_zb_v},
};

/* Nanoseconds of one call, over about a twentieth of a second. */
static double nanoseconds(void (*run)(struct parts *parts), struct parts *parts) {
    for (int64_t times = 64;; times *= 4) {
        double before = seconds_used();
        for (int64_t i = 0; i < times; i++) {
            run(parts);
        }
        double taken = seconds_used() - before;
        if (taken > 0.05) {
            return taken / (double)times * 1e9;
        }
    }
}

int main(void) {
    struct arena *arena = arena_open(NULL, NULL);
    struct parts *parts[SETTINGS];
    printf("%-40s", "nanoseconds");
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings[i];
        parts[i] = ARENA_NEW(arena, struct parts);
        parts[i]->context = bench_context(arena, s->model, s->topology, s->devices, s->devices, 4096);
        parts[i]->cut = cost_cut(&parts[i]->context, &s->parallel);
        parts[i]->spans = state_spans(&parts[i]->context, &parts[i]->cut);
        printf("%14s", s->model);
    }
    printf("\n");
    for (size_t step = 0; step < sizeof steps / sizeof steps[0]; step++) {
        printf("%-40s", steps[step].what);
        for (size_t i = 0; i < SETTINGS; i++) {
            printf("%14.0f", nanoseconds(steps[step].run, parts[i]));
        }
        printf("\n");
        fflush(stdout);
    }
    arena_close(arena);
    return OK;
}
