/* Names already met, in a crit-bit tree: finding a name costs at most its length, whatever names a hostile document
 * chose; a hash table would turn quadratic on names that collide. */
#ifndef PARPLAN_YAML_NAMES_H
#define PARPLAN_YAML_NAMES_H

#include <stddef.h>

struct arena;

struct name {
    const char *text;
    const void *value; /* the user's; NULL at first */
};

struct names {
    struct arena *arena;
    struct name_branch *root;
};

void names_init(struct names *names, struct arena *arena);
/* The entry of this name, made if it is not there; it stays where it is. `text` must live as long as the names. */
struct name *names_add(struct names *names, const char *text);
struct name *names_find(const struct names *names, const char *text); /* NULL if it is not there */

#endif
