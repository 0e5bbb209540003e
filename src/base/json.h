/* Writes JSON, indented by two blanks, keys in the order given, numbers as shortest exact decimals. Non-finite numbers
 * become null. Output goes to a text. */
#ifndef PARPLAN_BASE_JSON_H
#define PARPLAN_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct field;

struct json {
    struct text *out;
    int depth;
    bool compact;   /* one line */
    bool has_items; /* the open container has an item already */
    bool after_key;
};

void json_init(struct json *json, struct text *out, bool compact);
void json_open_object(struct json *json);
void json_close_object(struct json *json);
void json_open_array(struct json *json);
void json_close_array(struct json *json);
void json_key(struct json *json, const char *key);
void json_string(struct json *json, const char *text); /* NULL writes null */
void json_number(struct json *json, double value);
void json_integer(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* One object of all members of `object`; quantities in base units with the unit in the key ("step_time" of dimension
 * seconds becomes "step_time_s"). */
void json_fields(struct json *json, const struct field *fields, const void *object);
/* The members only, into the object that is open. */
void json_members(struct json *json, const struct field *fields, const void *object);

#endif
