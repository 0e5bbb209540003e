/* Programs as text: for reading, for diffs, for saving and loading. One line an instruction:
 *
 *   parplan program v1 detail=layer tp=8 ... micro-batches=16
 *   role 0 pipeline-rank=0
 *   12 compute forward stage=0 layer=3 micro-batch=2 work=4 after=11,9 allocates=7 frees=3
 */
#ifndef PARPLAN_PROGRAM_TEXT_H
#define PARPLAN_PROGRAM_TEXT_H

#include "base/diag.h"
#include "base/text.h"
#include "program/program.h"

void program_write(const struct program *program, struct text *out);
/* Reads what program_write wrote; checks syntax and that indices fit into 32 bits, not more (program_check does). */
enum status program_read(struct arena *arena, const struct source *source, struct program *ret,
                         struct diag *diag) MUST_CHECK;

struct json;
void program_json(const struct program *program, struct json *json);

#endif
