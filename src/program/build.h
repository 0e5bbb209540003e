/* Growing programs: instructions are appended role by role, then the whole is closed into flat arrays. */
#ifndef PARPLAN_PROGRAM_BUILD_H
#define PARPLAN_PROGRAM_BUILD_H

#include "program/program.h"

struct arena;
struct builder;

struct builder *builder_open(struct arena *arena, enum detail detail, const struct parallel *parallel,
                             int64_t micro_batches);
/* Begins the next role; everything below goes into it until the next. */
void builder_role(struct builder *builder, int64_t pipeline_rank);
/* Appends a copy and returns its index in the role; first_wait is set here, partner and meeting may be set later. */
int32_t builder_add(struct builder *builder, const struct instruction *instruction);
/* The instruction added last, or the one named, waits for `before` too (an index in the role; NOTHING: no-op). A wait
 * for what the stream's order implies is left out. */
void builder_wait(struct builder *builder, int32_t instruction, int32_t before);
/* The index of an equal work, added if there is none. */
int32_t builder_work(struct builder *builder, const struct work *work);
int32_t builder_stage(struct builder *builder, const struct stage *stage); /* appended */
int32_t builder_meeting(struct builder *builder, const struct meeting *meeting); /* appended */
/* A tensor of the role; `allocates` and `frees` are instructions, NOTHING both: alive through the step. */
int32_t builder_tensor(struct builder *builder, const struct tensor *tensor, int32_t allocates, int32_t frees);
void builder_free(struct builder *builder, int32_t tensor, int32_t frees); /* for one added without */
struct instruction *builder_at(struct builder *builder, int64_t role, int32_t instruction);
/* Links a send and a receive of two roles. */
void builder_link(struct builder *builder, int64_t from_role, int32_t send, int64_t to_role, int32_t receive);
/* Sorts effects, sets lockstep and meetings' members. The builder must not be used afterwards. */
void builder_close(struct builder *builder, struct program *ret);

#endif
