/* Random factors on durations, drawn from PCG streams. */
#ifndef PARPLAN_SIM_JITTER_H
#define PARPLAN_SIM_JITTER_H

#include <stdbool.h>
#include <stdint.h>

struct scenario;

/* The product of a draw of each of the scenario's jitters that concern compute or communication, from the stream of
 * (seed, "jitter", key). */
double jitter_factor(const struct scenario *scenario, uint64_t seed, uint64_t key, bool communicates);

#endif
