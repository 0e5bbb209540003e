/* A parallel loop over indices. Workers take indices from a shared counter; results must be stored by index, so the
 * outcome never depends on the number of threads. */
#ifndef PARPLAN_BASE_THREADS_H
#define PARPLAN_BASE_THREADS_H

#include <stddef.h>

/* `worker` is 0 .. workers-1 and tells which scratch to use. */
typedef void threads_task(void *context, size_t index, size_t worker);

/* Runs task for 0 .. count-1 on up to `workers` threads (0 = as many as the machine has); returns when all are done. */
void threads_for(size_t workers, size_t count, threads_task *task, void *context);
size_t threads_available(void);

#endif
