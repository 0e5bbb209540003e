/* Hanayo's waves (Liu et al., SC 2023, arXiv 2308.15762): micro-batches run back and forth over the ranks, two chunks a
 * wave, and turn without a message, as in Chimera but with one copy of the weights (tD = tF, p = 2, one wave, m = 4):
 *
 *   rank 0   F0.0 F0.1 .... F3.0 D3.0 F3.1 D3.1 D0.0 F0.2 D0.1 F0.3 F3.2 D3.2 F3.3 D3.3 D0.2 .... D0.3
 *   rank 1   .... F1.0 F2.0 F1.1 F2.1 D2.0 D1.0 D2.1 D1.1 F1.2 F2.2 F1.3 F2.3 D2.2 D1.2 D2.3 D1.3
 *
 * Rule: passes are laid into slots as if all took one. In each slot every rank takes a backward if one is ready, of the
 * oldest micro-batch, else the deepest forward that is; at most p micro-batches are under way and v p chunk activations
 * on a rank. The paper shows its order for small cases only; this one has its idle times.
 *
 * With k = p - 1, K = floor(m / p), D = tD and F = tF, per chunk, for p | m:
 * makespan = m v T + 2k max(D, F) + (2 (v + 1) k - 2) c + (K - 1) max(2k |D - F| + (2vk - 2) c, 2vk c),
 * exact for tD >= tF, and for any times without latency; v = 2 with tF > tD is up to 6 % lower. first_unit and
 * last_unit say what other m cost: exact without latency, up to 5 % low at c <= T / 4.
 * Rank i holds (v - 1) min(p, m) + i + 1 chunk activations, at most v min(p, m). Unequal ranks: mean_rank_step with
 * half of the surplus, 1.3 % off on average where they differ by up to 30 %. */
#include "base/arena.h"
#include "schedule/order.h"
#include "schedule/rule.h"
#include "schedule/spot.h"

static const char *refuse(const struct schedule_shape *shape) {
    if (shape->chunks < 2 || shape->chunks % 2 != 0) {
        return "wave needs an even number of chunks a rank, two for each wave";
    }
    return rule_refuse(shape, shape->chunks);
}

/* The first p micro-batches or fewer: how much longer than a rank's own work. `missing` are left out of p. */
static double first_unit(double v, double k, double missing, const struct pass_times *times) {
    double forward = times->forward;
    double full = pass_backward(times);
    double hops = larger(2 * v * k, 2 * (v + 1) * k - 2 - 2 * missing);
    double few = v * missing;
    double many = 2 * k + (v - 2) * missing;
    double longest = larger(few * forward + many * full, many * forward + few * full);
    return longest + hops * times->hop;
}

/* Each further p micro-batches, all of them. */
static double next_unit(double v, double k, const struct pass_times *times) {
    double longer = larger(times->forward, pass_backward(times));
    double shorter = smaller(times->forward, pass_backward(times));
    double hops = 2 * v * k;
    return larger(2 * k * (longer - shorter) + (hops - 2) * times->hop, hops * times->hop);
}

/* The last ones, `missing` > 0 left out of p. */
static double last_unit(double v, double k, double missing, const struct pass_times *times) {
    double forward = times->forward;
    double full = pass_backward(times);
    double hops = larger(2 * (v - 1) * k, 2 * v * k - 2 - 2 * missing);
    double many = 2 * k + (v - 2) * missing;
    double few = v * missing - 2 * k;
    double even = (few + missing) * forward + (many - missing) * full;
    double longest = larger((few - 1) * forward + many * full, many * forward + few * full);
    return larger(longest, even) + hops * times->hop;
}

static double makespan(const struct schedule_shape *shape, const struct pass_times *times) {
    int64_t p = shape->ranks;
    int64_t m = shape->micro_batches;
    double v = (double)shape->chunks;
    double k = (double)(p - 1);
    double length = (double)m * v * pass_full(times);
    if (m <= p) {
        return length + first_unit(v, k, (double)(p - m), times);
    }
    length += first_unit(v, k, 0, times) + (double)(m / p - 1) * next_unit(v, k, times);
    return m % p == 0 ? length : length + last_unit(v, k, (double)(p - m % p), times);
}

static double step(const struct schedule_shape *shape, const struct pipeline_load *load) {
    return mean_rank_step(shape, load, makespan, 0.5);
}

static double in_flight(const struct schedule_shape *shape, int64_t rank) {
    int64_t admitted = fewer(shape->ranks, shape->micro_batches);
    return (double)fewer(shape->chunks * admitted, (shape->chunks - 1) * admitted + rank + 1);
}

/* The slots that order passes: how many forwards and backwards of each stage are over, and what each rank does now. */
struct slots {
    const struct schedule_shape *shape;
    struct pass_list *lists;         /* of each rank */
    int64_t *forwards, *backwards;   /* of each stage: begun */
    int64_t *forwarded, *backwarded; /* of each stage: over when the slot begins */
    int64_t *held;                   /* of each rank */
    int64_t stages;
};

static bool forward_ready(const struct slots *slots, int64_t stage) {
    int64_t next = slots->forwards[stage];
    if (next == slots->shape->micro_batches) {
        return false;
    }
    return stage > 0 ? slots->forwarded[stage - 1] > next : next - slots->backwarded[0] < slots->shape->ranks;
}

static bool backward_ready(const struct slots *slots, int64_t stage) {
    int64_t next = slots->backwards[stage];
    int64_t behind = stage + 1 < slots->stages ? slots->backwarded[stage + 1] : slots->shape->micro_batches;
    return next < slots->forwarded[stage] && next < behind;
}

/* The rank's stage whose backward is next: of the oldest micro-batch, the deepest; -1: none is ready. */
static int64_t choose_backward(const struct slots *slots, int64_t rank) {
    int64_t chosen = -1;
    for (int64_t i = slots->shape->chunks - 1; i >= 0; i--) {
        int64_t stage = placement_stage(PLACEMENT_WAVE, slots->shape->ranks, rank, i);
        if (backward_ready(slots, stage) && (chosen < 0 || slots->backwards[stage] < slots->backwards[chosen])) {
            chosen = stage;
        }
    }
    return chosen;
}

static int64_t choose_forward(const struct slots *slots, int64_t rank) {
    if (slots->held[rank] == slots->shape->chunks * slots->shape->ranks) {
        return -1;
    }
    for (int64_t i = slots->shape->chunks - 1; i >= 0; i--) {
        int64_t stage = placement_stage(PLACEMENT_WAVE, slots->shape->ranks, rank, i);
        if (forward_ready(slots, stage)) {
            return stage;
        }
    }
    return -1;
}

/* True if the rank does something in this slot. */
static bool rank_choose(struct slots *slots, int64_t rank) {
    int64_t stage = choose_backward(slots, rank);
    if (stage >= 0) {
        struct visit visit = {(int32_t)stage, (int32_t)slots->backwards[stage]++, 0};
        list_add(&slots->lists[rank], PASS_FULL, visit);
        slots->held[rank]--;
        return true;
    }
    stage = choose_forward(slots, rank);
    if (stage >= 0) {
        struct visit visit = {(int32_t)stage, (int32_t)slots->forwards[stage]++, 0};
        list_add(&slots->lists[rank], PASS_FORWARD, visit);
        slots->held[rank]++;
    }
    return stage >= 0;
}

static void arrange(struct arena *arena, const struct schedule_shape *shape, struct order *order) {
    size_t stages = (size_t)order->stages;
    struct slots slots = {.shape = shape,
                          .lists = lists_open(arena, shape->ranks, 2 * shape->micro_batches * shape->chunks,
                                              shape->micro_batches),
                          .forwards = ARENA_ARRAY(arena, int64_t, stages),
                          .backwards = ARENA_ARRAY(arena, int64_t, stages),
                          .forwarded = ARENA_ARRAY(arena, int64_t, stages),
                          .backwarded = ARENA_ARRAY(arena, int64_t, stages),
                          .held = ARENA_ARRAY(arena, int64_t, (size_t)shape->ranks),
                          .stages = order->stages};
    bool busy = true;
    while (busy) {
        busy = false;
        for (int64_t rank = 0; rank < shape->ranks; rank++) {
            busy = rank_choose(&slots, rank) || busy;
        }
        for (size_t i = 0; i < stages; i++) {
            slots.forwarded[i] = slots.forwards[i];
            slots.backwarded[i] = slots.backwards[i];
        }
    }
    lists_join(arena, slots.lists, order);
}

const struct schedule schedule_wave = {
    .name = "wave",
    .doc = "chunks in waves: back and forth over the ranks, weights once (Hanayo)",
    .refuse = refuse,
    .makespan = makespan,
    .step = step,
    .in_flight = in_flight,
    .in_flight_to_weight = in_flight,
    .arrange = arrange,
    .placement = PLACEMENT_WAVE,
    .ways = 1,
    .chunked = true,
};
