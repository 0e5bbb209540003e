/* The event engine: plays a program, exactly and deterministically. Integer picoseconds; events at the same time in the
 * order of (rank, instruction); no allocation while it plays.
 *
 * A rank's instruction begins when the one before it on its stream and all it waits for have ended; a collective when
 * all members have come, and it ends with the slowest of them (passes of ranks in lockstep alike); a receive ends when
 * the message has arrived. While it runs its rate depends on what runs beside it on the same rank (contention);
 * remaining work is kept and its end moved whenever that changes. */
#ifndef PARPLAN_SIM_ENGINE_H
#define PARPLAN_SIM_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "program/program.h"
#include "sim/price.h"
#include "sim/scenario.h"

struct arena;

enum contention_level {
    CONTENTION_NONE,     /* what overlaps does not slow down */
    CONTENTION_SCALAR,   /* compute beside communication runs at `compute`, communication beside compute at
                            `communication` of its rate (Galvatron's 1/c for both, arXiv:2211.13878) */
    CONTENTION_RESOURCES /* multiprocessors, memory bandwidth and ports are shared (share.h) */
};
extern const char *const contention_names[]; /* "none", "scalar", "resources"; NULL-terminated */
struct contention {
    enum contention_level level;
    double compute, communication; /* scalar: rates, 0..1 */
    double sms;                    /* resources: multiprocessors of the device, for waves of tiles */
};

struct engine_input {
    const struct program *program;
    const struct work_price *prices; /* by work */
    struct contention contention;
    const struct scenario *scenario; /* NULL: nothing disturbs */
    int64_t seed;
    bool every_rank;                 /* an instance for every rank instead of one a role, which is its first replica */
    bool times, causes;              /* what to record */
};

/* Why an instruction began when it did. */
struct cause {
    int64_t instance;    /* whose instruction ended last of what it had to wait for; -1: nothing */
    int32_t instruction; /* of that instance */
};

struct engine_result {
    int64_t end;         /* of the last instruction, picoseconds */
    uint64_t events;     /* instructions played: each is one event at its end, moved ends not counted */
    int64_t replicas;    /* 1 without every_rank; instance = replica * roles + role */
    /* Of instance and instruction i: [replica * program->count + role.first + i]. NULL when not recorded. */
    int64_t *starts, *ends;
    struct cause *causes;
    int64_t *busy;       /* of instance and stream: [instance * STREAM_COUNT + stream], picoseconds */
    bool finished;       /* false: nothing can go on; `stuck` says who waits for what, in the arena */
    const char *stuck;
};

/* Plays the program; it must have passed program_check. */
void engine_run(struct arena *arena, const struct engine_input *input, struct engine_result *ret);

#endif
