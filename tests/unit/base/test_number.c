/* Decimal numbers to and from text, also under a locale with another decimal point. */
#include <criterion/criterion.h>
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../support.h"
#include "base/random.h"

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A double of random bits that is finite. */
static double random_double(struct random *random) {
    double value = NAN;
    while (!isfinite(value)) {
        uint64_t bits = (uint64_t)random_next(random) << 32 | random_next(random);
        memcpy(&value, &bits, sizeof value);
    }
    return value;
}

Test(number, reads_the_grammar) {
    static const struct {
        const char *text;
        double value;
    } TABLE[] = {
        {"0", 0},
        {"-0", -0.0},
        {"42", 42},
        {"+42", 42},
        {"0.1", 0.1},
        {"-1.5e3", -1500},
        {"1E-3", 1e-3},
        {"1e+3", 1e3},
        {".5", 0.5},
        {"5.", 5},
        {"1_000_000", 1e6},
        {"1_000.000_5", 1000.0005},
        {"007", 7},
        {"1e-400", 0},
        {"0e999999999999", 0},
        {"2.2250738585072014e-308", DBL_MIN},
        {"1.7976931348623157e308", DBL_MAX},
        {"4.9406564584124654e-324", 4.9406564584124654e-324},
        {"9007199254740993", 9007199254740992},
        {"9007199254740993.0000000000000000000001", 9007199254740994},
        {"0.000000000000000000000000000001", 1e-30},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        double value = NAN;
        cr_assert(text_number(TABLE[i].text, strlen(TABLE[i].text), &value), "%s is refused", TABLE[i].text);
        cr_assert(same_bits(value, TABLE[i].value), "%s: %.17g", TABLE[i].text, value);
    }
}

Test(number, refuses_what_is_no_number) {
    static const char *const TABLE[] = {"",      "abc",   "nan",
                                        "inf",   "-inf",  "infinity",
                                        "0x10",  "0x1p3", "1e",
                                        "1e+",   "1_",    "_1",
                                        "1__0",  "1_.5",  "1._5",
                                        ".",     "-",     "+",
                                        "1 ",    " 1",    "1,5",
                                        "1.2.3", "1e5.",  "--1",
                                        "+-1",   "1e400", "-1e400",
                                        "1e1_0", "1f",    "e5",
                                        "\0001", "1e5x",  "1e99999999999999999999"};
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        double value = 7;
        cr_assert(!text_number(TABLE[i], strlen(TABLE[i]), &value), "%s is accepted", TABLE[i]);
        cr_assert_eq(value, 7, "%s: the value was changed", TABLE[i]);
    }
    double value = 0;
    cr_assert(text_number("123456", 3, &value) && value == 123, "only the given bytes count");
}

Test(number, size_of_the_number_in_front) {
    static const struct {
        const char *text;
        size_t size;
    } TABLE[] = {{"80GiB", 2}, {"1e3s", 3}, {"1EFLOP", 1}, {"1e-08ps", 5}, {"1.5.2", 3}, {"1_000B", 5}, {"1_B", 1},
                 {"GiB", 0},   {".B", 0},   {"-5W", 2},    {"1e+W", 1},    {"", 0},      {"5.W", 2},    {"-", 0}};
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        size_t size = text_number_size(TABLE[i].text, strlen(TABLE[i].text));
        cr_assert_eq(size, TABLE[i].size, "%s: %zu", TABLE[i].text, size);
    }
}

Test(number, scaling_rounds_once) {
    static const struct {
        const char *text;
        int tens;
        double value;
    } TABLE[] = {{"4.35", 2, 435},   {"1.1", 1, 11},     {"0.07", 2, 7}, {"2", -6, 2e-6},
                 {"1e308", -308, 1}, {"1e-320", 320, 1}, {"0.1", 400, 0}};
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        double value = 0;
        bool good = text_number_scaled(TABLE[i].text, strlen(TABLE[i].text), TABLE[i].tens, &value);
        cr_assert_eq(good, TABLE[i].tens < 400, "%s", TABLE[i].text);
        cr_assert(same_bits(value, TABLE[i].value), "%s: %.17g", TABLE[i].text, value);
    }
}

/* Digits beyond those that are kept still decide a tie. */
Test(number, reads_numbers_of_thousands_of_digits) {
    struct arena *arena = support_arena();
    struct text text;
    double value = 0;
    text_init(&text, arena);
    text_add(&text, "9007199254740993"); /* the middle of two doubles */
    text_add_char(&text, '.');
    for (int i = 0; i < 5000; i++) {
        text_add_char(&text, '0');
    }
    cr_assert(text_number(text.data, text.size, &value));
    cr_assert_eq(value, 9007199254740992.0);
    text_add_char(&text, '1');
    cr_assert(text_number(text.data, text.size, &value));
    cr_assert_eq(value, 9007199254740994.0);
    text_add(&text, "e5001");
    cr_assert(!text_number(text.data, text.size, &value));
    text_init(&text, arena);
    for (int i = 0; i < 5000; i++) {
        text_add(&text, i == 0 ? "1" : "0");
    }
    text_add(&text, "e-4999");
    cr_assert(text_number(text.data, text.size, &value));
    cr_assert_eq(value, 1);
    arena_close(arena);
}

Test(number, integers) {
    static const struct {
        const char *text;
        bool good;
        long long value;
    } TABLE[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"+7", true, 7},
        {"1_000_000", true, 1000000},
        {"9223372036854775807", true, LLONG_MAX},
        {"-9223372036854775808", true, LLONG_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"0x10", false, 0},
        {"1__0", false, 0},
        {"1_", false, 0},
        {"_1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"abc", false, 0},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        long long value = 0;
        cr_assert_eq(text_integer(TABLE[i].text, strlen(TABLE[i].text), &value), TABLE[i].good, "%s", TABLE[i].text);
        cr_assert_eq(value, TABLE[i].value, "%s: %lld", TABLE[i].text, value);
    }
}

Test(number, writes_the_shortest) {
    static const struct {
        double value;
        const char *text;
    } TABLE[] = {
        {0, "0"},
        {-0.0, "-0"},
        {42, "42"},
        {0.1, "0.1"},
        {-1.5, "-1.5"},
        {1e30, "1e+30"},
        {1e-30, "1e-30"},
        {85899345920.0, "85899345920"},
        {123456789012345.0, "123456789012345"},
        {1e14, "100000000000000"},
        {1e15, "1e+15"},
        {1234567890123456.0, "1234567890123456"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {0.00012345, "0.00012345"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {9007199254740993.0, "9007199254740992"},
        {100, "100"},
        {1e100, "1e+100"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {4.9406564584124654e-324, "5e-324"},
        {-4.9406564584124654e-324, "-5e-324"},
        {HUGE_VAL, "inf"},
        {-HUGE_VAL, "-inf"},
        {NAN, "nan"},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        char text[32];
        text_shortest(TABLE[i].value, text);
        cr_assert_str_eq(text, TABLE[i].text, "%.17g: %s", TABLE[i].value, text);
    }
}

Test(number, shifts_digits_without_rounding) {
    static const struct {
        double value;
        int tens;
        const char *text;
    } TABLE[] = {{2e-6, 6, "2"},      {50e9, -9, "50"}, {0, 5, "0"},
                 {1, -300, "1e-300"}, {-0.5, 1, "-5"},  {1.0 / 3, 3, "333.3333333333333"},
                 {1, 5, "100000"},    {4.35, 2, "435"}, {1e300, 20, "1e+320"}};
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        char text[32];
        text_shortest_scaled(TABLE[i].value, TABLE[i].tens, text);
        cr_assert_str_eq(text, TABLE[i].text, "%.17g: %s", TABLE[i].value, text);
    }
}

Test(number, fixed_decimals) {
    static const struct {
        double value;
        int decimals;
        const char *text;
    } TABLE[] = {{3.14159, 2, "3.14"},  {-0.5, 0, "-0"},       {1234.5, 1, "1234.5"}, {2, 3, "2.000"},
                 {-12.25, 2, "-12.25"}, {999.96, 1, "1000.0"}, {HUGE_VAL, 2, "inf"},  {NAN, 0, "nan"}};
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        const char *text = text_fixed(arena, TABLE[i].value, TABLE[i].decimals);
        cr_assert_str_eq(text, TABLE[i].text, "%.17g: %s", TABLE[i].value, text);
    }
    arena_close(arena);
}

static void round_trips(const char *where, size_t rounds) {
    struct random random;
    random_stream(&random, 11, "number", 0);
    for (size_t i = 0; i < rounds; i++) {
        double value = random_double(&random);
        if (i % 3 == 1) {
            value = (double)random_next(&random) / 1000;
        } else if (i % 3 == 2) {
            value = ldexp(value, -1022) * 1e-4; /* many are subnormal */
        }
        char text[32];
        double again = NAN;
        text_shortest(value, text);
        cr_assert(strlen(text) < sizeof text - 1, "%s is too long", text);
        cr_assert(text_number(text, strlen(text), &again), "%s: %s is refused", where, text);
        cr_assert(same_bits(value, again), "%s: %.17g as %s is %.17g", where, value, text, again);
        /* No shorter text in printf's own form reads back. */
        char plain[64];
        int digits = 0; /* from the first that is not zero to the last that is not zero */
        int zeros = 0;
        for (const char *c = text; *c != '\0' && *c != 'e'; c++) {
            if (*c >= '1' && *c <= '9') {
                digits += zeros + 1;
                zeros = 0;
            } else {
                zeros += *c == '0' && digits > 0;
            }
        }
        if (digits > 1) {
            snprintf(plain, sizeof plain, "%.*e", digits - 2, value);
            cr_assert(!same_bits(strtod(plain, NULL), value), "%s: %s is shorter than %s", where, plain, text);
        }
    }
}

Test(number, random_doubles_read_back) {
    round_trips("C", 200000);
}

/* Under a locale that writes "3,14" every result is the same. Skipped where no such locale is installed. */
Test(number, locale_does_not_matter) {
    static const char *const LOCALES[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "fr_FR", "es_ES.UTF-8"};
    const char *chosen = NULL;
    for (size_t i = 0; i < ROWS(LOCALES) && chosen == NULL; i++) {
        chosen = setlocale(LC_ALL, LOCALES[i]);
    }
    if (chosen == NULL) {
        cr_skip_test("no locale with a decimal comma is installed");
    }
    struct arena *arena = support_arena();
    double value = 0;
    char text[32];
    cr_assert(text_number("2.5", 3, &value) && value == 2.5, "%.17g", value);
    cr_assert(!text_number("2,5", 3, &value));
    text_shortest(2.5, text);
    cr_assert_str_eq(text, "2.5");
    cr_assert_str_eq(text_fixed(arena, 3.14159, 3), "3.142");
    round_trips(chosen, 20000);
    arena_close(arena);
}
