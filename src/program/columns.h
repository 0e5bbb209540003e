/* The members of a program's structs as text: one table a struct drives writing, reading and JSON. */
#ifndef PARPLAN_PROGRAM_COLUMNS_H
#define PARPLAN_PROGRAM_COLUMNS_H

#include <stddef.h>

#include "program/program.h"

struct json;
struct text;

enum column_kind {
    COLUMN_UINT8,
    COLUMN_UINT16,
    COLUMN_INT32,
    COLUMN_INT64,
    COLUMN_DOUBLE,
    COLUMN_FLAG,  /* bool: the key alone when true */
    COLUMN_NAME8, /* uint8_t that names stand for */
    COLUMN_NAME   /* an enum or int */
};

struct column {
    const char *key;          /* NULL ends the table */
    enum column_kind kind;
    bool bare;                /* stands first on the line, without its key */
    size_t offset;
    const char *const *names; /* of names; NULL-terminated */
    int64_t fallback;         /* not written when it is this, but for these values of the table's first: bits */
    unsigned shown;
};

extern const struct column program_columns[], stage_columns[], work_columns[], meeting_columns[], role_columns[],
    tensor_columns[], instruction_columns[];

/* Decimal digits, faster than a format. */
void columns_add_integer(struct text *out, int64_t value);
/* " key=value" for every member that is not its fallback; bare ones always. */
void columns_write(const struct column *columns, const void *object, struct text *out);
/* All members, into the object that is open. */
void columns_json(const struct column *columns, const void *object, struct json *json);

/* The value of a member as a number; of doubles not defined. */
int64_t column_integer(const struct column *column, const void *object);
/* False if it does not fit. */
bool column_set(const struct column *column, void *object, int64_t value);

#endif
