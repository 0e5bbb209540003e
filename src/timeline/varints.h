/* Whole numbers in few bytes, and bytes as text that JSON can hold. */
#ifndef PARPLAN_TIMELINE_VARINTS_H
#define PARPLAN_TIMELINE_VARINTS_H

#include <stdint.h>

#include "base/text.h"

/* Seven bits a byte, lowest first; the eighth bit says that more follow. */
static inline void varint_add(struct text *out, uint64_t value) {
    char bytes[10];
    size_t size = 0;
    for (; value >= 128; value >>= 7) {
        bytes[size++] = (char)(unsigned char)(value | 128);
    }
    bytes[size++] = (char)value;
    text_add_bytes(out, bytes, size);
}

/* 0, -1, 1, -2 ... as 0, 1, 2, 3 ... */
static inline uint64_t varint_signed(int64_t value) {
    return value < 0 ? 2 * ~(uint64_t)value + 1 : 2 * (uint64_t)value;
}

/* RFC 4648, with padding. */
void base64_add(struct text *out, const char *data, size_t size);

#endif
