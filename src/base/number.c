/* Decimal numbers to and from text, exact and whatever the locale. The C library's conversions round correctly, only
 * the decimal point is the locale's; so no decimal point is ever passed in either direction:
 *
 *   "12.5e3"  ->  strtod("125e2")            printf("%.2e") = "1?25e+04"  ->  digits 125, exponent 4
 *
 * Scaling by a power of ten happens in the decimal exponent and therefore rounds once. */
#include "base/text.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum {
    DIGITS_KEPT = 800,          /* more than the 767 digits that can decide how a double is rounded */
    EXPONENT_LIMIT = 1000000000 /* beyond any double; keeps sums in range */
};

/* A decimal number taken apart: +-digits * 10^exponent. */
struct decimal {
    bool negative;
    bool inexact; /* digits that are not zero were left out */
    size_t count;
    long exponent;
    char digits[DIGITS_KEPT + 1];
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads digits, '_' allowed between two digits, from `at` on; returns where they end. */
static size_t digits_end(const char *text, size_t size, size_t at) {
    while (at < size) {
        bool group = text[at] == '_' && at > 0 && is_digit(text[at - 1]) && at + 1 < size && is_digit(text[at + 1]);
        if (!group && !is_digit(text[at])) {
            break;
        }
        at++;
    }
    return at;
}

static void decimal_add(struct decimal *decimal, const char *text, size_t begin, size_t end, bool fraction) {
    for (size_t i = begin; i < end; i++) {
        if (text[i] == '_') {
            continue;
        }
        decimal->exponent -= fraction;
        if (decimal->count == 0 && text[i] == '0') {
            continue;
        }
        if (decimal->count < DIGITS_KEPT) {
            decimal->digits[decimal->count++] = text[i];
        } else {
            decimal->inexact = decimal->inexact || text[i] != '0';
            decimal->exponent++;
        }
    }
}

/* The exponent part at `at`, "e-12"; returns where it ends, `at` if there is none. */
static size_t exponent_read(const char *text, size_t size, size_t at, long *ret_exponent) {
    if (at >= size || (text[at] != 'e' && text[at] != 'E')) {
        return at;
    }
    size_t digit = at + 1;
    bool negative = digit < size && text[digit] == '-';
    digit += digit < size && (text[digit] == '-' || text[digit] == '+');
    if (digit >= size || !is_digit(text[digit])) {
        return at;
    }
    long exponent = 0;
    for (; digit < size && is_digit(text[digit]); digit++) {
        exponent = exponent >= EXPONENT_LIMIT ? EXPONENT_LIMIT : exponent * 10 + (text[digit] - '0');
    }
    *ret_exponent += negative ? -exponent : exponent;
    return digit;
}

/* Takes the number apart that `text` begins with; returns its size in bytes, 0 if there is none. */
static size_t decimal_read(const char *text, size_t size, struct decimal *ret_decimal) {
    *ret_decimal = (struct decimal){.negative = size > 0 && text[0] == '-'};
    size_t begin = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    size_t end = digits_end(text, size, begin);
    size_t digits = end - begin;
    decimal_add(ret_decimal, text, begin, end, false);
    if (end < size && text[end] == '.') {
        size_t fraction_end = digits_end(text, size, end + 1);
        digits += fraction_end - end - 1;
        if (digits > 0) {
            decimal_add(ret_decimal, text, end + 1, fraction_end, true);
            end = fraction_end;
        }
    }
    return digits == 0 ? 0 : exponent_read(text, size, end, &ret_decimal->exponent);
}

size_t text_number_size(const char *text, size_t size) {
    struct decimal decimal;
    return decimal_read(text, size, &decimal);
}

bool text_number_scaled(const char *text, size_t size, int tens, double *ret_value) {
    struct decimal decimal;
    if (size == 0 || size >= EXPONENT_LIMIT || decimal_read(text, size, &decimal) != size) {
        return false;
    }
    /* A digit behind those kept says that the true number is a little larger; its value does not matter. */
    long exponent = decimal.exponent + tens;
    if (decimal.inexact) {
        decimal.digits[decimal.count++] = '1';
        exponent--;
    }
    char plain[DIGITS_KEPT + 32];
    snprintf(plain, sizeof plain, "%s0%.*se%ld", decimal.negative ? "-" : "", (int)decimal.count, decimal.digits,
             exponent);
    double value = strtod(plain, NULL);
    if (isinf(value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool text_number(const char *text, size_t size, double *ret_value) {
    return text_number_scaled(text, size, 0, ret_value);
}

bool text_integer(const char *text, size_t size, long long *ret_value) {
    bool negative = size > 0 && text[0] == '-';
    size_t begin = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (begin >= size || digits_end(text, size, begin) != size) {
        return false;
    }
    unsigned long long limit = (unsigned long long)LLONG_MAX + (negative ? 1 : 0);
    unsigned long long value = 0;
    for (size_t i = begin; i < size; i++) {
        if (text[i] == '_') {
            continue;
        }
        unsigned long long digit = (unsigned long long)(text[i] - '0');
        if (value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_value = negative ? -(long long)(value - (value > 0)) - (value > 0) : (long long)value;
    return true;
}

/* Takes a finite value apart into `count` rounded digits, as +-d.ddd * 10^ret_exponent. */
static void value_digits(double value, int count, char digits[DBL_DECIMAL_DIG + 1], int *ret_exponent) {
    char plain[64];
    snprintf(plain, sizeof plain, "%.*e", count - 1, fabs(value));
    size_t at = 0;
    size_t kept = 0;
    for (; plain[at] != 'e' && plain[at] != '\0'; at++) {
        if (is_digit(plain[at]) && kept < DBL_DECIMAL_DIG) {
            digits[kept++] = plain[at];
        }
    }
    digits[kept] = '\0';
    *ret_exponent = plain[at] == '\0' ? 0 : (int)strtol(plain + at + 1, NULL, 10);
}

static bool digits_read_back(double value, const char *digits, int exponent) {
    char plain[64];
    snprintf(plain, sizeof plain, "%se%d", digits, exponent - (int)strlen(digits) + 1);
    double again = strtod(plain, NULL);
    return again <= fabs(value) && again >= fabs(value);
}

/* Digits and exponent as %g would lay them out at `precision`. */
static void decimal_layout(const char *digits, int exponent, int precision, char *out, size_t room) {
    int count = (int)strlen(digits);
    if (exponent < -4 || exponent >= precision) {
        snprintf(out, room, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1, exponent < 0 ? '-' : '+',
                 abs(exponent));
    } else if (exponent < 0) {
        snprintf(out, room, "0.%.*s%s", -exponent - 1, "0000", digits);
    } else if (exponent >= count - 1) {
        snprintf(out, room, "%s%.*s", digits, exponent - count + 1, "0000000000000000000");
    } else {
        snprintf(out, room, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
    }
}

static const char *not_finite(double value) {
    return isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

void text_shortest_scaled(double value, int tens, char buffer[32]) {
    if (!isfinite(value)) {
        snprintf(buffer, 32, "%s", not_finite(value));
        return;
    }
    size_t sign = signbit(value) != 0;
    buffer[0] = '-';
    char digits[DBL_DECIMAL_DIG + 1];
    int exponent = 0;
    /* A normal double keeps any 15 digits; only below DBL_MIN can fewer than the 15 rounded ones be enough. */
    int precision = fabs(value) < DBL_MIN ? 1 : DBL_DIG;
    value_digits(value, precision, digits, &exponent);
    while (precision < DBL_DECIMAL_DIG && !digits_read_back(value, digits, exponent)) {
        precision++;
        value_digits(value, precision, digits, &exponent);
    }
    size_t count = strlen(digits);
    while (count > 1 && digits[count - 1] == '0') {
        digits[--count] = '\0';
    }
    bool zero = digits[0] == '0';
    decimal_layout(digits, zero ? 0 : exponent + tens, precision < DBL_DIG ? DBL_DIG : precision, buffer + sign,
                   32 - sign);
}

void text_shortest(double value, char buffer[32]) {
    text_shortest_scaled(value, 0, buffer);
}

const char *text_fixed(struct arena *arena, double value, int decimals) {
    if (!isfinite(value)) {
        return not_finite(value);
    }
    char *text = arena_format(arena, "%.*f", decimals, value);
    size_t size = strlen(text);
    if (decimals > 0 && size > (size_t)decimals) {
        size_t whole = 0; /* the decimal point is whatever stands between the digits */
        while (whole < size && (text[whole] == '-' || is_digit(text[whole]))) {
            whole++;
        }
        text[whole] = '.';
        memmove(text + whole + 1, text + size - (size_t)decimals, (size_t)decimals + 1);
    }
    return text;
}
