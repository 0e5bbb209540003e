/* The short form of a topology, and the counts it may ask for. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "topology/shortform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct shortform form = {0};
    const char *text = arena_copy(arena, (const char *)data, size);
    diag_init(&diag, arena);
    bool is = shortform_is(text);
    enum status status = shortform_parse(arena, text, &form, &diag);
    PROMISE((status == OK) == (diag.errors == 0));
    if (status == OK) {
        PROMISE(form.count >= 1 && form.nodes >= 0 && form.nics >= 0 && form.rate >= 0 && isfinite(form.rate));
        PROMISE(form.device != NULL && strlen(form.device) > 0);
    } else {
        PROMISE(!is || diag.entries[0].mark.column <= size + 1);
    }
    arena_close(arena);
    return 0;
}
