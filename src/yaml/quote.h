/* Texts as YAML scalars. */
#ifndef PARPLAN_YAML_QUOTE_H
#define PARPLAN_YAML_QUOTE_H

#include <stdbool.h>

#include "base/text.h"

/* Appends `value` so that it loads back as the same text, plain where every YAML reader takes it for text, else in
 * double quotes. `in_list`: inside [ ]. */
void quote_text(struct text *out, const char *value, bool in_list);

#endif
