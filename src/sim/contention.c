#include <stddef.h>

#include "sim/engine.h"

const char *const contention_names[] = {
    [CONTENTION_NONE] = "none",
    [CONTENTION_SCALAR] = "scalar",
    [CONTENTION_RESOURCES] = "resources",
    [CONTENTION_RESOURCES + 1] = NULL,
};
