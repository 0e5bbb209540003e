/* Threads that live as long as one loop. Indices are handed out one by one from an atomic counter, so uneven tasks
 * balance themselves; worker 0 is the calling thread. If a thread cannot be started the others do its share. */
#include "base/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { WORKERS_LIMIT = 256 };

struct loop {
    atomic_size_t next;
    size_t count;
    threads_task *task;
    void *context;
};

struct worker {
    struct loop *loop;
    size_t number;
    pthread_t thread;
};

static void *worker_run(void *argument) {
    struct worker *worker = argument;
    struct loop *loop = worker->loop;
    for (;;) {
        size_t index = atomic_fetch_add(&loop->next, 1);
        if (index >= loop->count) {
            return NULL;
        }
        loop->task(loop->context, index, worker->number);
    }
}

size_t threads_available(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (size_t)count > WORKERS_LIMIT ? WORKERS_LIMIT : (size_t)count;
}

void threads_for(size_t workers, size_t count, threads_task *task, void *context) {
    struct loop loop = {.count = count, .task = task, .context = context};
    struct worker crew[WORKERS_LIMIT];
    workers = workers == 0 ? threads_available() : workers;
    workers = workers > count ? count : workers;
    workers = workers > WORKERS_LIMIT ? WORKERS_LIMIT : workers;
    atomic_init(&loop.next, 0);
    size_t started = 1;
    while (started < workers) {
        crew[started] = (struct worker){.loop = &loop, .number = started};
        if (pthread_create(&crew[started].thread, NULL, worker_run, &crew[started]) != 0) {
            break;
        }
        started++;
    }
    crew[0] = (struct worker){.loop = &loop, .number = 0};
    worker_run(&crew[0]);
    for (size_t i = 1; i < started; i++) {
        pthread_join(crew[i].thread, NULL);
    }
}
