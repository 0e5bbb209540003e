/* What a text must be before libyaml may read it. */
#ifndef PARPLAN_YAML_INSPECT_H
#define PARPLAN_YAML_INSPECT_H

#include "base/diag.h"

/* Refuses what is not UTF-8, NUL and other control characters, and what would make libyaml's time grow with the
 * square of the size. */
enum status inspect_text(const struct source *source, struct diag *diag) MUST_CHECK;

/* The bytes of the UTF-8 sequence that `text` begins with (RFC 3629), 0 if it is none; `size` > 0. */
size_t inspect_character(const char *text, size_t size, unsigned *ret_code);

#endif
