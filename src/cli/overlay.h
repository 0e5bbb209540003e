/* Flags over documents: the keys of a job given on the command line replace those of the job file, so that one loader
 * checks both and an error in a flag points at the flag. */
#ifndef PARPLAN_CLI_OVERLAY_H
#define PARPLAN_CLI_OVERLAY_H

struct arena;
struct context;
struct node;

/* An empty document of a kind, placed at the command's name: what flags alone make. */
struct node *overlay_empty(const struct context *context, const char *kind);

/* Sets the given flags of the command's document groups in `root`. A flag given twice counts once, the last; lists of
 * texts add up. */
void overlay_flags(const struct context *context, struct node *root);

#endif
