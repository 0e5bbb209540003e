/* Lists of passes: appending, collecting them over the ranks, writing one as text and reading it. */
#include "schedule/order.h"

#include <stdio.h>

#include "base/arena.h"
#include "schedule/schedule.h"

static void list_append(struct pass_list *list, const struct pass *pass) {
    if (list->count < list->capacity) {
        list->passes[list->count++] = *pass;
    }
}

void list_add(struct pass_list *list, enum pass_kind kind, struct visit visit) {
    if (visit.micro_batch < list->micro_batches) {
        list_append(list, &(struct pass){.kind = kind, .visit = visit});
    }
}

void list_add_pair(struct pass_list *list, struct visit forward, struct visit backward) {
    list_append(list, &(struct pass){.kind = PASS_PAIR, .visit = forward, .backward = backward});
}

struct pass_list *lists_open(struct arena *arena, int64_t ranks, int64_t capacity, int64_t micro_batches) {
    struct pass_list *lists = ARENA_ARRAY(arena, struct pass_list, (size_t)ranks);
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)(ranks * capacity));
    for (int64_t rank = 0; rank < ranks; rank++) {
        lists[rank] = (struct pass_list){
            .passes = passes + rank * capacity, .capacity = capacity, .micro_batches = micro_batches};
    }
    return lists;
}

void lists_join(struct arena *arena, const struct pass_list *lists, struct order *order) {
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)(order->ranks + 1));
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        first[rank + 1] = first[rank] + lists[rank].count;
    }
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)first[order->ranks]);
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        for (int64_t i = 0; i < lists[rank].count; i++) {
            passes[first[rank] + i] = lists[rank].passes[i];
        }
    }
    order->passes = passes;
    order->first = first;
}

/* Ranks' lists one behind the other in one array, which is as long as all lists can be. */
static void order_generate(struct arena *arena, const struct schedule *schedule, const struct schedule_shape *shape,
                           struct order *order) {
    /* F, B and W of every micro-batch in every chunk: no list is longer. */
    int64_t longest = 3 * shape->micro_batches * shape->chunks;
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)(longest * shape->ranks));
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)(shape->ranks + 1));
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        struct pass_list list = {
            .passes = passes + first[rank], .capacity = longest, .micro_batches = order->micro_batches};
        schedule->generate(shape, rank, &list);
        first[rank + 1] = first[rank] + list.count;
    }
    order->passes = passes;
    order->first = first;
}

void order_make(struct arena *arena, const struct schedule *schedule, const struct schedule_shape *shape,
                struct order *order) {
    *order = (struct order){.ranks = shape->ranks,
                            .stages = placement_stages(schedule->placement, shape->ranks, shape->chunks),
                            .micro_batches = shape->micro_batches / schedule->ways,
                            .ways = schedule->ways};
    if (schedule->generate != NULL) {
        order_generate(arena, schedule, shape, order);
    } else {
        schedule->arrange(arena, shape, order);
    }
}

int64_t order_before(const struct order *order, const struct visit *visit) {
    if (order->before == NULL) {
        return visit->stage - 1;
    }
    return order->before[visit->micro_batch * order->stages + visit->stage];
}

int64_t order_behind(const struct order *order, const struct visit *visit) {
    if (order->behind == NULL) {
        return visit->stage + 1 < order->stages ? visit->stage + 1 : -1;
    }
    return order->behind[visit->micro_batch * order->stages + visit->stage];
}

/* Of a pair: its forward; the backward follows behind "&B". */
static const char *const pass_names[] = {"F", "B", "W", "BW", "F", "S", "T"};

void pass_text(const struct pass *pass, char text[PASS_TEXT_SIZE]) {
    const struct visit *visit = &pass->visit;
    int used = snprintf(text, PASS_TEXT_SIZE, "%s%d.%d%s", pass_names[pass->kind], (int)visit->stage,
                        (int)visit->micro_batch, visit->way > 0 ? "'" : "");
    if (pass->kind == PASS_PAIR && used > 0) {
        visit = &pass->backward;
        (void)snprintf(text + used, PASS_TEXT_SIZE - (size_t)used, "&B%d.%d%s", (int)visit->stage,
                       (int)visit->micro_batch, visit->way > 0 ? "'" : "");
    }
}

/* What is left to read. */
struct reader {
    const char *at, *end;
};

static bool read_word(struct reader *reader, const char *word) {
    const char *at = reader->at;
    while (*word != '\0') {
        if (at == reader->end || *at++ != *word++) {
            return false;
        }
    }
    reader->at = at;
    return true;
}

static bool digit_at(const struct reader *reader) {
    return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

/* Without leading zeros, as numbers are written. */
static bool read_number(struct reader *reader, int32_t *ret_number) {
    int64_t number = 0;
    const char *begin = reader->at;
    while (digit_at(reader)) {
        number = 10 * number + (*reader->at++ - '0');
        if (number > INT32_MAX || (*begin == '0' && reader->at - begin > 1)) {
            return false;
        }
    }
    *ret_number = (int32_t)number;
    return reader->at > begin;
}

static bool read_visit(struct reader *reader, struct visit *ret_visit) {
    if (!read_number(reader, &ret_visit->stage) || !read_word(reader, ".") ||
        !read_number(reader, &ret_visit->micro_batch)) {
        return false;
    }
    ret_visit->way = read_word(reader, "'") ? 1 : 0;
    return true;
}

static bool read_kind(struct reader *reader, enum pass_kind *ret_kind) {
    static const enum pass_kind kinds[] = {PASS_FULL,   PASS_FORWARD, PASS_BACKWARD,
                                           PASS_WEIGHT, PASS_SHARD,   PASS_SHARD_END}; /* BW before B */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (read_word(reader, pass_names[kinds[i]])) {
            *ret_kind = kinds[i];
            return true;
        }
    }
    return false;
}

bool pass_parse(const char *text, size_t size, struct pass *ret_pass) {
    struct reader reader = {text, text + size};
    struct pass pass = {0};
    if (!read_kind(&reader, &pass.kind) || !read_visit(&reader, &pass.visit)) {
        return false;
    }
    if (pass.kind == PASS_FORWARD && read_word(&reader, "&B")) {
        pass.kind = PASS_PAIR;
        if (!read_visit(&reader, &pass.backward)) {
            return false;
        }
    }
    if (reader.at != reader.end) {
        return false;
    }
    *ret_pass = pass;
    return true;
}
