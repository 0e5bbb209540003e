/* JSON for libyaml. */
#ifndef PARPLAN_YAML_FLOW_H
#define PARPLAN_YAML_FLOW_H

struct arena;
struct source;

/* The text for libyaml: the source's own, or for a text that begins with '{' or '[' a copy with the same number of
 * bytes in which what JSON has and libyaml refuses is rewritten. */
const char *flow_text(struct arena *arena, const struct source *source);

#endif
