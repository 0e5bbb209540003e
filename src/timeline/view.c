/* Slices are sorted by lane, so one pass finds every lane's part. */
#include "timeline/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/text.h"

struct view view_make(struct arena *arena, const struct timeline *timeline) {
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)timeline->lane_count + 1);
    struct view view = {timeline, first, timeline->end > 1 ? timeline->end : 1};
    for (int64_t i = 0; i < timeline->slice_count; i++) {
        const struct slice *slice = &timeline->slices[i];
        first[slice->lane + 1]++;
        view.end = slice->end > view.end ? slice->end : view.end;
    }
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        first[lane + 1] += first[lane];
    }
    return view;
}

int64_t view_busy(const struct view *view, int64_t lane) {
    int64_t busy = 0;
    for (int64_t i = view->first[lane]; i < view->first[lane + 1]; i++) {
        busy += view->timeline->slices[i].end - view->timeline->slices[i].start;
    }
    return busy;
}

int64_t view_compute_lane(const struct view *view, int64_t group) {
    const struct timeline *timeline = view->timeline;
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        if (timeline->lanes[lane].group == group && timeline->lanes[lane].stream == 0) {
            return lane;
        }
    }
    return -1;
}

const char *view_label(struct arena *arena, const struct timeline_group *group, bool ascii) {
    if (group->ranks <= 1) {
        return group->name;
    }
    return arena_format(arena, "%s %s%lld", group->name, ascii ? "x" : "\303\227", (long long)group->ranks);
}

const char *view_slice_label(const struct slice *slice, char buffer[16]) {
    const char *letter = sort_looks[slice->sort].letter;
    if (slice->micro_batch < 0) {
        return letter;
    }
    snprintf(buffer, 16, "%.3s%d", letter, (int)slice->micro_batch);
    return buffer;
}

/* Relative luminance (WCAG 2.1) with gamma 2; black and white are equally readable at about 0.18. */
bool view_is_light(const char *color) {
    static const double weights[] = {0.2126, 0.7152, 0.0722};
    double luminance = 0;
    for (int i = 0; i < 3; i++) {
        const char digits[] = {color[1 + 2 * i], color[2 + 2 * i], '\0'};
        double part = (double)strtol(digits, NULL, 16) / 255;
        luminance += weights[i] * part * part;
    }
    return luminance > 0.18;
}

void text_add_markup(struct text *out, const char *piece) {
    while (*piece != '\0') {
        size_t size = text_character(piece);
        bool control = (unsigned char)*piece < 0x20 && *piece != '\n' && *piece != '\t';
        if (size == 0 || control) {
            text_add(out, "\357\277\275");
        } else if (*piece == '&') {
            text_add(out, "&amp;");
        } else if (*piece == '<') {
            text_add(out, "&lt;");
        } else if (*piece == '>') {
            text_add(out, "&gt;");
        } else if (*piece == '"') {
            text_add(out, "&quot;");
        } else if (*piece == '\'') {
            text_add(out, "&#39;");
        } else {
            text_add_bytes(out, piece, size);
        }
        piece += size == 0 ? 1 : size;
    }
}
