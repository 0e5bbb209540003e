/* A fuzz target is one file with this one function; it aborts when a promise of a parser is broken. libFuzzer calls it
 * with inputs of its own (meson -Dfuzzers=true), replay.c with the files of corpus/<target>. */
#ifndef PARPLAN_TESTS_FUZZ_FUZZ_H
#define PARPLAN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert, in every build. */
#define PROMISE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
