/* What lives in a rank's memory, and between which instructions, as the closed form of the cost model counts it
 * (cost/price.h, cost_peak): what a block keeps for backward from its forward on, its working set while its backward
 * runs, logits from the head's forward to its input gradient.
 *
 *   forward             allocates activations and logits
 *   full backward       frees both
 *   input gradient      frees logits; what full recomputation made again stays for the weight gradient
 *   weight gradient     frees the rest
 */
#include <math.h>

#include "program/lower_parts.h"

int32_t tensor_add(struct lowering *l, enum tensor_class class, double bytes, const struct pass_site *site,
                   int32_t allocates, int32_t frees) {
    struct tensor tensor = {.bytes = bytes, .class = (int32_t)class, .micro_batch = NOTHING, .stage = NOTHING};
    if (site != NULL) {
        tensor.micro_batch = site->micro_batch;
        tensor.stage = site->stage;
    }
    return builder_tensor(l->builder, &tensor, allocates, frees);
}

static struct kept *kept_at(struct lowering *l, struct kept *kept, const struct pass_site *site, int64_t block) {
    return lowering_kept(l, kept, site_stage(l, site)->chunk, site->micro_batch, block, l->micro_batches);
}

/* Frees all of it but the first `stay`. */
static void free_kept(struct lowering *l, struct kept *kept, int32_t stay, int32_t instruction) {
    for (int32_t i = stay; i < kept->count; i++) {
        builder_free(l->builder, kept->first + i, instruction);
    }
    kept->count = kept->count < stay ? kept->count : stay;
}

/* What forward leaves: activations, then logits. */
static void keep(struct lowering *l, const struct pass_site *site, int64_t block, double saved, double logits,
                 int32_t instruction) {
    struct kept *kept = kept_at(l, l->kept, site, block);
    *kept = (struct kept){NOTHING, 0};
    if (saved > 0) {
        kept->first = tensor_add(l, TENSOR_ACTIVATIONS, saved, site, instruction, NOTHING);
        kept->count = 1;
    }
    if (logits > 0) {
        int32_t tensor = tensor_add(l, TENSOR_LOGITS, logits, site, instruction, NOTHING);
        kept->first = kept->count > 0 ? kept->first : tensor;
        kept->count++;
    }
}

/* Of a whole pass: blocks with logits each their own, the others together, in the place of the first of them. */
static void keep_all(struct lowering *l, const struct pass_site *site, double saved, int32_t instruction) {
    for (int32_t block = 0; block < l->block_counts[site->stage]; block++) {
        const struct holding *holding = &l->loads[site->stage][block].holding;
        bool alone = holding->logits > 0;
        keep(l, site, block, alone ? holding->saved : saved, holding->logits, instruction);
        saved = alone ? saved : 0;
    }
}

static void work_in(struct lowering *l, const struct pass_site *site, double bytes, int32_t instruction) {
    if (bytes > 0) {
        tensor_add(l, TENSOR_WORKING, bytes, site, instruction, instruction);
    }
}

static bool runs_again(const struct lowering *l, const struct block_site *block) {
    return (l->recomputed & PART_ALL) != 0 && (block->block == BLOCK_LAYER || block->block == BLOCK_MTP);
}

/* Bytes that full recomputation brings back. */
static double made_again(const struct lowering *l, int32_t stage, int64_t block) {
    const struct holding *holding = &l->loads[stage][block].holding;
    return runs_again(l, &l->blocks[stage][block]) ? fmax(0, holding->working - holding->saved) : 0;
}

static void keep_for_weight(struct lowering *l, const struct pass_site *site, int64_t block, double bytes,
                            int32_t instruction) {
    struct kept *kept = kept_at(l, l->kept_for_weight, site, block);
    enum tensor_class class = site->action == ACTION_BACKWARD ? TENSOR_ACTIVATIONS : TENSOR_WORKING;
    *kept = (struct kept){NOTHING, 0};
    if (bytes > 0) {
        *kept = (struct kept){tensor_add(l, class, bytes, site, instruction, NOTHING), 1};
    }
}

/* A stage's blocks together; saved: of those without logits. */
struct totals {
    double saved, logits, extra, transient, again;
};

static struct totals totals_of(const struct lowering *l, int32_t stage) {
    struct totals totals = {0};
    for (int32_t block = 0; block < l->block_counts[stage]; block++) {
        const struct holding *holding = &l->loads[stage][block].holding;
        totals.saved += holding->logits > 0 ? 0 : holding->saved;
        totals.logits += holding->logits;
        totals.extra = fmax(totals.extra, holding_extra(holding));
        totals.transient = fmax(totals.transient, holding->transient);
        totals.again += made_again(l, stage, block);
    }
    return totals;
}

static void free_all(struct lowering *l, const struct pass_site *site, struct kept *kept, int32_t instruction) {
    for (int32_t block = 0; block < l->block_counts[site->stage]; block++) {
        free_kept(l, kept_at(l, kept, site, block), 0, instruction);
    }
}

void tensors_of_pass(struct lowering *l, const struct pass_site *site, enum action action, int32_t instruction) {
    struct totals totals = totals_of(l, site->stage);
    int32_t blocks = l->block_counts[site->stage];
    if (action == ACTION_FORWARD) {
        keep_all(l, site, totals.saved, instruction);
    } else if (action == ACTION_FULL) {
        free_all(l, site, l->kept, instruction);
        work_in(l, site, totals.extra - totals.logits, instruction);
    } else if (action == ACTION_BACKWARD) {
        for (int32_t block = 0; block < blocks; block++) {
            free_kept(l, kept_at(l, l->kept, site, block), 1, instruction);
            keep_for_weight(l, site, block, block == 0 ? totals.again : 0, instruction);
        }
        work_in(l, site, (totals.again > 0 ? totals.transient : totals.extra) - totals.logits, instruction);
    } else {
        free_all(l, site, l->kept, instruction);
        free_all(l, site, l->kept_for_weight, instruction);
    }
}

void tensors_of_block(struct lowering *l, const struct pass_site *site, enum action action, int64_t block,
                      int32_t instruction) {
    const struct holding *holding = &l->loads[site->stage][block].holding;
    struct kept *kept = kept_at(l, l->kept, site, block);
    struct kept *again = kept_at(l, l->kept_for_weight, site, block);
    bool recomputed = runs_again(l, &l->blocks[site->stage][block]);
    if (action == ACTION_FORWARD) {
        keep(l, site, block, holding->saved, holding->logits, instruction);
    } else if (action == ACTION_RECOMPUTE) {
        keep_for_weight(l, site, block, made_again(l, site->stage, block), instruction);
    } else if (action == ACTION_FULL || action == ACTION_BACKWARD) {
        work_in(l, site, recomputed ? holding->transient : holding_extra(holding), instruction);
        free_kept(l, kept, action == ACTION_FULL ? 0 : 1, instruction);
        if (!recomputed) {
            *again = (struct kept){NOTHING, 0};
        } else if (action == ACTION_FULL) {
            free_kept(l, again, 0, instruction);
        }
    } else {
        free_kept(l, kept, 0, instruction);
        free_kept(l, again, 0, instruction);
    }
}
