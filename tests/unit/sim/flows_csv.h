/* Rows of tests/oracle/flows_maxmin.csv: a flow each, "a;b" its path, "a=1e9@2e-06|b=..." the links of its scenario. */
#ifndef PARPLAN_TESTS_UNIT_SIM_FLOWS_CSV_H
#define PARPLAN_TESTS_UNIT_SIM_FLOWS_CSV_H

#include <string.h>

#include "../support.h"
#include "sim/flow.h"

enum { FLOWS = 64, LINKS = 256, COLUMNS = 7 };
enum { SCENARIO, FLOW, BYTES, START, PATH, NETWORK, EXPECTED };

struct flow_case {
    const char *name;
    struct flow flows[FLOWS];
    double expected[FLOWS];
    int64_t flow_count, link_count;
    const char *links[LINKS];
    double capacities[LINKS], latencies[LINKS];
};

/* Cuts `line` at `separator` in place; returns the rest, NULL at the end. */
static inline char *cut(char *line, char separator) {
    char *end = strchr(line, separator);
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    return end + 1;
}

static inline double number(const char *text) {
    double value = -1;
    bool good = text_number(text, strlen(text), &value);
    return good ? value : -1;
}

static inline int32_t link_find(const struct flow_case *c, const char *name) {
    for (int64_t i = 0; i < c->link_count; i++) {
        if (text_equal(c->links[i], name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

static inline void case_links(struct flow_case *c, char *text) {
    while (text != NULL) {
        char *next = cut(text, '|'), *capacity = cut(text, '='), *latency = cut(capacity, '@');
        c->links[c->link_count] = text;
        c->capacities[c->link_count] = number(capacity);
        c->latencies[c->link_count++] = number(latency);
        text = next;
    }
}

static inline void case_flow(struct arena *arena, struct flow_case *c, char *columns[COLUMNS]) {
    struct share_use *path = ARENA_ARRAY(arena, struct share_use, LINKS);
    struct flow *flow = &c->flows[c->flow_count];
    *flow = (struct flow){.start = number(columns[START]), .bytes = number(columns[BYTES]), .weight = 1, .path = path};
    for (char *name = columns[PATH]; name != NULL;) {
        char *next = cut(name, ';');
        int32_t link = link_find(c, name);
        path[flow->hops++] = (struct share_use){link, 1};
        flow->latency += c->latencies[link];
        name = next;
    }
    c->expected[c->flow_count++] = number(columns[EXPECTED]);
}

/* The next scenario from `*text` on, which is moved behind it; false at the end. */
static inline bool case_next(struct arena *arena, char **text, struct flow_case *ret) {
    memset(ret, 0, sizeof *ret);
    while (*text != NULL && **text != '\0') {
        char *columns[COLUMNS], *rest = cut(*text, '\n');
        char *line = arena_text(arena, *text);
        for (int i = 0; i < COLUMNS; i++) {
            columns[i] = line;
            line = i + 1 < COLUMNS ? cut(line, ',') : line;
        }
        if (ret->name != NULL && !text_equal(ret->name, columns[SCENARIO])) {
            if (rest != NULL) {
                rest[-1] = '\n'; /* this line belongs to the next */
            }
            return true;
        }
        if (ret->name == NULL) {
            ret->name = columns[SCENARIO];
            case_links(ret, columns[NETWORK]);
        }
        case_flow(arena, ret, columns);
        *text = rest;
    }
    return ret->name != NULL;
}

#endif
