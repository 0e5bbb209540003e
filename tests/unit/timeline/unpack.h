/* Reads what pack_timeline writes by other means than the page: zlib, and the layout that pack.h describes. */
#ifndef PARPLAN_TESTS_UNIT_TIMELINE_UNPACK_H
#define PARPLAN_TESTS_UNIT_TIMELINE_UNPACK_H

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "timeline/pack.h"

struct unpacker {
    const unsigned char *bytes;
    size_t size, place;
};

static inline int base64_value(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = strchr(digits, c);
    return found == NULL || c == '\0' ? -1 : (int)(found - digits);
}

/* The numbers of a packed timeline: from base64, from gzip. */
static inline struct unpacker unpack_open(struct arena *arena, const char *json) {
    const char *text = strstr(json, "\"numbers\": \"");
    cr_assert(text != NULL, "no numbers in %.200s", json);
    text += strlen("\"numbers\": \"");
    size_t size = 0, letters = strcspn(text, "\""), room = letters * 1100 + 64; /* deflate makes at most 1032 of one */
    unsigned char *zipped = ARENA_ARRAY(arena, unsigned char, letters);
    uint32_t bits = 0;
    cr_assert_eq(letters % 4, 0);
    for (size_t i = 0; i < letters && text[i] != '='; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text[i]);
        if (i % 4 > 0) {
            zipped[size++] = (unsigned char)(bits >> (6 - 2 * (i % 4)) & 255);
        }
    }
    unsigned char *bytes = ARENA_ARRAY(arena, unsigned char, room);
    z_stream stream = {.next_in = zipped, .avail_in = (uInt)size, .next_out = bytes, .avail_out = (uInt)room};
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    struct unpacker unpacker = {bytes, stream.total_out, 0};
    inflateEnd(&stream);
    return unpacker;
}

static inline int64_t unpack(struct unpacker *unpacker) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        cr_assert_lt(unpacker->place, unpacker->size, "the numbers end too early");
        unsigned char byte = unpacker->bytes[unpacker->place++];
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            return (int64_t)value;
        }
    }
}

static inline int64_t unpack_signed(struct unpacker *unpacker) {
    uint64_t value = (uint64_t)unpack(unpacker);
    return (int64_t)(value >> 1 ^ -(value & 1));
}

#endif
