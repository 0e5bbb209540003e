/* A simulated step for people and for scripts. */
#ifndef PARPLAN_CLI_SIMULATED_H
#define PARPLAN_CLI_SIMULATED_H

#include "cli/simulating.h"
#include "cli/view.h"

struct json;
struct text;

/* Tables: the step by parts, roles, memory of the fullest, the critical path. */
void simulated_text(const struct simulating *simulating, const struct simulate_options *options,
                    const struct simulation *simulation, size_t width, struct text *out);
/* The roles, one row each; SI base units. */
void simulated_csv(const struct simulation *simulation, struct text *out);
/* One object. */
void simulated_json(const struct simulating *simulating, const struct simulate_options *options,
                    const struct simulation *simulation, struct text *out);

/* What the critical path consists of, in seconds, longest first; those without time left out. */
enum { SIMULATED_PATH = ACTION_COUNT + AXIS_COUNT + 1 };
size_t simulated_path(struct arena *arena, const struct simulation *simulation,
                      struct view_part ret[SIMULATED_PATH]);
/* The same as the key "critical_path" of the object that is open. */
void simulated_path_json(const struct simulation *simulation, struct json *json);
/* Memory of the role that peaks. */
struct memory_report simulated_memory(const struct simulating *simulating, const struct simulation *simulation);

#endif
