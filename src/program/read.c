/* Reads programs line by line: a word or a number says what the line is, then names that stand alone, then
 * key=value. */
#include "program/text.h"

#include <limits.h>
#include <string.h>

#include "program/columns.h"
#include "program/growing.h"

struct reader {
    struct arena *arena;
    const struct source *source;
    struct diag *diag;
    struct program *program;
    const char *at, *end; /* what is left of the line */
    const char *line;     /* its begin */
    unsigned number;
    struct growing stages, works, meetings, roles, tensors, instructions, waits, effects;
};

/* A piece of a line: up to a blank. */
struct token {
    const char *text;
    size_t size;
};

static struct mark mark_of(const struct reader *r, struct token token) {
    return (struct mark){r->source, r->number, (unsigned)(token.text - r->line) + 1, (unsigned)token.size};
}

__attribute__((format(printf, 3, 4))) static enum status refuse(struct reader *r, struct token token,
                                                                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    enum status status = diag_error(r->diag, mark_of(r, token), "%s", arena_vformat(r->arena, format, arguments));
    va_end(arguments);
    return status;
}

/* Copied for a message, not longer than helps. */
static const char *text_of(struct reader *r, struct token token) {
    enum { SHOWN_MOST = 40 };
    return arena_copy(r->arena, token.text, token.size < SHOWN_MOST ? token.size : SHOWN_MOST);
}

static bool next_token(struct reader *r, struct token *ret) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r')) {
        r->at++;
    }
    ret->text = r->at;
    while (r->at < r->end && *r->at != ' ' && *r->at != '\t' && *r->at != '\r') {
        r->at++;
    }
    ret->size = (size_t)(r->at - ret->text);
    return ret->size > 0;
}

static bool is_word(struct token token, const char *word) {
    return token.size == strlen(word) && memcmp(token.text, word, token.size) == 0;
}

static bool read_integer(struct token token, int64_t *ret) {
    long long value = 0;
    bool read = text_integer(token.text, token.size, &value);
    *ret = value;
    return read;
}

static enum status set_name(struct reader *r, const struct column *column, struct token value, void *object) {
    for (int i = 0; column->names[i] != NULL; i++) {
        if (is_word(value, column->names[i])) {
            (void)column_set(column, object, i);
            return OK;
        }
    }
    enum status status = refuse(r, value, "there is no %s '%s'", column->key, text_of(r, value));
    size_t count = 0;
    while (column->names[count] != NULL) {
        count++;
    }
    const char *near = text_nearest(text_of(r, value), column->names, count);
    if (near != NULL) {
        diag_help(r->diag, "did you mean %s?", near);
    }
    return status;
}

/* Whole numbers below this are doubles without rounding. */
static const int64_t WHOLE_MOST = INT64_C(1) << 53;

static enum status set_value(struct reader *r, const struct column *column, struct token value, void *object) {
    int64_t number = 0;
    if (column->names != NULL) {
        return set_name(r, column, value, object);
    }
    if (column->kind == COLUMN_DOUBLE) {
        double amount = 0;
        if (read_integer(value, &number) && number > -WHOLE_MOST && number < WHOLE_MOST) {
            amount = (double)number;
        } else if (!text_number(value.text, value.size, &amount)) {
            return refuse(r, value, "%s: '%s' is no number", column->key, text_of(r, value));
        }
        memcpy((char *)object + column->offset, &amount, sizeof amount);
        return OK;
    }
    if (!read_integer(value, &number)) {
        return refuse(r, value, "%s: '%s' is no whole number", column->key, text_of(r, value));
    }
    if (!column_set(column, object, number)) {
        return refuse(r, value, "%s: %lld is too large", column->key, (long long)number);
    }
    return OK;
}

static void set_fallbacks(const struct column *columns, void *object) {
    for (const struct column *column = columns; column->key != NULL; column++) {
        if (column->kind != COLUMN_DOUBLE) {
            (void)column_set(column, object, column->bare ? 0 : column->fallback);
        }
    }
}

/* Numbers with commas between, each given to `add`. */
static enum status read_list(struct reader *r, struct token list, enum status (*add)(struct reader *, int32_t)) {
    const char *at = list.text, *end = list.text + list.size;
    while (at <= end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        struct token one = {at, (size_t)((comma != NULL ? comma : end) - at)};
        int64_t value = 0;
        if (!read_integer(one, &value) || value < 0 || value > INT32_MAX) {
            return refuse(r, one.size > 0 ? one : list, "'%s' is no index", text_of(r, one.size > 0 ? one : list));
        }
        TRY(add(r, (int32_t)value));
        at = one.text + one.size + 1;
    }
    return OK;
}

static struct role *role_now(const struct reader *r) {
    return growing_at(&r->roles, r->roles.count - 1);
}

static enum status add_wait(struct reader *r, int32_t before) {
    *(int32_t *)growing_add(r->arena, &r->waits) = before;
    return OK;
}

static enum status add_effect(struct reader *r, int32_t tensor, bool frees) {
    struct effect *effect = growing_add(r->arena, &r->effects);
    *effect = (struct effect){(int32_t)role_now(r)->count, tensor, frees};
    role_now(r)->effect_count++;
    return OK;
}

static enum status add_allocated(struct reader *r, int32_t tensor) {
    return add_effect(r, tensor, false);
}

static enum status add_freed(struct reader *r, int32_t tensor) {
    return add_effect(r, tensor, true);
}

/* What an instruction has besides its columns. */
static const struct {
    const char *key;
    enum status (*add)(struct reader *, int32_t);
} lists[] = {{"after", add_wait}, {"allocates", add_allocated}, {"frees", add_freed}};

/* A flag stands alone, everything else has a value. */
static enum status read_column(struct reader *r, const struct column *column, struct token token,
                               const struct token *value, void *object) {
    bool flag = column->kind == COLUMN_FLAG;
    if (flag != (value == NULL)) {
        return refuse(r, token, flag ? "%s: it takes no value" : "%s: it has no value", column->key);
    }
    return flag ? (column_set(column, object, 1) ? OK : STATUS_BUG) : set_value(r, column, *value, object);
}

static enum status read_pair(struct reader *r, const struct column *columns, struct token token, void *object) {
    const char *equals = memchr(token.text, '=', token.size);
    struct token key = {token.text, equals != NULL ? (size_t)(equals - token.text) : token.size};
    struct token value = {equals != NULL ? equals + 1 : token.text + token.size,
                          equals != NULL ? token.size - key.size - 1 : 0};
    for (const struct column *column = columns; column->key != NULL; column++) {
        if (column->bare || !is_word(key, column->key)) {
            continue;
        }
        return read_column(r, column, token, equals != NULL ? &value : NULL, object);
    }
    for (size_t i = 0; columns == instruction_columns && i < sizeof lists / sizeof *lists; i++) {
        if (is_word(key, lists[i].key) && equals != NULL) {
            return read_list(r, value, lists[i].add);
        }
    }
    return refuse(r, key.size > 0 ? key : token, "there is no key '%s' here", text_of(r, key));
}

static enum status read_columns(struct reader *r, const struct column *columns, void *object) {
    struct token token;
    set_fallbacks(columns, object);
    for (const struct column *column = columns; column->key != NULL && column->bare; column++) {
        if (!next_token(r, &token)) {
            return refuse(r, token, "the line ends before its %s", column->key);
        }
        TRY(set_name(r, column, token, object));
    }
    while (next_token(r, &token)) {
        TRY(read_pair(r, columns, token, object));
    }
    return OK;
}

/* The line's number must be that of the next of its kind. */
static enum status read_number(struct reader *r, struct token token, int64_t expected) {
    int64_t number = 0;
    if (!read_integer(token, &number) || number != expected) {
        return refuse(r, token, "'%s' stands where %lld is expected", text_of(r, token), (long long)expected);
    }
    return OK;
}

static enum status read_role(struct reader *r) {
    struct role *role = growing_add(r->arena, &r->roles);
    *role = (struct role){.first = r->instructions.count,
                          .first_tensor = r->tensors.count,
                          .first_effect = r->effects.count};
    return read_columns(r, role_columns, role);
}

static enum status read_instruction(struct reader *r, struct token number) {
    if (r->roles.count == 0) {
        return refuse(r, number, "'%s' stands before the first role", text_of(r, number));
    }
    TRY(read_number(r, number, role_now(r)->count));
    struct instruction instruction = {.first_wait = (int32_t)r->waits.count};
    TRY(read_columns(r, instruction_columns, &instruction));
    *(struct instruction *)growing_add(r->arena, &r->instructions) = instruction;
    role_now(r)->count++;
    return OK;
}

static enum status read_row(struct reader *r, struct growing *rows, const struct column *columns, int64_t count) {
    struct token number;
    (void)next_token(r, &number);
    TRY(read_number(r, number, count));
    return read_columns(r, columns, growing_add(r->arena, rows));
}

static enum status read_line(struct reader *r) {
    struct token word;
    if (!next_token(r, &word)) {
        return OK;
    }
    if (is_word(word, "stage")) {
        return read_row(r, &r->stages, stage_columns, r->stages.count);
    }
    if (is_word(word, "work")) {
        return read_row(r, &r->works, work_columns, r->works.count);
    }
    if (is_word(word, "meeting")) {
        return read_row(r, &r->meetings, meeting_columns, r->meetings.count);
    }
    if (is_word(word, "role")) {
        struct token number;
        (void)next_token(r, &number);
        TRY(read_number(r, number, r->roles.count));
        return read_role(r);
    }
    if (is_word(word, "tensor") && r->roles.count > 0) {
        TRY(read_row(r, &r->tensors, tensor_columns, role_now(r)->tensor_count));
        role_now(r)->tensor_count++;
        return OK;
    }
    if (word.text[0] >= '0' && word.text[0] <= '9') {
        return read_instruction(r, word);
    }
    return refuse(r, word, "'%s' begins no line", text_of(r, word));
}

static enum status read_head(struct reader *r) {
    static const char *const words[] = {"parplan", "program", "v1"};
    struct token token;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!next_token(r, &token) || !is_word(token, words[i])) {
            return refuse(r, token, "no program: it does not begin with 'parplan program v1'");
        }
    }
    return read_columns(r, program_columns, r->program);
}

static bool next_line(struct reader *r) {
    const char *end = r->source->text + r->source->size;
    if (r->number == 0 ? r->source->size == 0 : r->end == end || r->end + 1 == end) {
        return false;
    }
    r->line = r->number == 0 ? r->source->text : r->end + 1;
    const char *newline = memchr(r->line, '\n', (size_t)(end - r->line));
    r->at = r->line;
    r->end = newline != NULL ? newline : end;
    r->number++;
    return true;
}

static void finish(struct reader *r) {
    struct program *program = r->program;
    struct instruction *last = growing_add(r->arena, &r->instructions);
    *last = (struct instruction){.first_wait = (int32_t)r->waits.count};
    program->roles = growing_at(&r->roles, 0);
    program->instructions = growing_at(&r->instructions, 0);
    program->waits = growing_at(&r->waits, 0);
    program->works = growing_at(&r->works, 0);
    program->stages = growing_at(&r->stages, 0);
    program->meetings = growing_at(&r->meetings, 0);
    program->tensors = growing_at(&r->tensors, 0);
    program->effects = growing_at(&r->effects, 0);
    program->role_count = r->roles.count;
    program->count = r->instructions.count - 1;
    program->wait_count = r->waits.count;
    program->work_count = r->works.count;
    program->stage_count = r->stages.count;
    program->meeting_count = r->meetings.count;
    program->tensor_count = r->tensors.count;
    program->effect_count = r->effects.count;
}

enum status program_read(struct arena *arena, const struct source *source, struct program *ret, struct diag *diag) {
    struct reader r = {.arena = arena, .source = source, .diag = diag, .program = ret};
    *ret = (struct program){.detail = DETAIL_PASS};
    growing_open(arena, &r.stages, sizeof(struct stage));
    growing_open(arena, &r.works, sizeof(struct work));
    growing_open(arena, &r.meetings, sizeof(struct meeting));
    growing_open(arena, &r.roles, sizeof(struct role));
    growing_open(arena, &r.tensors, sizeof(struct tensor));
    growing_open(arena, &r.instructions, sizeof(struct instruction));
    growing_open(arena, &r.waits, sizeof(int32_t));
    growing_open(arena, &r.effects, sizeof(struct effect));
    if (source->size > INT32_MAX) {
        return diag_error(diag, (struct mark){.source = source}, "a program of more than 2 GiB");
    }
    if (!next_line(&r)) {
        return diag_error(diag, (struct mark){.source = source}, "no program: the text is empty");
    }
    TRY(read_head(&r));
    enum status status = OK;
    while (next_line(&r) && diag->count < DIAG_LIMIT) {
        enum status line = read_line(&r);
        status = status == OK ? line : status;
    }
    finish(&r);
    return status;
}
