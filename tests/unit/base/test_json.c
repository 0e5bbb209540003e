/* The JSON writer, by itself and by field tables. */
#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>

#include "../support.h"
#include "base/field.h"
#include "base/json.h"

static void write_sample(struct json *json) {
    json_open_object(json);
    json_key(json, "text");
    json_string(json, "a \"b\" \\ \b\f\n\r\t\001\037\177 \303\244 \360\237\230\200");
    json_key(json, "none");
    json_string(json, NULL);
    json_key(json, "numbers");
    json_open_array(json);
    json_number(json, 0.1);
    json_number(json, -0.0);
    json_number(json, NAN);
    json_number(json, -HUGE_VAL);
    json_integer(json, INT64_MIN);
    json_bool(json, true);
    json_bool(json, false);
    json_null(json);
    json_close_array(json);
    json_key(json, "empty");
    json_open_object(json);
    json_close_object(json);
    json_key(json, "nested");
    json_open_array(json);
    json_open_array(json);
    json_close_array(json);
    json_open_object(json);
    json_key(json, "k\n");
    json_integer(json, 1);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

Test(json, indents) {
    struct arena *arena = support_arena();
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text, false);
    write_sample(&json);
    cr_assert_str_eq(text.data,
                     "{\n"
                     "  \"text\": \"a \\\"b\\\" \\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\177 \303\244 \360\237\230\200\",\n"
                     "  \"none\": null,\n"
                     "  \"numbers\": [\n"
                     "    0.1,\n"
                     "    -0,\n"
                     "    null,\n"
                     "    null,\n"
                     "    -9223372036854775808,\n"
                     "    true,\n"
                     "    false,\n"
                     "    null\n"
                     "  ],\n"
                     "  \"empty\": {},\n"
                     "  \"nested\": [\n"
                     "    [],\n"
                     "    {\n"
                     "      \"k\\n\": 1\n"
                     "    }\n"
                     "  ]\n"
                     "}");
    arena_close(arena);
}

Test(json, fits_on_one_line) {
    struct arena *arena = support_arena();
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text, true);
    write_sample(&json);
    cr_assert_str_eq(
        text.data,
        "{\"text\": \"a \\\"b\\\" \\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\177 \303\244 \360\237\230\200\", \"none\": null, "
        "\"numbers\": [0.1, -0, null, null, -9223372036854775808, true, false, null], \"empty\": {}, "
        "\"nested\": [[], {\"k\\n\": 1}]}");
    arena_close(arena);
}

/* Bytes that are no UTF-8 become U+FFFD one by one; what is well-formed stays. */
Test(json, never_writes_broken_utf8) {
    static const struct {
        const char *text, *json;
    } TABLE[] = {
        {"\200", "\\ufffd"},
        {"\377a", "\\ufffda"},
        {"\303", "\\ufffd"},
        {"\303a", "\\ufffda"},
        {"\300\200", "\\ufffd\\ufffd"},
        {"\301\277", "\\ufffd\\ufffd"},
        {"\302\200", "\302\200"},
        {"\337\277", "\337\277"},
        {"\340\237\277", "\\ufffd\\ufffd\\ufffd"},
        {"\340\240\200", "\340\240\200"},
        {"\342\202", "\\ufffd\\ufffd"},
        {"\342\202\254", "\342\202\254"},
        {"\355\237\277", "\355\237\277"},
        {"\355\240\200", "\\ufffd\\ufffd\\ufffd"}, /* a surrogate */
        {"\357\277\277", "\357\277\277"},
        {"\360\217\277\277", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\360\220\200\200", "\360\220\200\200"},
        {"\364\217\277\277", "\364\217\277\277"},
        {"\364\220\200\200", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\365\200\200\200", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\361\200\200a", "\\ufffd\\ufffd\\ufffda"},
        {"\361\200a", "\\ufffd\\ufffda"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        struct text text;
        struct json json;
        text_init(&text, arena);
        json_init(&json, &text, true);
        json_string(&json, TABLE[i].text);
        cr_assert_str_eq(text.data, arena_format(arena, "\"%s\"", TABLE[i].json), "row %zu: %s", i, text.data);
    }
    arena_close(arena);
}

struct inner {
    int64_t depth;
    double width;
};

static const struct field INNER[] = {
    {.key = "depth", .kind = FIELD_COUNT, .offset = offsetof(struct inner, depth)},
    {.key = "width", .kind = FIELD_QUANTITY, .dimension = UNIT_BYTES, .offset = offsetof(struct inner, width)},
    FIELD_END};

struct outer {
    bool on;
    double size, time_s, rate, compute, work, power, price, money, energy, plain, ratio;
    int choice, wrong_choice;
    const char *name, *absent;
    struct degrees any, some;
    uint64_t set;
    struct inner inner;
    struct inner *optional, *missing;
    struct list inners, counts, numbers, texts, nothing;
    int64_t hidden;
};

static const char *const WORDS[] = {"none", "selective", "full", NULL};

#define ROW(member, field_kind, ...)                                                                                   \
    { .key = #member, .kind = field_kind, .offset = offsetof(struct outer, member), __VA_ARGS__ }

static const struct field OUTER[] = {ROW(on, FIELD_BOOL, .doc = ""),
                                     ROW(size, FIELD_QUANTITY, .dimension = UNIT_BYTES),
                                     ROW(time_s, FIELD_QUANTITY, .dimension = UNIT_SECONDS),
                                     ROW(rate, FIELD_QUANTITY, .dimension = UNIT_BYTES_RATE),
                                     ROW(compute, FIELD_QUANTITY, .dimension = UNIT_FLOP_RATE),
                                     ROW(work, FIELD_QUANTITY, .dimension = UNIT_FLOPS),
                                     ROW(power, FIELD_QUANTITY, .dimension = UNIT_POWER),
                                     ROW(price, FIELD_QUANTITY, .dimension = UNIT_PRICE_RATE),
                                     ROW(money, FIELD_QUANTITY, .dimension = UNIT_MONEY),
                                     ROW(energy, FIELD_QUANTITY, .dimension = UNIT_ENERGY),
                                     ROW(plain, FIELD_NUMBER, .doc = ""),
                                     ROW(ratio, FIELD_RATIO, .doc = ""),
                                     ROW(choice, FIELD_CHOICE, .choices = WORDS),
                                     ROW(wrong_choice, FIELD_CHOICE, .choices = WORDS),
                                     ROW(name, FIELD_TEXT, .doc = ""),
                                     ROW(absent, FIELD_TEXT, .doc = ""),
                                     ROW(any, FIELD_DEGREES, .doc = ""),
                                     ROW(some, FIELD_DEGREES, .doc = ""),
                                     ROW(set, FIELD_CHOICES, .choices = WORDS),
                                     ROW(inner, FIELD_STRUCT, .fields = INNER, .size = sizeof(struct inner)),
                                     ROW(optional, FIELD_OPTIONAL, .fields = INNER, .size = sizeof(struct inner)),
                                     ROW(missing, FIELD_OPTIONAL, .fields = INNER, .size = sizeof(struct inner)),
                                     ROW(inners, FIELD_STRUCTS, .fields = INNER, .size = sizeof(struct inner)),
                                     ROW(counts, FIELD_COUNTS, .doc = ""),
                                     ROW(numbers, FIELD_NUMBERS, .dimension = UNIT_SECONDS),
                                     ROW(texts, FIELD_TEXTS, .doc = ""),
                                     ROW(nothing, FIELD_TEXTS, .doc = ""),
                                     ROW(hidden, FIELD_COUNT, .flags = FIELD_HIDDEN),
                                     FIELD_END};

Test(json, writes_structs_by_their_tables) {
    struct inner inners[] = {{1, 2}, {3, 4}};
    int64_t degrees[] = {1, 2, 4};
    double numbers[] = {0.5, 2e-6};
    const char *texts[] = {"a", "b\"c"};
    struct outer outer = {.on = true,
                          .size = 85899345920.0,
                          .time_s = 1.5,
                          .rate = 50e9,
                          .compute = 989e12,
                          .work = 1e18,
                          .power = 700,
                          .price = 2.5,
                          .money = 12,
                          .energy = 5,
                          .plain = 0.1,
                          .ratio = 0.62,
                          .choice = 1,
                          .wrong_choice = 9,
                          .name = "x",
                          .any = {.any = true},
                          .some = {.values = degrees, .count = 3},
                          .set = 5,
                          .inner = {7, 8},
                          .optional = &inners[1],
                          .inners = {inners, 2},
                          .counts = {degrees, 3},
                          .numbers = {numbers, 2},
                          .texts = {texts, 2},
                          .hidden = 99};
    struct arena *arena = support_arena();
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text, false);
    json_fields(&json, OUTER, &outer);
    cr_assert_str_eq(text.data,
                     "{\n"
                     "  \"on\": true,\n"
                     "  \"size_bytes\": 85899345920,\n"
                     "  \"time_s\": 1.5,\n"
                     "  \"rate_bytes_per_s\": 50000000000,\n"
                     "  \"compute_flop_per_s\": 989000000000000,\n"
                     "  \"work_flop\": 1e+18,\n"
                     "  \"power_w\": 700,\n"
                     "  \"price_usd_per_h\": 2.5,\n"
                     "  \"money_usd\": 12,\n"
                     "  \"energy_j\": 5,\n"
                     "  \"plain\": 0.1,\n"
                     "  \"ratio\": 0.62,\n"
                     "  \"choice\": \"selective\",\n"
                     "  \"wrong_choice\": null,\n"
                     "  \"name\": \"x\",\n"
                     "  \"absent\": null,\n"
                     "  \"any\": \"auto\",\n"
                     "  \"some\": [1, 2, 4],\n"
                     "  \"set\": [\"none\", \"full\"],\n"
                     "  \"inner\": {\n"
                     "    \"depth\": 7,\n"
                     "    \"width_bytes\": 8\n"
                     "  },\n"
                     "  \"optional\": {\n"
                     "    \"depth\": 3,\n"
                     "    \"width_bytes\": 4\n"
                     "  },\n"
                     "  \"missing\": null,\n"
                     "  \"inners\": [\n"
                     "    {\n"
                     "      \"depth\": 1,\n"
                     "      \"width_bytes\": 2\n"
                     "    },\n"
                     "    {\n"
                     "      \"depth\": 3,\n"
                     "      \"width_bytes\": 4\n"
                     "    }\n"
                     "  ],\n"
                     "  \"counts\": [1, 2, 4],\n"
                     "  \"numbers_s\": [0.5, 2e-06],\n"
                     "  \"texts\": [\"a\", \"b\\\"c\"],\n"
                     "  \"nothing\": []\n"
                     "}",
                     "%s", text.data);
    text_init(&text, arena);
    json_init(&json, &text, true);
    json_open_object(&json);
    json_key(&json, "first");
    json_integer(&json, 0);
    json_members(&json, INNER, &inners[0]);
    json_close_object(&json);
    cr_assert_str_eq(text.data, "{\"first\": 0, \"depth\": 1, \"width_bytes\": 2}");
    arena_close(arena);
}
