/* Rows of tests/oracle/pp_*.csv: comma-separated, no quotes, columns by their names in the first line. */
#ifndef PARPLAN_TESTS_UNIT_SCHEDULE_ORACLE_H
#define PARPLAN_TESTS_UNIT_SCHEDULE_ORACLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../support.h"
#include "schedule/schedule.h"

enum { ORACLE_COLUMNS = 20 };

struct oracle {
    char *next; /* rest of the text; lines are cut off it */
    const char *names[ORACLE_COLUMNS], *fields[ORACLE_COLUMNS];
    size_t columns;
};

static inline size_t oracle_cut(char *line, const char **fields) {
    size_t count = 0;
    for (char *at = line; at != NULL && count < ORACLE_COLUMNS;) {
        fields[count++] = at;
        at = strchr(at, ',');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

static inline char *oracle_line(struct oracle *oracle) {
    char *line = oracle->next;
    char *end = line == NULL ? NULL : strchr(line, '\n');
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    oracle->next = end + 1;
    return line;
}

/* False if the file cannot be read. */
static inline bool oracle_open(struct oracle *oracle, struct arena *arena, const char *name) {
    const char *path = support_path(arena, arena_format(arena, "tests/oracle/%s", name));
    const char *text = support_file(arena, path);
    oracle->next = text == NULL ? NULL : arena_text(arena, text);
    char *line = oracle_line(oracle);
    oracle->columns = line == NULL ? 0 : oracle_cut(line, oracle->names);
    return oracle->columns > 0;
}

static inline bool oracle_next(struct oracle *oracle) {
    char *line = oracle_line(oracle);
    return line != NULL && oracle_cut(line, oracle->fields) == oracle->columns;
}

/* A field of the row at hand; "" if there is no such column. */
static inline const char *oracle_field(const struct oracle *oracle, const char *name) {
    for (size_t i = 0; i < oracle->columns; i++) {
        if (strcmp(oracle->names[i], name) == 0) {
            return oracle->fields[i];
        }
    }
    return "";
}

static inline double oracle_number(const struct oracle *oracle, const char *name) {
    return strtod(oracle_field(oracle, name), NULL);
}

static inline int64_t oracle_count(const struct oracle *oracle, const char *name) {
    return strtoll(oracle_field(oracle, name), NULL, 10);
}

/* Names in pp_*.csv that are not ours. Of rows with another source than "own" only the order counts. */
static inline const struct schedule *oracle_schedule(const struct oracle *oracle) {
    static const char *const others[][2] = {
        {"eager1f1b", "eager-1f1b"}, {"wave-w1", "wave"}, {"wave-w2", "wave"}};
    const char *name = oracle_field(oracle, "schedule");
    if (strcmp(oracle_field(oracle, "source"), "own") != 0) {
        return NULL;
    }
    for (size_t i = 0; i < ROWS(others); i++) {
        name = strcmp(name, others[i][0]) == 0 ? others[i][1] : name;
    }
    return schedule_find(name);
}

/* Rows of a file that a schedule must have: none may be left out. */
struct oracle_rows {
    enum schedule_name schedule;
    int rows;
};

static inline size_t oracle_index(const struct schedule *schedule) {
    size_t index = 0;
    while (schedules[index] != schedule) {
        index++;
    }
    return index;
}

#endif
