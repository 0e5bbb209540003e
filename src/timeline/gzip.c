/* gzip (RFC 1952) through zlib, with memory from the arena. Neither name nor time nor operating system go into the
 * header: the same bytes in, the same bytes out. */
#define ZLIB_CONST /* zlib only reads its input */
#include <zlib.h>

#include "base/arena.h"
#include "timeline/write.h"

enum { LEVEL = 6, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, UNKNOWN_SYSTEM = 255, PIECE = 1 << 20 };

static void *zip_alloc(void *arena, uInt count, uInt size) {
    return arena_alloc(arena, count, size);
}

/* The arena goes as a whole. */
static void zip_free(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

static bool zip(z_stream *stream, const char *data, size_t size, struct text *out) {
    unsigned char room[4096];
    int status = Z_OK;
    stream->next_in = (const Bytef *)data;
    while (status == Z_OK) {
        uInt piece = size > PIECE ? PIECE : (uInt)size;
        stream->avail_in = piece;
        stream->next_out = room;
        stream->avail_out = sizeof room;
        status = deflate(stream, piece == size ? Z_FINISH : Z_NO_FLUSH);
        size -= piece - stream->avail_in;
        text_add_bytes(out, (const char *)room, sizeof room - stream->avail_out);
    }
    return status == Z_STREAM_END;
}

bool timeline_gzip(const char *data, size_t size, struct text *out) {
    z_stream stream = {.zalloc = zip_alloc, .zfree = zip_free, .opaque = out->arena};
    gz_header header = {.os = UNKNOWN_SYSTEM};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    bool good = deflateSetHeader(&stream, &header) == Z_OK && zip(&stream, data, size, out);
    return deflateEnd(&stream) == Z_OK && good;
}
