/* The terminal's chart: pictures in full, every width, nothing lost without a word. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support.h"
#include "random.h"
#include "timeline/write.h"

static const char *chart(struct arena *arena, const struct timeline *timeline, int columns, bool color, bool ascii) {
    struct text text;
    text_init(&text, arena);
    timeline_gantt(timeline, &(struct gantt_style){columns, color, ascii}, &text);
    return text.data;
}

Test(gantt, whole_pictures) {
    struct arena *arena = support_arena();
    struct timeline timeline = sample_1f1b(arena, 3, 4);
    cr_expect_str_eq(chart(arena, &timeline, 100, false, true),
                     "1F1B, 3 ranks, 4 micro-batches\n"
                     "                 ms 0                 50                100               150                   busy\n"
                     "                    +-----------------+-----------------+-----------------+------------------+\n"
                     "rank 0, stage 0 x8  F0--F1-F2--.................B0-----F3--B1------....B2------....B3-----O---   64%\n"
                     "rank 8, stage 1 x8  ....F0--F1--........B0-----F2--B1------F3--B2------....B3------.......O---   65%\n"
                     "rank 16, stage 2 x8 ........F0--B0------F1-B1------.F2-B2------F3--B3------...............O---   67%\n"
                     "F forward  B backward  O optimizer  . idle\n");
    arena_close(arena);
}

Test(gantt, edges) {
    struct arena *arena = support_arena();
    struct timeline nothing = {.title = ""};
    cr_expect_str_eq(chart(arena, &nothing, 20, false, true), "  ps 0             1\n     +-------------+\n. idle\n");
    struct timeline instant = sample_short(arena);
    cr_expect_str_eq(chart(arena, &instant, 40, false, true), "a picosecond\n"
                                                            "    ps 0                               1\n"
                                                            "       +-------------------------------+\n"
                                                            "rank 0 F1-------------------------------\n"
                                                            "F forward  . idle\n"
                                                            "2 too short for a column of 0.0303 ps\n");
    struct timeline longest = sample_long(arena);
    cr_expect_str_eq(chart(arena, &longest, 60, false, false),
                     "106 days\n"
                     "     s 0         2000000   4000000   6000000   8000000  busy\n"
                     "       ┴─────────┴─────────┴─────────┴─────────┴──────\n"
                     "rank 0 F2147483647─────────F1─────────────────────────  100%\n"
                     "F forward  · idle\n"
                     "1 too short for a column of 2.27 d\n");
    cr_expect_str_eq(chart(arena, &longest, 60, true, true),
                     "106 days\n"
                     "     s 0         2000000   4000000   6000000   8000000  busy\n"
                     "       +---------+---------+---------+---------+------\n"
                     "rank 0 \033[30;104mF2147483647         \033[0m\033[30;104mF1                         \033[0m  100%\n"
                     "\033[30;104mF\033[0m forward\n"
                     "1 too short for a column of 2.27 d\n");
    arena_close(arena);
}

/* Far too short for a cell, but alone in it; one that lies on the border of two. */
Test(gantt, shows_short_slices_in_idle_cells) {
    struct arena *arena = support_arena();
    struct slice slices[] = {{.start = 55, .end = 56, .micro_batch = -1},
                             {.start = 298, .end = 301, .sort = SORT_BACKWARD, .micro_batch = 2},
                             {.start = 1120, .end = 1120, .sort = SORT_HEAD, .micro_batch = -1}};
    struct timeline timeline = sample_lane(arena, "", slices, 3, 3300);
    cr_expect_str_eq(chart(arena, &timeline, 40, false, true), "    ns 0         1         2         3\n"
                                                               "       +---------+---------+---------+--\n"
                                                               "rank 0 F.B........H.....................\n"
                                                               "F forward  B backward  H head  . idle\n");
    arena_close(arena);
}

/* Columns of a line without its colours. */
static size_t columns_of(const char *line, size_t size) {
    size_t columns = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\033') {
            i += strcspn(line + i, "m");
        } else {
            columns += ((unsigned char)line[i] & 0xC0U) != 0x80U;
        }
    }
    return columns;
}

Test(gantt, fits_every_width) {
    struct arena *arena = support_arena();
    struct timeline timelines[] = {sample_1f1b(arena, 5, 12), sample_hostile(arena), sample_short(arena),
                                   sample_long(arena)};
    for (int columns = 1; columns <= 400; columns += columns < 130 ? 1 : 23) {
        for (size_t i = 0; i < 3 * ROWS(timelines); i++) {
            bool color = i % 3 == 1, ascii = i % 3 == 2;
            const char *line = chart(arena, &timelines[i / 3], columns, color, ascii);
            for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                size_t size = (size_t)(end - line), wide = columns < 20 ? 20 : (size_t)columns;
                cr_expect_leq(columns_of(line, size), wide, "%d columns: %.*s", columns, (int)size, line);
                for (size_t k = 0; k < size; k++) {
                    unsigned char c = (unsigned char)line[k];
                    cr_expect(c >= 0x20 && c != 0x7F && (!ascii || c < 0x80) ? true : c == '\033' && color,
                              "%d columns: byte %02x", columns, c);
                }
            }
            cr_expect(*line == '\0', "ends in the middle of a line");
        }
    }
    arena_close(arena);
}

/* Slices of different sorts, so that each has its letter: what is not in the chart is counted below it. */
Test(gantt, loses_nothing_silently) {
    struct random random;
    random_seed(&random, 3, 1);
    int crowded = 0;
    for (int round = 0; round < 2000; round++) {
        struct arena *arena = support_arena();
        struct slice slices[SORT_COUNT - 1];
        int64_t time = 0, count = 1 + random_below(&random, SORT_COUNT - 1);
        for (int64_t i = 0; i < count; i++) {
            int64_t start = time + random_length(&random);
            time = start + random_length(&random);
            slices[i] = (struct slice){.start = start, .end = time, .sort = (int32_t)i, .micro_batch = -1};
        }
        struct timeline timeline = sample_lane(arena, "", slices, count, time);
        const char *drawn = chart(arena, &timeline, 25 + (int)random_below(&random, 200), false, true);
        const char *row = strstr(drawn, "\nrank 0");
        row = row == NULL ? strstr(drawn, "\n0 ") : row;
        cr_assert(row != NULL, "%s", drawn);
        size_t size = strcspn(row + 1, "\n");
        int64_t missing = 0;
        for (int64_t i = 0; i < count; i++) {
            missing += memchr(row + 7, *sort_looks[i].letter, size - 6) == NULL;
        }
        const char *note = strstr(drawn, "idle\n");
        int64_t told = note == NULL ? 0 : strtol(note + 5, NULL, 10);
        cr_expect_eq(missing, told, "%s", drawn);
        crowded += missing > 0;
        arena_close(arena);
    }
    cr_expect(crowded > 20 && crowded < 1900, "%d", crowded);
}

/* By brute force: a cell shows the sort that takes most of it. Time is as long as there are cells, times 60. */
Test(gantt, shows_what_takes_most) {
    struct random random;
    random_seed(&random, 5, 1);
    for (int round = 0; round < 500; round++) {
        struct arena *arena = support_arena();
        struct slice slices[64];
        int64_t time = 0, count = 0, cells = 40 - 7, end = cells * 60;
        while (count < 64 && time < end - 210) {
            int64_t start = time + random_below(&random, 90);
            time = start + 120 + random_below(&random, 200); /* a whole cell at least: none is in need of rescue */
            time = time > end ? end : time;
            slices[count] = (struct slice){.start = start, .end = time, .sort = (int32_t)random_below(&random, 4),
                                           .micro_batch = -1};
            count++;
        }
        struct timeline timeline = sample_lane(arena, "", slices, count, end);
        const char *row = strstr(chart(arena, &timeline, 40, false, true), "\nrank 0 ") + 8;
        for (int64_t cell = 0; cell < cells; cell++) {
            int64_t cover[5] = {0, 0, 0, 0, 60};
            for (int64_t t = cell * 60; t < cell * 60 + 60; t++) {
                for (int64_t i = 0; i < count; i++) {
                    bool inside = slices[i].start <= t && t < slices[i].end;
                    cover[slices[i].sort] += inside;
                    cover[4] -= inside;
                }
            }
            bool idle = row[cell] == '.';
            for (int other = 0; other < 4 && idle; other++) {
                cr_expect(cover[other] < cover[4], "cell %d of %.33s", (int)cell, row);
            }
            for (int sort = 0; sort < 4 && !idle && row[cell] != '-'; sort++) {
                for (int other = 0; other < 5 && row[cell] == *sort_looks[sort].letter; other++) {
                    cr_expect(cover[other] <= cover[sort], "cell %d of %.33s", (int)cell, row);
                }
            }
        }
        arena_close(arena);
    }
}
