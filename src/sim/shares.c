/* How a pass or a layer that is played as one divides into kernels, visible exchanges and waiting for the host: as the
 * cost model adds it up (cost/price.h). */
#include <math.h>

#include "base/arena.h"
#include "cost/price.h"
#include "plan/plan.h"
#include "sim/parts.h"

struct sharing {
    const struct cost_context *context;
    const struct program *program;
    struct work_cost costs;
    int recompute;
};

/* A pass of a block: full recomputation apart (ACTION_RECOMPUTE), other recomputation in backward. */
static void add_block(const struct layer_cost *cost, int recompute, int action, double times, struct pass_cost *sum) {
    bool full = action == ACTION_FULL;
    if (action == ACTION_FORWARD) {
        cost_pass_add(sum, &cost->forward, times);
    }
    if (action == ACTION_BACKWARD || full) {
        cost_pass_add(sum, &cost->backward, times);
    }
    if (action == ACTION_WEIGHT || full) {
        cost_pass_add(sum, &cost->weight, times);
    }
    bool again = (action == ACTION_BACKWARD || full) && recompute != RECOMPUTE_FULL;
    if (again || action == ACTION_RECOMPUTE) {
        cost_pass_add(sum, &cost->again[recompute], times);
    }
}

/* A pass of a whole stage, full recomputation in its backward. */
static void add_stage(const struct sharing *s, int32_t index, int action, struct pass_cost *sum) {
    const struct stage *stage = &s->program->stages[index];
    bool recomputes = s->recompute == RECOMPUTE_FULL && (action == ACTION_BACKWARD || action == ACTION_FULL);
    for (int64_t layer = stage->first; layer < stage->first + stage->layers; layer++) {
        const struct layer_cost *cost = &s->costs.kinds[s->context->model->layers[layer]];
        add_block(cost, s->recompute, action, 1, sum);
        if (recomputes) {
            add_block(cost, s->recompute, ACTION_RECOMPUTE, 1, sum);
        }
    }
    if (stage->embedding) {
        add_block(&s->costs.embedding, RECOMPUTE_NONE, action, 1, sum);
    }
    if (stage->head) {
        add_block(&s->costs.head, RECOMPUTE_NONE, action, 1, sum);
    }
    if (stage->mtp > 0) {
        add_block(&s->costs.mtp, s->recompute, action, (double)stage->mtp, sum);
        if (recomputes) {
            add_block(&s->costs.mtp, s->recompute, ACTION_RECOMPUTE, (double)stage->mtp, sum);
        }
    }
}

static const struct layer_cost *block_cost(const struct sharing *s, const struct work *work, int *ret_recompute) {
    *ret_recompute = RECOMPUTE_NONE;
    switch ((enum block)work->block) {
    case BLOCK_EMBEDDING:
        return &s->costs.embedding;
    case BLOCK_HEAD:
        return &s->costs.head;
    case BLOCK_MTP:
        *ret_recompute = s->recompute;
        return &s->costs.mtp;
    case BLOCK_LAYER:
    case BLOCK_COUNT:
        break;
    }
    *ret_recompute = s->recompute;
    return &s->costs.kinds[work->layer_kind];
}

/* What the cost model says a work consists of; nothing for what is no pass or block. */
static struct pass_cost cost_of(const struct sharing *s, const struct work *work) {
    struct pass_cost sum = {0};
    bool pair = work->action == ACTION_PAIR;
    if (work->kind == WORK_PASS && work->stage != NOTHING) {
        add_stage(s, work->stage, pair ? ACTION_FORWARD : work->action, &sum);
        if (pair && work->other != NOTHING) {
            add_stage(s, work->other, ACTION_FULL, &sum);
        }
    } else if (work->kind == WORK_BLOCK || work->kind == WORK_KERNEL) {
        int recompute;
        const struct layer_cost *cost = block_cost(s, work, &recompute);
        add_block(cost, recompute, work->action, 1, &sum);
    }
    return sum;
}

static struct work_shares share_pass(const struct pass_cost *pass, double seconds) {
    double exposed = pass->exposed.tp + pass->exposed.cp + pass->exposed.ep;
    double excess = fmax(0, pass->compute + exposed - seconds); /* overlapped pairs hide the experts' exchanges */
    double ep = fmax(0, pass->exposed.ep - excess);
    double known = pass->compute + exposed - pass->exposed.ep + ep;
    double whole = fmax(seconds, known);
    return (struct work_shares){.compute = pass->compute / whole,
                                .tp = pass->exposed.tp / whole,
                                .cp = pass->exposed.cp / whole,
                                .ep = ep / whole,
                                .overhead = (whole - known) / whole};
}

/* A kernel of a block for which the host is too slow is stretched with all of it. */
static struct work_shares share_kernel(const struct sharing *s, const struct pass_cost *block) {
    double device = block->compute + block->exposed.tp + block->exposed.cp + block->exposed.ep;
    double seconds = cost_pass_seconds(s->context, block);
    double compute = seconds > 0 ? device / seconds : 1;
    return (struct work_shares){.compute = compute, .overhead = 1 - compute};
}

const struct work_shares *program_shares(struct arena *arena, const struct cost_context *context,
                                         const struct plan *plan, const struct program *program,
                                         const struct work_price *prices) {
    struct work_shares *shares = ARENA_ARRAY(arena, struct work_shares, (size_t)program->work_count);
    struct sharing s = {.context = context, .program = program, .recompute = plan->decision.recompute};
    struct cut cut = cost_cut(context, &plan->decision.parallel);
    cost_work(context, &cut, plan->decision.micro_batch, &s.costs);
    for (int64_t i = 0; i < program->work_count; i++) {
        const struct work *work = &program->works[i];
        struct pass_cost pass = cost_of(&s, work);
        double seconds = (double)prices[i].picoseconds * 1e-12;
        shares[i] = (struct work_shares){.compute = 1};
        if (work->kind == WORK_KERNEL) {
            shares[i] = share_kernel(&s, &pass);
        } else if (pass.compute > 0 && seconds > 0) {
            shares[i] = share_pass(&pass, seconds);
        }
    }
    return shares;
}
