/* One pass over the bytes; cells are copied without their quotes. */
#include "port/csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

struct scanner {
    struct arena *arena;
    const struct source *source;
    size_t at;
    unsigned line;
    bool end_of_row;
};

static struct mark here(const struct scanner *s) {
    return (struct mark){.source = s->source, .line = s->line, .column = 1, .length = 1};
}

static enum status scan_quoted(struct scanner *s, struct text *cell, struct diag *diag) {
    const char *bytes = s->source->text;
    struct mark start = here(s);
    for (s->at++; s->at < s->source->size; s->at++) {
        if (bytes[s->at] == '"') {
            if (s->at + 1 >= s->source->size || bytes[s->at + 1] != '"') {
                s->at++;
                return OK;
            }
            s->at++;
        }
        s->line += bytes[s->at] == '\n' ? 1 : 0;
        text_add_char(cell, bytes[s->at]);
    }
    return diag_error(diag, start, "a quoted cell never ends");
}

/* One cell; `end_of_row` tells that it was the last of its row. */
static enum status scan_cell(struct scanner *s, const char **ret, struct diag *diag) {
    struct text cell;
    const char *bytes = s->source->text;
    text_init(&cell, s->arena);
    text_add(&cell, "");
    if (s->at < s->source->size && bytes[s->at] == '"') {
        TRY(scan_quoted(s, &cell, diag));
    }
    while (s->at < s->source->size && bytes[s->at] != ',' && bytes[s->at] != '\n') {
        if (bytes[s->at] == '\0') {
            return diag_error(diag, here(s), "a NUL byte: this is no text file");
        }
        if (bytes[s->at] != '\r') {
            text_add_char(&cell, bytes[s->at]);
        }
        s->at++;
    }
    s->end_of_row = s->at >= s->source->size || bytes[s->at] == '\n';
    s->line += s->at < s->source->size && bytes[s->at] == '\n' ? 1 : 0;
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
    room = room < 1024 ? room : 1024;
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
    struct mark mark = here(s);
    size_t column = 0;
    lines[ret->row_count] = s->line;
    do {
        const char *cell;
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
    if (source->size == 0) {
        return diag_error(diag, here(&scanner), "the file is empty; a header row is wanted");
    }
    TRY(scan_header(&scanner, ret, diag));
    size_t rows = count_bytes(source, '\n') + 1;
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
