/* Pictures: one in full, rectangles that are where the slices are, small files. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support.h"
#include "random.h"
#include "timeline/write.h"

static struct text picture(struct arena *arena, const struct timeline *timeline, int width, bool compute_only) {
    struct text text;
    text_init(&text, arena);
    timeline_svg(timeline, width, compute_only, &text);
    return text;
}

static size_t count_of(const char *text, const char *piece) {
    size_t count = 0;
    for (const char *at = strstr(text, piece); at != NULL; at = strstr(at + 1, piece)) {
        count++;
    }
    return count;
}

Test(svg, is_as_wide_as_asked) {
    struct arena *arena = support_arena();
    struct timeline timeline = sample_1f1b(arena, 4, 8);
    for (int width = 500; width < 3000; width += 123) {
        const char *svg = picture(arena, &timeline, width, false).data;
        const char *attribute = strstr(svg, " width=\"");
        cr_assert(attribute != NULL);
        cr_expect_eq(strtol(attribute + 8, NULL, 10), width);
    }
    arena_close(arena);
}

/* Of the numbers in a path: M x y h w v h h -w z. */
struct rectangle { long x, y, width; };

static const char *next_rectangle(const char *path, struct rectangle *ret) {
    char *rest = NULL;
    ret->x = strtol(path + 1, &rest, 10);
    ret->y = strtol(rest, &rest, 10);
    cr_assert_eq(*rest, 'h');
    ret->width = strtol(rest + 1, &rest, 10);
    cr_assert(strncmp(rest, "v180h-", 6) == 0, "%.20s", rest);
    cr_expect_eq(strtol(rest + 6, &rest, 10), ret->width);
    cr_assert_eq(*rest, 'z');
    return rest + 1;
}

/* Each slice of a sort, in order, as a rectangle at its place to a tenth of a pixel. */
Test(svg, draws_every_slice_at_its_place) {
    struct arena *arena = support_arena();
    struct timeline timeline = sample_1f1b(arena, 4, 8);
    const char *svg = picture(arena, &timeline, 1243, true).data;
    const char *frame = strstr(svg, "<g transform=\"translate(");
    cr_assert(frame != NULL);
    long left = strtol(frame + strlen("<g transform=\"translate("), NULL, 10);
    double plot = 1243 - 16 - (double)left;
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        const char *path = strstr(frame, arena_format(arena, "<path class=\"s%d\" d=\"", sort));
        const char *end = path == NULL ? NULL : strchr(path, '/');
        path = path == NULL || path > strstr(frame, "</g>") ? NULL : strchr(path, 'M');
        for (int64_t i = 0; i < timeline.slice_count; i++) {
            const struct slice *slice = &timeline.slices[i];
            if (slice->sort != sort || timeline.lanes[slice->lane].stream != 0) {
                continue;
            }
            struct rectangle rectangle;
            cr_assert(path != NULL && path < end && *path == 'M', "slice %d of sort %d is missing", (int)i, sort);
            path = next_rectangle(path, &rectangle);
            double start = 10 * plot * (double)slice->start / (double)timeline.end;
            double close = 10 * plot * (double)slice->end / (double)timeline.end;
            cr_expect(labs(rectangle.x - (long)(start + 0.5)) <= 1);
            cr_expect((double)(rectangle.x + rectangle.width) <= close + 1);
            cr_expect((double)rectangle.width >= close - start - 10);
            cr_expect_eq(rectangle.y, 440 + 220 * timeline.lanes[slice->lane].group);
        }
        cr_expect(path == NULL || *path == '"', "sort %d has too many", sort);
    }
    cr_expect_eq(count_of(svg, "<text class=\"group\""), 4);
    cr_expect_eq(count_of(svg, "<text class=\"lane\""), 0);
    cr_expect(strstr(svg, ">F0</text>") != NULL && strstr(svg, ">B7</text>") != NULL);
    arena_close(arena);
}

Test(svg, stays_small) {
    struct arena *arena = support_arena();
    struct timeline large = sample_1f1b(arena, 64, 64), huge = sample_1f1b(arena, 64, 1024);
    size_t size = picture(arena, &large, 0, true).size;
    cr_expect_leq(size, 300000, "%zu bytes", size);
    size = picture(arena, &large, 0, false).size;
    cr_expect_leq(size, 1000000, "%zu bytes", size);
    size = picture(arena, &huge, 0, true).size;
    cr_expect_leq(size, 4000000, "%zu bytes", size);
    arena_close(arena);
}

Test(svg, escapes_names) {
    struct arena *arena = support_arena();
    struct timeline hostile = sample_hostile(arena);
    const char *svg = picture(arena, &hostile, 0, false).data;
    cr_expect(strstr(svg, "<script") == NULL && strstr(svg, "<b ") == NULL && strstr(svg, "<!--") == NULL);
    cr_expect(strstr(svg, "&lt;/script&gt;&lt;script&gt;") != NULL);
    arena_close(arena);
}

Test(svg, edges) {
    struct arena *arena = support_arena();
    struct timeline timelines[] = {{.title = NULL}, sample_short(arena), sample_long(arena)};
    for (size_t i = 0; i < ROWS(timelines); i++) {
        for (int width = 0; width <= 1000; width += 500) {
            const char *svg = picture(arena, &timelines[i], width, true).data;
            cr_expect(text_starts(svg, "<svg ") && text_ends(svg, "</svg>\n"));
            cr_expect(strstr(svg, "nan") == NULL && strstr(svg, "inf") == NULL && strstr(svg, "h-0z") == NULL);
        }
    }
    arena_close(arena);
}
