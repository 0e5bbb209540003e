/* Growing texts and questions about texts. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "../support.h"
#include "base/random.h"

Test(text, grows_by_every_way_of_adding) {
    struct arena *arena = support_arena();
    struct text text;
    text_init(&text, arena);
    cr_assert_str_eq(text.data, "");
    size_t expected = 0;
    for (int i = 0; i < 3000; i++) {
        text_add(&text, "abc");
        text_add_char(&text, '-');
        text_add_bytes(&text, "xyzzy", 3);
        text_add_format(&text, "%04d", i);
        expected += 3 + 1 + 3 + 4;
        cr_assert_eq(text.size, expected, "step %d", i);
        cr_assert_eq(text.data[text.size], '\0', "step %d", i);
    }
    cr_assert_str_eq(text.data + text.size - 11, "abc-xyz2999");
    cr_assert(strncmp(text.data, "abc-xyz0000abc-xyz0001", 22) == 0, "%.30s", text.data);
    arena_close(arena);
}

/* Formatting at every distance from the end of the room. */
Test(text, formats_over_the_edge_of_its_room) {
    struct arena *arena = support_arena();
    for (size_t filled = 0; filled < 70; filled++) {
        for (int width = 0; width < 200; width += 7) {
            struct text text;
            text_init(&text, arena);
            for (size_t i = 0; i < filled; i++) {
                text_add_char(&text, 'a');
            }
            text_add_format(
                &text, "%.*s", width,
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                "bbbbbbbbbbbbbbbbbbbb");
            cr_assert_eq(text.size, filled + (size_t)width, "%zu + %d", filled, width);
            cr_assert_eq(strlen(text.data), text.size, "%zu + %d", filled, width);
            cr_assert_eq(strspn(text.data, "a"), filled, "%zu + %d", filled, width);
        }
    }
    arena_close(arena);
}

Test(text, pads_the_last_line_by_characters) {
    static const struct {
        const char *before;
        size_t column;
        const char *after;
    } TABLE[] = {
        {"", 3, "   "},
        {"ab", 4, "ab  "},
        {"abcd", 4, "abcd"},
        {"abcdef", 4, "abcdef"},
        {"abcdef\n", 2, "abcdef\n  "},
        {"abcdef\nx", 3, "abcdef\nx  "},
        {"\303\244\342\202\254", 4, "\303\244\342\202\254  "},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct text text;
        text_init(&text, arena);
        text_add(&text, TABLE[i].before);
        text_pad(&text, TABLE[i].column);
        cr_assert_str_eq(text.data, TABLE[i].after, "row %zu: '%s'", i, text.data);
    }
    arena_close(arena);
}

Test(text, compares) {
    cr_assert(text_equal("a", "a") && text_equal(NULL, NULL) && text_equal("", ""));
    cr_assert(!text_equal("a", "b") && !text_equal("a", NULL) && !text_equal(NULL, "") && !text_equal("a", "ab"));
    cr_assert(text_starts("abc", "ab") && text_starts("abc", "") && !text_starts("ab", "abc") &&
              !text_starts("b", "a"));
    cr_assert(text_ends("abc", "bc") && text_ends("abc", "") && text_ends("abc", "abc"));
    cr_assert(!text_ends("bc", "abc") && !text_ends("abc", "ab"));
    cr_assert(text_same_letters("GiB", "gib") && text_same_letters("", "") && text_same_letters("A1z", "a1Z"));
    cr_assert(!text_same_letters("GiB", "gi") && !text_same_letters("gi", "GiB") && !text_same_letters("a@", "a`"));
}

Test(text, nearest_name) {
    static const char *const NAMES[] = {
        "hidden_size", "num_layers", "num_attention_heads", "vocab_size", "tp", "dp", "schedule", "none",
        "full",        "selective"};
    static const struct {
        const char *word, *nearest;
    } TABLE[] = {
        {"hidden_size", "hidden_size"},
        {"hiden_size", "hidden_size"},
        {"hidden_sizee", "hidden_size"},
        {"hiddne_size", "hidden_size"},
        {"hidden-size", "hidden_size"},
        {"attention_heads", "num_attention_heads"}, /* 4 <= 15 / 3 */
        {"num_heads", NULL},
        {"ful", "full"},
        {"fulll", "full"},
        {"lufl", "full"}, /* 2: a swap is not free, but two substitutions are allowed */
        {"non", "none"},
        {"pt", "tp"}, /* one swap */
        {"xy", NULL}, /* nothing of the word would remain */
        {"x", NULL},
        {"", NULL},
        {"zzzzzzzzzz", NULL},
        {"ap", "tp"}, /* a tie with dp: the first */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const char *nearest = text_nearest(TABLE[i].word, NAMES, ROWS(NAMES));
        cr_assert(text_equal(nearest, TABLE[i].nearest), "%s: %s", TABLE[i].word, nearest == NULL ? "none" : nearest);
    }
    cr_assert_null(text_nearest("abc", NULL, 0));
}

/* A word that was spoiled by one edit finds its way back. */
Test(text, nearest_undoes_one_edit) {
    static const char *const NAMES[] = {"global_batch", "seq_len",   "precision",
                                        "recompute",    "objective", "micro_batch"};
    struct random random;
    random_stream(&random, 7, "text", 0);
    for (int round = 0; round < 5000; round++) {
        const char *name = NAMES[random_below(&random, ROWS(NAMES))];
        char word[32] = "";
        size_t size = strlen(name);
        memcpy(word, name, size);
        size_t at = random_below(&random, (uint32_t)size - 1);
        switch (random_below(&random, 4)) {
        case 0:
            word[at] = 'z';
            break;
        case 1:
            memmove(word + at, word + at + 1, size - at);
            break;
        case 2:
            memmove(word + at + 1, word + at, size - at + 1);
            word[at] = 'q';
            break;
        default:
            word[at] = name[at + 1];
            word[at + 1] = name[at];
            break;
        }
        cr_assert_eq(text_nearest(word, NAMES, ROWS(NAMES)), name, "%s from %s", word, name);
    }
}

/* Published test values of FNV-1a 64 (Fowler, Noll, Vo; draft-eastlake-fnv, appendix C). */
Test(text, digest_is_fnv1a) {
    static const struct {
        const char *text;
        unsigned long long digest;
    } TABLE[] = {
        {"", 0xcbf29ce484222325ULL},
        {"a", 0xaf63dc4c8601ec8cULL},
        {"b", 0xaf63df4c8601f1a5ULL},
        {"foobar", 0x85944171f73967e8ULL},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        cr_assert_eq(text_digest(TABLE[i].text, strlen(TABLE[i].text)), TABLE[i].digest, "%s", TABLE[i].text);
    }
}
