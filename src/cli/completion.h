/* Shell completion scripts from the command table. The scripts ask `parplan completion names FOLDER` for the names of
 * shipped documents, so that new ones complete without regenerating. */
#ifndef PARPLAN_CLI_COMPLETION_H
#define PARPLAN_CLI_COMPLETION_H

struct arena;
struct text;

extern const char *const completion_shells[]; /* NULL-terminated */
void completion_bash(struct arena *arena, struct text *out);
void completion_zsh(struct arena *arena, struct text *out);
void completion_fish(struct arena *arena, struct text *out);

#endif
