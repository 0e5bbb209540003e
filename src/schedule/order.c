/* Lists of passes: appending, collecting them over the ranks, writing one as text. */
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

void order_make(struct arena *arena, const struct schedule *schedule, const struct schedule_shape *shape,
                struct order *order) {
    int64_t ways = schedule->ways;
    /* F, B and W of every micro-batch in every chunk: no list is longer. */
    int64_t longest = 3 * shape->micro_batches * shape->chunks;
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)(longest * shape->ranks));
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)(shape->ranks + 1));
    for (int64_t rank = 0; rank < shape->ranks; rank++) {
        struct pass_list list = {
            .passes = passes + first[rank], .capacity = longest, .micro_batches = shape->micro_batches / ways};
        schedule->generate(shape, rank, &list);
        first[rank + 1] = first[rank] + list.count;
    }
    *order = (struct order){.passes = passes,
                            .first = first,
                            .ranks = shape->ranks,
                            .stages = shape->ranks * shape->chunks,
                            .micro_batches = shape->micro_batches / ways,
                            .ways = ways};
}

void pass_text(const struct pass *pass, char text[PASS_TEXT_SIZE]) {
    static const char *const names[] = {"F", "B", "W", "BW", "F"};
    const struct visit *visit = &pass->visit;
    int used = snprintf(text, PASS_TEXT_SIZE, "%s%d.%d%s", names[pass->kind], (int)visit->stage,
                        (int)visit->micro_batch, visit->way > 0 ? "'" : "");
    if (pass->kind == PASS_PAIR && used > 0) {
        visit = &pass->backward;
        (void)snprintf(text + used, PASS_TEXT_SIZE - (size_t)used, "&B%d.%d%s", (int)visit->stage,
                       (int)visit->micro_batch, visit->way > 0 ? "'" : "");
    }
}
