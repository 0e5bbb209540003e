/* Programs as text: for reading, for diffs, for saving and loading. What is not named is none, 0 or 1; one line an
 * instruction, counted within its role:
 *
 *   parplan program v1 detail=layer tp=8 pp=2 micro-batches=16 replicas=8 lockstep=8
 *   stage 0 rank=0 index=0 first=0 layers=16 embedding
 *   work 4 block action=forward
 *   meeting 0 pp size=2 members=2
 *   role 0 pipeline-rank=0
 *   tensor 7 activations bytes=16777216 stage=0 micro-batch=2
 *   12 compute forward stage=0 layer=3 micro-batch=2 work=4 after=11,9 allocates=7 frees=3 */
#ifndef PARPLAN_PROGRAM_TEXT_H
#define PARPLAN_PROGRAM_TEXT_H

#include "base/diag.h"
#include "base/text.h"
#include "program/program.h"

enum { ALL_ROLES = -1 };

/* Of a program whose indices lie in their arrays. `role`: the lines of one role alone, or ALL_ROLES. */
void program_write(const struct program *program, int64_t role, struct text *out);
/* Reads what program_write wrote of all roles; checks syntax and that indices fit into 32 bits, not more (program_check
 * does). */
enum status program_read(struct arena *arena, const struct source *source, struct program *ret,
                         struct diag *diag) MUST_CHECK;

struct json;
void program_json(const struct program *program, int64_t role, struct json *json);

#endif
