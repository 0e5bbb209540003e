#include "cli/schema.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/kinds.h"

/* A number and a unit of the dimension, as units_parse reads them. */
#define NUMBER "^ *[-+]?[0-9][0-9_]*(\\.[0-9_]+)?([eE][-+]?[0-9]+)? *"

static const char *const unit_patterns[UNIT_DIMENSIONS] = {
    [UNIT_NONE] = NUMBER "$",
    [UNIT_BYTES] = NUMBER "([kMGTP]|[KMGTP]i)?B$",
    [UNIT_SECONDS] = NUMBER "(ps|ns|us|ms|s|min|h|d)$",
    [UNIT_BYTES_RATE] = NUMBER "(([kMGTP]|[KMGT]i)?B/s|[kMGT]?bit/s|[kMGT]bps)$",
    [UNIT_FLOP_RATE] = NUMBER "[kMGTPE]?FLOP/s$",
    [UNIT_FLOPS] = NUMBER "[kMGTPE]?FLOP$",
    [UNIT_POWER] = NUMBER "[kM]?W$",
    [UNIT_PRICE_RATE] = NUMBER "USD/h$",
    [UNIT_MONEY] = NUMBER "USD$",
    [UNIT_ENERGY] = NUMBER "([kM]?J|kWh)$",
};

const char *schema_pattern(enum dimension dimension) {
    return unit_patterns[dimension];
}

static void write_members(struct json *json, const struct field *fields, const struct document_kind *document);

static void write_pair(struct json *json, const char *key, const char *value) {
    json_key(json, key);
    json_string(json, value);
}

/* Nothing (null) in place of a block takes back what an extended document has there. */
static void write_block_type(struct json *json, const char *type, bool may_be_absent) {
    json_key(json, "type");
    if (!may_be_absent) {
        json_string(json, type);
        return;
    }
    json_open_array(json);
    json_string(json, type);
    json_string(json, "null");
    json_close_array(json);
}

static void write_enum(struct json *json, const struct field *field) {
    json_key(json, "enum");
    json_open_array(json);
    for (size_t i = 0; field->choices[i]; i++) {
        json_string(json, field->choices[i]);
    }
    json_close_array(json);
}

/* Bounds of a number; see struct field. */
static void write_bounds(struct json *json, const struct field *field, double least) {
    bool given = field->min < 0 || field->min > 0 || field->max < 0 || field->max > 0;
    json_key(json, field->flags & FIELD_POSITIVE ? "exclusiveMinimum" : "minimum");
    json_number(json, given ? field->min : least);
    if (given && field->max >= field->min) {
        json_key(json, "maximum");
        json_number(json, field->max);
    }
}

static void write_count(struct json *json, const struct field *field, double least) {
    write_pair(json, "type", "integer");
    write_bounds(json, field, least);
}

static void write_number(struct json *json, const struct field *field) {
    bool bounded = field->min < 0 || field->min > 0 || field->max < 0 || field->max > 0;
    write_pair(json, "type", "number");
    if (bounded || field->flags & FIELD_POSITIVE) {
        write_bounds(json, field, 0);
    }
}

static void open_choice(struct json *json) {
    json_key(json, "anyOf");
    json_open_array(json);
}

/* One alternative of an anyOf: a text of this pattern. */
static void write_pattern(struct json *json, const char *pattern) {
    json_open_object(json);
    write_pair(json, "type", "string");
    write_pair(json, "pattern", pattern);
    json_close_object(json);
}

static void write_ratio(struct json *json, const struct field *field) {
    open_choice(json);
    json_open_object(json);
    write_pair(json, "type", "number");
    write_bounds(json, field, 0);
    json_close_object(json);
    write_pattern(json, NUMBER "%$");
    json_close_array(json);
}

static void write_degrees(struct json *json, const struct field *field) {
    open_choice(json);
    json_open_object(json);
    write_count(json, field, 1);
    json_close_object(json);
    write_pattern(json, "^(auto|[0-9]+(\\.\\.[0-9]+)?( *, *[0-9]+(\\.\\.[0-9]+)?)*)$");
    json_open_object(json);
    write_pair(json, "type", "array");
    json_key(json, "items");
    json_open_object(json);
    open_choice(json);
    json_open_object(json);
    write_count(json, field, 1);
    json_close_object(json);
    write_pattern(json, "^[0-9]+\\.\\.[0-9]+$");
    json_close_array(json);
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
}

static void write_choices(struct json *json, const struct field *field) {
    open_choice(json);
    json_open_object(json);
    write_pair(json, "const", "auto");
    json_close_object(json);
    json_open_object(json);
    write_enum(json, field);
    json_close_object(json);
    json_open_object(json);
    write_pair(json, "type", "array");
    json_key(json, "items");
    json_open_object(json);
    write_enum(json, field);
    json_close_object(json);
    json_key(json, "uniqueItems");
    json_bool(json, true);
    json_close_object(json);
    json_close_array(json);
}

/* What an element of a list must be. */
static void write_item(struct json *json, const struct field *field) {
    json_key(json, "items");
    json_open_object(json);
    switch (field->kind) {
    case FIELD_STRUCTS:
        write_block_type(json, "object", false);
        write_members(json, field->fields, NULL);
        break;
    case FIELD_COUNTS:
        write_count(json, field, 0);
        break;
    case FIELD_NUMBERS:
        write_pair(json, "type", field->dimension == UNIT_NONE ? "number" : "string");
        break;
    case FIELD_TEXTS:
        write_pair(json, "type", "string");
        break;
    case FIELD_BOOL:
    case FIELD_COUNT:
    case FIELD_NUMBER:
    case FIELD_RATIO:
    case FIELD_QUANTITY:
    case FIELD_CHOICE:
    case FIELD_TEXT:
    case FIELD_DEGREES:
    case FIELD_CHOICES:
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
        break;
    }
    json_close_object(json);
}

static void write_kind(struct json *json, const struct field *field) {
    switch (field->kind) {
    case FIELD_BOOL:
        write_pair(json, "type", "boolean");
        break;
    case FIELD_COUNT:
        write_count(json, field, 0);
        break;
    case FIELD_NUMBER:
        write_number(json, field);
        break;
    case FIELD_RATIO:
        write_ratio(json, field);
        break;
    case FIELD_QUANTITY:
        write_pair(json, "type", "string");
        write_pair(json, "pattern", unit_patterns[field->dimension]);
        break;
    case FIELD_CHOICE:
        write_enum(json, field);
        break;
    case FIELD_TEXT:
        write_pair(json, "type", "string");
        break;
    case FIELD_DEGREES:
        write_degrees(json, field);
        break;
    case FIELD_CHOICES:
        write_choices(json, field);
        break;
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
        write_block_type(json, "object", !(field->flags & FIELD_REQUIRED));
        write_members(json, field->fields, NULL);
        break;
    case FIELD_STRUCTS:
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
    case FIELD_TEXTS:
        write_block_type(json, "array", !(field->flags & FIELD_REQUIRED));
        write_item(json, field);
        break;
    }
}

static void write_property(struct json *json, const struct field *field) {
    json_key(json, field->key);
    json_open_object(json);
    struct text doc;
    text_init(&doc, json->out->arena);
    text_add(&doc, field->doc ? field->doc : "");
    if (field->kind == FIELD_QUANTITY) {
        text_add_format(&doc, ", such as %s", units_example(field->dimension));
    }
    if (field->fallback && *field->fallback) {
        text_add_format(&doc, " (default %s)", field->fallback);
    }
    write_pair(json, "description", doc.data);
    write_kind(json, field);
    json_close_object(json);
}

/* Keys that every document may or must have besides its table's. */
static void write_document_keys(struct json *json, const struct document_kind *document) {
    json_key(json, "schema");
    json_open_object(json);
    write_pair(json, "description", "Kind and version of the document");
    write_pair(json, "const", arena_format(json->out->arena, "parplan/%s/v1", document->name));
    json_close_object(json);
    json_key(json, "extends");
    json_open_object(json);
    write_pair(json, "description", "Documents that this one overrides, by path or by the name of a shipped one");
    json_key(json, "anyOf");
    json_open_array(json);
    json_open_object(json);
    write_pair(json, "type", "string");
    json_close_object(json);
    json_open_object(json);
    write_pair(json, "type", "array");
    json_key(json, "items");
    json_open_object(json);
    write_pair(json, "type", "string");
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

/* Whether a table or a table inside it has a required key. */
static bool needs_any(const struct field *fields) {
    for (; fields->key; fields++) {
        if (fields->flags & FIELD_REQUIRED || (fields->fields && needs_any(fields->fields))) {
            return true;
        }
    }
    return false;
}

/* Required keys, also inside nested objects and lists of them. */
static void write_needs(struct json *json, const struct field *fields) {
    json_key(json, "required");
    json_open_array(json);
    for (const struct field *field = fields; field->key; field++) {
        if (field->flags & FIELD_REQUIRED) {
            json_string(json, field->key);
        }
    }
    json_close_array(json);
    json_key(json, "properties");
    json_open_object(json);
    for (const struct field *field = fields; field->key; field++) {
        if (!field->fields || !needs_any(field->fields)) {
            continue;
        }
        json_key(json, field->key);
        json_open_object(json);
        if (field->kind == FIELD_STRUCTS) {
            json_key(json, "items");
            json_open_object(json);
        }
        write_needs(json, field->fields);
        if (field->kind == FIELD_STRUCTS) {
            json_close_object(json);
        }
        json_close_object(json);
    }
    json_close_object(json);
}

/* A document that extends another may leave to that one what is required. */
static void write_document_needs(struct json *json, const struct field *fields) {
    json_key(json, "required");
    json_open_array(json);
    json_string(json, "schema");
    json_close_array(json);
    json_key(json, "if");
    json_open_object(json);
    json_key(json, "not");
    json_open_object(json);
    json_key(json, "required");
    json_open_array(json);
    json_string(json, "extends");
    json_close_array(json);
    json_close_object(json);
    json_close_object(json);
    json_key(json, "then");
    json_open_object(json);
    write_needs(json, fields);
    json_close_object(json);
}

static void write_members(struct json *json, const struct field *fields, const struct document_kind *document) {
    json_key(json, "properties");
    json_open_object(json);
    if (document) {
        write_document_keys(json, document);
    }
    for (const struct field *field = fields; field->key; field++) {
        if (!(field->flags & FIELD_NO_FILE)) {
            write_property(json, field);
        }
    }
    json_close_object(json);
    if (document) {
        write_document_needs(json, fields);
    }
    json_key(json, "patternProperties");
    json_open_object(json);
    json_key(json, "^x-");
    json_open_object(json);
    json_close_object(json);
    json_close_object(json);
    json_key(json, "additionalProperties");
    json_bool(json, false);
}

void schema_write(const struct document_kind *kind, struct text *out) {
    struct json json;
    json_init(&json, out, false);
    json_open_object(&json);
    write_pair(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    write_pair(&json, "title", arena_format(out->arena, "parplan %s", kind->name));
    write_pair(&json, "description", kind->doc);
    write_block_type(&json, "object", false);
    write_members(&json, kind->fields, kind);
    json_close_object(&json);
    text_add_char(out, '\n');
}
