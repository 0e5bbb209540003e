/* Every block of the model and every micro-batch exactly once forward, once backward, once for the weight gradient,
 * whatever the pieces: a pass does all blocks of its stage, a full backward is both, a pair is a forward and a full
 * backward; kernels make up a block when all its operations are there, in full (check_kernels.h).
 *
 *              embedding  layer 0  layer 1  ...  MTP  head
 *   mb 0         F B W     F B W    F B .            each cell is filled once; a hole or a second time is a fault
 *   mb 1         F B W     F .
 * . */
#include "base/arena.h"
#include "model/model.h"
#include "program/check_kernels.h"
#include "program/check_parts.h"

struct cell {
    uint16_t done[PHASES];   /* times, as a whole; of MTP blocks together */
    uint32_t prints[PHASES]; /* of the kernels that were there */
};

struct passes {
    struct checking *c;
    struct prints prints;
    struct cell *cells; /* [block * micro_batches + micro_batch]: embedding, layers, MTP, head */
    int64_t layers, micro_batches, ways;
    int32_t *stages;    /* [way * blocks + block]: who has it; NOTHING */
    bool spread;        /* all ranks share embedding and head */
};

enum { OUTER_BLOCKS = 3 };

static int64_t block_total(const struct passes *p) {
    return p->layers + OUTER_BLOCKS;
}

static int64_t block_index(const struct passes *p, int block, int64_t layer) {
    return block == BLOCK_EMBEDDING ? 0 : block == BLOCK_LAYER ? 1 + layer : block == BLOCK_MTP ? p->layers + 1
                                                                                               : p->layers + 2;
}

static struct cell *cell_at(const struct passes *p, int64_t block, int64_t micro_batch) {
    return &p->cells[block * p->micro_batches + micro_batch];
}

/* How many blocks of this index a stage has. */
static int64_t held_by(const struct passes *p, const struct stage *stage, int64_t block) {
    if (block == 0 || block == p->layers + 2) {
        return block == 0 ? stage->embedding : stage->head;
    }
    if (block == p->layers + 1) {
        return stage->mtp;
    }
    return block - 1 >= stage->first && block - 1 < stage->first + stage->layers;
}

static const char *block_name(struct passes *p, int64_t block) {
    static const char *const outer[] = {"an MTP block", "the head"};
    return block == 0                 ? "the embedding"
           : block <= p->layers ? arena_format(p->c->arena, "layer %lld", (long long)block - 1)
                                      : outer[block - p->layers - 1];
}

/* The next block of a stage from `block` on, or the total. */
static int64_t next_block(const struct passes *p, const struct stage *stage, int64_t block) {
    if (block <= 0 && stage->embedding) {
        return 0;
    }
    if (block <= stage->first + stage->layers && stage->layers > 0) {
        return block > stage->first + 1 ? block : stage->first + 1;
    }
    if (block <= p->layers + 1 && stage->mtp > 0) {
        return p->layers + 1;
    }
    return block <= p->layers + 2 && stage->head ? p->layers + 2 : block_total(p);
}

/* The phases that an action is: bits. */
static unsigned phases_of(uint8_t action) {
    switch ((enum action)action) {
    case ACTION_FORWARD:
        return 1u << PHASE_FORWARD;
    case ACTION_BACKWARD:
        return 1u << PHASE_BACKWARD;
    case ACTION_WEIGHT:
        return 1u << PHASE_WEIGHT;
    case ACTION_FULL:
        return 1u << PHASE_BACKWARD | 1u << PHASE_WEIGHT;
    case ACTION_PAIR:
    case ACTION_RECOMPUTE:
    case ACTION_SHARD:
    case ACTION_SHARD_END:
    case ACTION_COLLECTIVE:
    case ACTION_SEND:
    case ACTION_RECEIVE:
    case ACTION_OPTIMIZER:
    case ACTION_LOAD:
    case ACTION_STORE:
    case ACTION_HOST:
    case ACTION_COUNT:
        break;
    }
    return 0;
}

static void fill(struct cell *cell, unsigned phases, int64_t times, uint32_t print) {
    for (int phase = 0; phase < PHASES; phase++) {
        if ((phases & 1u << phase) != 0) {
            int64_t done = cell->done[phase] + times;
            cell->done[phase] = (uint16_t)(done < UINT16_MAX ? done : UINT16_MAX);
            cell->prints[phase] = prints_sum(cell->prints[phase], print);
        }
    }
}

static void fill_stage(struct passes *p, const struct stage *stage, int64_t micro_batch, unsigned phases) {
    for (int64_t b = next_block(p, stage, 0); b < block_total(p); b = next_block(p, stage, b + 1)) {
        fill(cell_at(p, b, micro_batch), phases, held_by(p, stage, b), 0);
    }
}

/* Micro-batches of a way pass the stages of that way. */
static bool is_of_way(const struct passes *p, int32_t stage, int32_t micro_batch) {
    return stage != NOTHING && micro_batch != NOTHING &&
           p->c->program->stages[stage].way == micro_batch / (p->micro_batches / p->ways);
}

static void fill_block(struct passes *p, int64_t i, const struct work *work, unsigned phases) {
    const struct instruction *instruction = check_at(p->c, i);
    const struct stage *stage = &p->c->program->stages[instruction->stage];
    const struct model *model = p->c->model;
    bool in_layer = work->block == BLOCK_LAYER;
    int64_t layer = in_layer ? instruction->layer : 0;
    if (in_layer ? layer == NOTHING || work->layer_kind != model->layers[layer]
                 : work->block == BLOCK_MTP && work->layer_kind != model->mtp_kind) {
        check_fault(p->c, "%s: its work is of another kind of layer", check_name(p->c, i));
        return;
    }
    int64_t block = block_index(p, work->block, layer);
    if (held_by(p, stage, block) == 0) {
        check_fault(p->c, "%s: its stage does not have %s", check_name(p->c, i), block_name(p, block));
        return;
    }
    bool kernel = work->kind == WORK_KERNEL;
    uint32_t print = kernel ? prints_of(&p->prints, instruction->work) : 0;
    fill(cell_at(p, block, instruction->micro_batch), phases, kernel ? 0 : 1, print);
}

/* A rank's piece of a vocabulary that is spread over all. */
static void fill_piece(struct passes *p, int64_t i) {
    const struct instruction *instruction = check_at(p->c, i);
    const struct work *work = &p->c->program->works[instruction->work];
    if (instruction->micro_batch == NOTHING || (work->block != BLOCK_EMBEDDING && work->block != BLOCK_HEAD)) {
        check_fault(p->c, "%s: it is no part of the vocabulary", check_name(p->c, i));
        return;
    }
    p->spread = true;
    fill(cell_at(p, block_index(p, work->block, 0), instruction->micro_batch), phases_of(work->action), 0,
         prints_piece(p->c->role_of[i], work->pieces));
}

static void fill_instruction(struct passes *p, int64_t i) {
    const struct instruction *instruction = check_at(p->c, i);
    const struct program *program = p->c->program;
    const struct work *work = &program->works[instruction->work];
    bool pair = instruction->action == ACTION_PAIR;
    unsigned phases = phases_of(instruction->action);
    if (instruction->action == ACTION_SHARD || instruction->action == ACTION_SHARD_END) {
        fill_piece(p, i);
    }
    if (phases == 0 && !pair) {
        return;
    }
    if (!is_of_way(p, instruction->stage, instruction->micro_batch) ||
        (pair && !is_of_way(p, work->other, instruction->partner))) {
        check_fault(p->c, "%s: no stage, or one that this micro-batch does not pass", check_name(p->c, i));
    } else if (work->kind == WORK_PASS) {
        if (work->stage != instruction->stage || (pair && program->stages[work->other].rank !=
                                                              program->stages[work->stage].rank)) {
            check_fault(p->c, "%s: its work is another stage's", check_name(p->c, i));
            return;
        }
        fill_stage(p, &program->stages[work->stage], instruction->micro_batch,
                   pair ? 1u << PHASE_FORWARD : phases);
        if (pair) {
            fill_stage(p, &program->stages[work->other], instruction->partner, phases_of(ACTION_FULL));
        }
    } else {
        fill_block(p, i, work, phases);
    }
}

static const char *const phase_names[] = {"forward", "backward", "weight gradient"};

static void check_cell(struct passes *p, int64_t block, int64_t micro_batch, int64_t times) {
    const struct cell *cell = cell_at(p, block, micro_batch);
    bool by_kernels = cell->prints[0] != 0 || cell->prints[1] != 0 || cell->prints[2] != 0;
    const struct model *model = p->c->model;
    bool is_layer = block >= 1 && block <= p->layers;
    int kind = is_layer ? model->layers[block - 1] : block == p->layers + 1 ? model->mtp_kind : 0;
    int sort = block == 0 ? BLOCK_EMBEDDING : block <= p->layers ? BLOCK_LAYER : block == p->layers + 1 ? BLOCK_MTP
                                                                                                      : BLOCK_HEAD;
    for (int phase = 0; phase < PHASES; phase++) {
        int64_t done = cell->done[phase];
        if (by_kernels) {
            bool whole = prints_whole(&p->prints, sort, kind, phase, times, cell->prints[phase]);
            if (!whole || done > 0) {
                check_fault(p->c, "%s of %s, micro-batch %lld: not all its kernels once", phase_names[phase],
                            block_name(p, block), (long long)micro_batch);
            }
        } else if (done != times) {
            check_fault(p->c, "%s of %s, micro-batch %lld, is %s", phase_names[phase], block_name(p, block),
                        (long long)micro_batch, done < times ? "missing" : "there twice");
        }
    }
}

/* Whether a micro-batch that may leave out stages has left out this one. */
static bool is_skipped(const struct passes *p, const struct stage *stage, int64_t micro_batch) {
    static const struct cell empty;
    bool skipped = p->c->program->skips;
    for (int64_t b = next_block(p, stage, 0); skipped && b < block_total(p); b = next_block(p, stage, b + 1)) {
        const struct cell *cell = cell_at(p, b, micro_batch);
        for (int phase = 0; phase < PHASES; phase++) {
            skipped = skipped && cell->done[phase] == empty.done[phase] && cell->prints[phase] == empty.prints[phase];
        }
    }
    return skipped;
}

/* Blocks that a stage shares with an earlier one (of the same index: RoundPipe) are looked at there. */
static void check_stage(struct passes *p, int32_t index) {
    const struct stage *stage = &p->c->program->stages[index];
    int64_t each = p->micro_batches / p->ways;
    for (int64_t j = stage->way * each; j < (stage->way + 1) * each; j++) {
        if (is_skipped(p, stage, j)) {
            continue;
        }
        for (int64_t b = next_block(p, stage, 0); b < block_total(p); b = next_block(p, stage, b + 1)) {
            if (p->stages[stage->way * block_total(p) + b] == index) {
                check_cell(p, b, j, held_by(p, stage, b));
            }
        }
    }
}

/* All roles do their pieces, each once. */
static void check_pieces(struct passes *p) {
    uint32_t whole = 0;
    for (int64_t role = 0; role < p->c->program->role_count; role++) {
        whole = prints_sum(whole, prints_piece(role, (int32_t)p->c->program->role_count));
    }
    for (int64_t i = 0; i < 2 * p->micro_batches * PHASES; i++) {
        int64_t block = i % 2 == 0 ? 0 : p->layers + 2, micro_batch = i / 2 / PHASES;
        int phase = (int)(i / 2 % PHASES);
        if (cell_at(p, block, micro_batch)->prints[phase] != whole) {
            check_fault(p->c, "%s of %s, micro-batch %lld: not all ranks do their part once", phase_names[phase],
                        block_name(p, block), (long long)micro_batch);
        }
    }
}

/* Each layer lies in one stage of each way. */
static void place_stages(struct passes *p) {
    const struct program *program = p->c->program;
    for (int64_t i = 0; i < p->ways * block_total(p); i++) {
        p->stages[i] = NOTHING;
    }
    for (int32_t i = 0; i < program->stage_count; i++) {
        const struct stage *stage = &program->stages[i];
        for (int64_t b = next_block(p, stage, 0); b < block_total(p); b = next_block(p, stage, b + 1)) {
            int32_t *holder = &p->stages[stage->way * block_total(p) + b];
            if (*holder != NOTHING && program->stages[*holder].index != stage->index) {
                check_fault(p->c, "%s lies in stages %lld and %lld", block_name(p, b),
                            (long long)program->stages[*holder].index, (long long)stage->index);
            }
            *holder = *holder == NOTHING ? i : *holder;
        }
    }
    for (int64_t i = 0; i < p->ways * block_total(p); i++) {
        int64_t block = i % block_total(p);
        if (p->stages[i] == NOTHING && block >= 1 && block <= p->layers) {
            check_fault(p->c, "%s lies in no stage", block_name(p, block));
        }
    }
}

void check_passes(struct checking *c) {
    const struct program *program = c->program;
    struct passes p = {.c = c, .layers = c->model->layer_count, .micro_batches = program->micro_batches, .ways = 1};
    for (int64_t i = 0; i < program->stage_count; i++) {
        p.ways = program->stages[i].way == 1 ? 2 : p.ways;
    }
    if (p.micro_batches % p.ways != 0) {
        check_fault(c, "%lld micro-batches do not enter at two ends alike", (long long)p.micro_batches);
        return;
    }
    p.stages = ARENA_ARRAY(c->arena, int32_t, (size_t)(p.ways * block_total(&p)));
    place_stages(&p);
    if (c->faults > 0) {
        return;
    }
    prints_open(c->arena, program, &p.prints);
    p.cells = ARENA_ARRAY(c->arena, struct cell, (size_t)(block_total(&p) * p.micro_batches));
    for (int64_t i = 0; i < program->count; i++) {
        fill_instruction(&p, i);
    }
    for (int32_t i = 0; i < program->stage_count; i++) {
        check_stage(&p, i);
    }
    if (p.spread) {
        check_pieces(&p);
    }
}
