#include "program/columns.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const char *const context_names[] = {"ring", "allgather", "ulysses", "usp", NULL};
static const char *const work_names[] = {"pass",   "block",  "kernel", "exchange", "message", "reduce",
                                         "gather", "update", "copy",   "barrier",  "host",    NULL};
static const char *const block_names[] = {"layer", "embedding", "head", "mtp", NULL};

#define AT(member) .offset = offsetof(struct program, member)
const struct column program_columns[] = {
    {.key = "detail", .kind = COLUMN_NAME, .fallback = -1, AT(detail), .names = detail_names},
    {.key = "tp", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.tp)},
    {.key = "pp", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.pp)},
    {.key = "vpp", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.vpp)},
    {.key = "dp", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.dp)},
    {.key = "cp", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.cp)},
    {.key = "ep", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.ep)},
    {.key = "etp", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.etp)},
    {.key = "zero", .kind = COLUMN_INT64, AT(parallel.zero)},
    {.key = "sp", .kind = COLUMN_FLAG, AT(parallel.sp)},
    {.key = "cp-kind", .kind = COLUMN_NAME, AT(parallel.cp_kind), .names = context_names},
    {.key = "ulysses", .kind = COLUMN_INT64, .fallback = 1, AT(parallel.ulysses)},
    {.key = "order", .kind = COLUMN_NAME, AT(parallel.order), .names = order_names},
    {.key = "micro-batches", .kind = COLUMN_INT64, .fallback = -1, AT(micro_batches)},
    {.key = "replicas", .kind = COLUMN_INT64, .fallback = 1, AT(replicas)},
    {.key = "lockstep", .kind = COLUMN_INT64, .fallback = 1, AT(lockstep)},
    {.key = "skips", .kind = COLUMN_FLAG, AT(skips)},
    {.key = NULL},
};
#undef AT

#define AT(member) .offset = offsetof(struct stage, member)
const struct column stage_columns[] = {
    {.key = "rank", .kind = COLUMN_INT64, .fallback = -1, AT(rank)},
    {.key = "chunk", .kind = COLUMN_INT64, AT(chunk)},
    {.key = "index", .kind = COLUMN_INT64, .fallback = -1, AT(index)},
    {.key = "way", .kind = COLUMN_INT64, AT(way)},
    {.key = "first", .kind = COLUMN_INT64, .fallback = -1, AT(first)},
    {.key = "layers", .kind = COLUMN_INT64, .fallback = -1, AT(layers)},
    {.key = "embedding", .kind = COLUMN_FLAG, AT(embedding)},
    {.key = "head", .kind = COLUMN_FLAG, AT(head)},
    {.key = "mtp", .kind = COLUMN_INT64, AT(mtp)},
    {.key = NULL},
};
#undef AT

#define BIT(index) (1u << (index))
enum {
    OF_BLOCK = BIT(WORK_BLOCK) | BIT(WORK_KERNEL) | BIT(WORK_EXCHANGE),
    COMMUNICATES = BIT(WORK_EXCHANGE) | BIT(WORK_REDUCE) | BIT(WORK_GATHER) | BIT(WORK_BARRIER),
    MESSAGES = BIT(STREAM_SEND_NEXT) | BIT(STREAM_SEND_PREVIOUS) | BIT(STREAM_RECEIVE_NEXT) |
               BIT(STREAM_RECEIVE_PREVIOUS)
};

#define AT(member) .offset = offsetof(struct work, member)
const struct column work_columns[] = {
    {.key = "kind", .kind = COLUMN_NAME8, .bare = true, AT(kind), .names = work_names},
    {.key = "action", .kind = COLUMN_NAME8, AT(action), .names = action_names, .shown = OF_BLOCK | BIT(WORK_PASS)},
    {.key = "block", .kind = COLUMN_NAME8, AT(block), .names = block_names, .shown = OF_BLOCK},
    {.key = "layer-kind", .kind = COLUMN_UINT8, AT(layer_kind)},
    {.key = "stage", .kind = COLUMN_INT32, .fallback = NOTHING, AT(stage)},
    {.key = "other", .kind = COLUMN_INT32, .fallback = NOTHING, AT(other)},
    {.key = "item", .kind = COLUMN_INT32, .fallback = NOTHING, AT(item)},
    {.key = "pieces", .kind = COLUMN_INT32, .fallback = 1, AT(pieces)},
    {.key = "collective", .kind = COLUMN_NAME, AT(collective), .names = collective_names, .shown = COMMUNICATES},
    {.key = "axis", .kind = COLUMN_NAME, AT(axis), .names = axis_names, .shown = COMMUNICATES},
    {.key = "size", .kind = COLUMN_INT64, .fallback = 1, AT(size)},
    {.key = "step", .kind = COLUMN_INT64, .fallback = 1, AT(step)},
    {.key = "bytes", .kind = COLUMN_DOUBLE, AT(bytes)},
    {.key = "parameters", .kind = COLUMN_DOUBLE, AT(parameters)},
    {.key = NULL},
};
#undef AT

#define AT(member) .offset = offsetof(struct meeting, member)
const struct column meeting_columns[] = {
    {.key = "axis", .kind = COLUMN_NAME, .bare = true, AT(axis), .names = axis_names},
    {.key = "size", .kind = COLUMN_INT64, .fallback = 1, AT(size)},
    {.key = "members", .kind = COLUMN_INT32, .fallback = 1, AT(members)},
    {.key = NULL},
};
#undef AT

const struct column role_columns[] = {
    {.key = "pipeline-rank", .kind = COLUMN_INT64, .fallback = -1, .offset = offsetof(struct role, pipeline_rank)},
    {.key = NULL},
};

#define AT(member) .offset = offsetof(struct tensor, member)
const struct column tensor_columns[] = {
    {.key = "class", .kind = COLUMN_NAME, .bare = true, AT(class), .names = tensor_class_names},
    {.key = "bytes", .kind = COLUMN_DOUBLE, AT(bytes)},
    {.key = "stage", .kind = COLUMN_INT32, .fallback = NOTHING, AT(stage)},
    {.key = "micro-batch", .kind = COLUMN_INT32, .fallback = NOTHING, AT(micro_batch)},
    {.key = NULL},
};
#undef AT

#define AT(member) .offset = offsetof(struct instruction, member)
const struct column instruction_columns[] = {
    {.key = "stream", .kind = COLUMN_NAME8, .bare = true, AT(stream), .names = stream_names},
    {.key = "action", .kind = COLUMN_NAME8, .bare = true, AT(action), .names = action_names},
    {.key = "stage", .kind = COLUMN_INT32, .fallback = NOTHING, AT(stage)},
    {.key = "layer", .kind = COLUMN_INT32, .fallback = NOTHING, AT(layer)},
    {.key = "micro-batch", .kind = COLUMN_INT32, .fallback = NOTHING, AT(micro_batch)},
    {.key = "work", .kind = COLUMN_INT32, .fallback = NOTHING, AT(work)},
    {.key = "meeting", .kind = COLUMN_INT32, .fallback = NOTHING, AT(meeting)},
    {.key = "peer", .kind = COLUMN_UINT16, AT(peer), .shown = MESSAGES},
    {.key = "partner", .kind = COLUMN_INT32, .fallback = NOTHING, AT(partner)},
    {.key = NULL},
};
#undef AT

int64_t column_integer(const struct column *column, const void *object) {
    const void *member = (const char *)object + column->offset;
    switch (column->kind) {
    case COLUMN_UINT8:
    case COLUMN_NAME8:
        return *(const uint8_t *)member;
    case COLUMN_UINT16:
        return *(const uint16_t *)member;
    case COLUMN_INT32:
        return *(const int32_t *)member;
    case COLUMN_INT64:
        return *(const int64_t *)member;
    case COLUMN_FLAG:
        return *(const bool *)member;
    case COLUMN_NAME:
        return *(const int *)member;
    case COLUMN_DOUBLE:
        break;
    }
    return 0;
}

bool column_set(const struct column *column, void *object, int64_t value) {
    void *member = (char *)object + column->offset;
    switch (column->kind) {
    case COLUMN_UINT8:
    case COLUMN_NAME8:
        *(uint8_t *)member = (uint8_t)value;
        return value >= 0 && value <= UINT8_MAX;
    case COLUMN_UINT16:
        *(uint16_t *)member = (uint16_t)value;
        return value >= 0 && value <= UINT16_MAX;
    case COLUMN_INT32:
        *(int32_t *)member = (int32_t)value;
        return value >= INT32_MIN && value <= INT32_MAX;
    case COLUMN_INT64:
        *(int64_t *)member = value;
        return true;
    case COLUMN_FLAG:
        *(bool *)member = value != 0;
        return true;
    case COLUMN_NAME:
        *(int *)member = (int)value;
        return true;
    case COLUMN_DOUBLE:
        break;
    }
    return false;
}

static double column_double(const struct column *column, const void *object) {
    double value;
    memcpy(&value, (const char *)object + column->offset, sizeof value);
    return value;
}

void columns_add_integer(struct text *out, int64_t value) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    text_add_bytes(out, digits + at, sizeof digits - at);
}

static void write_key(const struct column *column, struct text *out) {
    text_add_char(out, ' ');
    text_add(out, column->key);
    text_add_char(out, '=');
}

/* Whole numbers below this are written digit by digit, exactly. */
#define WHOLE_MOST 1e15

static void write_double(const struct column *column, double value, struct text *out) {
    char number[32];
    if (!(value < 0 || value > 0)) {
        return;
    }
    write_key(column, out);
    if (fabs(value) < WHOLE_MOST && !(value < trunc(value)) && !(value > trunc(value))) {
        columns_add_integer(out, (int64_t)value);
    } else {
        text_shortest(value, number);
        text_add(out, number);
    }
}

void columns_write(const struct column *columns, const void *object, struct text *out) {
    unsigned shown = columns->bare ? BIT(column_integer(columns, object)) : 0;
    for (const struct column *column = columns; column->key != NULL; column++) {
        if (column->kind == COLUMN_DOUBLE) {
            write_double(column, column_double(column, object), out);
            continue;
        }
        int64_t value = column_integer(column, object);
        if (column->bare) {
            text_add_char(out, ' ');
            text_add(out, column->names[value]);
        } else if (value == column->fallback && (column->shown & shown) == 0) {
            continue;
        } else if (column->kind == COLUMN_FLAG) {
            text_add_char(out, ' ');
            text_add(out, column->key);
        } else {
            write_key(column, out);
            if (column->names != NULL) {
                text_add(out, column->names[value]);
            } else {
                columns_add_integer(out, value);
            }
        }
    }
}

/* JSON keys have underscores. */
static void json_column_key(struct json *json, const char *key) {
    char name[32];
    size_t i = 0;
    for (; key[i] != '\0' && i < sizeof name - 1; i++) {
        name[i] = key[i] == '-' ? '_' : key[i];
    }
    name[i] = '\0';
    json_key(json, name);
}

void columns_json(const struct column *columns, const void *object, struct json *json) {
    for (const struct column *column = columns; column->key != NULL; column++) {
        json_column_key(json, column->key);
        if (column->kind == COLUMN_DOUBLE) {
            json_number(json, column_double(column, object));
        } else if (column->kind == COLUMN_FLAG) {
            json_bool(json, column_integer(column, object) != 0);
        } else if (column->names != NULL) {
            json_string(json, column->names[column_integer(column, object)]);
        } else if (column->fallback == NOTHING && column_integer(column, object) == NOTHING) {
            json_null(json);
        } else {
            json_integer(json, column_integer(column, object));
        }
    }
}
