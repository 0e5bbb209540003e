#include "sim/slice_names.h"

#include "base/arena.h"
#include "base/text.h"
#include "program/block_work.h"

static const char *const pass_letters[ACTION_COUNT] = {
    [ACTION_FORWARD] = "F", [ACTION_BACKWARD] = "B",  [ACTION_WEIGHT] = "W", [ACTION_FULL] = "BW",
    [ACTION_PAIR] = "F&B",  [ACTION_RECOMPUTE] = "R", [ACTION_SHARD] = "S",  [ACTION_SHARD_END] = "T",
};

struct naming {
    struct arena *arena;
    const struct cost_context *context;
    const struct plan *plan;
    struct block_work *works; /* of [block * MODEL_KINDS + kind], made when asked for */
    bool *made;
    const char **names;
    int64_t count;
};

static const struct block_work *block_of(struct naming *n, const struct work *work) {
    int64_t place = work->block * MODEL_KINDS + work->layer_kind;
    if (!n->made[place]) {
        struct shard shard = cost_shard(n->context, &n->plan->decision.parallel, n->plan->decision.micro_batch);
        block_work(n->context->model, n->context->job, &shard, n->plan->decision.parallel.cp_kind,
                   (enum block)work->block, work->layer_kind, &n->works[place]);
        n->made[place] = true;
    }
    return &n->works[place];
}

static const char *pass_name(struct arena *arena, const struct work *work) {
    static const char *const blocks[] = {[BLOCK_EMBEDDING] = "embedding", [BLOCK_HEAD] = "head", [BLOCK_MTP] = "mtp"};
    const char *letter = pass_letters[work->action] ? pass_letters[work->action] : "pass";
    bool layer = work->kind == WORK_PASS || work->block == BLOCK_LAYER;
    return layer ? letter : arena_format(arena, "%s %s", letter, blocks[work->block]);
}

static const char *name_of(struct naming *n, const struct work *work) {
    const char *collective = collective_names[work->collective];
    switch ((enum work_kind)work->kind) {
    case WORK_PASS:
    case WORK_BLOCK:
        return pass_name(n->arena, work);
    case WORK_KERNEL:
        return arena_format(n->arena, "%s %s", pass_letters[work->action],
                            block_of(n, work)->work.operations[work->item].name);
    case WORK_EXCHANGE:
        return block_of(n, work)->exchanges.items[work->item].name;
    case WORK_REDUCE:
        return arena_format(n->arena, "%s gradients", collective);
    case WORK_GATHER:
        return arena_format(n->arena, "%s parameters", collective);
    case WORK_BARRIER:
        return arena_format(n->arena, "%s vocabulary", collective);
    case WORK_UPDATE:
        return "optimizer";
    case WORK_COPY:
        return "copy";
    case WORK_MESSAGE:
        return "message";
    case WORK_HOST:
    case WORK_KINDS:
        break;
    }
    return "host";
}

static int32_t index_of(struct naming *n, const char *name) {
    for (int64_t i = 0; i < n->count; i++) {
        if (text_equal(n->names[i], name)) {
            return (int32_t)i;
        }
    }
    n->names[n->count] = name;
    return (int32_t)n->count++;
}

void slice_names_make(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                      const struct program *program, struct slice_names *ret) {
    size_t blocks = BLOCK_COUNT * MODEL_KINDS;
    struct naming n = {
        .arena = arena,
        .context = context,
        .plan = plan,
        .works = ARENA_ARRAY(arena, struct block_work, blocks),
        .made = ARENA_ARRAY(arena, bool, blocks),
        .names = ARENA_ARRAY(arena, const char *, (size_t)program->work_count),
    };
    int32_t *of_work = ARENA_ARRAY(arena, int32_t, (size_t)program->work_count);
    for (int64_t i = 0; i < program->work_count; i++) {
        of_work[i] = index_of(&n, name_of(&n, &program->works[i]));
    }
    *ret = (struct slice_names){.names = n.names, .count = n.count, .of_work = of_work};
}

enum sort slice_sort(const struct program *program, const struct instruction *instruction) {
    static const enum sort sorts[ACTION_COUNT] = {
        [ACTION_FORWARD] = SORT_FORWARD,   [ACTION_BACKWARD] = SORT_BACKWARD,     [ACTION_WEIGHT] = SORT_WEIGHT,
        [ACTION_FULL] = SORT_FULL,         [ACTION_PAIR] = SORT_PAIR,             [ACTION_RECOMPUTE] = SORT_RECOMPUTE,
        [ACTION_SHARD] = SORT_HEAD,        [ACTION_SHARD_END] = SORT_HEAD,        [ACTION_COLLECTIVE] = SORT_COLLECTIVE,
        [ACTION_SEND] = SORT_MESSAGE,      [ACTION_RECEIVE] = SORT_MESSAGE,       [ACTION_OPTIMIZER] = SORT_OPTIMIZER,
        [ACTION_LOAD] = SORT_COPY,         [ACTION_STORE] = SORT_COPY,            [ACTION_HOST] = SORT_OTHER,
    };
    const struct work *work = &program->works[instruction->work];
    bool head = (work->kind == WORK_BLOCK || work->kind == WORK_KERNEL) && work->block == BLOCK_HEAD;
    return head ? SORT_HEAD : sorts[instruction->action];
}
