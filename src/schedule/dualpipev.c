/* DualPipeV ("cut in half", deepseek-ai/DualPipe): DualPipe folded at its middle. Rank r holds stages r and 2p - 1 - r
 * in a V, weights once; what were two ways are the two chunks (f, b, w, d = first chunk, F, B, W, D = second; f&D =
 * pair; p = 2, m = 4; without idle times):
 *
 *   rank 0   f0 f1 f2 F0 B0 W0 F1 f3&D1 F2&d0 D2 F3&d1 D3 b2 w2 b3 w3
 *   rank 1   f0 F0 f1 F1 f2 D0 F2&d0 f3&D1 F3&d1 D2 d2 B3 b3 W3 w3
 *
 * Rule: dual.c with half = p and m micro-batches a phase. With k = p - 1 the makespan is dual_makespan of 2m passes,
 * 2 (m - ceil((m - 1) / p)) + k - 2 hops, 2 turns: exact for any m, tF, tB, tW and tFB <= T without latency, up to 0.5
 * % low at c <= T / 10. With tFB = T, tW <= tB and tF = tB it is 2mT + (p - 1)(tFB + tD - 3tW). 2p + 1 chunk
 * activations are alive on every rank. Unequal ranks: 0.6 % off on average where they differ by 30 %. */
#include "schedule/dual.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->micro_batches < 2 * shape->ranks) {
        return "dualpipev needs at least 2 micro-batches for each rank";
    }
    return rule_refuse(shape, 2);
}

static double hops_of(const struct schedule_shape *shape) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    return (double)(2 * (m - (m - 1 + p - 1) / p) + p - 3);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    return dual_makespan(2 * (double)m, (double)(p - 1), hops_of(shape), 2, times);
}

static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    struct dual_spot at = {.depth = spot->before_count,
                           .half = (double)shape->ranks,
                           .micro_batches = (double)shape->micro_batches,
                           .own = spot->own,
                           .outer = &spot->before,
                           .inner = spot->after,
                           .entry_weight = load->first.weight,
                           .innermost_weight = load->last.weight};
    return dual_path(&at);
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return longest_path(shape, load, through_rank) + dual_latency(hops_of(shape), (double)(3 * shape->ranks - 3), load);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return corrected_path(shape, load, makespan, length);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)(2 * shape->ranks + 1);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    struct dual_row row = {.depth = rank,
                           .half = shape->ranks,
                           .micro_batches = shape->micro_batches,
                           .stage = {(int32_t)rank, (int32_t)(2 * shape->ranks - 1 - rank)}};
    dual_generate(&row, list);
}

const struct schedule schedule_dualpipev = {
    .name = "dualpipev",
    .doc = "dualpipe cut in half: two chunks a rank in V placement, weights once",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_WAVE,
    .pairs = true,
    .ways = 1,
    .splits_backward = true,
    .chunked = true,
    .fixed_chunks = 2,
    .tapers = true,
    .searched = true,
};
