/* Building blocks shared by the files that list a layer's exchanges: tensor parallelism, attention, experts. */
#ifndef PARPLAN_PLAN_EXCHANGE_INTERNAL_H
#define PARPLAN_PLAN_EXCHANGE_INTERNAL_H

#include "plan/exchange.h"
#include "plan/layout.h"

/* The list under construction with what every part needs. */
struct maker {
    struct exchange_list *list;
    const struct model *model;
    const struct shard *shard;
    const struct job *job;
    const struct layer_work *work;
    double tokens, element, hidden;
    struct layout region;
};

/* Operations first .. last of the layer's list. */
struct operations {
    int first, last;
};

/* The operation of this name, the first from `from` on; -1: there is none. */
int exchange_find(const struct maker *m, const char *name, int from);
/* The operations from the first of two names to the second, the first such from `from` on. */
struct operations exchange_between(const struct maker *m, const char *first, const char *last, int from);

/* Appends an exchange of `size` members that happens once, with nothing beside it. */
struct exchange *exchange_add(struct maker *m, const char *name, enum axis axis, int64_t size, enum collective kind,
                              double bytes);
/* Appends what turns `from` into `to` on a whole axis, if anything; NULL when nothing is communicated. */
struct exchange *exchange_convert(struct maker *m, const char *name, enum axis axis, struct layout from,
                                  struct layout to, double bytes);
/* Sets what an exchange belongs to, and what runs beside it; NULL: nothing to do. */
void exchange_put(struct exchange *exchange, enum exchange_phase phase, enum exchange_place place,
                  struct operations operations);
void exchange_set_beside(struct exchange *exchange, enum exchange_beside beside, double n, double k);

/* A column-parallel projection from `width` values a token of `tokens` to `n` outputs on this rank. */
void exchange_column(struct maker *m, unsigned parts, double tokens, double width, double n,
                     struct operations operations);
/* A row-parallel projection from `k` inputs on this rank back to the residual stream. */
void exchange_row(struct maker *m, unsigned parts, double k, struct operations operations);

/* exchange_attention.c: projections, core and context parallelism of self-attention, and of attention to an encoder.
 * `shared`: the feed-forward stands beside attention and shares its exchanges (a parallel block). */
void exchange_attention(struct maker *m, const struct layer_kind *kind, int cp_kind, bool shared);
void exchange_cross_attention(struct maker *m, int cp_kind);
/* exchange_experts.c */
void exchange_experts(struct maker *m);

#endif
