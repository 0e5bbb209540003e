/* Drawing with characters. Columns are counted, not bytes: every character used here is one column wide. */
#include "topology/canvas.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* Boxes, by ascii. */
struct strokes {
    const char *flat, *side, *top_left, *top_right, *bottom_left, *bottom_right, *leg, *bus, *join, *dots;
};

static const struct strokes STROKES[] = {
    {"\342\224\200", "\342\224\202", "\342\224\214", "\342\224\220", "\342\224\224", "\342\224\230", "\342\224\254",
     "\342\225\220", "\342\225\247", "\342\200\246"},
    {"-", "|", "+", "+", "+", "+", "+", "=", "=", ".."},
};

static const struct strokes *strokes(const struct canvas *canvas) {
    return &STROKES[canvas->ascii ? 1 : 0];
}

void canvas_init(struct canvas *canvas, struct text *out, int width, bool ascii) {
    size_t columns = width <= 0 ? CANVAS_USUAL : (size_t)width;
    *canvas = (struct canvas){out, columns < CANVAS_LEAST ? CANVAS_LEAST : columns, ascii, false};
}

static size_t room(const struct canvas *canvas) {
    return canvas->boxed ? canvas->width - 4 : canvas->width;
}

static void add_row(const struct canvas *canvas, const char *row, size_t size) {
    const char *side = strokes(canvas)->side;
    if (!canvas->boxed) {
        text_add_bytes(canvas->out, row, size);
        text_add_char(canvas->out, '\n');
        return;
    }
    text_add(canvas->out, side);
    text_add_char(canvas->out, ' ');
    text_add_bytes(canvas->out, row, size);
    for (size_t i = text_width(row, size); i < room(canvas) + 1; i++) {
        text_add_char(canvas->out, ' ');
    }
    text_add(canvas->out, side);
    text_add_char(canvas->out, '\n');
}

/* Bytes of `text` that fit into `columns`, cut at the last blank if there is one. */
static size_t fitting(const char *text, size_t columns) {
    size_t size = 0, blank = 0, used = 0;
    for (; text[size] != '\0'; size++) {
        bool begins = ((unsigned char)text[size] & 0xC0) != 0x80;
        if (begins && used++ == columns) {
            return text[size] == ' ' || blank == 0 ? size : blank;
        }
        blank = text[size] == ' ' ? size : blank;
    }
    return size;
}

void canvas_line(struct canvas *canvas, const char *text) {
    struct text row;
    const char *indent = "";
    do {
        size_t size = fitting(text, room(canvas) - strlen(indent));
        text_init(&row, canvas->out->arena);
        text_add(&row, indent);
        text_add_bytes(&row, text, size);
        add_row(canvas, row.data, row.size);
        text += size;
        text += strspn(text, " ");
        indent = "  ";
    } while (*text != '\0');
}

/* `legs` marks on a line of `width` columns from column `from`, `step` apart. */
static void add_marked(const struct canvas *canvas, const char *line, const char *mark, size_t width, size_t from,
                       size_t step, size_t legs) {
    for (size_t i = 0; i < width; i++) {
        bool marked = legs > 0 && i >= from && (i - from) % step == 0 && (i - from) / step < legs;
        text_add(canvas->out, marked ? mark : line);
    }
}

/* Legs stand below the devices: every CELL columns. */
enum { CELL = 7, FIRST_LEG = 4 };

static size_t legs_shown(const struct canvas *canvas, int64_t legs) {
    size_t most = (canvas->width - FIRST_LEG - 2) / CELL;
    return (size_t)legs < most ? (size_t)legs : most;
}

void canvas_open(struct canvas *canvas, int64_t legs) {
    const struct strokes *s = strokes(canvas);
    text_add(canvas->out, s->top_left);
    add_marked(canvas, s->flat, s->join, canvas->width - 2, FIRST_LEG - 1, CELL, legs_shown(canvas, legs));
    text_add(canvas->out, s->top_right);
    text_add_char(canvas->out, '\n');
    canvas->boxed = true;
}

void canvas_close(struct canvas *canvas, int64_t legs) {
    const struct strokes *s = strokes(canvas);
    canvas->boxed = false;
    text_add(canvas->out, s->bottom_left);
    add_marked(canvas, s->flat, s->leg, canvas->width - 2, FIRST_LEG - 1, CELL, legs_shown(canvas, legs));
    text_add(canvas->out, s->bottom_right);
    text_add_char(canvas->out, '\n');
}

void canvas_bar(struct canvas *canvas, int64_t legs) {
    const struct strokes *s = strokes(canvas);
    add_marked(canvas, s->bus, s->join, canvas->width, FIRST_LEG, CELL, legs_shown(canvas, legs));
    text_add_char(canvas->out, '\n');
}

/* The number of the device in cell `i` of `shown`, -1 for the gap. */
static int64_t device_at(int64_t i, int64_t shown, int64_t count) {
    if (shown == count) {
        return i;
    }
    return i == shown - 2 ? -1 : i == shown - 1 ? count - 1 : i;
}

static void add_times(struct text *row, const char *piece, int times) {
    for (int i = 0; i < times; i++) {
        text_add(row, piece);
    }
}

/* One of the four rows of a device's cell, CELL columns. */
static void add_cell(const struct canvas *canvas, struct text *row, int line, int64_t device, bool cut) {
    const struct strokes *s = strokes(canvas);
    if (device < 0 && line < 3) {
        text_add(row, line == 1 ? canvas->ascii ? "  ..   " : "   \342\200\246   " : "       ");
        return;
    }
    switch (line) {
    case 0:
        text_add(row, s->top_left);
        add_times(row, s->flat, 3);
        text_add(row, s->top_right);
        break;
    case 1:
        text_add(row, s->side);
        text_add_format(row, device < 100 ? "%2lld " : "%3lld", (long long)device);
        text_add(row, s->side);
        break;
    case 2:
        text_add(row, s->bottom_left);
        text_add(row, s->flat);
        text_add(row, s->leg);
        text_add(row, s->flat);
        text_add(row, s->bottom_right);
        break;
    default:
        add_times(row, s->bus, 2);
        text_add(row, device < 0 ? s->bus : s->join);
        add_times(row, s->bus, cut ? 2 : CELL - 3);
        break;
    }
    add_times(row, " ", line < 3 || cut ? CELL - 5 : 0);
}

void canvas_cells(struct canvas *canvas, int64_t count, int64_t domain) {
    int64_t most = (int64_t)((room(canvas) + 2) / CELL), shown = count <= most ? count : most;
    for (int line = 0; line < 4; line++) {
        struct text row;
        text_init(&row, canvas->out->arena);
        for (int64_t i = 0; i < shown; i++) {
            int64_t device = device_at(i, shown, count);
            bool cut = i == shown - 1 || (domain > 0 && device >= 0 && (device + 1) % domain == 0);
            add_cell(canvas, &row, line, device, cut);
        }
        while (row.size > 0 && row.data[row.size - 1] == ' ') {
            row.size--;
        }
        add_row(canvas, row.data, row.size);
    }
}
