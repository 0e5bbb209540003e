/* One pass over the bytes; cells are copied without their quotes. */
#include "port/csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* Bounds of a table: enough for any corpus, little enough for memory. */
enum { COLUMNS_MAX = 1024, CELLS_MAX = 1 << 24 };

struct scanner {
    struct arena *arena;
    const struct source *source;
    size_t at, line_start;
    unsigned line;
    bool end_of_row;
};

static struct mark here(const struct scanner *s) {
    unsigned column = (unsigned)(s->at - s->line_start) + 1;
    return (struct mark){.source = s->source, .line = s->line, .column = column, .length = 1};
}

/* The byte at hand as part of a cell; a line break in quotes is one too. */
static enum status take_byte(struct scanner *s, struct text *cell, struct diag *diag) {
    char byte = s->source->text[s->at];
    if (byte == '\0') {
        return diag_error(diag, here(s), "a NUL byte: this is no text file");
    }
    text_add_char(cell, byte);
    s->at++;
    if (byte == '\n') {
        s->line++;
        s->line_start = s->at;
    }
    return OK;
}

static bool at_byte(const struct scanner *s, size_t ahead, char byte) {
    return s->at + ahead < s->source->size && s->source->text[s->at + ahead] == byte;
}

/* A carriage return ends a row only before a line feed or the end of the file. */
static bool at_row_end(const struct scanner *s) {
    bool last = s->at + 1 == s->source->size;
    return s->at >= s->source->size || at_byte(s, 0, '\n') || (at_byte(s, 0, '\r') && (last || at_byte(s, 1, '\n')));
}

static enum status scan_quoted(struct scanner *s, struct text *cell, struct diag *diag) {
    struct mark start = here(s);
    s->at++;
    while (s->at < s->source->size) {
        if (at_byte(s, 0, '"')) {
            s->at++;
            if (!at_byte(s, 0, '"')) {
                return at_byte(s, 0, ',') || at_row_end(s)
                           ? OK
                           : diag_error(diag, here(s), "text after the quote that ends a cell");
            }
        }
        TRY(take_byte(s, cell, diag));
    }
    return diag_error(diag, start, "a quoted cell never ends");
}

/* One cell; `end_of_row` tells that it was the last of its row. */
static enum status scan_cell(struct scanner *s, const char **ret, struct diag *diag) {
    struct text cell;
    text_init(&cell, s->arena);
    text_add(&cell, "");
    if (at_byte(s, 0, '"')) {
        TRY(scan_quoted(s, &cell, diag));
    }
    while (!at_byte(s, 0, ',') && !at_row_end(s)) {
        TRY(take_byte(s, &cell, diag));
    }
    s->end_of_row = at_row_end(s);
    s->at += at_byte(s, 0, '\r') ? 1 : 0;
    if (at_byte(s, 0, '\n')) {
        s->line++;
        s->line_start = s->at + 1;
    }
    s->at++;
    *ret = cell.data != NULL ? cell.data : "";
    return OK;
}

static size_t count_bytes(const struct source *source, char byte) {
    size_t count = 0;
    for (size_t i = 0; i < source->size; i++) {
        count += source->text[i] == byte ? 1 : 0;
    }
    return count;
}

static enum status scan_header(struct scanner *s, struct csv *ret, struct diag *diag) {
    size_t room = count_bytes(s->source, ',') + 2;
    room = room < COLUMNS_MAX ? room : COLUMNS_MAX;
    ret->columns = ARENA_ARRAY(s->arena, const char *, room);
    do {
        if (ret->column_count == room) {
            return diag_error(diag, here(s), "more than %zu columns", room);
        }
        struct mark mark = here(s);
        TRY(scan_cell(s, &ret->columns[ret->column_count], diag));
        for (size_t i = 0; i < ret->column_count; i++) {
            if (text_equal(ret->columns[i], ret->columns[ret->column_count])) {
                return diag_error(diag, mark, "column '%s' appears twice", ret->columns[i]);
            }
        }
        ret->column_count++;
    } while (!s->end_of_row);
    return OK;
}

static enum status scan_row(struct scanner *s, struct csv *ret, unsigned *lines, struct diag *diag) {
    const char **cells = &ret->cells[ret->row_count * ret->column_count];
    size_t column = 0;
    lines[ret->row_count] = s->line;
    do {
        const char *cell;
        struct mark mark = here(s);
        TRY(scan_cell(s, &cell, diag));
        if (column == ret->column_count) {
            return diag_error(diag, mark, "more cells than the header has columns (%zu)", ret->column_count);
        }
        cells[column++] = cell;
    } while (!s->end_of_row);
    if (column == 1 && cells[0][0] == '\0') {
        return OK; /* an empty line */
    }
    while (column < ret->column_count) {
        cells[column++] = "";
    }
    ret->row_count++;
    return OK;
}

enum status csv_parse(struct arena *arena, const struct source *source, struct csv *ret, struct diag *diag) {
    struct scanner scanner = {.arena = arena, .source = source, .line = 1};
    *ret = (struct csv){.source = source};
    if (text_starts(source->text, "\xEF\xBB\xBF")) { /* a byte-order mark, as spreadsheets write it */
        scanner.at = scanner.line_start = 3;
    }
    if (scanner.at == source->size) {
        return diag_error(diag, here(&scanner), "the file is empty; a header row is wanted");
    }
    TRY(scan_header(&scanner, ret, diag));
    size_t rows = count_bytes(source, '\n') + 1;
    if (rows > CELLS_MAX / ret->column_count) {
        return diag_error(diag, here(&scanner), "%zu lines of %zu columns: more than %d cells", rows, ret->column_count,
                          CELLS_MAX);
    }
    unsigned *lines = ARENA_ARRAY(arena, unsigned, rows);
    ret->cells = ARENA_ARRAY(arena, const char *, rows * ret->column_count);
    ret->lines = lines;
    while (scanner.at < source->size) {
        TRY(scan_row(&scanner, ret, lines, diag));
    }
    return OK;
}

const char *csv_cell(const struct csv *csv, size_t row, const char *column) {
    for (size_t i = 0; i < csv->column_count; i++) {
        if (text_equal(csv->columns[i], column)) {
            return csv->cells[row * csv->column_count + i];
        }
    }
    return "";
}
