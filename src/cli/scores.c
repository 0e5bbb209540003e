#include "cli/scores.h"

#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"

/* Which cases a line of the summary counts. */
struct selection {
    const char *source; /* NULL: of all sources */
    int memory_kind;    /* -1: any */
    int specified;      /* 1: fully specified, 0: the others, -1: both */
};

static bool is_selected(const struct score_case *c, const void *context) {
    const struct selection *selection = context;
    return (!selection->source || text_equal(selection->source, c->input->source)) &&
           (selection->memory_kind < 0 || selection->memory_kind == (int)c->input->memory_kind) &&
           (selection->specified < 0 || selection->specified == (int)c->specified);
}

/* The lines of the summary: each source, then all, those fully specified, the others. */
static size_t time_lines(struct arena *arena, const struct scores *scores, struct score_errors **ret) {
    struct score_errors *lines = ARENA_ARRAY(arena, struct score_errors, scores->source_count + 3);
    static const struct {
        const char *name;
        int specified;
    } totals[] = {{"fully specified rows", 1}, {"the other rows", 0}, {"all rows", -1}};
    size_t count = 0;
    for (; count < scores->source_count; count++) {
        const struct selection selection = {scores->sources[count], -1, -1};
        lines[count] = score_time(arena, scores->cases, scores->count, is_selected, &selection);
        lines[count].name = scores->sources[count];
    }
    for (size_t i = 0; i < 3; i++, count++) {
        const struct selection selection = {NULL, -1, totals[i].specified};
        lines[count] = score_time(arena, scores->cases, scores->count, is_selected, &selection);
        lines[count].name = totals[i].name;
    }
    *ret = lines;
    return count;
}

static void memory_lines(struct arena *arena, const struct scores *scores, struct score_errors ret[MEMORY_KINDS]) {
    for (int kind = 0; kind < MEMORY_KINDS; kind++) {
        const struct selection selection = {NULL, kind, -1};
        ret[kind] = score_memory(arena, scores->cases, scores->count, is_selected, &selection);
        ret[kind].name = memory_kind_names[kind];
    }
}

static void add_number(struct json *json, const char *key, double value) {
    json_key(json, key);
    json_number(json, value);
}

/* Of no rows there is no error, not an error of 0. */
static double over_rows(const struct score_errors *errors, double value) {
    return errors->rows > 0 ? value : (double)NAN;
}

static void add_errors(struct json *json, const struct score_errors *errors) {
    json_open_object(json);
    json_key(json, "name");
    json_string(json, errors->name);
    json_key(json, "rows");
    json_integer(json, errors->rows);
    add_number(json, "mape", over_rows(errors, errors->mape));
    add_number(json, "median_ape", over_rows(errors, errors->median_ape));
    add_number(json, "p90_ape", over_rows(errors, errors->p90_ape));
    add_number(json, "max_ape", over_rows(errors, errors->max_ape));
    add_number(json, "bias", over_rows(errors, errors->bias));
    add_number(json, "spearman", over_rows(errors, errors->spearman));
    json_close_object(json);
}

static void add_case(struct json *json, const struct score_case *c) {
    json_open_object(json);
    json_key(json, "id");
    json_string(json, c->input->id);
    add_number(json, "measured_s", c->measured_s > 0 ? c->measured_s : (double)NAN);
    add_number(json, "predicted_s", c->predicted_s);
    add_number(json, "ape", c->ape);
    add_number(json, "measured_mem", c->measured_bytes > 0 ? c->measured_bytes : (double)NAN);
    add_number(json, "predicted_mem", c->measured_bytes > 0 ? c->predicted_bytes : (double)NAN);
    json_key(json, "memory_kind");
    json_string(json, c->measured_bytes > 0 ? memory_kind_names[c->input->memory_kind] : NULL);
    json_key(json, "specified");
    json_bool(json, c->specified);
    json_key(json, "filled");
    json_string(json, c->input->filled);
    json_close_object(json);
}

static void add_refused(struct json *json, const struct scores *scores) {
    json_key(json, "refused");
    json_open_array(json);
    for (size_t i = 0; i < scores->count; i++) {
        if (scores->cases[i].refusal) {
            json_open_object(json);
            json_key(json, "id");
            json_string(json, scores->cases[i].input->id);
            json_key(json, "reason");
            json_string(json, scores->cases[i].refusal);
            json_close_object(json);
        }
    }
    json_close_array(json);
}

void scores_json(const struct scores *scores, struct text *text) {
    struct score_errors *lines;
    struct score_errors memory[MEMORY_KINDS];
    size_t count = time_lines(text->arena, scores, &lines);
    memory_lines(text->arena, scores, memory);
    struct json json;
    json_init(&json, text, false);
    json_open_object(&json);
    json_key(&json, "rows");
    json_integer(&json, (int64_t)scores->count);
    json_key(&json, "priced");
    json_integer(&json, (int64_t)scores->priced);
    add_refused(&json, scores);
    json_key(&json, "sources");
    json_open_array(&json);
    for (size_t i = 0; i < scores->source_count; i++) {
        add_errors(&json, &lines[i]);
    }
    json_close_array(&json);
    json_key(&json, "totals");
    json_open_array(&json);
    for (size_t i = scores->source_count; i < count; i++) {
        add_errors(&json, &lines[i]);
    }
    json_close_array(&json);
    json_key(&json, "memory");
    json_open_array(&json);
    for (int kind = 0; kind < MEMORY_KINDS; kind++) {
        add_errors(&json, &memory[kind]);
    }
    json_close_array(&json);
    json_key(&json, "cases");
    json_open_array(&json);
    for (size_t i = 0; i < scores->count; i++) {
        if (!scores->cases[i].refusal) {
            add_case(&json, &scores->cases[i]);
        }
    }
    json_close_array(&json);
    json_close_object(&json);
    text_add_char(text, '\n');
}

static const char *percent(struct arena *arena, double ratio) {
    return isfinite(ratio) ? arena_format(arena, "%s%%", text_fixed(arena, 100 * ratio, 1)) : "-";
}

/* The part of a source's name before its parenthesis: enough to know it by. */
static const char *short_name(struct arena *arena, const char *name) {
    enum { MOST = 44 };
    size_t size = 0;
    while (name[size] && name[size] != '(' && size < MOST) {
        size++;
    }
    while (size > 0 && (name[size - 1] == ' ' || ((unsigned char)name[size] & 0xc0) == 0x80)) {
        size--;
    }
    return arena_copy(arena, name, size);
}

static void add_lines(const char *title, const struct score_errors *lines, size_t count, size_t width,
                      struct text *out) {
    struct arena *arena = out->arena;
    struct table table;
    table_init(&table, arena);
    table_column(&table, title, true, 0);
    table_column(&table, "rows", false, 0);
    table_column(&table, "mean error", false, 0);
    table_column(&table, "median", false, 1);
    table_column(&table, "90%", false, 2);
    table_column(&table, "largest", false, 3);
    table_column(&table, "bias", false, 1);
    table_column(&table, "rank corr.", false, 1);
    for (size_t i = 0; i < count; i++) {
        if (lines[i].rows == 0) {
            continue;
        }
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%s", short_name(arena, lines[i].name));
        table_set(&table, row, 1, "%lld", (long long)lines[i].rows);
        table_set(&table, row, 2, "%s", percent(arena, lines[i].mape));
        table_set(&table, row, 3, "%s", percent(arena, lines[i].median_ape));
        table_set(&table, row, 4, "%s", percent(arena, lines[i].p90_ape));
        table_set(&table, row, 5, "%s", percent(arena, lines[i].max_ape));
        table_set(&table, row, 6, "%s", percent(arena, lines[i].bias));
        table_set(&table, row, 7, "%s", isfinite(lines[i].spearman) ? text_fixed(arena, lines[i].spearman, 3) : "-");
    }
    text_add_char(out, '\n');
    table_render(&table, width, out);
}

static void add_cases(const struct scores *scores, size_t width, struct text *out) {
    struct arena *arena = out->arena;
    struct table table;
    table_init(&table, arena);
    table_column(&table, "row", true, 0);
    table_column(&table, "measured", false, 0);
    table_column(&table, "predicted", false, 0);
    table_column(&table, "error", false, 0);
    table_column(&table, "memory", false, 1);
    table_column(&table, "predicted", false, 1);
    table_column(&table, "error", false, 1);
    for (size_t i = 0; i < scores->count; i++) {
        const struct score_case *c = &scores->cases[i];
        if (c->refusal) {
            continue;
        }
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%s", c->input->id);
        table_set(&table, row, 2, "%s", units_human(arena, c->predicted_s, UNIT_SECONDS, 4));
        if (c->measured_s > 0) {
            table_set(&table, row, 1, "%s", units_human(arena, c->measured_s, UNIT_SECONDS, 4));
            table_set(&table, row, 3, "%s", percent(arena, c->predicted_s / c->measured_s - 1));
        }
        if (c->measured_bytes > 0) {
            table_set(&table, row, 4, "%s", units_human(arena, c->measured_bytes, UNIT_BYTES, 3));
            table_set(&table, row, 5, "%s", units_human(arena, c->predicted_bytes, UNIT_BYTES, 3));
            table_set(&table, row, 6, "%s", percent(arena, c->predicted_bytes / c->measured_bytes - 1));
        }
    }
    text_add_char(out, '\n');
    table_render(&table, width, out);
}

static void add_refusals(const struct scores *scores, struct text *out) {
    for (size_t i = 0; i < scores->count; i++) {
        const struct score_case *c = &scores->cases[i];
        if (c->refusal) {
            text_add_format(out, "refused %s: %s\n", c->input->id, c->refusal);
        }
    }
}

void scores_text(const struct scores *scores, bool cases, size_t width, struct text *out) {
    struct score_errors *lines;
    struct score_errors memory[MEMORY_KINDS];
    size_t count = time_lines(out->arena, scores, &lines);
    memory_lines(out->arena, scores, memory);
    text_add_format(out, "%zu rows, %zu priced, %zu refused\n", scores->count, scores->priced,
                    scores->count - scores->priced);
    add_lines("time", lines, count, width, out);
    if (memory[0].rows + memory[1].rows + memory[2].rows > 0) {
        add_lines("peak memory", memory, MEMORY_KINDS, width, out);
    }
    if (cases) {
        add_cases(scores, width, out);
        text_add_char(out, '\n');
        add_refusals(scores, out);
    }
}

void scores_csv(const struct scores *scores, struct text *out) {
    struct table table;
    table_init(&table, out->arena);
    static const char *const heads[] = {"id", "source", "measured_s", "predicted_s", "ape", "measured_mem",
                                        "predicted_mem", "memory_kind", "specified", "filled", "refused"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        table_column(&table, heads[i], true, 0);
    }
    for (size_t i = 0; i < scores->count; i++) {
        const struct score_case *c = &scores->cases[i];
        const double numbers[] = {c->measured_s, c->predicted_s, c->ape, c->measured_bytes, c->predicted_bytes};
        size_t row = table_row(&table);
        table_set(&table, row, 0, "%s", c->input->id);
        table_set(&table, row, 1, "%s", c->input->source);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            char number[32] = "";
            if (isfinite(numbers[k]) && (k == 2 || numbers[k] > 0) && !c->refusal) {
                text_shortest(numbers[k], number);
            }
            table_set(&table, row, 2 + k, "%s", number);
        }
        table_set(&table, row, 7, "%s", c->measured_bytes > 0 ? memory_kind_names[c->input->memory_kind] : "");
        table_set(&table, row, 8, "%s", c->specified ? "true" : "false");
        table_set(&table, row, 9, "%s", c->input->filled ? c->input->filled : "");
        table_set(&table, row, 10, "%s", c->refusal ? c->refusal : "");
    }
    table_csv(&table, out);
}
