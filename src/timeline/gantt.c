/* A chart for the terminal, one line a group. Time is cut into as many cells as there are columns:
 *
 *            ms  0         50        100
 *                ┴─────────┴─────────┴──────
 *   rank 0       F0─F1─F2─·······B0────F3─B1───   68%
 *   rank 1       ···F0─F1─····B0────F2─B1────··   70%
 *
 * A cell shows the sort that takes most of it, or idle. A slice that no cell shows yet takes an idle cell it touches;
 * how many are left without one is said below the chart. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "timeline/axis.h"
#include "timeline/view.h"
#include "timeline/write.h"

enum { NARROWEST = 20, LEAST_LABEL = 4, BUSY_WIDTH = 6, WIDE_ENOUGH_FOR_BUSY = 60, COLUMNS_A_TICK = 9 };

/* Black or white on a colour of the 16 that every terminal has (ECMA-48, bright ones as in aixterm). */
static const char *const CODES[SORT_COUNT] = {
    [SORT_FORWARD] = "30;104",  [SORT_BACKWARD] = "30;103", [SORT_WEIGHT] = "30;102", [SORT_FULL] = "30;101",
    [SORT_PAIR] = "30;105",     [SORT_RECOMPUTE] = "30;47", [SORT_HEAD] = "30;106",   [SORT_COLLECTIVE] = "97;45",
    [SORT_MESSAGE] = "30;43",   [SORT_OPTIMIZER] = "97;100", [SORT_COPY] = "30;46",   [SORT_OTHER] = "30;47",
};

struct cell {
    int64_t cover[SORT_COUNT]; /* time of each sort */
    int64_t most[SORT_COUNT];  /* of one slice of it */
    int64_t slice[SORT_COUNT]; /* that one */
    int64_t shown;             /* a slice; -1: idle */
};

struct chart {
    const struct view *view;
    const struct gantt_style *style;
    struct text *out;
    const char **labels;  /* of groups */
    int64_t label, cells; /* columns */
    int64_t stretch;      /* times are multiplied by it, so that cells of short timelines have a length */
    bool busy;            /* there is a column for it */
    struct cell *cell;
    bool *seen;           /* slices that some cell shows */
    bool used[SORT_COUNT];
    int64_t hidden;
};

/* Where cell i begins: end * i / cells without overflow. */
static int64_t cell_begin(const struct chart *chart, int64_t i) {
    int64_t end = chart->view->end * chart->stretch;
    return end / chart->cells * i + end % chart->cells * i / chart->cells;
}

static int64_t overlap(const struct chart *chart, const struct slice *slice, int64_t i) {
    int64_t start = slice->start * chart->stretch, end = slice->end * chart->stretch;
    int64_t begin = cell_begin(chart, i), close = cell_begin(chart, i + 1);
    return (end < close ? end : close) - (start > begin ? start : begin);
}

/* The cell, from `i` on, that a time lies in; the last one also has the end. */
static int64_t cell_at(const struct chart *chart, int64_t time, int64_t i) {
    while (i + 1 < chart->cells && cell_begin(chart, i + 1) <= time * chart->stretch) {
        i++;
    }
    return i;
}

static bool reaches(const struct chart *chart, const struct slice *slice, int64_t i) {
    return i < chart->cells && cell_begin(chart, i) < slice->end * chart->stretch;
}

static void cover_cells(struct chart *chart, int64_t lane) {
    const struct view *view = chart->view;
    for (int64_t index = view->first[lane], first = 0; index < view->first[lane + 1]; index++) {
        const struct slice *slice = &view->timeline->slices[index];
        first = cell_at(chart, slice->start, first);
        for (int64_t i = first; reaches(chart, slice, i); i++) {
            struct cell *cell = &chart->cell[i];
            int64_t time = overlap(chart, slice, i);
            cell->cover[slice->sort] += time;
            if (time > cell->most[slice->sort]) {
                cell->most[slice->sort] = time;
                cell->slice[slice->sort] = index;
            }
        }
    }
}

/* Each cell to the sort that takes most of it; at equal times work before idle, and the first sort. */
static void choose_slices(struct chart *chart) {
    for (int64_t i = 0; i < chart->cells; i++) {
        struct cell *cell = &chart->cell[i];
        int64_t idle = cell_begin(chart, i + 1) - cell_begin(chart, i);
        int sort = 0;
        for (int other = 0; other < SORT_COUNT; other++) {
            idle -= cell->cover[other];
            sort = cell->cover[other] > cell->cover[sort] ? other : sort;
        }
        cell->shown = cell->cover[sort] > 0 && cell->cover[sort] >= idle ? cell->slice[sort] : -1;
        if (cell->shown >= 0) {
            chart->seen[cell->shown] = true;
        }
    }
}

/* What no cell shows takes the idle one that it covers most of. */
static void rescue_slices(struct chart *chart, int64_t lane) {
    const struct view *view = chart->view;
    for (int64_t index = view->first[lane], first = 0; index < view->first[lane + 1]; index++) {
        const struct slice *slice = &view->timeline->slices[index];
        int64_t best = -1;
        first = cell_at(chart, slice->start, first);
        for (int64_t i = first; !chart->seen[index] && (i == first || reaches(chart, slice, i)); i++) {
            bool idle = chart->cell[i].shown < 0;
            best = idle && (best < 0 || overlap(chart, slice, i) > overlap(chart, slice, best)) ? i : best;
        }
        if (best >= 0) {
            chart->cell[best].shown = index;
            chart->seen[index] = true;
        }
        chart->hidden += !chart->seen[index];
        chart->used[slice->sort] |= chart->seen[index];
    }
}

/* A text of other people cut to `width` columns: controls and, where asked, all but ASCII replaced. */
static void add_cut(struct text *out, const char *name, int64_t width, bool ascii) {
    int64_t left = width - (int64_t)text_width(name, strlen(name));
    for (int64_t column = 0; *name != '\0' && column < width; column++) {
        size_t size = text_character(name);
        bool last = left < 0 && column + 1 == width;
        if (last) {
            text_add(out, ascii ? "~" : "\342\200\246");
        } else if (size == 0 || (unsigned char)*name < 0x20 || *name == 0x7F || (ascii && size > 1)) {
            text_add_char(out, '?');
        } else {
            text_add_bytes(out, name, size);
        }
        name += size == 0 ? 1 : size;
    }
    for (; left > 0; left--) {
        text_add_char(out, ' ');
    }
}

static void add_times(struct text *out, const char *piece, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        text_add(out, piece);
    }
}

/* What cells of a slice look like: its label as far as it fits, then a line. */
static void add_run(struct chart *chart, int64_t index, int64_t width) {
    char buffer[16];
    const struct slice *slice = &chart->view->timeline->slices[index];
    const char *label = view_slice_label(slice, buffer);
    if ((int64_t)strlen(label) > width) {
        label = sort_looks[slice->sort].letter;
    }
    if (chart->style->color) {
        text_add_format(chart->out, "\033[%sm", CODES[slice->sort]);
    }
    text_add(chart->out, label);
    const char *line = chart->style->color ? " " : chart->style->ascii ? "-" : "\342\224\200";
    add_times(chart->out, line, width - (int64_t)strlen(label));
    if (chart->style->color) {
        text_add(chart->out, "\033[0m");
    }
}

static const char *idle_mark(const struct chart *chart) {
    return chart->style->color ? " " : chart->style->ascii ? "." : "\302\267";
}

static void add_cells(struct chart *chart) {
    for (int64_t i = 0, next; i < chart->cells; i = next) {
        for (next = i + 1; next < chart->cells && chart->cell[next].shown == chart->cell[i].shown; next++) {
        }
        if (chart->cell[i].shown < 0) {
            add_times(chart->out, idle_mark(chart), next - i);
        } else {
            add_run(chart, chart->cell[i].shown, next - i);
        }
    }
}

static void add_row(struct chart *chart, int64_t group) {
    const struct view *view = chart->view;
    struct text *out = chart->out;
    int64_t lane = view_compute_lane(view, group), busy = 0;
    memset(chart->cell, 0, (size_t)chart->cells * sizeof *chart->cell);
    if (lane >= 0) {
        cover_cells(chart, lane);
        busy = view_busy(view, lane);
    }
    choose_slices(chart);
    if (lane >= 0) {
        rescue_slices(chart, lane);
    }
    add_cut(out, chart->labels[group], chart->label, chart->style->ascii);
    text_add_char(out, ' ');
    add_cells(chart);
    if (chart->busy) {
        text_add_format(out, "%5.0f%%", 100 * (double)busy / (double)view->end);
    }
    text_add_char(out, '\n');
}

/* Numbers above a ruler, each beginning at its tick; one that has no room is left out. */
static void add_scale(struct chart *chart) {
    char buffer[32];
    struct text *out = chart->out;
    struct axis axis = axis_make(chart->view->end, chart->cells / COLUMNS_A_TICK + 1);
    bool *marked = ARENA_ARRAY(out->arena, bool, (size_t)chart->cells);
    text_pad(out, (size_t)chart->label - strlen(axis.name));
    text_add(out, axis.name);
    int64_t column = 0, room = 0;
    for (int64_t tick = 0; tick >= 0; tick = axis_next(&axis, tick)) {
        const char *label = axis_label(&axis, tick, buffer);
        int64_t size = (int64_t)strlen(label);
        column = cell_at(chart, tick, column);
        marked[column] = true;
        if (column >= room && column + size <= chart->cells) {
            text_pad(out, (size_t)(chart->label + 1 + column));
            text_add(out, label);
            room = column + size + 1;
        }
    }
    if (chart->busy) {
        text_pad(out, (size_t)(chart->label + 1 + chart->cells + 2));
        text_add(out, "busy");
    }
    text_add_char(out, '\n');
    text_pad(out, (size_t)chart->label + 1);
    for (int64_t i = 0; i < chart->cells; i++) {
        text_add(out, chart->style->ascii ? (marked[i] ? "+" : "-") : marked[i] ? "\342\224\264" : "\342\224\200");
    }
    text_add_char(out, '\n');
}

/* Begins a new line where a piece of so many columns does not fit behind `*column`. */
static void make_room(struct chart *chart, int64_t size, int64_t *column) {
    bool fits = *column == 0 || *column + 2 + size <= chart->style->columns;
    text_add(chart->out, *column == 0 ? "" : fits ? "  " : "\n");
    *column = *column > 0 && fits ? *column + 2 + size : size;
}

static void add_legend(struct chart *chart) {
    int64_t column = 0;
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        const struct sort_look *look = &sort_looks[sort];
        if (chart->used[sort]) {
            make_room(chart, (int64_t)(strlen(look->letter) + 1 + strlen(look->name)), &column);
            text_add_format(chart->out, chart->style->color ? "\033[%sm%s\033[0m %s" : "%.0s%s %s", CODES[sort],
                            look->letter, look->name);
        }
    }
    if (!chart->style->color) {
        make_room(chart, 6, &column);
        text_add_format(chart->out, "%s idle", idle_mark(chart));
    }
    text_add(chart->out, column > 0 ? "\n" : "");
}

/* How many slices no cell shows. */
static void add_note(const struct chart *chart) {
    struct arena *arena = chart->out->arena;
    double cell = (double)chart->view->end / (double)chart->cells / PICOSECONDS;
    const char *hidden = arena_format(arena, "%lld", (long long)chart->hidden);
    const char *note = arena_format(arena, "%s too short for a column of %s\n", hidden,
                                    units_human(arena, cell, UNIT_SECONDS, 3));
    bool fits = (int64_t)strlen(note) <= chart->style->columns;
    text_add(chart->out, fits ? note : arena_format(arena, "%s not shown\n", hidden));
}

/* What a group is called in short: all of it, without its multitude, up to a comma, its rank. */
enum brevity { WHOLE, NAME, FIRST_PART, NUMBER };

static const char *short_label(struct arena *arena, const struct timeline_group *group, enum brevity brevity,
                               bool ascii) {
    switch (brevity) {
    case WHOLE:
        return view_label(arena, group, ascii);
    case NAME:
        break;
    case FIRST_PART:
        return arena_copy(arena, group->name, strcspn(group->name, ","));
    case NUMBER:
        return arena_format(arena, "%lld", (long long)group->rank);
    }
    return group->name;
}

/* Columns for labels, at most a quarter, all of the longest kind that fits. */
static void choose_labels(struct chart *chart) {
    const struct timeline *timeline = chart->view->timeline;
    int64_t most = chart->style->columns / 4;
    for (int brevity = WHOLE; brevity <= NUMBER; brevity++) {
        chart->label = LEAST_LABEL;
        for (int64_t i = 0; i < timeline->group_count; i++) {
            const char *label = short_label(chart->out->arena, &timeline->groups[i], (enum brevity)brevity,
                                            chart->style->ascii);
            int64_t width = (int64_t)text_width(label, strlen(label));
            chart->labels[i] = label;
            chart->label = width > chart->label ? width : chart->label;
        }
        if (chart->label <= most) {
            return;
        }
    }
    chart->label = most;
}

static void lay_out(struct chart *chart) {
    int64_t columns = chart->style->columns;
    choose_labels(chart);
    chart->busy = columns >= WIDE_ENOUGH_FOR_BUSY;
    chart->cells = columns - chart->label - 1 - (chart->busy ? BUSY_WIDTH : 0);
    while (chart->stretch < INT64_C(1) << 20 && chart->view->end * chart->stretch < INT64_C(1) << 40) {
        chart->stretch *= 2;
    }
    chart->cell = ARENA_ARRAY(chart->out->arena, struct cell, (size_t)chart->cells);
}

void timeline_gantt(const struct timeline *timeline, const struct gantt_style *style, struct text *out) {
    struct view view = view_make(out->arena, timeline);
    struct gantt_style wide = *style;
    wide.columns = style->columns < NARROWEST ? NARROWEST : style->columns;
    struct chart chart = {.view = &view, .style = &wide, .out = out, .stretch = 1};
    chart.labels = ARENA_ARRAY(out->arena, const char *, (size_t)timeline->group_count);
    lay_out(&chart);
    chart.seen = ARENA_ARRAY(out->arena, bool, (size_t)timeline->slice_count);
    if (timeline->title != NULL && *timeline->title != '\0') {
        int64_t width = (int64_t)text_width(timeline->title, strlen(timeline->title));
        add_cut(out, timeline->title, width < wide.columns ? width : wide.columns, wide.ascii);
        text_add_char(out, '\n');
    }
    add_scale(&chart);
    for (int64_t group = 0; group < timeline->group_count; group++) {
        add_row(&chart, group);
    }
    add_legend(&chart);
    if (chart.hidden > 0) {
        add_note(&chart);
    }
}
