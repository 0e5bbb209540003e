/* The CSV reader: RFC 4180 by a table of texts, what is refused with its place, and that what the table writer writes reads
 * back as it was. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support.h"
#include "base/random.h"
#include "base/table.h"
#include "port/csv.h"

static const struct source *source_of(struct arena *arena, const char *text, size_t size) {
    struct source *source = ARENA_NEW(arena, struct source);
    *source = (struct source){.name = "t.csv", .text = arena_copy(arena, text, size), .size = size};
    return source;
}

static struct csv *parsed(struct arena *arena, const char *text, size_t size) {
    struct csv *csv = ARENA_NEW(arena, struct csv);
    struct diag diag;
    diag_init(&diag, arena);
    enum status status = csv_parse(arena, source_of(arena, text, size), csv, &diag);
    cr_assert(status == OK, "%s: %s", text, diag.count > 0 ? diag.entries[0].text : "refused without a reason");
    return csv;
}

/* The whole table in one text: cells between '[' and ']', rows by '|', the header first. */
static const char *shown(struct arena *arena, const struct csv *csv) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < csv->column_count; i++) {
        text_add_format(&text, "[%s]", csv->columns[i]);
    }
    for (size_t i = 0; i < csv->row_count * csv->column_count; i++) {
        text_add_format(&text, "%s[%s]", i % csv->column_count == 0 ? "|" : "", csv->cells[i]);
    }
    return text.data;
}

Test(csv, tables) {
    static const struct {
        const char *name, *text, *expected;
    } rows[] = {
        {"plain", "a,b\n1,2\n3,4\n", "[a][b]|[1][2]|[3][4]"},
        {"no newline at the end", "a,b\n1,2", "[a][b]|[1][2]"},
        {"carriage returns", "a,b\r\n1,2\r\n", "[a][b]|[1][2]"},
        {"a carriage return at the end", "a,b\r\n1,2\r", "[a][b]|[1][2]"},
        {"a carriage return in a cell", "a,b\n1\r2,3\n", "[a][b]|[1\r2][3]"},
        {"mixed ends", "a,b\r\n1,2\n3,4\r\n", "[a][b]|[1][2]|[3][4]"},
        {"header alone", "a,b\n", "[a][b]"},
        {"header alone, no newline", "a,b", "[a][b]"},
        {"one column", "a\n1\n2\n", "[a]|[1]|[2]"},
        {"byte-order mark", "\xEF\xBB\xBF" "a,b\n1,2\n", "[a][b]|[1][2]"},
        {"a quoted cell", "a,b\n\"1\",2\n", "[a][b]|[1][2]"},
        {"a comma in quotes", "a,b\n\"1,5\",2\n", "[a][b]|[1,5][2]"},
        {"doubled quotes", "a,b\n\"say \"\"so\"\"\",2\n", "[a][b]|[say \"so\"][2]"},
        {"only quotes", "a,b\n\"\"\"\",\"\"\"\"\"\"\n", "[a][b]|[\"][\"\"]"},
        {"an empty quoted cell", "a,b\n\"\",2\n", "[a][b]|[][2]"},
        {"line breaks in quotes", "a,b\n\"1\n2\",\"3\r\n4\"\n", "[a][b]|[1\n2][3\r\n4]"},
        {"a quoted cell at the end", "a,b\n1,\"2\"", "[a][b]|[1][2]"},
        {"a quoted cell before CR LF", "a,b\n1,\"2\"\r\n3,4\n", "[a][b]|[1][2]|[3][4]"},
        {"quoted names", "\"a,b\",\"c\"\"d\"\n1,2\n", "[a,b][c\"d]|[1][2]"},
        {"a quote inside a cell", "a,b\n5\" disk,2\n", "[a][b]|[5\" disk][2]"},
        {"short rows are filled", "a,b,c\n1\n1,2\n", "[a][b][c]|[1][][]|[1][2][]"},
        {"empty cells", "a,b,c\n,,\n,2,\n", "[a][b][c]|[][][]|[][2][]"},
        {"a comma at the end of the file", "a,b\n1,", "[a][b]|[1][]"},
        {"empty lines are none", "a,b\n\n1,2\n\r\n\n3,4\n\n", "[a][b]|[1][2]|[3][4]"},
        {"blanks belong to the cell", "a,b\n 1 ,\t2\n", "[a][b]|[ 1 ][\t2]"},
        {"UTF-8", "a,b\n\xC3\xA9,\xE2\x82\xAC\n", "[a][b]|[\xC3\xA9][\xE2\x82\xAC]"},
        {"a column without a name", "a,\n1,2\n", "[a][]|[1][2]"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *result = shown(arena, parsed(arena, rows[i].text, strlen(rows[i].text)));
        cr_expect_str_eq(result, rows[i].expected, "%s: %s instead of %s", rows[i].name, result, rows[i].expected);
    }
    arena_close(arena);
}

Test(csv, refused) {
    static const struct {
        const char *name, *text;
        size_t size; /* 0: up to the NUL */
        unsigned line, column;
        const char *reason;
    } rows[] = {
        {"empty", "", 0, 1, 1, "the file is empty; a header row is wanted"},
        {"a byte-order mark alone", "\xEF\xBB\xBF", 0, 1, 1, "the file is empty; a header row is wanted"},
        {"a long row", "a,b\n1,2\n1,2,3\n", 0, 3, 5, "more cells than the header has columns (2)"},
        {"a comma too many", "a,b\n1,2,\n", 0, 2, 5, "more cells than the header has columns (2)"},
        {"a name twice", "id,b,id\n1,2,3\n", 0, 1, 6, "column 'id' appears twice"},
        {"two unnamed columns", "a,,\n1,2,3\n", 0, 1, 4, "column '' appears twice"},
        {"a quote that never ends", "a,b\n1,\"2\n3,4\n", 0, 2, 3, "a quoted cell never ends"},
        {"a quote at the very end", "a,b\n1,\"", 0, 2, 3, "a quoted cell never ends"},
        {"text after a quote", "a,b\n\"1\"2,3\n", 0, 2, 4, "text after the quote that ends a cell"},
        {"a blank after a quote", "a,b\n\"1\" ,3\n", 0, 2, 4, "text after the quote that ends a cell"},
        {"NUL", "a,b\n1,\0" "2\n", 9, 2, 3, "a NUL byte: this is no text file"},
        {"NUL in quotes", "a,b\n1,\"\0\"\n", 10, 2, 4, "a NUL byte: this is no text file"},
        {"NUL in the header", "a\0,b\n1,2\n", 9, 1, 2, "a NUL byte: this is no text file"},
        {"lines in quotes are counted", "a,b\n\"1\n2\n3\",4\n1,2,3\n", 0, 5, 5,
         "more cells than the header has columns (2)"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct csv csv;
        struct diag diag;
        size_t size = rows[i].size > 0 ? rows[i].size : strlen(rows[i].text);
        diag_init(&diag, arena);
        enum status status = csv_parse(arena, source_of(arena, rows[i].text, size), &csv, &diag);
        cr_assert(status == STATUS_INVALID && diag.count == 1, "%s: status %d, %zu errors", rows[i].name, status,
                  diag.count);
        const struct diag_entry *entry = &diag.entries[0];
        cr_expect_str_eq(entry->text, rows[i].reason, "%s: %s", rows[i].name, entry->text);
        cr_expect(entry->mark.line == rows[i].line && entry->mark.column == rows[i].column, "%s: at %u:%u",
                  rows[i].name, entry->mark.line, entry->mark.column);
    }
    arena_close(arena);
}

Test(csv, lines_of_rows) {
    struct arena *arena = support_arena();
    const char *text = "a,b\n\n1,2\n\"x\ny\",\"\n\"\n\r\n5,6";
    const struct csv *csv = parsed(arena, text, strlen(text));
    static const unsigned expected[] = {3, 4, 8};
    cr_assert_eq(csv->row_count, ROWS(expected), "%zu rows", csv->row_count);
    for (size_t i = 0; i < ROWS(expected); i++) {
        cr_expect_eq(csv->lines[i], expected[i], "row %zu: line %u", i, csv->lines[i]);
    }
    arena_close(arena);
}

Test(csv, cells_by_name) {
    struct arena *arena = support_arena();
    const struct csv *csv = parsed(arena, "a,b\n1,2\n3\n", 10);
    cr_expect_str_eq(csv_cell(csv, 0, "b"), "2");
    cr_expect_str_eq(csv_cell(csv, 1, "a"), "3");
    cr_expect_str_eq(csv_cell(csv, 1, "b"), "", "a cell that the row does not have");
    cr_expect_str_eq(csv_cell(csv, 0, "A"), "", "another column's name");
    cr_expect_str_eq(csv_cell(csv, 0, ""), "");
    arena_close(arena);
}

static const char *header(struct arena *arena, size_t columns) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < columns; i++) {
        text_add_format(&text, "%sc%zu", i > 0 ? "," : "", i);
    }
    return text.data;
}

Test(csv, bounds) {
    struct arena *arena = support_arena();
    const char *most = header(arena, 1024);
    cr_expect_eq(parsed(arena, most, strlen(most))->column_count, 1024);
    static const struct {
        size_t columns, lines;
        const char *reason;
    } rows[] = {
        {1025, 0, "more than 1024 columns"},
        {4000, 1, "more than 1024 columns"},
        {1024, 16384, "16385 lines of 1024 columns: more than 16777216 cells"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct csv csv;
        struct diag diag;
        struct text text;
        text_init(&text, arena);
        text_add(&text, header(arena, rows[i].columns));
        for (size_t line = 0; line < rows[i].lines; line++) {
            text_add(&text, "\n1");
        }
        diag_init(&diag, arena);
        enum status status = csv_parse(arena, source_of(arena, text.data, text.size), &csv, &diag);
        cr_assert(status == STATUS_INVALID, "%zu columns, %zu lines", rows[i].columns, rows[i].lines);
        cr_expect_str_eq(diag.entries[0].text, rows[i].reason, "%s", diag.entries[0].text);
    }
    arena_close(arena);
}

static const char *random_cell(struct arena *arena, struct random *random) {
    static const char *const pieces[] = {"a", "7", ",", "\"", "\n", "\r", "\r\n", " ", "\xC3\xA9", "\"\"", ",,", "\t"};
    struct text text;
    text_init(&text, arena);
    text_add(&text, "");
    for (uint32_t left = random_below(random, 6); left > 0; left--) {
        text_add(&text, pieces[random_below(random, ROWS(pieces))]);
    }
    return text.data != NULL ? text.data : "";
}

/* Names are unique by their first character; one column of empty cells would be empty lines, so there are two or more. */
Test(csv, written_tables_read_back) {
    struct arena *arena = support_arena();
    for (uint64_t round = 0; round < 500; round++) {
        struct arena_place place = arena_mark(arena);
        struct random random;
        struct table table;
        struct text text;
        random_stream(&random, 1, "csv", round);
        table_init(&table, arena);
        size_t columns = 2 + random_below(&random, 6), rows = random_below(&random, 12);
        for (size_t i = 0; i < columns; i++) {
            table_column(&table, arena_format(arena, "%zu%s", i, random_cell(arena, &random)), true, 0);
        }
        for (size_t i = 0; i < rows; i++) {
            size_t row = table_row(&table);
            for (size_t k = 0; k < columns; k++) {
                table_set(&table, row, k, "%s", random_cell(arena, &random));
            }
        }
        text_init(&text, arena);
        table_csv(&table, &text);
        const struct csv *csv = parsed(arena, text.data, text.size);
        cr_assert(csv->column_count == columns && csv->row_count == rows, "round %d: %zu x %zu of %zu x %zu",
                  (int)round, csv->row_count, csv->column_count, rows, columns);
        for (size_t i = 0; i < rows * columns; i++) {
            const char *written = table.cells[i / columns * TABLE_COLUMNS + i % columns];
            cr_assert_str_eq(csv->cells[i], written != NULL ? written : "", "round %d, cell %zu", (int)round, i);
        }
        for (size_t i = 0; i < columns; i++) {
            cr_assert_str_eq(csv->columns[i], table.heads[i], "round %d, column %zu", (int)round, i);
        }
        arena_rewind(arena, place);
    }
    arena_close(arena);
}
