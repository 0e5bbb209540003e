/* Ranks that wait for one another: the order is run with every pass as long as any other; where it stops, each rank's
 * wait leads to another rank, until one comes again.
 *
 *   rank 0 at BW0.0 --waits for BW1.0 of--> rank 1 at F1.1 --waits for F0.1 of--> rank 0 */
#include "base/arena.h"
#include "base/text.h"
#include "schedule/execute.h"

/* A cycle through more ranks is shortened. */
enum { SHOWN_MOST = 8 };

/* Which pass of which rank a rank waits for. */
struct wait {
    struct pass pass;
    int64_t rank;
};

struct standstill {
    const struct order *order;
    const int64_t *reached;
};

static bool same_visit(const struct visit *a, const struct visit *b) {
    return a->stage == b->stage && a->micro_batch == b->micro_batch && a->way == b->way;
}

static bool gives_forward(const struct pass *pass, const struct visit *visit) {
    return (pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR) && same_visit(&pass->visit, visit);
}

static bool gives_backward(const struct pass *pass, const struct visit *visit) {
    if (pass->kind == PASS_PAIR) {
        return same_visit(&pass->backward, visit);
    }
    return (pass->kind == PASS_BACKWARD || pass->kind == PASS_FULL) && same_visit(&pass->visit, visit);
}

typedef bool gives_result(const struct pass *pass, const struct visit *visit);

/* The pass not yet run that would give the result; false if it has run. */
static bool find_wait(const struct standstill *still, gives_result *gives, const struct visit *visit,
                      struct wait *ret) {
    const struct order *order = still->order;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        for (int64_t i = still->reached[rank]; i < order->first[rank + 1]; i++) {
            if (gives(&order->passes[i], visit)) {
                *ret = (struct wait){order->passes[i], rank};
                return true;
            }
        }
    }
    return false;
}

static bool gives_shard(const struct pass *pass, const struct visit *visit) {
    return pass->kind == PASS_SHARD && pass->visit.micro_batch == visit->micro_batch && pass->visit.way == visit->way;
}

static bool gives_shard_end(const struct pass *pass, const struct visit *visit) {
    return pass->kind == PASS_SHARD_END && pass->visit.micro_batch == visit->micro_batch &&
           pass->visit.way == visit->way;
}

static bool wait_of_forward(const struct standstill *still, const struct visit *visit, struct wait *ret) {
    struct visit before = *visit;
    before.stage = (int32_t)order_before(still->order, visit);
    return before.stage >= 0 && find_wait(still, gives_forward, &before, ret);
}

static bool wait_of_backward(const struct standstill *still, const struct visit *visit, struct wait *ret) {
    const struct order *order = still->order;
    if (find_wait(still, gives_forward, visit, ret)) {
        return true;
    }
    struct visit behind = *visit;
    behind.stage = (int32_t)order_behind(order, visit);
    if (behind.stage >= 0) {
        return find_wait(still, gives_backward, &behind, ret);
    }
    return order->barriers > 0 &&
           find_wait(still, order->barriers == 1 ? gives_shard : gives_shard_end, visit, ret);
}

static bool wait_of(const struct standstill *still, const struct pass *pass, struct wait *ret) {
    struct visit last = pass->visit;
    last.stage = (int32_t)(still->order->stages - 1);
    switch (pass->kind) {
    case PASS_FORWARD:
        return wait_of_forward(still, &pass->visit, ret);
    case PASS_BACKWARD:
    case PASS_FULL:
        return wait_of_backward(still, &pass->visit, ret);
    case PASS_PAIR:
        return wait_of_forward(still, &pass->visit, ret) || wait_of_backward(still, &pass->backward, ret);
    case PASS_WEIGHT:
        return find_wait(still, gives_backward, &pass->visit, ret);
    case PASS_SHARD:
        return find_wait(still, gives_forward, &last, ret);
    case PASS_SHARD_END:
        return find_wait(still, gives_shard, &pass->visit, ret);
    }
    return false;
}

static const struct pass *pass_at(const struct standstill *still, int64_t rank) {
    return &still->order->passes[still->reached[rank]];
}

static void add_pass(struct text *text, const struct pass *pass) {
    char token[PASS_TEXT_SIZE];
    pass_text(pass, token);
    text_add(text, token);
}

/* From a rank of the cycle once round. */
static const char *cycle_text(struct arena *arena, const struct standstill *still, int64_t begin) {
    struct text text;
    struct wait wait = {.rank = begin};
    text_init(&text, arena);
    text_add_format(&text, "a wait that never ends: rank %lld at ", (long long)begin);
    add_pass(&text, pass_at(still, begin));
    for (int64_t shown = 0; shown == 0 || wait.rank != begin; shown++) {
        if (shown == SHOWN_MOST) {
            text_add(&text, ", and so on");
            break;
        }
        if (!wait_of(still, pass_at(still, wait.rank), &wait)) {
            break;
        }
        text_add(&text, shown == 0 ? " waits for " : ", which waits for ");
        add_pass(&text, &wait.pass);
        text_add_format(&text, " of rank %lld", (long long)wait.rank);
        if (wait.rank != begin) {
            text_add(&text, " at ");
            add_pass(&text, pass_at(still, wait.rank));
        }
    }
    return text.data;
}

/* Follows waits from the first rank that stands until they have gone round once: then all that is met is the cycle. */
static const char *standstill_text(struct arena *arena, const struct standstill *still) {
    const struct order *order = still->order;
    struct wait wait = {.rank = 0};
    while (still->reached[wait.rank] == order->first[wait.rank + 1]) {
        wait.rank++;
    }
    for (int64_t step = 0; step < order->ranks; step++) {
        if (!wait_of(still, pass_at(still, wait.rank), &wait)) {
            return arena_format(arena, "rank %lld waits for what no rank does", (long long)wait.rank);
        }
    }
    return cycle_text(arena, still, wait.rank);
}

const char *order_deadlock(struct arena *arena, const struct order *order) {
    size_t stages = (size_t)(order->stages > order->ranks ? order->stages : order->ranks);
    double *one = ARENA_ARRAY(arena, double, stages);
    for (size_t i = 0; i < stages; i++) {
        one[i] = 1;
    }
    struct stage_costs costs = {.forward = one, .backward = one, .weight = one, .shard = 1, .shard_end = 1};
    struct execution execution;
    if (order_execute(arena, order, &costs, &execution)) {
        return NULL;
    }
    struct standstill still = {order, execution.reached};
    return standstill_text(arena, &still);
}
