/* Reads the tables of published measurements: CSV with a header row, RFC 4180 quotes, cells by column name. The tables
 * are third-party data outside the repository; without them a test skips. */
#ifndef PARPLAN_TESTS_VALIDATION_MEASUREMENTS_H
#define PARPLAN_TESTS_VALIDATION_MEASUREMENTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEASUREMENT_COLUMNS = 64, MEASUREMENT_LINE = 8192 };

struct measurements {
    FILE *file;
    char head[MEASUREMENT_LINE], line[MEASUREMENT_LINE];
    char *names[MEASUREMENT_COLUMNS], *cells[MEASUREMENT_COLUMNS];
    size_t columns;
};

/* Cuts a line into cells in place. */
static inline size_t measurements_cut(char *line, char **cells) {
    size_t count = 0;
    char *from = line, *to = line;
    while (count < MEASUREMENT_COLUMNS) {
        cells[count++] = to;
        int quoted = *from == '"';
        from += quoted;
        while (*from != '\0' && (quoted || (*from != ',' && *from != '\n' && *from != '\r'))) {
            if (quoted && *from == '"') {
                from++;
                quoted = *from == '"';
                if (!quoted) {
                    continue;
                }
            }
            *to++ = *from++;
        }
        char end = *from;
        *to++ = '\0';
        if (end != ',') {
            break;
        }
        from++;
    }
    return count;
}

/* Opens validation/<name> of the shared folder; 0 when there is none. */
static inline int measurements_open(struct measurements *table, const char *name) {
    char path[4096];
    const char *shared = getenv("PARPLAN_SHARED");
    memset(table, 0, sizeof *table);
    if (shared == NULL || snprintf(path, sizeof path, "%s/validation/%s", shared, name) >= (int)sizeof path) {
        return 0;
    }
    table->file = fopen(path, "r");
    if (table->file == NULL || fgets(table->head, sizeof table->head, table->file) == NULL) {
        return 0;
    }
    table->columns = measurements_cut(table->head, table->names);
    return 1;
}

static inline int measurements_next(struct measurements *table) {
    if (fgets(table->line, sizeof table->line, table->file) == NULL) {
        fclose(table->file);
        return 0;
    }
    size_t count = measurements_cut(table->line, table->cells);
    while (count < table->columns) {
        table->cells[count++] = table->line + strlen(table->line);
    }
    return 1;
}

/* The cell of column `name`, "" when there is no such column. */
static inline const char *measurements_text(const struct measurements *table, const char *name) {
    for (size_t i = 0; i < table->columns; i++) {
        if (strcmp(table->names[i], name) == 0) {
            return table->cells[i];
        }
    }
    return "";
}

static inline double measurements_number(const struct measurements *table, const char *name) {
    return strtod(measurements_text(table, name), NULL);
}

#endif
