/* What the files of lowering ask of one another, beside lowering.h. */
#ifndef PARPLAN_PROGRAM_LOWER_PARTS_H
#define PARPLAN_PROGRAM_LOWER_PARTS_H

#include "program/lowering.h"

/* sites.c: the blocks of every stage, what each takes, and room for what passes keep. */
void sites_make(struct lowering *l);

/* A work or an instruction with nothing in it that does not apply. */
struct work work_blank(enum work_kind kind);
struct instruction instruction_blank(enum action action, enum stream stream, int32_t work);

/* pass.c: one pass, as the detail and data parallelism demand. */
void pass_write(struct lowering *l, struct pass_site *site, struct pass_ends *ret);
void pair_write(struct lowering *l, struct pass_site *forward, struct pass_site *backward, struct pass_ends ret[2]);

/* tensors.c: what is held throughout; what passes allocate and free. `instruction` does both. */
void tensors_hold(struct lowering *l);
void tensors_of_pass(struct lowering *l, const struct pass_site *site, enum action action, int32_t instruction);
void tensors_of_block(struct lowering *l, const struct pass_site *site, enum action action, int64_t block,
                      int32_t instruction);
int32_t tensor_add(struct lowering *l, enum tensor_class class, double bytes, const struct pass_site *site,
                   int32_t allocates, int32_t frees);

/* pipeline.c: messages between stages. */
void pipe_open(struct lowering *l);
void pipe_begin(struct lowering *l); /* a role */
/* The receive that `pass` waits for: of a forward or, with `backward`, of the gradient; NOTHING. */
int32_t pipe_receive(struct lowering *l, const struct visit *visit, bool backward);
/* Sends what a pass made, if another rank wants it. */
void pipe_send(struct lowering *l, const struct visit *visit, bool backward, const struct pass_site *site,
               const struct pass_ends *ends);
/* With blocking messages: the pass waits for the sends before it. */
void pipe_block(struct lowering *l, const struct pass_ends *ends);
void pipe_link(struct lowering *l);

/* spread.c: passes for a vocabulary spread over the stages, put into an order without; when every pass begins and ends
 * if all take as long (false: never). */
struct execution;
void order_spread(struct arena *arena, struct order *order);
bool order_times(struct arena *arena, const struct order *order, struct execution *ret);

/* vocabulary.c: a vocabulary spread over the stages; nothing happens where it is not. `embedding`, `head`: whole. */
void vocabulary_open(struct lowering *l, const struct block_load *embedding, const struct block_load *head);
struct parameters vocabulary_parameters(const struct lowering *l);
void vocabulary_begin(struct lowering *l, int32_t gather);
int32_t vocabulary_before(struct lowering *l, const struct visit *visit, bool backward);
void vocabulary_behind(struct lowering *l, const struct visit *visit, bool backward, int32_t output);
void vocabulary_pass(struct lowering *l, const struct pass *pass);
void vocabulary_end(struct lowering *l);

/* round.c: stages that go round the ranks; nothing happens where they do not. */
bool goes_round(const struct plan *plan);
void round_stages(struct arena *arena, struct stages *stages);
int64_t round_slot(const struct lowering *l, int64_t stage, bool backward);
void round_open(struct lowering *l);
void round_begin(struct lowering *l);
int32_t round_before(struct lowering *l, const struct pass_site *site); /* what the pass waits for */
void round_behind(struct lowering *l, const struct pass_site *site, const struct pass_ends *ends);
void round_end(struct lowering *l);
bool round_updates(const struct lowering *l, int64_t chunk); /* the rank updates what this chunk holds */

/* data.c, data_step.c: gradients and parameters of one role: before its first pass, which passes are written by blocks,
 * and behind its last pass. */
void data_open(struct lowering *l);
void data_begin(struct lowering *l);
bool data_needs_blocks(const struct lowering *l, const struct pass_site *site);
void data_end(struct lowering *l);

/* The global number of a micro-batch, and where a visit is: index of l->stages. */
int32_t visit_micro_batch(const struct lowering *l, const struct visit *visit);
int64_t visit_rank(const struct lowering *l, const struct visit *visit, bool backward);
int32_t visit_stage(const struct lowering *l, const struct visit *visit, bool backward);

static inline const struct stage *site_stage(const struct lowering *l, const struct pass_site *site) {
    return &l->stages.items[site->stage];
}

#endif
