/* The field table: the one declaration of a value. It drives YAML and JSON load and save, command-line flags, help, man
 * tables, completion, JSON output, `parplan schema` and the fuzzers' dictionary. A table is an array of rows that ends
 * with a row whose key is NULL; rows describe members of one C struct by offset. */
#ifndef PARPLAN_BASE_FIELD_H
#define PARPLAN_BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

enum field_kind {
    FIELD_BOOL,     /* bool: true | false */
    FIELD_COUNT,    /* int64_t: a whole number in [min, max] */
    FIELD_NUMBER,   /* double without unit in [min, max] */
    FIELD_RATIO,    /* double in [min, max]; "0.62" or "62%" */
    FIELD_QUANTITY, /* double with the unit of `dimension` */
    FIELD_CHOICE,   /* int: index into `choices` */
    FIELD_TEXT,     /* const char * in the arena, NULL if absent */
    FIELD_DEGREES,  /* struct degrees: auto | 8 | [1, 2, 4] | 1..16 ; on the command line 1,2,4 */
    FIELD_CHOICES,  /* uint64_t: set of choices, bit i = choices[i]; auto = all bits; a list or one word */
    FIELD_STRUCT,   /* the nested struct itself, by `fields` */
    FIELD_OPTIONAL, /* pointer to a nested struct, NULL if absent */
    FIELD_STRUCTS,  /* struct list of nested structs, by `fields` */
    FIELD_COUNTS,   /* struct list of int64_t */
    FIELD_NUMBERS,  /* struct list of double */
    FIELD_TEXTS     /* struct list of const char * */
};

enum field_flag {
    FIELD_REQUIRED = 1, /* must be present in a document */
    FIELD_ALWAYS = 128, /* written also when it equals its fallback: a later fallback must not change the document */
    FIELD_NO_FLAG = 2,  /* not a command-line flag (document only) */
    FIELD_NO_FILE = 4,  /* command line only */
    FIELD_POSITIVE = 8, /* zero is refused although min is 0 */
    FIELD_KEY = 16,     /* member of FIELD_STRUCTS: elements are known by it; `extends` merges by it */
    FIELD_OUTPUT = 32,  /* a result: written, accepted on load, ignored by the program */
    FIELD_HIDDEN = 64   /* not in help */
};

struct list {
    void *items; /* elements one after another, in the arena */
    size_t count;
};

/* What a degree may be: all that is legal (any), or the listed values, ascending and without repeats. */
struct degrees {
    bool any;
    const int64_t *values;
    size_t count;
};

struct field {
    const char *key; /* in documents; the flag is the same with '-' for '_' unless `flag` says otherwise */
    enum field_kind kind;
    size_t offset;
    enum dimension dimension;
    const char *fallback; /* value when absent, written as in a document; NULL: zero, NULL, {0} or auto */
    double min, max;      /* inclusive; both 0 = only what the kind itself demands (counts and quantities >= 0, degrees
                           * >= 1, ratios 0..1, numbers anything); max below min = no upper bound */
    const char *const *choices; /* NULL-terminated */
    const struct field *fields;
    size_t size;            /* size of the nested struct */
    const char *flag;       /* command-line name without "--"; NULL = from key */
    char letter;            /* short option letter, 0 = none */
    const char *value_name; /* placeholder in help, such as N or FILE; NULL = by kind */
    const char *doc;        /* one sentence, no full stop, units named */
    unsigned flags;         /* enum field_flag */
};

#define FIELD_END                                                                                                      \
    { .key = NULL }

size_t field_count(const struct field *fields);
const struct field *field_find(const struct field *fields, const char *key);

/* Sets every member of `object` to its fallback (nested structs too). Fallbacks are trusted: a wrong one is a bug. */
struct arena;
void field_defaults(struct arena *arena, const struct field *fields, void *object);

/* Parses the text of one scalar (or comma-separated list for the list kinds) into `object`'s member; used by the
 * command line and by defaults. False with `*ret_reason` on a bad value. */
bool field_parse(struct arena *arena, const struct field *field, const char *text, void *object,
                 const char **ret_reason);

/* The member as text, as a document would have it; NULL for nested kinds. */
const char *field_text(struct arena *arena, const struct field *field, const void *object);
/* Whether the member equals its fallback (nested structs: all members do). */
bool field_is_default(struct arena *arena, const struct field *field, const void *object);

/* Name of the choice a member holds, e.g. field_choice(fields, "precision", job). */
const char *field_choice(const struct field *fields, const char *key, const void *object);

const char *field_choice_name(const struct field *field, int index); /* NULL: no such choice */
uint64_t field_all_choices(const struct field *field);               /* the set of all choices */

const char *field_placeholder(const struct field *field);                 /* "N", "BYTES", "NAME" ...; for help */
const char *field_values(struct arena *arena, const struct field *field); /* "none|selective|full"; "" if no choices */

static inline void *field_member(const struct field *field, const void *object) {
    return (char *)(uintptr_t)object + field->offset;
}

#endif
