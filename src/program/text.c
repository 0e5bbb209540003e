/* Written line by line, with effects beside the instructions that have them. */
#include "program/text.h"

#include "base/json.h"
#include "program/columns.h"

struct table {
    const char *word;
    const struct column *columns;
    const void *objects;
    int64_t count;
    size_t size;
};

enum { TABLES = 3 };

static void tables_of(const struct program *program, struct table ret[TABLES]) {
    ret[0] = (struct table){"stage", stage_columns, program->stages, program->stage_count, sizeof(struct stage)};
    ret[1] = (struct table){"work", work_columns, program->works, program->work_count, sizeof(struct work)};
    ret[2] = (struct table){"meeting", meeting_columns, program->meetings, program->meeting_count,
                            sizeof(struct meeting)};
}

static struct table tensors_of(const struct program *program, const struct role *role) {
    return (struct table){"tensor", tensor_columns, program->tensors + role->first_tensor, role->tensor_count,
                          sizeof(struct tensor)};
}

static const void *object_at(const struct table *table, int64_t index) {
    return (const char *)table->objects + (size_t)index * table->size;
}

static void write_table(const struct table *table, struct text *out) {
    for (int64_t i = 0; i < table->count; i++) {
        text_add(out, table->word);
        text_add_char(out, ' ');
        columns_add_integer(out, i);
        columns_write(table->columns, object_at(table, i), out);
        text_add_char(out, '\n');
    }
}

static void write_waits(const struct program *program, const struct instruction *instruction, struct text *out) {
    for (int32_t i = instruction[0].first_wait; i < instruction[1].first_wait; i++) {
        text_add(out, i == instruction->first_wait ? " after=" : ",");
        columns_add_integer(out, program->waits[i]);
    }
}

/* Effects of an instruction in their order: a new word where allocating and freeing change. Returns how many. */
static int64_t write_effects(const struct effect *effects, int64_t count, int32_t instruction, struct text *out) {
    int64_t i = 0;
    for (; i < count && effects[i].instruction == instruction; i++) {
        bool first = i == 0 || effects[i].frees != effects[i - 1].frees;
        text_add(out, first ? (effects[i].frees ? " frees=" : " allocates=") : ",");
        columns_add_integer(out, effects[i].tensor);
    }
    return i;
}

static void write_role(const struct program *program, const struct role *role, struct text *out) {
    const struct effect *effects = program->effects + role->first_effect;
    struct table tensors = tensors_of(program, role);
    int64_t written = 0;
    text_add_format(out, "role %lld", (long long)(role - program->roles));
    columns_write(role_columns, role, out);
    text_add_char(out, '\n');
    write_table(&tensors, out);
    for (int64_t i = 0; i < role->count; i++) {
        const struct instruction *instruction = &program->instructions[role->first + i];
        columns_add_integer(out, i);
        columns_write(instruction_columns, instruction, out);
        write_waits(program, instruction, out);
        written += write_effects(effects + written, role->effect_count - written, (int32_t)i, out);
        text_add_char(out, '\n');
    }
}

void program_write(const struct program *program, int64_t role, struct text *out) {
    struct table tables[TABLES];
    tables_of(program, tables);
    text_add(out, "parplan program v1");
    columns_write(program_columns, program, out);
    text_add_char(out, '\n');
    for (int i = 0; i < TABLES; i++) {
        write_table(&tables[i], out);
    }
    for (int64_t i = 0; i < program->role_count; i++) {
        if (role == ALL_ROLES || role == i) {
            write_role(program, &program->roles[i], out);
        }
    }
}

static void json_table(const struct table *table, const char *key, struct json *json) {
    json_key(json, key);
    json_open_array(json);
    for (int64_t i = 0; i < table->count; i++) {
        json_open_object(json);
        columns_json(table->columns, object_at(table, i), json);
        json_close_object(json);
    }
    json_close_array(json);
}

/* The tensors that an instruction allocates, or those that it frees. */
static void json_effects(const struct effect *effects, int64_t count, bool frees, struct json *json) {
    json_key(json, frees ? "frees" : "allocates");
    json_open_array(json);
    for (int64_t i = 0; i < count; i++) {
        if (effects[i].frees == frees) {
            json_integer(json, effects[i].tensor);
        }
    }
    json_close_array(json);
}

static int64_t json_instruction(const struct program *program, const struct instruction *instruction,
                                const struct effect *effects, int64_t count, int32_t index, struct json *json) {
    int64_t own = 0;
    while (own < count && effects[own].instruction == index) {
        own++;
    }
    json_open_object(json);
    columns_json(instruction_columns, instruction, json);
    json_key(json, "after");
    json_open_array(json);
    for (int32_t i = instruction[0].first_wait; i < instruction[1].first_wait; i++) {
        json_integer(json, program->waits[i]);
    }
    json_close_array(json);
    json_effects(effects, own, false, json);
    json_effects(effects, own, true, json);
    json_close_object(json);
    return own;
}

static void json_role(const struct program *program, const struct role *role, struct json *json) {
    const struct effect *effects = program->effects + role->first_effect;
    struct table tensors = tensors_of(program, role);
    int64_t written = 0;
    json_open_object(json);
    json_key(json, "role");
    json_integer(json, role - program->roles);
    columns_json(role_columns, role, json);
    json_table(&tensors, "tensors", json);
    json_key(json, "instructions");
    json_open_array(json);
    for (int64_t i = 0; i < role->count; i++) {
        written += json_instruction(program, &program->instructions[role->first + i], effects + written,
                                    role->effect_count - written, (int32_t)i, json);
    }
    json_close_array(json);
    json_close_object(json);
}

void program_json(const struct program *program, int64_t role, struct json *json) {
    static const char *const keys[TABLES] = {"stages", "works", "meetings"};
    struct table tables[TABLES];
    tables_of(program, tables);
    json_open_object(json);
    columns_json(program_columns, program, json);
    for (int i = 0; i < TABLES; i++) {
        json_table(&tables[i], keys[i], json);
    }
    json_key(json, "roles");
    json_open_array(json);
    for (int64_t i = 0; i < program->role_count; i++) {
        if (role == ALL_ROLES || role == i) {
            json_role(program, &program->roles[i], json);
        }
    }
    json_close_array(json);
    json_close_object(json);
}
