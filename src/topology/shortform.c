/* The short form of a topology, 8xh100-sxm*64@8x400G: read from left to right, an error underlines what is wrong. */
#include "topology/shortform.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "topology/resize.h"

/* As in a document. */
enum { NODE_DEVICES = 65536, NODE_NICS = 1024 };
#define RATE_MOST 1e18

static const char GRAMMAR[] = "the short form is COUNTxDEVICE[*NODES][@NICSxRATE], such as 8xh100-sxm*64@8x400G";

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct source *source;
    const char *text;
    size_t at;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool shortform_is(const char *text) {
    size_t digits = 0;
    while (is_digit(text[digits])) {
        digits++;
    }
    char first = digits > 0 && text[digits] == 'x' ? text[digits + 1] : '\0';
    return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || is_digit(first);
}

/* Marks `length` bytes from `at`, at least one, so that the end of the text can be marked too. */
static struct mark mark_at(const struct reader *reader, size_t at, size_t length) {
    return (struct mark){reader->source, 1, (unsigned)at + 1, (unsigned)(length > 0 ? length : 1)};
}

/* A whole number from 1 to `most`. */
static enum status read_count(struct reader *reader, const char *what, int most, int64_t *ret_count) {
    size_t from = reader->at, size = 0;
    long long value = 0;
    while (is_digit(reader->text[from + size])) {
        size++;
    }
    if (size == 0) {
        diag_error(reader->diag, mark_at(reader, from, 0), "%s: a whole number is wanted here", what);
        diag_help(reader->diag, "%s", GRAMMAR);
        return STATUS_INVALID;
    }
    if (!text_integer(reader->text + from, size, &value) || value < 1 || value > most) {
        return diag_error(reader->diag, mark_at(reader, from, size), "%s: %.*s is not between 1 and %d", what,
                          (int)(size < 40 ? size : 40), reader->text + from, most);
    }
    reader->at = from + size;
    *ret_count = value;
    return OK;
}

static enum status read_sign(struct reader *reader, char sign) {
    if (reader->text[reader->at] == sign) {
        reader->at++;
        return OK;
    }
    diag_error(reader->diag, mark_at(reader, reader->at, 0), "'%c' is wanted here", sign);
    diag_help(reader->diag, "%s", GRAMMAR);
    return STATUS_INVALID;
}

/* "400G" is 400Gbit/s as network people say it; otherwise a rate with its unit. */
static enum status read_rate(struct reader *reader, double *ret_rate) {
    static const struct {
        char letter;
        double bytes;
    } short_units[] = {{'M', 1e6 / 8}, {'G', 1e9 / 8}, {'T', 1e12 / 8}};
    const char *text = reader->text + reader->at, *reason = NULL;
    size_t size = strlen(text);
    double value = 0;
    for (size_t i = 0; size > 1 && i < sizeof short_units / sizeof *short_units; i++) {
        if (text[size - 1] == short_units[i].letter && text_number(text, size - 1, &value)) {
            *ret_rate = value * short_units[i].bytes;
            reason = "";
        }
    }
    if (reason == NULL && !units_parse(reader->arena, text, UNIT_BYTES_RATE, ret_rate, &reason)) {
        diag_error(reader->diag, mark_at(reader, reader->at, size), "rate: %s", reason);
        diag_help(reader->diag, "write 400G or 400Gbit/s");
        return STATUS_INVALID;
    }
    if (!(*ret_rate > 0)) {
        return diag_error(reader->diag, mark_at(reader, reader->at, size), "rate: it must be positive");
    }
    if (*ret_rate > RATE_MOST) {
        return diag_error(reader->diag, mark_at(reader, reader->at, size), "rate: it is too large to be meant");
    }
    reader->at += size;
    return OK;
}

static enum status read_form(struct reader *reader, struct shortform *ret) {
    TRY(read_count(reader, "devices a node", NODE_DEVICES, &ret->count));
    TRY(read_sign(reader, 'x'));
    size_t size = strcspn(reader->text + reader->at, "*@");
    if (size == 0) {
        return diag_error(reader->diag, mark_at(reader, reader->at, 0), "the name of a device is wanted here");
    }
    ret->device = arena_copy(reader->arena, reader->text + reader->at, size);
    reader->at += size;
    if (reader->text[reader->at] == '*') {
        reader->at++;
        TRY(read_count(reader, "nodes", TOPOLOGY_DEVICES, &ret->nodes));
    }
    if (reader->text[reader->at] == '@') {
        reader->at++;
        TRY(read_count(reader, "network adapters a node", NODE_NICS, &ret->nics));
        TRY(read_sign(reader, 'x'));
        TRY(read_rate(reader, &ret->rate));
    }
    if (reader->text[reader->at] != '\0') {
        diag_error(reader->diag, mark_at(reader, reader->at, strlen(reader->text + reader->at)),
                   "nothing more is wanted here");
        diag_help(reader->diag, "%s", GRAMMAR);
        return STATUS_INVALID;
    }
    return OK;
}

enum status shortform_parse(struct arena *arena, const char *text, struct shortform *ret, struct diag *diag) {
    struct source *source = ARENA_NEW(arena, struct source);
    *source = (struct source){"<arguments>", arena_text(arena, text), strlen(text)};
    struct reader reader = {arena, diag, source, source->text, 0};
    *ret = (struct shortform){0};
    return read_form(&reader, ret);
}

/* As many adapters a device as before, at least one if there were any. */
static int64_t scale_nics(int64_t nics, int64_t from, int64_t to) {
    int64_t scaled = (nics * to + from / 2) / from;
    return nics > 0 && scaled == 0 ? 1 : scaled;
}

enum status shortform_apply(struct arena *arena, const struct shortform *form, struct topology *topology,
                            struct diag *diag) {
    if (topology->groups.count != 1) {
        return diag_error(diag, NO_MARK, "%s has several groups of nodes; the short form needs a topology with one",
                          form->device);
    }
    const struct node_type *node = topology_node(topology, 0);
    int64_t before = node->count;
    const char *name = node->name;
    TRY(resize_node(arena, topology, name, form->count, diag));
    struct node_type *nodes = topology->nodes.items;
    for (size_t i = 0; i < topology->nodes.count; i++) {
        struct nics *nics = &nodes[i].nics;
        if (nodes[i].name != name) {
            continue;
        }
        nics->count = form->nics > 0 ? form->nics : scale_nics(nics->count, before, form->count);
        if (form->nics > 0) {
            nics->rate = form->rate;
            nics->source = "short form";
        }
    }
    struct group *group = ARENA_NEW(arena, struct group);
    *group = *(const struct group *)topology->groups.items;
    group->count = form->nodes > 0 ? form->nodes : 1;
    topology->groups.items = group;
    topology->name = form->nodes > 1 ? arena_format(arena, "%lldx%s*%lld", (long long)form->count, form->device,
                                                    (long long)form->nodes)
                                     : arena_format(arena, "%lldx%s", (long long)form->count, form->device);
    return topology_complete(arena, topology, NULL, diag);
}
