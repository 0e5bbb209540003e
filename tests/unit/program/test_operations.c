/* Passes by operations: what stands beside what, what is kept, what runs again. */
#include "lowered.h"

#include <math.h>

#include "plan/shard.h"
#include "program/block_work.h"
#include "program/check.h"

#define OVERLAP(keys) "overlap: {" keys "}\n"
#define SHARED DEEP "moe: {num_experts: 16, experts_per_token: 2, expert_intermediate_size: 512, shared_experts: 1, " \
                    "shared_intermediate_size: 1024}\n"

static struct block_work layer_work_of(const struct lowered *lowered, int32_t layer) {
    const struct plan *plan = &lowered->plan;
    const struct parallel *parallel = &plan->decision.parallel;
    struct shard shard = plan_shard(lowered->model, &plan->job, parallel, plan->decision.micro_batch);
    struct block_work ret;
    block_work(lowered->model, &plan->job, &shard, parallel->cp_kind, BLOCK_LAYER, lowered->model->layers[layer], &ret);
    return ret;
}

static const char *item_name(const struct block_work *block, const struct work *work) {
    return work->kind == WORK_KERNEL ? block->work.operations[work->item].name
                                     : block->exchanges.items[work->item].name;
}

/* One layer's instructions of one micro-batch, in order: "F qkv", "B qkv", "W qkv", "R qkv", "(gather input)"; further
 * pieces of the same are left out. Passes are told apart by `from`: actions from this one on are another's. */
static const char *layer_text(struct arena *arena, const struct lowered *lowered, int32_t layer, bool forward) {
    struct block_work block = layer_work_of(lowered, layer);
    const struct program *program = &lowered->program;
    const char *text = "", *last = "";
    bool seen = false;
    for (int64_t i = 0; i < program->roles[0].count; i++) {
        const struct instruction *at = instruction_of(program, 0, i);
        const struct work *work = &program->works[at->work];
        bool kernel = work->kind == WORK_KERNEL;
        if (at->layer != layer || at->micro_batch != 0 || (!kernel && work->kind != WORK_EXCHANGE)) {
            continue;
        }
        bool is_forward = work->action == ACTION_FORWARD;
        const char *word = kernel ? arena_format(arena, "%c %s", "FBW?"[work->action == ACTION_RECOMPUTE ? 3 : work->action],
                                                 item_name(&block, work))
                                  : arena_format(arena, "(%s)", item_name(&block, work));
        if (is_forward == forward && strcmp(word, last) != 0) {
            text = arena_format(arena, "%s%s%s", text, seen ? ", " : "", word);
            seen = true;
            last = word;
        }
    }
    return text;
}

static const struct {
    struct wish wish;
    const char *forward, *backward;
} texts[] = {
    /* one rank: nothing but kernels */
    {{.model = NULL},
     "F attention norm, F qkv, F rotary, F attention, F attention out, F attention residual, F feed-forward norm, "
     "F fc1, F activation, F fc2, F feed-forward residual",
     "B feed-forward residual, B fc2, W fc2, B activation, B fc1, W fc1, B feed-forward norm, B attention residual, "
     "B attention out, W attention out, B attention, B rotary, B qkv, W qkv, B attention norm"},
    /* sequence parallelism: the saved input is gathered beside the input gradient */
    {{.parallel = {.tp = 4, .sp = true}},
     "F attention norm, (gather input), F qkv, F rotary, F attention, F attention out, (reduce output), "
     "F attention residual, F feed-forward norm, (gather input), F fc1, F activation, F fc2, (reduce output), "
     "F feed-forward residual",
     "B feed-forward residual, (gather output gradient), B fc2, W fc2, B activation, (gather saved input), B fc1, "
     "(reduce input gradient), W fc1, B feed-forward norm, B attention residual, (gather output gradient), "
     "B attention out, W attention out, B attention, B rotary, (gather saved input), B qkv, (reduce input gradient), "
     "W qkv, B attention norm"},
    /* norms and activations run again before what reads them */
    {{.recompute = RECOMPUTE_SELECTIVE},
     "F attention norm, F qkv, F rotary, F attention, F attention out, F attention residual, F feed-forward norm, "
     "F fc1, F activation, F fc2, F feed-forward residual",
     "B feed-forward residual, ? activation, B fc2, W fc2, B activation, ? feed-forward norm, B fc1, W fc1, "
     "B feed-forward norm, B attention residual, B attention out, W attention out, B attention, B rotary, "
     "? attention norm, B qkv, W qkv, B attention norm"},
    /* a whole layer again, with its exchanges, before the first gradient */
    {{.parallel = {.tp = 4}, .recompute = RECOMPUTE_FULL},
     "F attention norm, F qkv, F rotary, F attention, F attention out, (reduce output), F attention residual, "
     "F feed-forward norm, F fc1, F activation, F fc2, (reduce output), F feed-forward residual",
     "? attention norm, ? qkv, ? rotary, ? attention, ? attention out, (reduce output), ? attention residual, "
     "? feed-forward norm, ? fc1, ? activation, ? fc2, (reduce output), ? feed-forward residual, "
     "B feed-forward residual, B fc2, W fc2, B activation, B fc1, (reduce input gradient), W fc1, "
     "B feed-forward norm, B attention residual, B attention out, W attention out, B attention, B rotary, B qkv, "
     "(reduce input gradient), W qkv, B attention norm"},
    /* the halves of a parallel block do not read one another */
    {{.model = DENSE "parallel_block: true\nnorms_per_layer: 1\n", .parallel = {.tp = 4},
      .recompute = RECOMPUTE_FULL},
     "F attention norm, F qkv, F rotary, F attention, F attention out, F attention residual, F fc1, F activation, "
     "F fc2, (reduce output), F feed-forward residual",
     "? attention norm, ? qkv, ? rotary, ? attention, ? attention out, ? attention residual, ? fc1, ? activation, "
     "? fc2, (reduce output), ? feed-forward residual, B feed-forward residual, B fc2, W fc2, B activation, B fc1, "
     "W fc1, B attention residual, B attention out, W attention out, B attention, B rotary, B qkv, "
     "(reduce input gradient), W qkv, B attention norm"},
    /* experts with and without shared ones beside the exchanges */
    {{.model = SHARED, .parallel = {.ep = 4, .dp = 4}},
     "F attention norm, F qkv, F rotary, F attention, F attention out, F attention residual, F feed-forward norm, "
     "F router, F top-k, F permute, (dispatch), F experts fc1, F activation, F experts fc2, (combine), F unpermute, "
     "F fc1, F activation, F fc2, F feed-forward residual",
     "B feed-forward residual, B fc2, W fc2, B activation, B fc1, W fc1, B unpermute, (dispatch), B experts fc2, "
     "W experts fc2, B activation, B experts fc1, (combine), W experts fc1, B permute, B top-k, B router, W router, "
     "B feed-forward norm, B attention residual, B attention out, W attention out, B attention, B rotary, B qkv, "
     "W qkv, B attention norm"},
    {{.model = SHARED, .job = OVERLAP("experts: true"), .parallel = {.ep = 4, .dp = 4}},
     "F attention norm, F qkv, F rotary, F attention, F attention out, F attention residual, F feed-forward norm, "
     "F router, F top-k, F permute, (dispatch), F fc1, F activation, F experts fc1, F activation, F experts fc2, "
     "(combine), F fc2, F unpermute, F feed-forward residual",
     "B feed-forward residual, B unpermute, (dispatch), B fc2, W fc2, B experts fc2, W experts fc2, B activation, "
     "B experts fc1, (combine), W experts fc1, B activation, B fc1, W fc1, B permute, B top-k, B router, W router, "
     "B feed-forward norm, B attention residual, B attention out, W attention out, B attention, B rotary, B qkv, "
     "W qkv, B attention norm"},
};

Test(operations, order_of_a_layer) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(texts); i++) {
        const struct lowered *lowered = lower_wish(arena, &texts[i].wish, DETAIL_OPERATION);
        const char *forward = layer_text(arena, lowered, 3, true), *backward = layer_text(arena, lowered, 3, false);
        cr_expect_str_eq(forward, texts[i].forward, "row %zu:\n%s\n%s", i, forward, texts[i].forward);
        cr_expect_str_eq(backward, texts[i].backward, "row %zu:\n%s\n%s", i, backward, texts[i].backward);
    }
    arena_close(arena);
}

static int64_t pieces_of(const struct lowered *lowered, int kind, int action, int32_t pieces) {
    const struct program *program = &lowered->program;
    int64_t count = 0;
    for (int64_t i = 0; i < program->roles[0].count; i++) {
        const struct instruction *at = instruction_of(program, 0, i);
        const struct work *work = &program->works[at->work];
        count += at->layer == 2 && at->micro_batch == 0 && work->kind == kind && work->action == action &&
                 work->pieces == pieces;
    }
    return count;
}

/* Tensor overlap cuts the products and their exchanges in as many pieces as ranks; rings go block by block. */
Test(operations, pieces) {
    struct arena *arena = support_arena();
    struct wish wish = {.job = OVERLAP("tensor: true"), .parallel = {.tp = 4, .sp = true}};
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    cr_expect_eq(pieces_of(lowered, WORK_KERNEL, ACTION_FORWARD, 4), 4 * 4); /* qkv, out, fc1, fc2 */
    cr_expect_eq(pieces_of(lowered, WORK_EXCHANGE, ACTION_FORWARD, 4), 4 * 4);
    cr_expect_eq(pieces_of(lowered, WORK_KERNEL, ACTION_BACKWARD, 4), 2 * 4); /* out, fc2 */
    cr_expect_eq(pieces_of(lowered, WORK_EXCHANGE, ACTION_BACKWARD, 4), 2 * 4);
    cr_expect_eq(pieces_of(lowered, WORK_EXCHANGE, ACTION_BACKWARD, 1), 2 * 2);
    wish = (struct wish){.parallel = {.cp = 8}};
    lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    cr_expect_eq(pieces_of(lowered, WORK_KERNEL, ACTION_FORWARD, 8), 8);
    cr_expect_eq(pieces_of(lowered, WORK_EXCHANGE, ACTION_FORWARD, 1), 7);
    cr_expect_eq(pieces_of(lowered, WORK_KERNEL, ACTION_BACKWARD, 8), 8);
    cr_expect_eq(pieces_of(lowered, WORK_EXCHANGE, ACTION_BACKWARD, 1), 7 + 1); /* and home */
    arena_close(arena);
}

static bool waits_for(const struct program *program, int64_t i, int64_t before) {
    int64_t at = program->roles[0].first + i;
    for (int32_t w = program->instructions[at].first_wait; w < program->instructions[at + 1].first_wait; w++) {
        if (program->waits[w] == before) {
            return true;
        }
    }
    return false;
}

/* The first instruction of the role after `from` that is `item` of layer 2 by this kind and action; -1. */
static int64_t find(const struct lowered *lowered, int64_t from, int kind, int action, const char *name) {
    struct block_work block = layer_work_of(lowered, 2);
    const struct program *program = &lowered->program;
    for (int64_t i = from; i < program->roles[0].count; i++) {
        const struct instruction *at = instruction_of(program, 0, i);
        const struct work *work = &program->works[at->work];
        if (at->layer == 2 && work->kind == kind && work->action == action &&
            strcmp(item_name(&block, work), name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Exchanges wait for what they take; what takes theirs waits for them; the gradient beside them does not. */
Test(operations, waits) {
    struct arena *arena = support_arena();
    const struct wish wish = {.parallel = {.tp = 4, .sp = true}};
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    const struct program *p = &lowered->program;
    int64_t norm = find(lowered, 0, WORK_KERNEL, ACTION_FORWARD, "attention norm");
    int64_t gather = find(lowered, norm, WORK_EXCHANGE, ACTION_FORWARD, "gather input");
    int64_t qkv = find(lowered, norm, WORK_KERNEL, ACTION_FORWARD, "qkv");
    cr_expect(waits_for(p, gather, norm) && waits_for(p, qkv, gather));
    int64_t saved = find(lowered, qkv, WORK_EXCHANGE, ACTION_BACKWARD, "gather saved input");
    int64_t activation = find(lowered, qkv, WORK_KERNEL, ACTION_BACKWARD, "activation");
    int64_t input = find(lowered, qkv, WORK_KERNEL, ACTION_BACKWARD, "fc1");
    int64_t reduce = find(lowered, input, WORK_EXCHANGE, ACTION_BACKWARD, "reduce input gradient");
    int64_t weight = find(lowered, input, WORK_KERNEL, ACTION_WEIGHT, "fc1");
    int64_t behind = find(lowered, weight, WORK_KERNEL, ACTION_BACKWARD, "feed-forward norm");
    cr_expect(waits_for(p, saved, activation) && !waits_for(p, input, saved) && waits_for(p, weight, saved));
    cr_expect(waits_for(p, reduce, input) && !waits_for(p, weight, reduce) && waits_for(p, behind, reduce));
    arena_close(arena);
}

/* Weight gradients of a pass of their own take their gathers with them. */
Test(operations, split_backward) {
    struct arena *arena = support_arena();
    const struct wish wish = {.parallel = {.tp = 4, .pp = 2, .sp = true}, .schedule = SCHEDULE_ZB_H1};
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    const struct program *p = &lowered->program;
    int64_t last = find(lowered, 0, WORK_KERNEL, ACTION_BACKWARD, "attention norm");
    int64_t weight = find(lowered, 0, WORK_KERNEL, ACTION_WEIGHT, "fc2");
    int64_t gather = find(lowered, 0, WORK_EXCHANGE, ACTION_BACKWARD, "gather saved input");
    int64_t input = find(lowered, weight, WORK_KERNEL, ACTION_WEIGHT, "fc1");
    cr_expect(last >= 0 && weight > last && gather > weight && input > gather && waits_for(p, input, gather));
    cr_expect(!waits_for(p, gather, weight), "it runs beside the gradient before");
    arena_close(arena);
}

/* Bytes of layer 2 and one micro-batch that a weight gradient frees, by what made them. */
static double left_bytes(const struct lowered *lowered, enum action made_by) {
    const struct program *p = &lowered->program;
    const struct role *role = &p->roles[0];
    int32_t *made = calloc((size_t)role->tensor_count, sizeof *made);
    double bytes = 0;
    for (int64_t i = role->first_effect; i < role->first_effect + role->effect_count; i++) {
        const struct effect *effect = &p->effects[i];
        if (!effect->frees) {
            made[effect->tensor] = effect->instruction + 1;
        }
    }
    for (int64_t i = role->first_effect; i < role->first_effect + role->effect_count; i++) {
        const struct effect *effect = &p->effects[i];
        const struct instruction *by = instruction_of(p, 0, effect->instruction);
        bool ours = effect->frees && by->action == ACTION_WEIGHT && by->layer == 2 && by->micro_batch == 0;
        if (ours && made[effect->tensor] > 0 &&
            instruction_of(p, 0, made[effect->tensor] - 1)->action == made_by) {
            bytes += p->tensors[role->first_tensor + effect->tensor].bytes;
        }
    }
    free(made);
    return bytes;
}

/* Between the two gradients stay the inputs of the four projections and the gradients of their outputs. */
Test(operations, kept_for_weights) {
    struct arena *arena = support_arena();
    const struct wish wish = {.parallel = {.pp = 2}, .schedule = SCHEDULE_ZB_H1};
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    double tokens = 2 * 2048; /* bytes of one value of every token */
    cr_expect_eq(left_bytes(lowered, ACTION_FORWARD), tokens * (3 * 1024 + 4096), "%g",
                 left_bytes(lowered, ACTION_FORWARD));
    cr_expect_eq(left_bytes(lowered, ACTION_BACKWARD), tokens * (2048 + 1024 + 2 * 4096 + 1024), "%g",
                 left_bytes(lowered, ACTION_BACKWARD));
    arena_close(arena);
}

/* The first kernel of a pass waits for its message, when no time of the host stands before it. */
Test(operations, messages) {
    struct arena *arena = support_arena();
    const struct wish wish = {.parallel = {.pp = 2}, .schedule = SCHEDULE_1F1B};
    const struct plan plan = wished_plan(arena, &wish);
    struct lowered *lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    lowered->topology->runtime.micro_batch_overhead = 0;
    cr_assert_eq(lower(arena, lowered->model, lowered->topology, &plan, NULL, DETAIL_OPERATION, &lowered->program,
                       &lowered->diag),
                 OK);
    const struct program *p = &lowered->program;
    int64_t waiting = 0;
    for (int64_t i = 0; i < p->roles[1].count; i++) {
        int64_t at = p->roles[1].first + i;
        for (int32_t w = p->instructions[at].first_wait; w < p->instructions[at + 1].first_wait; w++) {
            waiting += instruction_of(p, 1, p->waits[w])->action == ACTION_RECEIVE &&
                       p->instructions[at].action == ACTION_FORWARD && p->instructions[at].layer == 4;
        }
    }
    cr_expect_eq(waiting, p->micro_batches);
    cr_expect_eq(count_of(p, -1, ACTION_HOST, -1), 0);
    arena_close(arena);
}

/* Kernels of other micro-batches between an exchange of experts and the first kernel that waits for it. */
static int64_t kernels_beside(const struct program *p, int64_t exchange) {
    int64_t count = 0;
    for (int64_t i = exchange + 1; i < p->roles[0].count && !waits_for(p, i, exchange); i++) {
        const struct instruction *at = instruction_of(p, 0, i);
        count += at->stream == STREAM_COMPUTE && at->micro_batch != instruction_of(p, 0, exchange)->micro_batch;
    }
    return count;
}

/* Of a pair the one's tokens travel beside the other's kernels: those of attention or of the experts, not only what
 * ends a layer. */
Test(operations, pairs) {
    struct arena *arena = support_arena();
    const struct wish wish = {.model = EXPERTS, .parallel = {.ep = 4, .dp = 4, .pp = 2}, .schedule = SCHEDULE_DUALPIPE};
    const struct lowered *lowered = lower_wish(arena, &wish, DETAIL_OPERATION);
    const struct program *p = &lowered->program;
    int64_t beside = 0, few = 0;
    for (int64_t i = 0; i < p->roles[0].count; i++) {
        int64_t kernels = instruction_of(p, 0, i)->stream == STREAM_EXPERT ? kernels_beside(p, i) : 0;
        beside += kernels >= 3;
        few += kernels > 0 && kernels < 3;
    }
    cr_expect(beside > 40 && few * 10 < beside, "%lld with three kernels or more, %lld with fewer", (long long)beside,
              (long long)few);
    arena_close(arena);
}

static const struct wish wishes[] = {
    {.model = NULL},
    {.parallel = {.tp = 4, .sp = true}, .recompute = RECOMPUTE_SELECTIVE},
    {.parallel = {.tp = 2, .pp = 2}, .schedule = SCHEDULE_ZB_H1, .recompute = RECOMPUTE_SELECTIVE},
    {.parallel = {.pp = 2}, .schedule = SCHEDULE_ZB_H2, .recompute = RECOMPUTE_FULL},
    {.parallel = {.pp = 2, .vpp = 2}, .schedule = SCHEDULE_ZB_V},
    {.model = EXPERTS, .parallel = {.ep = 4, .dp = 4}, .recompute = RECOMPUTE_FULL},
    {.model = SHARED, .job = OVERLAP("experts: true, tensor: true"), .parallel = {.ep = 4, .tp = 4, .sp = true},
     .recompute = RECOMPUTE_SELECTIVE},
    {.model = EXPERTS, .parallel = {.ep = 4, .dp = 4, .pp = 2}, .schedule = SCHEDULE_DUALPIPE},
    {.parallel = {.cp = 4, .tp = 2, .sp = true}, .recompute = RECOMPUTE_FULL},
    {.job = "kernels: {flash_attention: false}\n", .parallel = {.cp = 2}, .recompute = RECOMPUTE_SELECTIVE},
    {.job = "precision: fp8\n", .parallel = {.tp = 2, .sp = true}},
    {.model = "deepseek-v2-lite", .parallel = {.ep = 8, .dp = 8}, .recompute = RECOMPUTE_SELECTIVE},
    {.model = "qwen3-next-80b-a3b", .parallel = {.ep = 8, .dp = 8, .tp = 1}, .micro_batches = 1},
    {.model = "t5-11b", .parallel = {.tp = 2}, .micro_batches = 2},
};

/* Bytes that forward leaves of a layer are those that the model lists. */
Test(operations, bytes_kept) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(wishes); i++) {
        struct arena *own = support_arena();
        const struct lowered *lowered = lower_wish(own, &wishes[i], DETAIL_OPERATION);
        const struct program *p = &lowered->program;
        const struct plan *plan = &lowered->plan;
        unsigned parts = job_recompute_parts(&plan->job, lowered->model, (enum recompute)plan->decision.recompute);
        double *kept = ARENA_ARRAY(own, double, (size_t)lowered->model->layer_count);
        for (int64_t role = 0; role < p->role_count; role++) {
            const struct role *at = &p->roles[role];
            for (int64_t j = at->first_effect; j < at->first_effect + at->effect_count; j++) {
                const struct effect *effect = &p->effects[j];
                const struct instruction *by = instruction_of(p, role, effect->instruction);
                const struct tensor *tensor = &p->tensors[at->first_tensor + effect->tensor];
                if (!effect->frees && by->layer >= 0 && by->action == ACTION_FORWARD && by->micro_batch == 0) {
                    cr_expect_eq(tensor->class, TENSOR_ACTIVATIONS);
                    kept[by->layer] += tensor->bytes;
                }
            }
        }
        for (int32_t layer = 0; layer < lowered->model->layer_count; layer++) {
            struct block_work block = layer_work_of(lowered, layer);
            double listed = operation_saved_bytes(&block.work, parts);
            cr_expect(fabs(kept[layer] - listed) <= 1e-12 * listed, "row %zu: layer %d keeps %.0f of %.0f", i, layer,
                      kept[layer], listed);
        }
        arena_close(own);
    }
    arena_close(arena);
}

Test(operations, programs_are_sound) {
    for (size_t i = 0; i < ROWS(wishes); i++) {
        struct arena *arena = support_arena();
        struct lowered *lowered = lower_wish(arena, &wishes[i], DETAIL_OPERATION);
        enum status status = program_check(arena, &lowered->program, lowered->model, &lowered->diag);
        cr_expect_eq(status, OK, "row %zu: %s", i, first_of(&lowered->diag));
        arena_close(arena);
    }
}
