/* Passes block by block: forward from the first block to the last, backward the other way. A full backward is one
 * instruction a block; a block that is recomputed in full has one more before it. */
#include "program/lower_parts.h"

/* A pass on its way through its blocks. */
struct walk {
    const struct pass_site *site;
    int64_t done, count;
    struct pass_ends ends;
};

static struct walk walk_open(const struct lowering *l, const struct pass_site *site) {
    return (struct walk){site, 0, l->block_counts[site->stage], {NOTHING, NOTHING}};
}

static int32_t known_work(struct lowering *l, enum action action, const struct block_site *block) {
    int64_t stages = l->stages.count * ACTION_COUNT;
    int64_t place = (action * (int64_t)BLOCK_COUNT + (int64_t)block->block) * MODEL_KINDS + block->layer_kind;
    int32_t *known = &l->works[stages + place];
    if (*known == NOTHING) {
        struct work work = work_blank(WORK_BLOCK);
        work.action = (uint8_t)action;
        work.block = (uint8_t)block->block;
        work.layer_kind = block->layer_kind;
        *known = builder_work(l->builder, &work);
    }
    return *known;
}

static int32_t block_add(struct lowering *l, const struct pass_site *site, enum action action, int64_t block) {
    const struct block_site *at = &l->blocks[site->stage][block];
    struct instruction instruction = instruction_blank(action, STREAM_COMPUTE, known_work(l, action, at));
    instruction.micro_batch = site->micro_batch;
    instruction.stage = site->stage;
    instruction.layer = at->layer;
    l->last = builder_add(l->builder, &instruction);
    tensors_of_block(l, site, action, block, l->last);
    return l->last;
}

static bool runs_again(const struct lowering *l, const struct pass_site *site, enum block block) {
    bool backward = site->action == ACTION_BACKWARD || site->action == ACTION_FULL;
    return backward && (l->recomputed & PART_ALL) != 0 && (block == BLOCK_LAYER || block == BLOCK_MTP);
}

static void walk_on(struct lowering *l, struct walk *walk) {
    const struct pass_site *site = walk->site;
    int64_t block = site->action == ACTION_FORWARD ? walk->done : walk->count - 1 - walk->done;
    int32_t begin = block_begins(l, site, block);
    int32_t first = NOTHING;
    if (runs_again(l, site, l->blocks[site->stage][block].block)) {
        first = block_add(l, site, ACTION_RECOMPUTE, block);
    }
    int32_t last = block_add(l, site, site->action, block);
    first = first != NOTHING ? first : last;
    builder_wait(l->builder, first, begin);
    if (walk->done++ == 0) {
        builder_wait(l->builder, first, site->after);
        walk->ends.first = first;
    }
    walk->ends.output = last;
    block_ends(l, site, block, last);
}

void pass_by_blocks(struct lowering *l, const struct pass_site *site, struct pass_ends *ret) {
    struct walk walk = walk_open(l, site);
    while (walk.done < walk.count) {
        walk_on(l, &walk);
    }
    *ret = walk.ends;
}

void pair_by_blocks(struct lowering *l, const struct pass_site *forward, const struct pass_site *backward,
                    struct pass_ends ret[2]) {
    struct walk walks[2] = {walk_open(l, forward), walk_open(l, backward)};
    while (walks[0].done < walks[0].count || walks[1].done < walks[1].count) {
        for (int i = 0; i < 2; i++) {
            if (walks[i].done < walks[i].count) {
                walk_on(l, &walks[i]);
            }
        }
    }
    ret[0] = walks[0].ends;
    ret[1] = walks[1].ends;
}
