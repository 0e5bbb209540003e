/* What runs on one rank at one moment, and how fast: rates between 0 and 1 of what each does alone. */
#ifndef PARPLAN_SIM_CONTENTION_H
#define PARPLAN_SIM_CONTENTION_H

#include "sim/engine.h"

enum load_kind { LOAD_COMPUTE, LOAD_HOST, LOAD_COLLECTIVE, LOAD_MESSAGE, LOAD_RECEIVE, LOAD_COPY };

struct load {
    const struct work_price *price;
    int kind;    /* enum load_kind */
    bool moving; /* false: its part is done and it waits for others, still holding its multiprocessors */
    double cap;  /* what its own links or clocks allow, 1 = as priced */
    double rate; /* the result, at most the cap */
};

/* Sets the rates. */
void contention_rates(const struct contention *contention, struct load *loads, int count);

/* Rate of a GEMM of so many output tiles while `held` of `sms` multiprocessors are taken: tiles run in waves, one a
 * multiprocessor, so ceil(T / M) waves become ceil(T / (M - held)). */
double contention_waves(double tiles, double sms, double held);

/* Whether any two of a role's instructions could slow one another. */
bool contention_matters(const struct engine_input *input);

#endif
