#include <criterion/criterion.h>

#include <math.h>

#include "base/random.h"
#include "yaml/bind.h"
#include "yaml/emit.h"

#include "sample.h"
#include "tree.h"

#include "../support.h"

static const char *emit(struct arena *arena, const struct sample *sample, bool only_changes) {
    struct text out;
    text_init(&out, arena);
    emit_document(&out, "sample", sample_fields, sample, only_changes);
    return out.data;
}

static struct sample load(struct arena *arena, const char *text) {
    struct diag diag;
    struct sample sample;
    struct node *root = tree_parse(arena, text, &diag);
    cr_assert(root != NULL, "%s\n%s", text, entries_text(arena, &diag));
    cr_assert_eq(bind_schema(root, "sample", &diag), OK, "%s", entries_text(arena, &diag));
    cr_assert_eq(bind_fields(arena, root, "sample", sample_fields, &sample, &diag), OK, "%s\n%s", text,
                 entries_text(arena, &diag));
    return sample;
}

Test(emit, writes_canonical_documents) {
    struct arena *arena = support_arena();
    const char *text = "schema: parplan/sample/v1\n"
                       "title: \"a: b\"\n"
                       "enabled: true\n"
                       "flagged: false\n"
                       "heads: 8\n"
                       "shift: -1\n"
                       "scale: 0.1\n"
                       "share: 0.25\n"
                       "memory: 40GiB\n"
                       "latency: 2us\n"
                       "colour: \"off\"\n"
                       "tp: [1, 2, 8]\n"
                       "colours: [red, \"off\"]\n"
                       "inner:\n"
                       "  count: 3\n"
                       "  rate: 50GB/s\n"
                       "extra:\n"
                       "  count: 4\n"
                       "  note: x\n"
                       "  rate: 0B/s\n"
                       "parts:\n"
                       "  - memory: 0B\n"
                       "    name: a\n"
                       "    inner:\n"
                       "      count: 3\n"
                       "      rate: 0B/s\n"
                       "    tags: [x, \"y, z\"]\n"
                       "  - memory: 1KiB\n"
                       "    name: b\n"
                       "    inner:\n"
                       "      count: 3\n"
                       "      rate: 0B/s\n"
                       "counts: []\n"
                       "numbers: [0.5, -2]\n"
                       "result: 0\n";
    struct sample sample = load(arena, text);
    sample.verbose = 3;
    cr_expect_str_eq(emit(arena, &sample, false), text, "%s", emit(arena, &sample, false));
    arena_close(arena);
}

Test(emit, leaves_out_what_did_not_change) {
    static const char *const rows[] = {
        "schema: parplan/sample/v1\ntitle: t\nheads: 1\n",
        "schema: parplan/sample/v1\ntitle: t\nheads: 1\nscale: 2\nextra: {}\n",
        "schema: parplan/sample/v1\ntitle: t\nheads: 1\nshare: 0.5\ninner:\n  note: x\nparts:\n  - name: a\n    tags: "
        "[b]\n",
        "schema: parplan/sample/v1\ntitle: t\nheads: 1\nenabled: false\ntp: 1..4\ncolours: [red]\ncounts: [1]\n",
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct sample sample = load(arena, rows[i]);
        const char *text = emit(arena, &sample, true);
        if (i != 3) { /* table order: enabled before heads */
            cr_expect_str_eq(text, rows[i], "row %zu: %s", i, text);
        }
        struct sample again = load(arena, text);
        cr_expect_str_eq(emit(arena, &again, true), text, "row %zu", i);
        cr_expect_str_eq(emit(arena, &again, false), emit(arena, &sample, false), "row %zu", i);
    }
    arena_close(arena);
}

struct required_inner {
    struct sample_inner inner;
};

/* A required struct with nothing in it is still there. */
Test(emit, keeps_required_structs) {
    static const struct field fields[] = {
        {.key = "inner",
         .kind = FIELD_STRUCT,
         .fields = sample_inner_fields,
         .size = sizeof(struct sample_inner),
         .flags = FIELD_REQUIRED},
        FIELD_END,
    };
    struct arena *arena = support_arena();
    struct required_inner object;
    struct text out;
    text_init(&out, arena);
    field_defaults(arena, fields, &object);
    emit_fields(&out, fields, &object, 2, true);
    cr_expect_str_eq(out.data, "  inner: {}\n");
    arena_close(arena);
}

/* Elements in which nothing changed are still elements. */
Test(emit, keeps_empty_elements) {
    static const struct field fields[] = {
        {.key = "list", .kind = FIELD_STRUCTS, .fields = sample_inner_fields, .size = sizeof(struct sample_inner)},
        FIELD_END,
    };
    struct arena *arena = support_arena();
    struct sample_inner items[3];
    struct list list = {.items = items, .count = 3};
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < 3; i++) {
        field_defaults(arena, sample_inner_fields, &items[i]);
    }
    items[1].note = "x";
    emit_fields(&out, fields, &list, 0, true);
    cr_expect_str_eq(out.data, "list:\n  - {}\n  - note: x\n  - {}\n", "%s", out.data);
    arena_close(arena);
}

/* A number that is none has no text. */
Test(emit, leaves_out_nan_and_infinity) {
    struct arena *arena = support_arena();
    struct sample sample = load(arena, "schema: parplan/sample/v1\ntitle: t\nheads: 1\n");
    sample.result = NAN;
    sample.latency = INFINITY;
    const char *text = emit(arena, &sample, false);
    cr_expect(strstr(text, "result") == NULL && strstr(text, "latency") == NULL, "%s", text);
    arena_close(arena);
}

static const char *random_text(struct arena *arena, struct random *random) {
    static const char *const pieces[] = {"a",        "b c",
                                         ":",        ": ",
                                         " ",        "#",
                                         "-",        "\"",
                                         "'",        "\\",
                                         "\n",       "\t",
                                         ",",        "[",
                                         "]",        "{",
                                         "}",        "&",
                                         "*",        "!",
                                         "|",        ">",
                                         "%",        "@",
                                         "`",        "~",
                                         "null",     "true",
                                         "12",       ".5",
                                         "\xC3\xA9", "\xE2\x80\xA8",
                                         "\xC2\x85", "\xF0\x9F\x98\x80",
                                         "\x01",     "---",
                                         "...",      "?",
                                         "\r",       "\xEF\xBB\xBF"};
    struct text out;
    text_init(&out, arena);
    for (uint32_t left = random_below(random, 6); left > 0; left--) {
        text_add(&out, pieces[random_below(random, ROWS(pieces))]);
    }
    return out.data;
}

/* Any finite double, whole numbers and simple ones more often. */
static double random_number(struct random *random, double largest) {
    union {
        uint64_t bits;
        double value;
    } any = {.bits = (uint64_t)random_next(random) << 32 | random_next(random)};
    double value = random_below(random, 3) == 0 ? random_below(random, 1000) : fabs(any.value);
    return isfinite(value) && value <= largest ? value : random_unit(random) * largest;
}

static struct sample_inner random_inner(struct arena *arena, struct random *random) {
    return (struct sample_inner){.count = random_below(random, 101),
                                 .note = random_below(random, 2) == 0 ? NULL : random_text(arena, random),
                                 .rate = random_number(random, 1e18)};
}

static struct list random_texts(struct arena *arena, struct random *random) {
    size_t count = random_below(random, 4);
    const char **texts = ARENA_ARRAY(arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        texts[i] = random_text(arena, random);
    }
    return (struct list){.items = texts, .count = count};
}

static struct list random_numbers(struct arena *arena, struct random *random) {
    size_t count = random_below(random, 4);
    double *numbers = ARENA_ARRAY(arena, double, count);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = random_number(random, 1e300);
    }
    return (struct list){.items = numbers, .count = count};
}

static struct list random_parts(struct arena *arena, struct random *random) {
    size_t count = random_below(random, 4);
    struct sample_part *parts = ARENA_ARRAY(arena, struct sample_part, count);
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct sample_part){.name = arena_format(arena, "%zu%s", i, random_text(arena, random)),
                                        .memory = random_number(random, 1e15),
                                        .inner = random_inner(arena, random),
                                        .tags = random_texts(arena, random)};
    }
    return (struct list){.items = parts, .count = count};
}

static struct degrees random_degrees(struct arena *arena, struct random *random) {
    size_t count = random_below(random, 5);
    int64_t *values = ARENA_ARRAY(arena, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        values[i] = (i == 0 ? 1 : values[i - 1] + 1) + random_below(random, 3) / 2;
    }
    return (struct degrees){.any = count == 0, .values = values, .count = count};
}

static struct sample random_sample(struct arena *arena, struct random *random) {
    struct sample s;
    field_defaults(arena, sample_fields, &s);
    s.title = random_text(arena, random);
    s.source = random_below(random, 2) == 0 ? NULL : random_text(arena, random);
    s.enabled = random_below(random, 2) == 0;
    s.flagged = random_below(random, 2) == 0;
    s.heads =
        1 + (int64_t)(((uint64_t)random_next(random) << 32 | random_next(random)) >> (1 + random_below(random, 63)));
    s.shift = (int64_t)((uint64_t)random_next(random) << 32 | random_next(random)) / 2;
    s.scale = random_number(random, 1e308) * (random_below(random, 2) == 0 ? -1 : 1);
    s.share = random_unit(random);
    s.memory = random_number(random, 1e300);
    s.latency = random_number(random, 1e300);
    s.colour = (int)random_below(random, 4);
    s.tp = random_degrees(arena, random);
    s.colours = 1 + random_below(random, 15);
    s.inner = random_inner(arena, random);
    if (random_below(random, 2) == 0) {
        s.extra = ARENA_NEW(arena, struct sample_inner);
        *s.extra = random_inner(arena, random);
    }
    s.parts = random_parts(arena, random);
    s.numbers = random_numbers(arena, random);
    s.rates = random_numbers(arena, random);
    s.texts = random_texts(arena, random);
    s.result = random_number(random, 1e308);
    return s;
}

static bool same_texts(const struct list *a, const struct list *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = text_equal(((const char **)a->items)[i], ((const char **)b->items)[i]);
    }
    return same;
}

static bool same_bytes(const struct list *a, const struct list *b) {
    return a->count == b->count && (a->count == 0 || memcmp(a->items, b->items, a->count * 8) == 0);
}

static bool same_inner(const struct sample_inner *a, const struct sample_inner *b) {
    return a->count == b->count && text_equal(a->note, b->note) && a->rate == b->rate;
}

static bool same_parts(const struct list *a, const struct list *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct sample_part *x = &((const struct sample_part *)a->items)[i];
        const struct sample_part *y = &((const struct sample_part *)b->items)[i];
        same = text_equal(x->name, y->name) && x->memory == y->memory && same_inner(&x->inner, &y->inner) &&
               same_texts(&x->tags, &y->tags);
    }
    return same;
}

static bool same_degrees(const struct degrees *a, const struct degrees *b) {
    return a->any == b->any &&
           (a->any || (a->count == b->count && memcmp(a->values, b->values, a->count * sizeof *a->values) == 0));
}

static bool same_samples(const struct sample *a, const struct sample *b) {
    bool values = text_equal(a->title, b->title) && text_equal(a->source, b->source) && a->enabled == b->enabled &&
                  a->flagged == b->flagged && a->heads == b->heads && a->shift == b->shift && a->scale == b->scale &&
                  a->share == b->share && a->memory == b->memory && a->latency == b->latency &&
                  a->colour == b->colour && a->colours == b->colours && a->result == b->result;
    bool nested = same_inner(&a->inner, &b->inner) && (a->extra == NULL) == (b->extra == NULL) &&
                  (a->extra == NULL || same_inner(a->extra, b->extra)) && same_parts(&a->parts, &b->parts);
    return values && nested && same_degrees(&a->tp, &b->tp) && same_bytes(&a->counts, &b->counts) &&
           same_bytes(&a->numbers, &b->numbers) && same_bytes(&a->rates, &b->rates) && same_texts(&a->texts, &b->texts);
}

/* What is written loads back to exactly the same values, and is written again to exactly the same bytes. */
Test(emit, comes_back_unchanged) {
    struct arena *arena = support_arena();
    struct random random;
    random_seed(&random, 42, 54);
    for (int i = 0; i < 1000; i++) {
        struct arena_place place = arena_mark(arena);
        struct sample sample = random_sample(arena, &random);
        for (int only_changes = 0; only_changes < 2; only_changes++) {
            const char *text = emit(arena, &sample, only_changes);
            struct sample again = load(arena, text);
            cr_assert(same_samples(&sample, &again), "sample %d:\n%s\n%s", i, text, emit(arena, &again, only_changes));
            cr_assert_str_eq(emit(arena, &again, only_changes), text, "sample %d", i);
        }
        arena_rewind(arena, place);
    }
    arena_close(arena);
}
