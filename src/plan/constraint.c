/* A disjunction of conjunctions of comparisons, flat. */
#include "plan/constraint.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum operator{LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL};

struct operand {
    int name; /* index into names, or -1: the number */
    int64_t number;
};

struct comparison {
    struct operand left, right;
    enum operator operator;
    bool last; /* the last of its conjunction */
};

struct constraint {
    struct comparison *items;
    size_t count;
};

static const char *const names[] = {"tp",  "pp",   "vpp", "dp",          "cp",           "ep",
                                    "etp", "zero", "sp",  "micro_batch", "micro_batches"};
enum { NAMES = sizeof names / sizeof names[0] };

static int64_t value_of(const struct operand *operand, const struct decision *d) {
    const struct parallel *p = &d->parallel;
    const int64_t values[NAMES] = {p->tp,  p->pp,   p->vpp,        p->dp,          p->cp,           p->ep,
                                   p->etp, p->zero, p->sp ? 1 : 0, d->micro_batch, d->micro_batches};
    return operand->name < 0 ? operand->number : values[operand->name];
}

static bool compare(const struct comparison *c, const struct decision *d) {
    int64_t left = value_of(&c->left, d), right = value_of(&c->right, d);
    switch (c->operator) {
    case LESS:
        return left < right;
    case LESS_EQUAL:
        return left <= right;
    case GREATER:
        return left > right;
    case GREATER_EQUAL:
        return left >= right;
    case EQUAL:
        return left == right;
    case NOT_EQUAL:
        return left != right;
    }
    return false;
}

bool constraint_forbids(const struct constraint *constraint, const struct decision *decision) {
    bool all = true;
    for (size_t i = 0; i < constraint->count; i++) {
        all = all && compare(&constraint->items[i], decision);
        if (constraint->items[i].last) {
            if (all) {
                return true;
            }
            all = true;
        }
    }
    return false;
}

/* What is left of one text. */
struct reader {
    struct diag *diag;
    const char *text, *at;
};

static void skip_blanks(struct reader *r) {
    r->at += strspn(r->at, " \t");
}

static enum status read_error(struct reader *r, const char *wanted) {
    enum status status = diag_error(r->diag, NO_MARK, "forbid: '%s': %s expected at '%s'", r->text, wanted,
                                    *r->at != '\0' ? r->at : "the end");
    diag_help(r->diag, "such as 'tp > 8' or 'ep > 1 && cp > 1'");
    return status;
}

static enum status read_operand(struct reader *r, struct operand *ret) {
    skip_blanks(r);
    size_t size = strspn(r->at, "abcdefghijklmnopqrstuvwxyz_0123456789");
    for (int i = 0; i < NAMES; i++) {
        if (strlen(names[i]) == size && strncmp(names[i], r->at, size) == 0) {
            r->at += size;
            ret->name = i;
            return OK;
        }
    }
    long long number = 0;
    if (size == 0 || !text_integer(r->at, size, &number)) {
        return read_error(r, "an axis or a whole number");
    }
    r->at += size;
    *ret = (struct operand){-1, number};
    return OK;
}

static enum status read_operator(struct reader *r, enum operator*ret) {
    static const struct { const char *text; enum operator operator; } known[] = {
        {"<=", LESS_EQUAL}, {">=", GREATER_EQUAL}, {"==", EQUAL}, {"!=", NOT_EQUAL}, {"<", LESS}, {">", GREATER},
    };
    skip_blanks(r);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (text_starts(r->at, known[i].text)) {
            r->at += strlen(known[i].text);
            *ret = known[i].operator;
            return OK;
        }
    }
    return read_error(r, "a comparison");
}

static enum status read_text(struct reader *r, struct constraint *constraint) {
    for (;;) {
        struct comparison *c = &constraint->items[constraint->count];
        TRY(read_operand(r, &c->left));
        TRY(read_operator(r, &c->operator));
        TRY(read_operand(r, &c->right));
        constraint->count++;
        skip_blanks(r);
        c->last = !text_starts(r->at, "&&");
        if (*r->at == '\0') {
            return OK;
        }
        if (!text_starts(r->at, "&&") && !text_starts(r->at, "||")) {
            return read_error(r, "&& or ||");
        }
        r->at += 2;
    }
}

enum status constraint_parse(struct arena *arena, const struct list *texts, const struct constraint **ret,
                             struct diag *diag) {
    *ret = NULL;
    if (texts->count == 0) {
        return OK;
    }
    size_t room = 0;
    for (size_t i = 0; i < texts->count; i++) {
        room += strlen(((const char **)texts->items)[i]) / 3 + 1;
    }
    struct constraint *constraint = ARENA_NEW(arena, struct constraint);
    constraint->items = ARENA_ARRAY(arena, struct comparison, room);
    for (size_t i = 0; i < texts->count; i++) {
        struct reader reader = {.diag = diag, .text = ((const char **)texts->items)[i]};
        reader.at = reader.text;
        TRY(read_text(&reader, constraint));
    }
    *ret = constraint;
    return OK;
}
