/* Shorthand for rows of this folder's field tables: the key is the member's name. */
#ifndef PARPLAN_TOPOLOGY_ROW_H
#define PARPLAN_TOPOLOGY_ROW_H

#include <stddef.h>

#include "base/field.h"

#define ROW(type, member, word, ...)                                                                                   \
    { .key = #member, .kind = FIELD_##word, .offset = offsetof(struct type, member), __VA_ARGS__ }
#define BYTES_ROW(type, member, ...) ROW(type, member, QUANTITY, .dimension = UNIT_BYTES, __VA_ARGS__)
#define RATE_ROW(type, member, ...) ROW(type, member, QUANTITY, .dimension = UNIT_BYTES_RATE, __VA_ARGS__)
#define SECONDS_ROW(type, member, ...) ROW(type, member, QUANTITY, .dimension = UNIT_SECONDS, __VA_ARGS__)
#define SHARE_ROW(type, member, ...) ROW(type, member, RATIO, .max = 1, __VA_ARGS__)
/* A nested struct `type.member` of struct `inner` with its own table. */
#define STRUCT_ROW(type, member, inner, ...)                                                                           \
    ROW(type, member, STRUCT, .fields = inner##_fields, .size = sizeof(struct inner), __VA_ARGS__)
#define STRUCTS_ROW(type, member, inner, ...)                                                                          \
    ROW(type, member, STRUCTS, .fields = inner##_fields, .size = sizeof(struct inner), __VA_ARGS__)

#define SOURCE_DOC .doc = "Where these numbers come from"

#endif
