/* Programs as text: what is read is written and read back to the same bytes; whatever it is, checking it ends. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "model/model.h"
#include "program/check.h"
#include "program/text.h"
#include "yaml/document.h"

static const char model_text[] =
    "schema: parplan/model/v1\nname: m\nhidden_size: 64\nnum_hidden_layers: 4\nnum_attention_heads: 4\n"
    "vocab_size: 128\nintermediate_size: 256\n";

static const char *write_text(struct arena *arena, const struct program *program) {
    struct text text;
    text_init(&text, arena);
    program_write(program, ALL_ROLES, &text);
    return text.data;
}

static void check(struct arena *arena, const struct program *program) {
    struct model model;
    struct node *root = NULL;
    struct diag diag;
    diag_init(&diag, arena);
    PROMISE(document_parse(arena, "fuzz.yaml", model_text, strlen(model_text), &root, &diag) == OK);
    PROMISE(model_load(arena, root, &model, &diag) == OK);
    PROMISE((program_check(arena, program, &model, &diag) == OK) == (diag.count == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct program program, again;
    struct diag diag;
    const struct source source = {
        .name = "fuzz.txt", .text = arena_copy(arena, (const char *)data, size), .size = size};
    diag_init(&diag, arena);
    enum status status = program_read(arena, &source, &program, &diag);
    PROMISE((status == OK) == (diag.count == 0));
    if (status == OK) {
        const char *text = write_text(arena, &program);
        const struct source written = {.name = "written.txt", .text = text, .size = strlen(text)};
        PROMISE(program_read(arena, &written, &again, &diag) == OK);
        PROMISE(strcmp(text, write_text(arena, &again)) == 0);
        check(arena, &program);
    }
    arena_close(arena);
    return 0;
}
