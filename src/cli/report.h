/* Diagnostics for people, on stderr:
 *
 *   parplan: error: models/x.yaml:12:9: num_attention_heads: 48 does not divide hidden_size 5000
 *      12 |   num_attention_heads: 48
 *         |                        ^~
 *     note: in moe
 *     help: did you mean ...
 */
#ifndef PARPLAN_CLI_REPORT_H
#define PARPLAN_CLI_REPORT_H

#include <stdbool.h>

struct diag;
struct text;

/* Appends all entries; sources are shown printable and cut to the caret's neighbourhood. */
void report_text(const struct diag *diag, bool color, bool with_warnings, struct text *out);
/* The same, written to stderr. */
void report_print(const struct diag *diag, bool color, bool with_warnings);

#endif
