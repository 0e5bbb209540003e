/* Field tables under random values: what is written reads back, and no text does harm. */
#include "field_rows.h"

/* Random sets of degrees, written and read again, are the same ascending set. */
Test(field_random, random_degrees_read_back) {
    struct arena *arena = support_arena();
    struct random random;
    random_stream(&random, 2, "degrees", 0);
    for (int round = 0; round < 2000; round++) {
        bool present[65] = {false};
        struct text text;
        text_init(&text, arena);
        uint32_t pieces = 1 + random_below(&random, 6);
        for (uint32_t i = 0; i < pieces; i++) {
            uint32_t from = 1 + random_below(&random, 64);
            uint32_t to = random_below(&random, 2) ? from : from + random_below(&random, 65 - from);
            text_add_format(&text, "%s%u", i > 0 ? "," : "", from);
            if (to > from) {
                text_add_format(&text, "..%u", to);
            }
            for (uint32_t k = from; k <= to; k++) {
                present[k] = true;
            }
        }
        struct outer first;
        struct outer second;
        const char *reason = NULL;
        const struct field *field = row("degrees");
        cr_assert(field_parse(arena, field, text.data, &first, &reason), "%s: %s", text.data, reason);
        const char *written = field_text(arena, field, &first);
        cr_assert(field_parse(arena, field, written, &second, &reason), "%s: %s", written, reason);
        size_t at = 0;
        for (int64_t k = 1; k <= 64; k++) {
            if (present[k]) {
                cr_assert_lt(at, first.degrees.count, "%s", text.data);
                cr_assert_eq(first.degrees.values[at], k, "%s", text.data);
                cr_assert_eq(second.degrees.values[at], k, "%s", written);
                at++;
            }
        }
        cr_assert_eq(at, first.degrees.count, "%s", text.data);
        cr_assert_eq(at, second.degrees.count, "%s", written);
    }
    arena_close(arena);
}

/* Random quantities, ratios and numbers read back bit for bit. */
Test(field_random, random_numbers_read_back) {
    static const char *const KEYS[] = {"number", "ratio", "size", "duration"};
    struct arena *arena = support_arena();
    struct arena_place place = arena_mark(arena);
    struct random random;
    random_stream(&random, 2, "numbers", 0);
    for (int round = 0; round < 20000; round++) {
        const struct field *field = row(KEYS[round % 4]);
        struct outer first;
        struct outer second;
        const char *reason = NULL;
        double value = random_unit(&random);
        value = field->kind == FIELD_RATIO ? value : ldexp(value, (int)random_below(&random, 100) - 50);
        *(double *)field_member(field, &first) = value;
        const char *text = field_text(arena, field, &first);
        cr_assert(field_parse(arena, field, text, &second, &reason), "%s: %s", text, reason);
        cr_assert(memcmp(field_member(field, &second), &value, sizeof value) == 0, "%.17g as %s", value, text);
        arena_rewind(arena, place);
    }
    arena_close(arena);
}

/* Random bytes never do more than be refused or accepted. */
Test(field_random, random_texts_are_safe) {
    static const char ALPHABET[] = "0123456789.,-+eE_[] autonefsiv%GiBs\t\377..";
    struct arena *arena = support_arena();
    struct arena_place place = arena_mark(arena);
    struct random random;
    random_stream(&random, 2, "texts", 0);
    for (int round = 0; round < 100000; round++) {
        char text[24] = "";
        uint32_t size = random_below(&random, sizeof text);
        for (uint32_t i = 0; i < size; i++) {
            text[i] = ALPHABET[random_below(&random, sizeof ALPHABET - 1)];
        }
        const struct field *field = &OUTER[random_below(&random, ROWS(OUTER) - 1)];
        struct outer outer;
        const char *reason = NULL;
        field_defaults(arena, OUTER, &outer);
        if (field_parse(arena, field, text, &outer, &reason)) {
            const char *written = field_text(arena, field, &outer);
            cr_assert(field_parse(arena, field, written, &outer, &reason), "%s: %s from %s: %s", field->key, written,
                      text, reason);
        } else {
            cr_assert(reason != NULL && *reason != '\0', "%s: %s", field->key, text);
        }
        arena_rewind(arena, place);
    }
    arena_close(arena);
}
