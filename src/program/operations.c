/* Passes by operations: templates of blocks stamped layer by layer, micro-batch by micro-batch. A pair of passes takes
 * turns where tokens go to their experts: the one's all-to-all runs beside the other's kernels
 * (DeepSeek-V3, arXiv:2412.19437, section 3.2.1). */
#include "program/operations.h"

#include "base/arena.h"
#include "program/lower_parts.h"

enum { PASSES = 4 }; /* forward, backward, weight, full */

/* What is made once for a program. */
struct operations {
    struct sort *sorts[BLOCK_COUNT][MODEL_KINDS];
    struct template *templates[BLOCK_COUNT][MODEL_KINDS][PASSES];
    int32_t *instructions[2]; /* of the steps of a block under way, of either pass of a pair */
    int32_t room[2];
};

static struct operations *operations_of(struct lowering *l) {
    if (l->operations == NULL) {
        l->operations = ARENA_NEW(l->arena, struct operations);
    }
    return l->operations;
}

static const struct template *template_of(struct lowering *l, const struct block_site *at, enum action action) {
    struct operations *o = operations_of(l);
    struct sort **sort = &o->sorts[at->block][at->layer_kind];
    struct template **template = &o->templates[at->block][at->layer_kind][action];
    if (*sort == NULL) {
        *sort = ARENA_NEW(l->arena, struct sort);
        sort_make(l->model, &l->plan->job, &l->shard, l->plan->decision.parallel.cp_kind, l->recomputed, at->block,
                  at->layer_kind, *sort);
    }
    if (*template == NULL) {
        *template = template_make(l->arena, l->builder, *sort, at->block, at->layer_kind, action);
    }
    return *template;
}

/* A pass on its way: which block, which step. */
struct cursor {
    const struct pass_site *site;
    const struct template *template; /* of the block under way; NULL between blocks */
    int32_t *instructions;           /* of its steps */
    int64_t begun;                   /* blocks */
    int32_t block, step;
    bool away;                       /* the block has sent tokens to experts */
    int32_t gathered;                /* what the block's parameters wait for */
    int32_t output;                  /* of what came before */
    struct pass_ends ends;
};

static struct cursor cursor_open(const struct lowering *l, const struct pass_site *site) {
    return (struct cursor){.site = site, .output = l->last, .ends = {NOTHING, NOTHING}};
}

static bool is_over(const struct lowering *l, const struct cursor *c) {
    return c->template == NULL && c->begun == l->block_counts[c->site->stage];
}

static void make_room(struct lowering *l, struct cursor *c, int which) {
    struct operations *o = operations_of(l);
    if (o->room[which] < c->template->count) {
        o->room[which] = 2 * c->template->count;
        o->instructions[which] = ARENA_ARRAY(l->arena, int32_t, (size_t)o->room[which]);
    }
    c->instructions = o->instructions[which];
}

static void begin_block(struct lowering *l, struct cursor *c, int which) {
    int32_t count = l->block_counts[c->site->stage];
    c->block = (int32_t)(c->site->action == ACTION_FORWARD ? c->begun : count - 1 - c->begun);
    c->template = template_of(l, &l->blocks[c->site->stage][c->block], c->site->action);
    c->gathered = block_begins(l, c->site, c->block);
    c->begun++;
    c->step = 0;
    c->away = false;
    make_room(l, c, which);
}

static struct kept *kept_of(struct lowering *l, const struct cursor *c, enum keep keep) {
    return lowering_kept(l, keep == KEEP_FORWARD ? l->kept : l->kept_for_weight, site_stage(l, c->site)->chunk,
                         c->site->micro_batch, c->block, l->micro_batches);
}

static void stamp_tensors(struct lowering *l, const struct cursor *c) {
    const struct template *t = c->template;
    int32_t first = NOTHING;
    for (int32_t i = 0; i < t->release_count; i++) {
        const struct release *release = &t->releases[i];
        builder_free(l->builder, kept_of(l, c, release->keep)->first + release->index,
                     c->instructions[release->step]);
    }
    for (int32_t i = 0; i < t->life_count; i++) {
        const struct life *life = &t->lives[i];
        int32_t tensor = tensor_add(l, life->class, life->bytes, c->site, c->instructions[life->begin],
                                    life->end == NOTHING ? NOTHING : c->instructions[life->end]);
        first = first == NOTHING ? tensor : first;
    }
    if (c->site->action == ACTION_FORWARD || c->site->action == ACTION_BACKWARD) {
        *kept_of(l, c, t->keep) = (struct kept){first, t->kept_count};
    }
}

void operations_keep(struct lowering *l, const struct pass_site *site, int32_t instruction) {
    for (int32_t block = 0; block < l->block_counts[site->stage]; block++) {
        const struct template *t = template_of(l, &l->blocks[site->stage][block], ACTION_FORWARD);
        struct kept kept = {NOTHING, t->kept_count};
        for (int32_t i = 0; i < t->kept_count; i++) {
            int32_t tensor = tensor_add(l, t->lives[i].class, t->lives[i].bytes, site, instruction, NOTHING);
            kept.first = i == 0 ? tensor : kept.first;
        }
        *lowering_kept(l, l->kept, site_stage(l, site)->chunk, site->micro_batch, block, l->micro_batches) = kept;
    }
}

static void end_block(struct lowering *l, struct cursor *c) {
    const struct template *t = c->template;
    int32_t last = t->last != NOTHING ? c->instructions[t->last] : l->last;
    stamp_tensors(l, c);
    c->output = t->output != NOTHING ? c->instructions[t->output] : c->output;
    c->template = NULL;
    block_ends(l, c->site, c->block, last);
}

static void wait_for_entry(struct lowering *l, const struct cursor *c, int32_t instruction) {
    builder_wait(l->builder, instruction, c->output);
    builder_wait(l->builder, instruction, c->gathered);
    if (c->begun == 1) {
        builder_wait(l->builder, instruction, c->site->after);
    }
}

static int32_t stamp(struct lowering *l, const struct cursor *c, const struct step *step) {
    struct instruction instruction =
        instruction_blank((enum action)step->action, (enum stream)step->stream, step->work);
    instruction.micro_batch = c->site->micro_batch;
    instruction.stage = c->site->stage;
    instruction.layer = l->blocks[c->site->stage][c->block].layer;
    if (step->meets) {
        struct meeting meeting = {.axis = step->axis, .size = step->size};
        instruction.meeting = builder_meeting(l->builder, &meeting);
    }
    int32_t added = builder_add(l->builder, &instruction);
    for (int i = 0; i < step->wait_count; i++) {
        if (step->waits[i] == ENTRY) {
            wait_for_entry(l, c, added);
        } else {
            builder_wait(l->builder, added, c->instructions[step->waits[i]]);
        }
    }
    l->last = step->stream == STREAM_COMPUTE ? added : l->last;
    return added;
}

/* One step, and the borders of blocks around it. Returns whether it is the other pass's turn: behind the experts'
 * exchanges, and behind blocks that have none. */
static bool advance(struct lowering *l, struct cursor *c, int which) {
    if (c->template == NULL) {
        begin_block(l, c, which);
    }
    const struct template *t = c->template;
    bool away = false;
    if (c->step < t->count) {
        const struct step *step = &t->steps[c->step];
        int32_t added = stamp(l, c, step);
        c->ends.first = c->ends.first == NOTHING ? added : c->ends.first;
        c->instructions[c->step++] = added;
        away = step->stream == STREAM_EXPERT && (c->step == t->count || step[1].stream != STREAM_EXPERT);
        c->away = c->away || away;
    }
    if (c->step == t->count) {
        end_block(l, c);
        return away || !c->away;
    }
    return away;
}

static void close(struct cursor *c, struct pass_ends *ret) {
    c->ends.output = c->output;
    *ret = c->ends;
}

void pass_by_operations(struct lowering *l, const struct pass_site *site, struct pass_ends *ret) {
    struct cursor cursor = cursor_open(l, site);
    while (!is_over(l, &cursor)) {
        (void)advance(l, &cursor, 0);
    }
    close(&cursor, ret);
}

void pair_by_operations(struct lowering *l, const struct pass_site *forward, const struct pass_site *backward,
                        struct pass_ends ret[2]) {
    struct cursor cursors[2] = {cursor_open(l, forward), cursor_open(l, backward)};
    int turn = 0;
    while (!is_over(l, &cursors[0]) || !is_over(l, &cursors[1])) {
        turn = is_over(l, &cursors[turn]) ? 1 - turn : turn;
        if (advance(l, &cursors[turn], turn)) {
            turn = 1 - turn;
        }
    }
    close(&cursors[0], &ret[0]);
    close(&cursors[1], &ret[1]);
}
