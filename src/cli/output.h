/* Results out: to stdout, or to a file that appears whole or not at all. */
#ifndef PARPLAN_CLI_OUTPUT_H
#define PARPLAN_CLI_OUTPUT_H

#include "base/status.h"
#include "base/text.h"

struct context;

/* Writes a command's result to `-o FILE` when given, else to stdout. */
enum status output_result(struct context *context, const struct text *text) MUST_CHECK;
/* Writes to stdout. A reader that went away is no error. */
enum status output_print(struct context *context, const struct text *text) MUST_CHECK;
/* Writes to a temporary name in the same folder, then renames: nobody sees half a file. Devices and pipes are written
 * to directly. "-" is stdout. */
enum status output_file(struct context *context, const char *path, const struct text *text) MUST_CHECK;

#endif
