/* Stages that go round the ranks (RoundPipe, github.com/ITcarrot/RoundPipe): weights live in host memory. A rank takes
 * slot after slot, forward stages first; the next slot's weights come while it works on this one. What forward keeps is
 * stored on the host and loaded again by the rank that runs the backward; gradients are stored behind their slot.
 *
 *   copy-in   W0 W1      W2  A2.0 A2.1           W weights of a slot, A activations of a micro-batch
 *   compute      F0.0 F0.1   B2.0 B2.1
 *   copy-out        A0.0 A0.1        G2          G gradients
 *
 * Slot k of 2S - 1 is forward of stage k below S (the last with its backward), else backward of stage 2S - 2 - k; it
 * goes to rank k mod p. In a program each slot is a stage of its own. */
#include "base/arena.h"
#include "program/data.h"
#include "schedule/schedule.h"

/* One slot under way, the next one's weights behind it. */
struct round {
    int64_t stages;              /* of the model */
    int64_t slot;                /* chunk under way; -1: none */
    int64_t loaded;              /* chunks whose weights were asked for */
    int32_t *loads, *weights;    /* of each chunk: instruction and tensor */
    int32_t gradients;           /* tensor of the slot; NOTHING */
    int32_t ends[2];             /* of the two passes before */
};

bool goes_round(const struct plan *plan) {
    return schedules[plan->decision.schedule]->placement == PLACEMENT_ROUND;
}

/* The model's stages as slots: by rank, then in the order in which it takes them. */
void round_stages(struct arena *arena, struct stages *stages) {
    int64_t ranks = stages->ranks, held = 2 * stages->held, slots = 2 * stages->stages - 1;
    struct stage *items = ARENA_ARRAY(arena, struct stage, (size_t)(ranks * held));
    for (int64_t i = 0; i < ranks * held; i++) {
        int64_t rank = i / held, chunk = i % held, slot = rank + chunk * ranks;
        int64_t index = slot < stages->stages ? slot : 2 * stages->stages - 2 - slot;
        if (slot < slots) {
            items[i] = stages->items[index % ranks * stages->held + index / ranks];
        }
        items[i].rank = rank;
        items[i].chunk = chunk;
        items[i].index = index < 0 ? 0 : index;
    }
    stages->items = items;
    stages->count = ranks * held;
    stages->held = held;
}

int64_t round_slot(const struct lowering *l, int64_t stage, bool backward) {
    return backward ? 2 * l->stages.stages - 2 - stage : stage;
}

void round_open(struct lowering *l) {
    if (goes_round(l->plan)) {
        struct round *round = l->round = ARENA_NEW(l->arena, struct round);
        round->stages = l->stages.stages;
        round->loads = ARENA_ARRAY(l->arena, int32_t, (size_t)l->stages.held);
        round->weights = ARENA_ARRAY(l->arena, int32_t, (size_t)l->stages.held);
    }
}

void round_begin(struct lowering *l) {
    if (l->round != NULL) {
        l->round->slot = -1;
        l->round->loaded = 0;
        l->round->gradients = l->round->ends[0] = l->round->ends[1] = NOTHING;
    }
}

static int32_t copy_add(struct lowering *l, enum action action, int32_t stage, int32_t micro_batch, double bytes,
                        int32_t wait) {
    struct work work = work_blank(WORK_COPY);
    work.bytes = bytes;
    enum stream stream = action == ACTION_LOAD ? STREAM_COPY_IN : STREAM_COPY_OUT;
    struct instruction instruction = instruction_blank(action, stream, builder_work(l->builder, &work));
    instruction.stage = stage;
    instruction.micro_batch = micro_batch;
    int32_t added = builder_add(l->builder, &instruction);
    builder_wait(l->builder, added, wait);
    return added;
}

static int32_t stage_of(const struct lowering *l, int64_t chunk) {
    return (int32_t)(l->role * l->stages.held + chunk);
}

static double parameters_of(const struct lowering *l, int32_t stage) {
    double sum = 0;
    for (int64_t block = 0; block < l->block_counts[stage]; block++) {
        sum += l->loads[stage][block].parameters.dense + l->loads[stage][block].parameters.expert;
    }
    return sum;
}

static double saved_by(const struct lowering *l, int32_t stage) {
    double sum = 0;
    for (int64_t block = 0; block < l->block_counts[stage]; block++) {
        sum += l->loads[stage][block].holding.saved + l->loads[stage][block].holding.logits;
    }
    return sum;
}

/* Weights of the slots up to `chunk`: behind the slot before the one that is under way. */
static void load_weights(struct lowering *l, int64_t chunk) {
    struct round *round = l->round;
    for (; round->loaded <= chunk && round->loaded < l->stages.held; round->loaded++) {
        int32_t stage = stage_of(l, round->loaded);
        double bytes = parameters_of(l, stage) * l->data->bytes.weight;
        round->loads[round->loaded] = NOTHING;
        if (bytes > 0) {
            int32_t load = copy_add(l, ACTION_LOAD, stage, NOTHING, bytes, l->last);
            round->loads[round->loaded] = load;
            round->weights[round->loaded] = tensor_add(l, TENSOR_WEIGHTS, bytes, NULL, load, NOTHING);
        }
    }
}

static bool is_backward_slot(const struct lowering *l, int64_t chunk) {
    return l->role + chunk * l->stages.ranks >= l->round->stages - 1;
}

/* The slot under way is over: its weights are dropped, its gradients stored. */
static void slot_end(struct lowering *l) {
    struct round *round = l->round;
    if (round->slot >= 0 && round->loads[round->slot] != NOTHING) {
        builder_free(l->builder, round->weights[round->slot], l->last);
    }
    if (round->gradients != NOTHING) {
        int32_t stage = stage_of(l, round->slot);
        double bytes = parameters_of(l, stage) * l->data->bytes.gradient;
        int32_t store = copy_add(l, ACTION_STORE, stage, NOTHING, bytes, l->last);
        builder_wait(l->builder, store, l->data->last);
        builder_free(l->builder, round->gradients, store);
    }
    round->gradients = NOTHING;
}

static void slot_enter(struct lowering *l, int64_t chunk) {
    if (l->round->slot != chunk) {
        slot_end(l);
        l->round->slot = chunk;
        load_weights(l, chunk + 1);
    }
}

int32_t round_before(struct lowering *l, const struct pass_site *site) {
    struct round *round = l->round;
    if (round == NULL) {
        return NOTHING;
    }
    int64_t chunk = site_stage(l, site)->chunk;
    slot_enter(l, chunk);
    bool fused = l->role + chunk * l->stages.ranks == round->stages - 1;
    if (site->action == ACTION_FORWARD || fused) {
        return round->loads[chunk];
    }
    double bytes = saved_by(l, site->stage);
    int32_t load = copy_add(l, ACTION_LOAD, site->stage, site->micro_batch, bytes, round->ends[1]);
    builder_wait(l->builder, load, round->loads[chunk]);
    if (l->detail == DETAIL_OPERATION) {
        operations_keep(l, site, load);
    } else {
        tensors_of_pass(l, site, ACTION_FORWARD, load);
    }
    return load;
}

void round_behind(struct lowering *l, const struct pass_site *site, const struct pass_ends *ends) {
    struct round *round = l->round;
    if (round == NULL) {
        return;
    }
    int64_t chunk = site_stage(l, site)->chunk;
    round->ends[1] = round->ends[0];
    round->ends[0] = l->last;
    if (!is_backward_slot(l, chunk)) {
        int32_t store = copy_add(l, ACTION_STORE, site->stage, site->micro_batch, saved_by(l, site->stage), l->last);
        for (int64_t block = 0; block < l->block_counts[site->stage]; block++) {
            struct kept *kept = lowering_kept(l, l->kept, chunk, site->micro_batch, block, l->micro_batches);
            for (int32_t i = 0; i < kept->count; i++) {
                builder_free(l->builder, kept->first + i, store);
            }
            kept->count = 0;
        }
    } else if (round->gradients == NOTHING && site->action != ACTION_FORWARD) {
        double bytes = parameters_of(l, site->stage) * l->data->bytes.gradient;
        round->gradients = bytes > 0 ? tensor_add(l, TENSOR_GRADIENTS, bytes, NULL, ends->first, NOTHING) : NOTHING;
    }
}

void round_end(struct lowering *l) {
    if (l->round != NULL) {
        slot_end(l);
    }
}

bool round_updates(const struct lowering *l, int64_t chunk) {
    return l->round == NULL || is_backward_slot(l, chunk);
}
