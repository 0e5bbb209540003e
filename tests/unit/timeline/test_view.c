/* Where slices lie, what things are called, texts in markup. */
#include <criterion/criterion.h>

#include "../support.h"
#include "edges.h"
#include "timeline/view.h"

Test(view, finds_lanes) {
    struct arena *arena = support_arena();
    struct timeline timeline = sample_1f1b(arena, 3, 5);
    struct view view = view_make(arena, &timeline);
    for (int64_t lane = 0; lane < timeline.lane_count; lane++) {
        for (int64_t i = view.first[lane]; i < view.first[lane + 1]; i++) {
            cr_expect_eq(timeline.slices[i].lane, lane);
        }
    }
    cr_expect_eq(view.first[timeline.lane_count], timeline.slice_count);
    cr_expect_eq(view.end, timeline.end);
    cr_expect_eq(view_compute_lane(&view, 2), 2 * SAMPLE_LANES);
    cr_expect_eq(view_compute_lane(&view, 3), -1);
    cr_expect_eq(view_busy(&view, 0), 5 * 3 * FORWARD_TIME + FORWARD_TIME);
    timeline.end = 5;
    cr_expect_gt(view_make(arena, &timeline).end, 5, "slices behind the step count");
    struct timeline nothing = {.title = ""};
    cr_expect_eq(view_make(arena, &nothing).end, 1);
    arena_close(arena);
}

Test(view, names_groups_and_slices) {
    struct arena *arena = support_arena();
    char buffer[16];
    const struct timeline_group one = {3, 1, "rank 3"}, many = {8, 16, "rank 8"};
    cr_expect_str_eq(view_label(arena, &one, false), "rank 3");
    cr_expect_str_eq(view_label(arena, &many, false), "rank 8 ×16");
    cr_expect_str_eq(view_label(arena, &many, true), "rank 8 x16");
    struct slice slice = {.sort = SORT_BACKWARD, .micro_batch = 12};
    cr_expect_str_eq(view_slice_label(&slice, buffer), "B12");
    slice.micro_batch = INT32_MAX;
    cr_expect_str_eq(view_slice_label(&slice, buffer), "B2147483647");
    slice.micro_batch = -1;
    cr_expect_str_eq(view_slice_label(&slice, buffer), "B");
    arena_close(arena);
}

Test(view, escapes_for_markup) {
    static const struct { const char *text, *markup; } rows[] = {
        {"", ""},
        {"plain 1F1B", "plain 1F1B"},
        {"a<b & c>d \"e\" 'f'", "a&lt;b &amp; c&gt;d &quot;e&quot; &#39;f&#39;"},
        {"&amp;", "&amp;amp;"},
        {"tab\tline\n", "tab\tline\n"},
        {"bell\x07", "bell\xEF\xBF\xBD"},
        {"\xC3\xA9\xC3(", "\xC3\xA9\xEF\xBF\xBD("},
        {"]]>", "]]&gt;"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct text text;
        text_init(&text, arena);
        text_add_markup(&text, rows[i].text);
        cr_expect_str_eq(text.data, rows[i].markup);
    }
    arena_close(arena);
}

Test(view, letters_are_readable_on_every_color) {
    cr_expect(view_is_light("#ffffff") && !view_is_light("#000000"));
    cr_expect(view_is_light("#e69f00") && !view_is_light("#5f6b76"));
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        cr_expect(sort_looks[sort].name != NULL && sort_looks[sort].letter != NULL, "sort %d", sort);
        cr_expect(strlen(sort_looks[sort].light) == 7 && strlen(sort_looks[sort].dark) == 7, "sort %d", sort);
        for (int other = 0; other < sort; other++) {
            cr_expect_str_neq(sort_looks[sort].letter, sort_looks[other].letter);
            cr_expect_str_neq(sort_looks[sort].light, sort_looks[other].light);
        }
    }
}
