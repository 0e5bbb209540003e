/* Texts to members: the first byte chooses the row of the table, the rest is the text. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/field.h"

#include "../unit/yaml/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 4096) {
        return 0;
    }
    struct arena *arena = arena_open(NULL, NULL);
    const struct field *field = &sample_fields[data[0] % field_count(sample_fields)];
    const char *text = arena_copy(arena, (const char *)data + 1, size - 1);
    const char *reason = NULL;
    struct sample sample, again;
    field_defaults(arena, sample_fields, &sample);
    field_defaults(arena, sample_fields, &again);
    if (!field_parse(arena, field, text, &sample, &reason)) {
        PROMISE(reason != NULL && strlen(reason) > 0);
    } else if (field->kind != FIELD_TEXTS) { /* texts in a list may hold what divides lists */
        const char *written = field_text(arena, field, &sample);
        PROMISE(field_parse(arena, field, written, &again, &reason));
        PROMISE(strcmp(field_text(arena, field, &again), written) == 0);
        PROMISE(field_is_default(arena, field, &sample) == field_is_default(arena, field, &again));
    }
    arena_close(arena);
    return 0;
}
