/* What the files that price works share. */
#ifndef PARPLAN_SIM_PRICE_INTERNAL_H
#define PARPLAN_SIM_PRICE_INTERNAL_H

#include "cost/price.h"
#include "program/block_work.h"
#include "sim/price.h"

struct arena;

/* How much longer the kernels and exchanges of a pass take where the host cannot feed them in time; 1: it can. */
struct stretch {
    double forward, backward, weight; /* backward with what recomputation adds to it */
};

/* One sort of block, priced once. */
struct block_price {
    struct block_work lists;
    const struct layer_cost *cost;
    int recompute;      /* enum recompute: NONE outside layers */
    struct stretch stretch;
    double forward, backward, again, weight; /* seconds; `again`: of recomputation, not in `backward` */
    struct { double forward, backward, weight; } memory; /* of the bandwidth, on average */
};

struct pricing {
    struct arena *arena;
    const struct cost_context *context;
    const struct plan *plan;
    const struct program *program;
    struct cut cut;
    struct shard shard;
    struct work_cost work;
    struct block_price *blocks[BLOCK_COUNT][MODEL_KINDS]; /* NULL until asked for */
};

/* price_block.c */
const struct block_price *price_of_block(struct pricing *p, enum block block, int layer_kind);
void price_pass(struct pricing *p, const struct work *work, struct work_price *ret);
void price_block(struct pricing *p, const struct work *work, struct work_price *ret);
/* price_kernel.c */
void price_kernel(const struct pricing *p, const struct block_price *block, const struct work *work,
                  struct work_price *ret);
/* Of the memory bandwidth that the kernels of a pass use on average. */
double price_memory_share(const struct pricing *p, const struct layer_work *work, enum cost_pass pass);
/* price_wire.c */
void price_exchange(const struct pricing *p, const struct block_price *block, const struct work *work,
                    struct work_price *ret);
void price_collective(const struct pricing *p, const struct work *work, struct work_price *ret);
void price_message(const struct pricing *p, const struct work *work, struct work_price *ret);
void price_copy(const struct pricing *p, const struct work *work, struct work_price *ret);

/* Rounds to picoseconds; what never ends takes the longest time there is. */
int64_t price_picoseconds(double seconds);

#endif
