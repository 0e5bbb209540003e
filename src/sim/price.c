/* Prices works by the cost model, each once: blocks share their layer's cost, passes are sums of blocks.
 *
 *   pass = micro-batch overhead + sum of blocks       block = stretch x (kernels + visible exchanges)
 *   kernel, exchange = stretch x its own seconds       stretch = max(1, host / device) of the block's pass */
#include "sim/price.h"

#include <math.h>

#include "base/arena.h"
#include "sim/price_internal.h"

static const double PICOSECONDS = 1e12;
static const double LONGEST = 1e17; /* 28 hours: sums of thousands fit into 64 bits */

int64_t price_picoseconds(double seconds) {
    double picoseconds = seconds * PICOSECONDS;
    return picoseconds < LONGEST ? (int64_t)llround(fmax(0, picoseconds)) : (int64_t)LONGEST;
}

static void price_update(const struct pricing *p, const struct work *work, struct work_price *ret) {
    ret->picoseconds = price_picoseconds(cost_update_seconds(p->context, work->parameters));
    ret->memory = 1;
    ret->memory_bound = true;
}

static void price_work(struct pricing *p, const struct work *work, struct work_price *ret) {
    switch ((enum work_kind)work->kind) {
    case WORK_PASS:
        price_pass(p, work, ret);
        break;
    case WORK_BLOCK:
        price_block(p, work, ret);
        break;
    case WORK_KERNEL:
        price_kernel(p, price_of_block(p, (enum block)work->block, work->layer_kind), work, ret);
        break;
    case WORK_EXCHANGE:
        price_exchange(p, price_of_block(p, (enum block)work->block, work->layer_kind), work, ret);
        break;
    case WORK_MESSAGE:
        price_message(p, work, ret);
        break;
    case WORK_REDUCE:
    case WORK_GATHER:
    case WORK_BARRIER:
        price_collective(p, work, ret);
        break;
    case WORK_UPDATE:
        price_update(p, work, ret);
        break;
    case WORK_COPY:
        price_copy(p, work, ret);
        break;
    case WORK_HOST:
        ret->picoseconds = price_picoseconds(p->context->topology->runtime.micro_batch_overhead);
        break;
    case WORK_KINDS:
        break;
    }
}

void price_program(struct arena *arena, const struct cost_context *context, const struct plan *plan,
                   const struct program *program, struct work_price **ret_prices) {
    struct pricing *p = ARENA_NEW(arena, struct pricing);
    struct work_price *prices = ARENA_ARRAY(arena, struct work_price, (size_t)program->work_count);
    p->arena = arena;
    p->context = context;
    p->plan = plan;
    p->program = program;
    p->cut = cost_cut(context, &plan->decision.parallel);
    p->shard = cost_cut_shard(context, &p->cut, plan->decision.micro_batch);
    cost_work(context, &p->cut, plan->decision.micro_batch, &p->work);
    for (int64_t i = 0; i < program->work_count; i++) {
        price_work(p, &program->works[i], &prices[i]);
    }
    *ret_prices = prices;
}
