/* The order of passes: for each rank the list it runs, one after another. A schedule is nothing more than such lists;
 * times follow from them (execute.h). Stages are counted over the whole model, micro-batches per way. */
#ifndef PARPLAN_SCHEDULE_ORDER_H
#define PARPLAN_SCHEDULE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule/load.h"

struct arena;
struct schedule;

enum pass_kind {
    PASS_FORWARD,  /* F */
    PASS_BACKWARD, /* B: the input gradient alone */
    PASS_WEIGHT,   /* W: the weight gradient alone */
    PASS_FULL,     /* BW: a full backward; its output is visible only at its end */
    PASS_PAIR,     /* F&B: a forward and a full backward of two micro-batches, overlapped */
    PASS_SHARD,    /* S: the rank's part of the vocabulary: logits, their maximum and sum (arXiv:2411.05288) */
    PASS_SHARD_END /* T: the rest of it: the shard's gradients */
};

/* One chunk's part in one micro-batch. Schedules that send micro-batches from both ends have two ways: way 0 enters at
 * rank 0, way 1 at the last; each numbers its micro-batches from 0 and has its own copy of the stages. S and T carry
 * the rank as their stage. */
struct visit {
    int32_t stage, micro_batch;
    int32_t way;
};

struct pass {
    enum pass_kind kind;
    struct visit visit;
    struct visit backward; /* of PASS_PAIR only: whose full backward runs beside the forward of `visit` */
};

/* Where a generator appends. A visit whose micro-batch does not exist is dropped: rules are written for long runs. */
struct pass_list {
    struct pass *passes;
    int64_t count, capacity;
    int64_t micro_batches;
};

void list_add(struct pass_list *list, enum pass_kind kind, struct visit visit);
void list_add_pair(struct pass_list *list, struct visit forward, struct visit backward);

struct order {
    const struct pass *passes; /* of rank r: passes[first[r]] up to before passes[first[r + 1]] */
    const int64_t *first;
    int64_t ranks, stages, micro_batches, ways; /* micro-batches of each way */
    int64_t barriers;                           /* all-reduces around the vocabulary's shards: 0 (no shards), 1, 2 */
    /* Which stages a micro-batch visits, and in what order, when not all in theirs: the stage it comes from before
     * stage s is before[j * stages + s], -1 at its first; behind is where it goes, -1 at its last; a stage it leaves
     * out has ORDER_SKIPPED in both. NULL: all stages, s - 1 and s + 1. */
    const int32_t *before, *behind;
};
enum { ORDER_SKIPPED = -2 };

/* The stage that `visit` comes from and the stage it goes to; -1: none. */
int64_t order_before(const struct order *order, const struct visit *visit);
int64_t order_behind(const struct order *order, const struct visit *visit);

/* For schedule->arrange, which makes the lists of all ranks at once: one empty list a rank, each with room for
 * `capacity` passes; the finished lists as the order of its ranks. */
struct pass_list *lists_open(struct arena *arena, int64_t ranks, int64_t capacity, int64_t micro_batches);
void lists_join(struct arena *arena, const struct pass_list *lists, struct order *order);

/* The whole order of a legal shape, in the arena. */
void order_make(struct arena *arena, const struct schedule *schedule, const struct schedule_shape *shape,
                struct order *order);

/* Writes the pass as "F0.3", "BW1.2'", "F0.3&B3.1'", "S2.0" (kind, stage, micro-batch; ' = way 1), NUL-terminated. */
enum { PASS_TEXT_SIZE = 64 };
void pass_text(const struct pass *pass, char text[PASS_TEXT_SIZE]);
/* Reads what pass_text writes; false if `text` is not the text of a pass. Only PASS_PAIR has a backward. */
bool pass_parse(const char *text, size_t size, struct pass *ret_pass);

/* Why the order is not a legal one, or NULL: a pass twice or missing, on a rank that `placement` does not give it (see
 * placement.h), a stage or micro-batch that does not exist, a wait that never ends (with the cycle). In the arena. */
const char *order_refuse(struct arena *arena, const struct order *order, int placement);
/* The last of these alone, of an order in which every pass is there once: NULL if all ranks come to their ends, else a
 * cycle of waits: "a wait that never ends: rank 0 at BW0.0 waits for BW1.0 of rank 1 at F1.1, which ...". */
const char *order_deadlock(struct arena *arena, const struct order *order);

#endif
