/* Where shipped documents lie: each folder of $PARPLAN_DATA (separated by ':'), else beside the program as installed
 * (../share/parplan), else in the source tree that the program was built from (named by the file parplan.data beside
 * it). */
#ifndef PARPLAN_CLI_DATA_H
#define PARPLAN_CLI_DATA_H

#include <stddef.h>

struct arena;

/* The path of `name` (with or without ".yaml") in `folder` ("models"), or NULL. */
const char *data_find(struct arena *arena, const char *folder, const char *name);

/* Names of all documents in `folder`, sorted, without repeats; returns how many. */
size_t data_list(struct arena *arena, const char *folder, const char *const **ret_names);

/* The manual page of a command (NULL: of parplan itself), or NULL when it was neither built nor installed. */
const char *data_manual(struct arena *arena, const char *command);

#endif
