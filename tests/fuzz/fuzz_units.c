/* Quantities: the first byte is the dimension, the rest the text. What is read is written so that it reads back. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 4096) {
        return 0;
    }
    struct arena *arena = arena_open(NULL, NULL);
    enum dimension dimension = (enum dimension)(data[0] % UNIT_DIMENSIONS);
    const char *text = arena_copy(arena, (const char *)data + 1, size - 1);
    double value = 0;
    const char *reason = NULL;
    if (units_parse(arena, text, dimension, &value, &reason)) {
        PROMISE(isfinite(value));
        const char *exact = units_exact(arena, value, dimension);
        double again = 0;
        PROMISE(units_parse(arena, exact, dimension, &again, &reason));
        PROMISE(memcmp(&value, &again, sizeof value) == 0);
        PROMISE(strlen(units_human(arena, value, dimension, 3)) > 0);
    } else {
        PROMISE(reason != NULL && strlen(reason) > 0);
    }
    arena_close(arena);
    return 0;
}
