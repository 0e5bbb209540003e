/* A template while it is written: one operation after another, with what the next ones have to wait for. */
#ifndef PARPLAN_PROGRAM_OPERATIONS_DRAFT_H
#define PARPLAN_PROGRAM_OPERATIONS_DRAFT_H

#include "program/operations.h"

/* First and last step of an operation's kernels of one action. */
struct kernel_steps {
    int32_t first, last;
};

struct draft {
    struct arena *arena;
    struct builder *builder;
    const struct sort *sort;
    struct template *template;
    enum block block;
    int layer_kind;
    enum action pass;              /* of the template */
    int32_t room;
    int32_t last, before;          /* the last kernel and the one before it; ENTRY */
    int32_t pending[STREAM_COUNT]; /* exchanges that the next kernel waits for: the last of each stream; NOTHING */
    int32_t late[STREAM_COUNT];    /* those that it waits for once the weight gradients beside them are written */
    int32_t away[STREAM_COUNT];    /* those that it waits for when the operations beside them are written */
    bool inside;                   /* among operations beside the experts' exchanges */
    bool done[OPERATIONS_MAX], redone[OPERATIONS_MAX];
    struct kernel_steps forward[OPERATIONS_MAX], again[OPERATIONS_MAX];
    struct kernel_steps backward[OPERATIONS_MAX], weight[OPERATIONS_MAX];
    int32_t saved_input[OPERATIONS_MAX]; /* exchange that an operation's weight gradient waits for; NOTHING */
    int owed[OPERATIONS_MAX], owed_count; /* weight gradients that are not written yet */
};

void draft_open(struct arena *arena, struct builder *builder, const struct sort *sort, enum block block,
                int layer_kind, enum action pass, struct draft *ret);
/* Appends a kernel: one of `pieces` of an operation. It waits for what is pending. */
int32_t draft_kernel(struct draft *d, enum action action, int operation, int32_t pieces);
/* Appends an exchange: one of `pieces`. It begins when `after` and what is pending have ended; FREELY: when its stream
 * comes to it. */
enum { FREELY = -2 };
int32_t draft_exchange(struct draft *d, enum action action, int exchange, int32_t pieces, int32_t after);
void draft_wait(struct draft *d, int32_t step, int32_t before);
/* Remembers an exchange in `list` (pending, late or away) of the draft; moves what is there to pending. */
void draft_remember(const struct draft *d, int32_t list[STREAM_COUNT], int32_t step);
void draft_flush(struct draft *d, int32_t list[STREAM_COUNT]);
/* Appends an exchange as often as it happens, behind the last kernel, into `list`. */
void draft_repeat(struct draft *d, enum action action, int exchange, int32_t list[STREAM_COUNT]);

/* operations_forward.c: the kernels of the operation at `position` of the order and the exchanges around them; again,
 * when the action is recomputation. */
void draft_forward(struct draft *d, int position, enum action action);
/* Kernels of operations in pieces, each behind its piece of `feed`, or before its piece of `follow`; NOTHING:
 * neither. */
void draft_pieces(struct draft *d, enum action action, const int *operations, int count, int feed, int follow);
/* Fused attention block by block, while keys and values pass round. */
void draft_ring(struct draft *d, enum action action, int operation, int exchange);
/* Where the order goes among the operations beside experts, or leaves them. */
void draft_turn(struct draft *d, int position, int direction, enum action action);
/* operations_backward.c: the same for backward and for weight gradients alone. */
void draft_backward(struct draft *d, int position);
void draft_weight(struct draft *d, int position);

/* Whether an exchange belongs to an action. */
bool draft_takes(const struct draft *d, enum action action, const struct exchange *exchange);

#endif
