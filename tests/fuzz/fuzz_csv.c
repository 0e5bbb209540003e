/* Comma-separated values: a full table of cells, or an error. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "port/csv.h"

static void check_table(const struct csv *csv, size_t size) {
    PROMISE(csv->column_count >= 1 && csv->row_count <= size);
    for (size_t row = 0; row < csv->row_count; row++) {
        PROMISE(csv->lines[row] >= 2 && csv->lines[row] <= size + 1);
        PROMISE(row == 0 || csv->lines[row] > csv->lines[row - 1]);
        for (size_t column = 0; column < csv->column_count; column++) {
            const char *cell = csv->cells[row * csv->column_count + column];
            PROMISE(cell != NULL && strlen(cell) <= size);
            PROMISE(csv_cell(csv, row, csv->columns[column]) == cell);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct csv csv;
    const struct source source = {
        .name = "fuzz.csv", .text = arena_copy(arena, (const char *)data, size), .size = size};
    diag_init(&diag, arena);
    enum status status = csv_parse(arena, &source, &csv, &diag);
    PROMISE((status == OK) == (diag.errors == 0));
    if (status == OK) {
        check_table(&csv, size);
    }
    arena_close(arena);
    return 0;
}
