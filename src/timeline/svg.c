/* One picture: a row a lane, slices as rectangles with their labels where those fit, a time axis, a legend.
 *
 * Small: all rectangles of one look are one path, in tenths of a pixel, and what is narrower than a pixel is joined
 * (timeline/blocks.h). Colours are classes of a style sheet with a second set for dark ground; the picture paints its
 * ground, since what it is put on does not follow the reader's wish. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "timeline/axis.h"
#include "timeline/blocks.h"
#include "timeline/write.h"

enum {
    MARGIN = 16, HEAD = 44, ROW = 22, BAR = 18, GROUP_GAP = 8, AXIS = 28, LEGEND = 20, /* pixels */
    LETTER = 7,                                /* width of a character, about */
    NARROW_PLOT = 560, WIDE_PLOT = 1560, SLICE_ROOM = 40, LEAST_PLOT = 100, TICK_ROOM = 80,
    LONGEST_LABEL = 32 /* characters */
};

struct picture {
    struct view view;
    struct text *out;
    bool compute_only;
    int64_t group_labels, lane_labels; /* widths of their columns */
    int64_t left, plot;                /* where time begins, and how wide it is */
    int64_t *top;                      /* of each lane; -1: not drawn */
    int64_t bottom;                    /* of the lanes */
    int64_t digits;                    /* of the largest micro-batch: numbers are shown all or none */
    struct text paths[SORT_COUNT], labels[SORT_COUNT];
};

/* Tenths of a pixel from the plot's left; monotone in time. */
static int64_t place(const struct picture *picture, int64_t time) {
    return (int64_t)((double)time / (double)picture->view.end * 10 * (double)picture->plot + 0.5);
}

static bool is_drawn(const struct picture *picture, int64_t lane) {
    int32_t stream = picture->view.timeline->lanes[lane].stream;
    return stream == 0 || (!picture->compute_only && picture->view.first[lane] < picture->view.first[lane + 1]);
}

/* A label of other people, of a length that leaves room for what it is about. */
static const char *shorten(struct arena *arena, const char *label) {
    size_t size = 0;
    for (int i = 0; i < LONGEST_LABEL - 1 && label[size] != '\0'; i++) {
        size_t character = text_character(label + size);
        size += character == 0 ? 1 : character;
    }
    return text_width(label, strlen(label)) <= LONGEST_LABEL
               ? label
               : arena_format(arena, "%s\342\200\246", arena_copy(arena, label, size));
}

static const char *group_label(const struct picture *picture, int64_t group) {
    struct arena *arena = picture->out->arena;
    return shorten(arena, view_label(arena, &picture->view.timeline->groups[group], false));
}

static const char *lane_label(const struct picture *picture, int64_t lane) {
    return shorten(picture->out->arena, picture->view.timeline->lanes[lane].name);
}

/* Width of the longest of the labels. */
static int64_t wider(int64_t width, const char *label) {
    int64_t own = (int64_t)text_width(label, strlen(label)) * LETTER + 12;
    return own > width ? own : width;
}

/* Of the largest micro-batch. */
static int64_t digits(const struct timeline *timeline) {
    int64_t count = 1;
    for (int64_t i = 0, power = 10; i < timeline->slice_count; i++) {
        for (; timeline->slices[i].micro_batch >= power; power *= 10) {
            count++;
        }
    }
    return count;
}

static void lay_out(struct picture *picture, int width) {
    const struct timeline *timeline = picture->view.timeline;
    int64_t most = 1, y = HEAD;
    picture->top = ARENA_ARRAY(picture->out->arena, int64_t, (size_t)timeline->lane_count);
    for (int64_t i = 0; i < timeline->lane_count; i++) {
        const struct timeline_lane *lane = &timeline->lanes[i];
        int64_t slices = picture->view.first[i + 1] - picture->view.first[i];
        most = lane->stream == 0 && slices > most ? slices : most;
        y += !picture->compute_only && i > 0 && lane->group != timeline->lanes[i - 1].group ? GROUP_GAP : 0;
        picture->top[i] = is_drawn(picture, i) ? y : -1;
        y += is_drawn(picture, i) ? ROW : 0;
        picture->lane_labels = picture->compute_only ? 0 : wider(picture->lane_labels, lane_label(picture, i));
    }
    for (int64_t i = 0; i < timeline->group_count; i++) {
        picture->group_labels = wider(picture->group_labels, group_label(picture, i));
    }
    picture->bottom = y;
    picture->digits = digits(timeline);
    picture->left = MARGIN + picture->group_labels + picture->lane_labels;
    picture->plot = most > WIDE_PLOT / SLICE_ROOM ? WIDE_PLOT : most * SLICE_ROOM;
    picture->plot = picture->plot < NARROW_PLOT ? NARROW_PLOT : picture->plot;
    if (width > 0) {
        picture->plot = width - MARGIN - picture->left;
    }
    picture->plot = picture->plot < LEAST_PLOT ? LEAST_PLOT : picture->plot;
}

/* A rectangle with a gap behind it where there is room for one, and its label. */
static void add_block(struct picture *picture, const struct block *block, int64_t top) {
    char buffer[16];
    const struct slice *slice = &picture->view.timeline->slices[block->slice];
    int64_t x = place(picture, block->start), width = place(picture, block->end) - x;
    int64_t gap = width >= 40 ? 8 : width >= 20 ? 4 : 0;
    struct text *path = &picture->paths[slice->sort];
    width = width < 2 ? 2 : width;
    text_add_format(path, "M%lld %lldh%lldv%dh-%lldz", (long long)x, (long long)(top * 10), (long long)(width - gap),
                    BAR * 10, (long long)(width - gap));
    const char *label = block->count > 1 ? "" : view_slice_label(slice, buffer);
    const char *number = label + strcspn(label, "0123456789");
    int64_t room = (width / 10 - 3) / LETTER; /* characters */
    label = (int64_t)strlen(label) <= room ? label : picture->digits <= room ? number : "";
    if (*label != '\0') {
        text_add_format(&picture->labels[slice->sort], "<text x=\"%lld\" y=\"%lld\">%s</text>\n",
                        (long long)(picture->left + (x + (width - gap) / 2) / 10), (long long)(top + 13), label);
    }
}

static void add_blocks(struct picture *picture) {
    const struct timeline *timeline = picture->view.timeline;
    struct arena *arena = picture->out->arena;
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        text_init(&picture->paths[sort], arena);
        text_init(&picture->labels[sort], arena);
    }
    struct block *blocks = ARENA_ARRAY(arena, struct block, (size_t)timeline->slice_count);
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        if (picture->top[lane] < 0) {
            continue;
        }
        int64_t count = blocks_make(&picture->view, lane, picture->view.end / picture->plot, blocks);
        for (int64_t i = 0; i < count; i++) {
            add_block(picture, &blocks[i], picture->top[lane]);
        }
    }
}

static void add_colors(struct picture *picture, bool dark) {
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        const char *fill = dark ? sort_looks[sort].dark : sort_looks[sort].light;
        if (picture->paths[sort].size > 0) {
            text_add_format(picture->out, ".s%d{fill:%s}.t%d{fill:%s}\n", sort, fill, sort,
                            view_is_light(fill) ? "#111" : "#fff");
        }
    }
}

static void add_style(struct picture *picture) {
    struct text *out = picture->out;
    text_add(out, "<style>\n"
                  "text{font:12px system-ui,sans-serif;fill:#1c2430}\n"
                  ".title{font-size:15px;font-weight:600}.lane,.tick{fill:#66707c}\n"
                  ".in text{font-size:11px;text-anchor:middle;fill:inherit}.tick{text-anchor:middle}\n"
                  ".ground{fill:#fff}.row{fill:#f1f3f5}.line{stroke:#d5dae0}\n");
    add_colors(picture, false);
    text_add(out, "@media(prefers-color-scheme:dark){\n"
                  "text{fill:#e3e7ec}.lane,.tick{fill:#98a2ae}.ground{fill:#15191e}.row{fill:#1f252c}"
                  ".line{stroke:#3a434d}\n");
    add_colors(picture, true);
    text_add(out, "}\n</style>\n");
}

static void add_text(struct text *out, const char *class, int64_t x, int64_t y, const char *content) {
    text_add_format(out, "<text class=\"%s\" x=\"%lld\" y=\"%lld\">", class, (long long)x, (long long)y);
    text_add_markup(out, content);
    text_add(out, "</text>\n");
}

/* Grounds of the lanes and what they are called. */
static void add_rows(struct picture *picture) {
    const struct timeline *timeline = picture->view.timeline;
    struct text *out = picture->out;
    text_add(out, "<path class=\"row\" d=\"");
    for (int64_t i = 0; i < timeline->lane_count; i++) {
        if (picture->top[i] >= 0) {
            text_add_format(out, "M%lld %lldh%lldv%dh-%lldz", (long long)picture->left, (long long)picture->top[i],
                            (long long)picture->plot, BAR, (long long)picture->plot);
        }
    }
    text_add(out, "\"/>\n");
    for (int64_t i = 0, named = -1; i < timeline->lane_count; i++) {
        const struct timeline_lane *lane = &timeline->lanes[i];
        if (picture->top[i] < 0) {
            continue;
        }
        if (lane->group != named) {
            named = lane->group;
            add_text(out, "group", MARGIN, picture->top[i] + 13, group_label(picture, named));
        }
        if (!picture->compute_only) {
            add_text(out, "lane", MARGIN + picture->group_labels, picture->top[i] + 13, lane_label(picture, i));
        }
    }
}

static void add_axis(struct picture *picture) {
    char buffer[32];
    struct text *out = picture->out;
    struct axis axis = axis_make(picture->view.end, picture->plot / TICK_ROOM + 1);
    text_add(out, "<path class=\"line\" d=\"");
    for (int64_t time = 0; time >= 0; time = axis_next(&axis, time)) {
        text_add_format(out, "M%lld %dV%lld", (long long)(picture->left + place(picture, time) / 10), HEAD - 6,
                        (long long)(picture->bottom + 4));
    }
    text_add(out, "\"/>\n");
    for (int64_t time = 0; time >= 0; time = axis_next(&axis, time)) {
        const char *label = axis_label(&axis, time, buffer);
        label = time == 0 ? arena_format(out->arena, "%s %s", label, axis.name) : label;
        add_text(out, "tick", picture->left + place(picture, time) / 10, picture->bottom + 18, label);
    }
}

static void add_slices(struct picture *picture) {
    struct text *out = picture->out;
    text_add_format(out, "<g transform=\"translate(%lld)scale(.1)\">\n", (long long)picture->left);
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        if (picture->paths[sort].size > 0) {
            text_add_format(out, "<path class=\"s%d\" d=\"%s\"/>\n", sort, picture->paths[sort].data);
        }
    }
    text_add(out, "</g>\n");
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        if (picture->labels[sort].size > 0) {
            text_add_format(out, "<g class=\"in t%d\">\n%s</g>\n", sort, picture->labels[sort].data);
        }
    }
}

static int64_t legend_width(int sort) {
    return ((int64_t)strlen(sort_looks[sort].name) + 2) * LETTER + 34;
}

/* The sorts that occur, in as many lines as they need; writes only with `out`. Returns the height. */
static int64_t add_legend(const struct picture *picture, struct text *out) {
    int64_t right = picture->left + picture->plot, x = picture->left, y = picture->bottom + AXIS + 4;
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        if (picture->paths[sort].size == 0) {
            continue;
        }
        if (x > picture->left && x + legend_width(sort) > right) {
            x = picture->left;
            y += LEGEND;
        }
        if (out != NULL) {
            text_add_format(out, "<path class=\"s%d\" d=\"M%lld %lldh14v12h-14z\"/>\n", sort, (long long)x,
                            (long long)y);
            add_text(out, "key", x + 20, y + 10,
                     arena_format(out->arena, "%s %s", sort_looks[sort].letter, sort_looks[sort].name));
        }
        x += legend_width(sort);
    }
    return y + LEGEND - picture->bottom;
}

void timeline_svg(const struct timeline *timeline, int width, bool compute_only, struct text *out) {
    struct picture picture = {.view = view_make(out->arena, timeline), .out = out, .compute_only = compute_only};
    lay_out(&picture, width);
    add_blocks(&picture);
    int64_t whole = picture.left + picture.plot + MARGIN, high = picture.bottom + add_legend(&picture, NULL) + 4;
    const char *title = timeline->title == NULL ? "" : timeline->title;
    text_add_format(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%lld\" height=\"%lld\" ", (long long)whole,
                    (long long)high);
    text_add_format(out, "viewBox=\"0 0 %lld %lld\" role=\"img\">\n<title>", (long long)whole, (long long)high);
    text_add_markup(out, title);
    text_add(out, "</title>\n");
    add_style(&picture);
    text_add_format(out, "<path class=\"ground\" d=\"M0 0h%lldv%lldh-%lldz\"/>\n", (long long)whole, (long long)high,
                    (long long)whole);
    add_text(out, "title", MARGIN, 24, title);
    add_rows(&picture);
    add_axis(&picture);
    add_slices(&picture);
    add_legend(&picture, out);
    text_add(out, "</svg>\n");
}
