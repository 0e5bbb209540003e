/* Trees to structs: what binds is written and loads back to the same bytes; what does not bind has an error and is safe
 * to read. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "yaml/bind.h"
#include "yaml/document.h"
#include "yaml/emit.h"

#include "../unit/yaml/sample.h"

static enum status read_sample(struct arena *arena, const char *text, size_t size, struct sample *sample,
                               struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    TRY(document_parse(arena, "fuzz.yaml", text, size, &root, diag));
    if (root->first != NULL && root->first->key != NULL && strcmp(root->first->key, "schema") == 0) {
        TRY(bind_schema(root, "sample", diag));
    }
    bind_mark(root, "parts.1.inner.count");
    enum status status = bind_fields(arena, root, "sample", sample_fields, sample, diag);
    PROMISE((status == OK) == (diag->errors == 0));
    struct text out;
    text_init(&out, arena);
    emit_document(&out, "sample", sample_fields, sample, false);
    return status;
}

static const char *write_sample(struct arena *arena, const struct sample *sample, bool only_changes) {
    struct text out;
    text_init(&out, arena);
    emit_document(&out, "sample", sample_fields, sample, only_changes);
    return out.data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct sample sample;
    if (size < 65536 && read_sample(arena, (const char *)data, size, &sample, &diag) == OK) {
        for (int only_changes = 0; only_changes < 2; only_changes++) {
            const char *text = write_sample(arena, &sample, only_changes);
            struct sample again;
            enum status status = read_sample(arena, text, strlen(text), &again, &diag);
            if (status != OK) {
                fprintf(stderr, "%s\n%s\n", text, diag.entries[0].text);
            }
            PROMISE(status == OK);
            PROMISE(strcmp(write_sample(arena, &again, only_changes), text) == 0);
            PROMISE(strcmp(write_sample(arena, &again, false), write_sample(arena, &sample, false)) == 0);
        }
    }
    arena_close(arena);
    return 0;
}
