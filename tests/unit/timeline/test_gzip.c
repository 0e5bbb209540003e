/* gzip: zlib reads it back; nothing in it depends on when and where it was made. */
#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "../support.h"
#include "base/random.h"
#include "timeline/write.h"

static size_t unzip(const struct text *zipped, unsigned char *room, size_t size) {
    z_stream stream = {.next_in = (Bytef *)zipped->data, .avail_in = (uInt)zipped->size, .next_out = room,
                       .avail_out = (uInt)size};
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    cr_expect_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t got = stream.total_out;
    cr_expect_eq(stream.avail_in, 0);
    inflateEnd(&stream);
    return got;
}

Test(gzip, is_read_back) {
    static const size_t sizes[] = {0, 1, 100, 4095, 4096, 65536, 3000001};
    for (size_t i = 0; i < ROWS(sizes); i++) {
        for (uint32_t kinds = 1; kinds <= 256; kinds *= 16) { /* 256: cannot be made smaller */
            struct arena *arena = support_arena();
            char *data = ARENA_ARRAY(arena, char, sizes[i] + 1);
            unsigned char *room = ARENA_ARRAY(arena, unsigned char, sizes[i] + 1);
            struct random random;
            struct text zipped, again;
            random_seed(&random, sizes[i], kinds);
            for (size_t k = 0; k < sizes[i]; k++) {
                data[k] = (char)random_below(&random, kinds);
            }
            text_init(&zipped, arena);
            text_init(&again, arena);
            cr_assert(timeline_gzip(data, sizes[i], &zipped));
            cr_assert(timeline_gzip(data, sizes[i], &again));
            cr_expect_eq(zipped.size, again.size);
            cr_expect(memcmp(zipped.data, again.data, zipped.size) == 0);
            cr_expect_eq(unzip(&zipped, room, sizes[i] + 1), sizes[i]);
            cr_expect(memcmp(room, data, sizes[i]) == 0);
            arena_close(arena);
        }
    }
}

/* Magic, deflate, no flags (no name), no time, unknown system. */
Test(gzip, says_nothing_of_its_making) {
    struct arena *arena = support_arena();
    struct text zipped;
    text_init(&zipped, arena);
    cr_assert(timeline_gzip("abc", 3, &zipped));
    cr_expect(memcmp(zipped.data, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) == 0);
    arena_close(arena);
}
