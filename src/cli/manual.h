/* Man page sections from the tables, in scdoc's markup. A page's source holds lines such as "@options search@" where
 * they belong; manual_expand puts the sections there. */
#ifndef PARPLAN_CLI_MANUAL_H
#define PARPLAN_CLI_MANUAL_H

#include "base/diag.h"

struct arena;
struct text;

/* Known lines: @commands@, @globals@, @status@, @fields KIND@, and of a command @name COMMAND@, @synopsis COMMAND@,
 * @description COMMAND@, @options COMMAND@, @examples COMMAND@. */
enum status manual_expand(struct arena *arena, const struct source *source, struct text *out, struct diag *diag)
    MUST_CHECK;

#endif
