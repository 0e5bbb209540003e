/* Orders that are not legal: each reason by a small order written as text, and cycles of waits. */
#include <criterion/criterion.h>
#include <string.h>

#include "../support.h"
#include "schedule/execute.h"
#include "schedule/order.h"
#include "schedule/schedule.h"

enum { LISTS = 4, PASSES = 64 };

/* Passes between blanks. */
static void parse_list(const char *text, struct pass_list *list) {
    for (const char *at = text; *at != '\0';) {
        size_t size = strcspn(at, " ");
        cr_assert(list->count < list->capacity && pass_parse(at, size, &list->passes[list->count]), "%s", at);
        list->count++;
        at += size + strspn(at + size, " ");
    }
}

static struct order parse_order(struct arena *arena, const char *const lists[LISTS]) {
    struct order order = {.ways = 1};
    while (order.ranks < LISTS && lists[order.ranks] != NULL) {
        order.ranks++;
    }
    struct pass_list *parsed = lists_open(arena, order.ranks, PASSES, 1);
    for (int64_t rank = 0; rank < order.ranks; rank++) {
        parse_list(lists[rank], &parsed[rank]);
    }
    lists_join(arena, parsed, &order);
    return order;
}

Test(refuse, reasons) {
    struct arena *arena = support_arena();
    const struct {
        const char *lists[LISTS];
        int64_t stages, micro_batches, ways, barriers;
        enum placement placement;
        const char *reason; /* NULL = legal */
    } rows[] = {
        {{"F0.0 F0.1 BW0.0 BW0.1", "F1.0 BW1.0 F1.1 BW1.1"}, 2, 2, 1, 0, PLACEMENT_LINEAR, NULL},
        {{"F0.0 F0.1 B0.0 BW0.1 W0.0", "F1.0 BW1.0 F1.1 BW1.1"}, 2, 2, 1, 0, PLACEMENT_LINEAR, NULL},
        {{"F0.0 F3.0 BW3.0 BW0.0", "F1.0 F2.0 BW2.0 BW1.0"}, 4, 1, 1, 0, PLACEMENT_WAVE, NULL},
        {{"F0.0 F1.0' BW1.0' BW0.0", "F0.0' F1.0 BW1.0 BW0.0'"}, 2, 1, 2, 0, PLACEMENT_TWO_WAY, NULL},
        {{"F0.0 F0.1&B0.0 BW0.1"}, 1, 2, 1, 0, PLACEMENT_LINEAR, NULL},
        {{"F0.0 BW2.0 BW0.0", "F1.0 BW1.0", "F2.0"}, 3, 1, 1, 0, PLACEMENT_ROUND, "rank 0: BW2.0 belongs to rank 2"},
        {{"F0.0 BW1.0", "F1.0 BW0.0", "F2.0 BW2.0"}, 3, 1, 1, 0, PLACEMENT_ROUND, NULL},
        {{"F0.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_ROUND, NULL},
        {{"F0.0 F2.0 BW2.0 BW0.0", "F1.0 BW1.0"}, 3, 1, 1, 0, PLACEMENT_ROUND, NULL},
        {{"F0.0 S0.0 T0.0 BW0.0", "F1.0 S1.0 BW1.0 T1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR, NULL},
        {{"F0.0 S0.0 T0.0 BW0.0", "F1.0 S1.0 T1.0 BW1.0"}, 2, 1, 1, 2, PLACEMENT_LINEAR, NULL},
        /* what is not there */
        {{"F0.0 BW0.0", "F1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 1: BW1.0 is missing"},
        {{"F0.0 B0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: W0.0 is missing"},
        {{"F0.0 BW0.0", ""}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 1: F1.0 is missing"},
        {{"F0.0 F0.1 BW0.0", "F1.0 BW1.0 F1.1 BW1.1"}, 2, 2, 1, 0, PLACEMENT_LINEAR, "rank 0: BW0.1 is missing"},
        {{"F0.0 BW0.0", "F1.0 S1.0 T1.0 BW1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR, "rank 0: S0.0 is missing"},
        {{"F0.0 S0.0 BW0.0", "F1.0 S1.0 T1.0 BW1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR, "rank 0: T0.0 is missing"},
        /* what is there once too often, or too early */
        {{"F0.0 F0.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: F0.0 is there twice"},
        {{"F0.0 B0.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: BW0.0 is there twice"},
        {{"F0.0 BW0.0 W0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: W0.0 is there twice"},
        {{"F0.0 S0.0 S0.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR, "rank 0: S0.0 is there twice"},
        {{"BW0.0 F0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: BW0.0 stands before its forward"},
        {{"F0.0 W0.0 B0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: W0.0 stands before its input"},
        {{"F0.1&B0.0 F0.0 BW0.1"}, 1, 2, 1, 0, PLACEMENT_LINEAR, "rank 0: BW0.0 stands before its forward"},
        {{"F0.0 T0.0 S0.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR, "rank 0: T0.0 stands before its S"},
        /* where it must not be */
        {{"F0.0 BW0.0 F1.0", "BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: F1.0 belongs to rank 1"},
        {{"F0.0 F2.0 BW2.0 BW0.0", "F1.0 BW1.0"}, 3, 1, 1, 0, PLACEMENT_WAVE, "rank 0: F2.0 belongs to rank 1"},
        {{"F0.0 F0.0' BW0.0", "F1.0"}, 2, 1, 2, 0, PLACEMENT_TWO_WAY, "rank 0: F0.0' belongs to rank 1"},
        {{"F0.0 S1.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR, "rank 0: S1.0 belongs to rank 1"},
        {{"F0.0 S0.0 BW0.0", "F1.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: S0.0: the vocabulary is not"},
        /* what there is none of */
        {{"F0.0 F4.0"}, 1, 1, 1, 0, PLACEMENT_LINEAR, "rank 0: F4.0: there is no stage 4, the last is 0"},
        {{"F0.0 F0.7"}, 1, 2, 1, 0, PLACEMENT_LINEAR, "rank 0: F0.7: there is no micro-batch 7, the last is 1"},
        {{"F0.0 F0.0'"}, 1, 2, 1, 0, PLACEMENT_LINEAR, "rank 0: F0.0': all micro-batches enter at one end"},
        {{"F0.0 S3.0"}, 1, 1, 1, 1, PLACEMENT_LINEAR, "rank 0: S3.0: there is no rank 3, the last is 0"},
        /* waits that never end */
        {{"F0.0 BW0.0 F0.1 BW0.1", "F1.0 F1.1 BW1.0 BW1.1"}, 2, 2, 1, 0, PLACEMENT_LINEAR,
         "a wait that never ends: rank 0 at BW0.0 waits for BW1.0 of rank 1 at F1.1, which waits for F0.1 of rank 0"},
        {{"F3.0 F0.0 BW0.0 BW3.0", "F1.0 F2.0 BW2.0 BW1.0"}, 4, 1, 1, 0, PLACEMENT_WAVE,
         "a wait that never ends: rank 0 at F3.0 waits for F2.0 of rank 1 at F1.0, which waits for F0.0 of rank 0"},
        {{"F0.0 F1.0 BW0.0 BW1.0"}, 2, 1, 1, 0, PLACEMENT_LINEAR,
         "a wait that never ends: rank 0 at BW0.0 waits for BW1.0 of rank 0"},
        {{"F0.0 S0.0 BW0.0 T0.0", "F1.0 S1.0 T1.0 BW1.0"}, 2, 1, 1, 2, PLACEMENT_LINEAR,
         "a wait that never ends: rank 0 at BW0.0 waits for BW1.0 of rank 1 at BW1.0, which waits for T0.0 of rank 0"},
        {{"F0.0 BW0.0 S0.0 T0.0", "F1.0 S1.0 BW1.0 T1.0"}, 2, 1, 1, 1, PLACEMENT_LINEAR,
         "a wait that never ends: rank 0 at BW0.0 waits for BW1.0 of rank 1 at BW1.0, which waits for S0.0 of rank 0"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct order order = parse_order(arena, rows[i].lists);
        order.stages = rows[i].stages;
        order.micro_batches = rows[i].micro_batches;
        order.ways = rows[i].ways;
        order.barriers = rows[i].barriers;
        const char *got = order_refuse(arena, &order, (int)rows[i].placement);
        const char *want = rows[i].reason;
        bool right = want == NULL ? got == NULL : got != NULL && strncmp(got, want, strlen(want)) == 0;
        cr_expect(right, "row %zu: got %s, want %s", i, got == NULL ? "legal" : got, want == NULL ? "legal" : want);
    }
    arena_close(arena);
}

/* Micro-batch 0 leaves out stage 1, which micro-batch 1 visits. */
Test(refuse, paths) {
    struct arena *arena = support_arena();
    const int32_t before[] = {-1, ORDER_SKIPPED, 0, -1, 0, 1};
    const int32_t behind[] = {2, ORDER_SKIPPED, -1, 1, 2, -1};
    const struct {
        const char *lists[LISTS], *reason;
    } rows[] = {
        {{"F0.0 F0.1 BW0.0 BW0.1", "F1.1 BW1.1", "F2.0 BW2.0 F2.1 BW2.1"}, NULL},
        {{"F0.0 F0.1 BW0.0 BW0.1", "F1.0 F1.1 BW1.1", "F2.0 BW2.0 F2.1 BW2.1"},
         "rank 1: F1.0: the micro-batch leaves out this stage"},
        {{"F0.0 F0.1 BW0.0 BW0.1", "", "F2.0 BW2.0 F2.1 BW2.1"}, "rank 1: F1.1 is missing"},
        {{"F0.0 F0.1 BW0.1 BW0.0", "F1.1 BW1.1", "F2.0 F2.1 BW2.0 BW2.1"}, NULL},
        {{"F0.0 BW0.0 F0.1 BW0.1", "F1.1 BW1.1", "F2.0 F2.1 BW2.0 BW2.1"},
         "a wait that never ends: rank 0 at BW0.0 waits for BW2.0 of rank 2 at F2.1, which waits for F1.1 of rank 1 at "
         "F1.1, which waits for F0.1 of rank 0"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct order order = parse_order(arena, rows[i].lists);
        order.stages = 3;
        order.micro_batches = 2;
        order.before = before;
        order.behind = behind;
        const char *got = order_refuse(arena, &order, PLACEMENT_LINEAR);
        bool right = rows[i].reason == NULL ? got == NULL : got != NULL && strcmp(got, rows[i].reason) == 0;
        cr_expect(right, "row %zu: got %s", i, got == NULL ? "legal" : got);
    }
    arena_close(arena);
}

/* Paths that do not fit together: nobody comes from where stage 2 waits for. */
Test(refuse, broken_paths) {
    struct arena *arena = support_arena();
    const int32_t before[] = {-1, ORDER_SKIPPED, 1};
    const int32_t behind[] = {2, ORDER_SKIPPED, -1};
    const char *const lists[LISTS] = {"F0.0 BW0.0", "", "F2.0 BW2.0"};
    struct order order = parse_order(arena, lists);
    order.stages = 3;
    order.micro_batches = 1;
    order.before = before;
    order.behind = behind;
    cr_expect_str_eq(order_refuse(arena, &order, PLACEMENT_LINEAR), "rank 2 waits for what no rank does");
    arena_close(arena);
}

/* A cycle through all ranks is shortened: micro-batch 1 goes from the first stage to the last, which wants it before it
 * sends micro-batch 0 back, and the first wants that back before micro-batch 1. */
Test(refuse, long_cycle) {
    struct arena *arena = support_arena();
    enum { RANKS = 40 };
    struct order order = {.ranks = RANKS, .stages = RANKS, .micro_batches = 2, .ways = 1};
    struct pass_list *lists = lists_open(arena, RANKS, 4, 2);
    int32_t before[2 * RANKS], behind[2 * RANKS];
    for (int32_t rank = 0; rank < RANKS; rank++) {
        bool inner = rank > 0 && rank < RANKS - 1;
        before[rank] = rank - 1;
        behind[rank] = rank < RANKS - 1 ? rank + 1 : -1;
        before[RANKS + rank] = inner ? ORDER_SKIPPED : rank == 0 ? -1 : 0;
        behind[RANKS + rank] = inner ? ORDER_SKIPPED : rank == 0 ? RANKS - 1 : -1;
        const struct pass passes[] = {{PASS_FORWARD, {rank, 0, 0}, {0, 0, 0}},
                                      {PASS_FULL, {rank, 0, 0}, {0, 0, 0}},
                                      {PASS_FORWARD, {rank, 1, 0}, {0, 0, 0}},
                                      {PASS_FULL, {rank, 1, 0}, {0, 0, 0}}};
        const int turned[] = {0, 2, 1, 3};
        for (int i = 0; i < (inner ? 2 : 4); i++) {
            const struct pass *pass = &passes[rank == RANKS - 1 ? turned[i] : i];
            list_add(&lists[rank], pass->kind, pass->visit);
        }
    }
    lists_join(arena, lists, &order);
    order.before = before;
    order.behind = behind;
    const char *reason = order_refuse(arena, &order, PLACEMENT_LINEAR);
    cr_assert(reason != NULL);
    cr_expect(strstr(reason, "a wait that never ends: rank ") == reason && strstr(reason, ", and so on") != NULL, "%s",
              reason);
    cr_expect(strlen(reason) < 500);
    arena_close(arena);
}
