/* DualPipe (DeepSeek-V3 report, arXiv 2412.19437; deepseek-ai/DualPipe): half of the micro-batches enter at each end,
 * so every rank holds two copies of weights, stage r of way 0 and stage p - 1 - r of way 1 (marked '), and runs
 * forwards of one way overlapped with backwards of the other (F&D = pair, D = B with W; p = 4, m = 8; without idle
 * times):
 *
 *   rank 0   F0 F1 F2 F0' B0' W0' F1' F3&D1' F2'&D0 D2' F3'&D1 D3' B2 W2 B3 W3
 *   rank 1   F0 F0' F1 F1' F2 D0' F2'&D0 F3&D1' F3'&D1 D2' D2 B3' B3 W3' W3
 *   rank 2   as rank 1 with ways exchanged; rank 3 as rank 0
 *
 * Rule: dual.c with half = p / 2 and m / 2 micro-batches a phase. With k = p / 2 - 1 the makespan is dual_makespan of m
 * passes, m - ceil((m - 2) / p) + 2k hops, 1 turn: exact for any m, tF, tB, tW and tFB <= T at c <= T / 10, and up to
 * 1 % low at c <= T / 2. With tFB = T, tW <= tB and tF = tB it is m T + (p / 2 - 1)(tFB + tD - 3tW), the report's
 * bubble. p + 1 activations are alive on every rank. Unequal ranks: 0.5 % off on average where they differ by 30 %. */
#include "schedule/dual.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->ranks % 2 != 0) {
        return "dualpipe needs an even number of ranks";
    }
    if (shape->micro_batches % 2 != 0 || shape->micro_batches < 2 * shape->ranks) {
        return "dualpipe needs an even number of micro-batches, at least 2 for each rank";
    }
    return rule_refuse(shape, 1);
}

static double hops_of(const struct schedule_shape *shape) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    return (double)(m - (m - 2 + p - 1) / p + p - 2);
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    return dual_makespan((double)m, (double)(p / 2 - 1), hops_of(shape), 1, times);
}

/* Ranks r and p - 1 - r hold the same stages, so one side tells all. `outer` holds the ranks of less depth. */
static double at_depth(const struct schedule_shape *shape, const struct pipeline_load *load, double depth,
                       const struct pass_times *own, const struct pass_times *outer) {
    double half = (double)shape->ranks / 2;
    double entry = (load->first.weight + load->last.weight) / 2;
    struct pass_times inner = {.forward = load->total.forward / 2 - outer->forward - own->forward,
                               .backward = load->total.backward / 2 - outer->backward - own->backward,
                               .weight = load->total.weight / 2 - outer->weight - own->weight,
                               .pair = load->total.pair / 2 - outer->pair - own->pair};
    struct dual_spot spot = {.depth = depth,
                             .half = half,
                             .micro_batches = (double)(shape->micro_batches / 2),
                             .own = own,
                             .outer = outer,
                             .inner = &inner,
                             .entry_weight = entry,
                             .innermost_weight = half > 1 ? (load->total.weight / 2 - entry) / (half - 1) : entry};
    return dual_path(&spot);
}

static double through_rank(const struct schedule_shape *shape, const struct pipeline_load *load,
                           const struct spot *spot) {
    if (2 * spot->before_count < (double)shape->ranks) {
        return at_depth(shape, load, spot->before_count, spot->own, &spot->before);
    }
    return at_depth(shape, load, spot->after_count, spot->own, spot->after);
}

/* The innermost rank, as the mean of all but the ends; it is the ends of another side and no spot of longest_path. */
static double through_innermost(const struct schedule_shape *shape, const struct pipeline_load *load) {
    double inner = (double)(shape->ranks / 2 - 1);
    if (inner <= 0) {
        return 0;
    }
    struct pass_times own = {.forward = (load->total.forward - load->first.forward - load->last.forward) / (2 * inner),
                             .backward =
                                 (load->total.backward - load->first.backward - load->last.backward) / (2 * inner),
                             .weight = (load->total.weight - load->first.weight - load->last.weight) / (2 * inner),
                             .pair = (load->total.pair - load->first.pair - load->last.pair) / (2 * inner)};
    struct pass_times outer = {.forward = load->total.forward / 2 - own.forward,
                               .backward = load->total.backward / 2 - own.backward,
                               .weight = load->total.weight / 2 - own.weight,
                               .pair = load->total.pair / 2 - own.pair};
    return at_depth(shape, load, inner, &own, &outer);
}

static double length(const struct schedule_shape *shape, const struct pipeline_load *load) {
    double longest = larger(longest_path(shape, load, through_rank), through_innermost(shape, load));
    return longest + dual_latency(hops_of(shape), (double)(3 * shape->ranks - 3), load);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return corrected_path(shape, load, makespan, length);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    (void)rank;
    return (double)(shape->ranks + 1);
}

static void generate(const struct schedule_shape *shape, int64_t rank, struct pass_list *list) {
    int64_t p = shape->ranks;
    int32_t near = rank < p / 2 ? 0 : 1; /* the way that enters at the rank's own half */
    int32_t down = (int32_t)rank;
    int32_t up = (int32_t)(p - 1 - rank);
    struct dual_row row = {.depth = fewer(rank, p - 1 - rank),
                           .half = p / 2,
                           .micro_batches = shape->micro_batches / 2,
                           .stage = {near == 0 ? down : up, near == 0 ? up : down},
                           .way = {near, 1 - near}};
    dual_generate(&row, list);
}

const struct schedule schedule_dualpipe = {
    .name = "dualpipe",
    .doc = "micro-batches from both ends, forward and backward overlapped, weights twice",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .generate = generate,
    .placement = PLACEMENT_TWO_WAY,
    .pairs = true,
    .ways = 2,
    .splits_backward = true,
    .fixed_chunks = 1,
    .tapers = true,
    .searched = true,
};
