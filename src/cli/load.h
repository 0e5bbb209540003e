/* Operands and flags to loaded documents. */
#ifndef PARPLAN_CLI_LOAD_H
#define PARPLAN_CLI_LOAD_H

#include <stdint.h>

#include "cli/command.h"

struct job;
struct model;
struct node;
struct plan;
struct plan_input;
struct text;
struct topology;

/* --nodes and --gpus, of every command that takes a topology. */
struct scale {
    int64_t nodes, gpus; /* 0 = as the topology says */
};
extern const struct field scale_fields[];

/* A model by path or by the name of a shipped one, with what it extends. */
enum status load_model(struct context *context, const struct word *word, struct model **ret_model) MUST_CHECK;

/* A topology by path, by name or in short form (8xh100-sxm*64@8x400G), scaled. `scale` may be NULL. */
enum status load_topology(struct context *context, const struct word *word, const struct scale *scale,
                          struct topology **ret_topology) MUST_CHECK;

/* A job from a file (`word` NULL: none) with the flags of the command's document groups laid over it. */
enum status load_job(struct context *context, const struct word *word, struct job **ret_job) MUST_CHECK;

/* A plan; `ret_root` (may be NULL): its document, for places. */
enum status load_plan(struct context *context, const struct word *word, struct plan **ret_plan,
                      const struct node **ret_root) MUST_CHECK;

/* The document of a kind that a word names, with what it extends. */
enum status load_document(struct context *context, const char *kind, const struct word *word,
                          struct node **ret_root) MUST_CHECK;

/* What identifies an input in a plan: the digest of its canonical text, the same whatever its spelling in the file. */
struct plan_input load_identity(struct context *context, const char *kind, const char *name, const void *object);

#endif
