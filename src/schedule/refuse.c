/* Why an order is not a legal one: each pass stands on the rank that holds its stage, behind what it needs of the same
 * visit, and once; none is missing; no ranks wait for one another. */
#include "base/arena.h"
#include "schedule/order.h"
#include "schedule/placement.h"

/* What a visit has met so far: bits. A full backward is a backward and a weight gradient. */
enum { MET_FORWARD = 1, MET_BACKWARD = 2, MET_WEIGHT = 4, MET_ALL = 7, MET_SHARD = 8, MET_SHARD_END = 16 };

struct check {
    struct arena *arena;
    const struct order *order;
    enum placement placement;
    unsigned char *met;    /* by way, stage, micro-batch */
    unsigned char *shards; /* by way, rank, micro-batch; NULL without shards */
};

/* A pass is one or, where two overlap, two of these. */
struct part {
    const char *name;
    const struct visit *visit;
    unsigned met;
};

static const char *visit_text(struct arena *arena, const char *name, const struct visit *visit) {
    return arena_format(arena, "%s%d.%d%s", name, (int)visit->stage, (int)visit->micro_batch,
                        visit->way > 0 ? "'" : "");
}

static int parts_of(const struct pass *pass, struct part parts[2]) {
    static const struct part kinds[] = {[PASS_FORWARD] = {"F", NULL, MET_FORWARD},
                                        [PASS_BACKWARD] = {"B", NULL, MET_BACKWARD},
                                        [PASS_WEIGHT] = {"W", NULL, MET_WEIGHT},
                                        [PASS_FULL] = {"BW", NULL, MET_BACKWARD | MET_WEIGHT},
                                        [PASS_PAIR] = {"F", NULL, MET_FORWARD},
                                        [PASS_SHARD] = {"S", NULL, MET_SHARD},
                                        [PASS_SHARD_END] = {"T", NULL, MET_SHARD_END}};
    parts[0] = kinds[pass->kind];
    parts[0].visit = &pass->visit;
    parts[1] = (struct part){"BW", &pass->backward, MET_BACKWARD | MET_WEIGHT};
    return pass->kind == PASS_PAIR ? 2 : 1;
}

static bool shard_part(const struct part *part) {
    return (part->met & (MET_SHARD | MET_SHARD_END)) != 0;
}

static bool skipped(const struct order *order, const struct visit *visit) {
    return order->before != NULL && order_before(order, visit) == ORDER_SKIPPED;
}

/* Stages, micro-batches and ways that there are. This and what follows say what is wrong with a pass, to be read behind
 * its name, or NULL. */
static const char *refuse_range(const struct check *check, const struct part *part) {
    const struct order *order = check->order;
    const struct visit *visit = part->visit;
    int64_t stages = shard_part(part) ? order->ranks : order->stages;
    if (visit->way < 0 || visit->way >= order->ways) {
        return ": all micro-batches enter at one end";
    }
    if (visit->micro_batch < 0 || visit->micro_batch >= order->micro_batches) {
        return arena_format(check->arena, ": there is no micro-batch %d, the last is %lld", (int)visit->micro_batch,
                            (long long)order->micro_batches - 1);
    }
    if (visit->stage < 0 || visit->stage >= stages) {
        return arena_format(check->arena, ": there is no %s %d, the last is %lld", shard_part(part) ? "rank" : "stage",
                            (int)visit->stage, (long long)stages - 1);
    }
    return NULL;
}

static int64_t holder_of(const struct check *check, const struct part *part) {
    const struct visit *visit = part->visit;
    const struct order *order = check->order;
    if (shard_part(part)) {
        return visit->stage;
    }
    if (part->met == MET_FORWARD) {
        return placement_rank(check->placement, order->ranks, visit->stage, visit->way);
    }
    return placement_backward_rank(check->placement, order->ranks, order->stages, visit->stage, visit->way);
}

static unsigned char *met_at(const struct check *check, const struct part *part) {
    const struct visit *visit = part->visit;
    int64_t width = shard_part(part) ? check->order->ranks : check->order->stages;
    unsigned char *met = shard_part(part) ? check->shards : check->met;
    return &met[(visit->way * width + visit->stage) * check->order->micro_batches + visit->micro_batch];
}

/* What a rank must have done with a visit before; a forward may be another rank's where weights go round. */
static const char *refuse_early(const struct check *check, const struct part *part, unsigned met) {
    bool together = check->placement != PLACEMENT_ROUND;
    if (together && (part->met & MET_BACKWARD) != 0 && (met & MET_FORWARD) == 0) {
        return " stands before its forward";
    }
    if (part->met == MET_WEIGHT && (met & MET_BACKWARD) == 0) {
        return " stands before its input gradient";
    }
    return part->met == MET_SHARD_END && (met & MET_SHARD) == 0 ? " stands before its S" : NULL;
}

static const char *refuse_part(const struct check *check, const struct part *part, int64_t rank) {
    const char *reason = refuse_range(check, part);
    if (reason != NULL) {
        return reason;
    }
    if (shard_part(part) && check->order->barriers == 0) {
        return ": the vocabulary is not spread over the ranks";
    }
    if (!shard_part(part) && skipped(check->order, part->visit)) {
        return ": the micro-batch leaves out this stage";
    }
    int64_t holder = holder_of(check, part);
    if (holder != rank) {
        return arena_format(check->arena, " belongs to rank %lld", (long long)holder);
    }
    unsigned char *met = met_at(check, part);
    if ((*met & part->met) != 0) {
        return " is there twice";
    }
    reason = refuse_early(check, part, *met);
    *met = (unsigned char)(*met | part->met);
    return reason;
}

/* All passes stand where they may. */
static const char *refuse_passes(const struct check *check) {
    const struct order *order = check->order;
    for (int64_t rank = 0; rank < order->ranks; rank++) {
        for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
            struct part parts[2];
            int count = parts_of(&order->passes[i], parts);
            for (int part = 0; part < count; part++) {
                const char *reason = refuse_part(check, &parts[part], rank);
                if (reason != NULL) {
                    const char *name = visit_text(check->arena, parts[part].name, parts[part].visit);
                    return arena_format(check->arena, "rank %lld: %s%s", (long long)rank, name, reason);
                }
            }
        }
    }
    return NULL;
}

/* What is missing of the visit, as its name in a list. */
static const char *missing_name(unsigned met) {
    if ((met & MET_FORWARD) == 0) {
        return "F";
    }
    if ((met & MET_BACKWARD) == 0) {
        return (met & MET_WEIGHT) == 0 ? "BW" : "B";
    }
    return "W";
}

static const char *refuse_missing(const struct check *check, const struct visit *visit) {
    const struct order *order = check->order;
    struct part part = {.visit = visit};
    unsigned met = *met_at(check, &part);
    if (met == MET_ALL || skipped(order, visit)) {
        return NULL;
    }
    part.name = missing_name(met);
    part.met = (met & MET_FORWARD) == 0 ? MET_FORWARD : MET_BACKWARD;
    return arena_format(check->arena, "rank %lld: %s is missing", (long long)holder_of(check, &part),
                        visit_text(check->arena, part.name, visit));
}

static const char *refuse_missing_shard(const struct check *check, const struct visit *visit) {
    struct part part = {.visit = visit, .met = MET_SHARD};
    unsigned met = *met_at(check, &part);
    if (met == (MET_SHARD | MET_SHARD_END)) {
        return NULL;
    }
    const char *name = visit_text(check->arena, (met & MET_SHARD) == 0 ? "S" : "T", visit);
    return arena_format(check->arena, "rank %d: %s is missing", (int)visit->stage, name);
}

/* No pass is missing. */
static const char *refuse_gaps(const struct check *check) {
    const struct order *order = check->order;
    for (int64_t way = 0; way < order->ways; way++) {
        int64_t most = order->stages > order->ranks ? order->stages : order->ranks;
        for (int64_t i = 0; i < most * order->micro_batches; i++) {
            struct visit visit = {(int32_t)(i / order->micro_batches), (int32_t)(i % order->micro_batches),
                                  (int32_t)way};
            const char *reason = visit.stage < order->stages ? refuse_missing(check, &visit) : NULL;
            if (reason == NULL && order->barriers > 0 && visit.stage < order->ranks) {
                reason = refuse_missing_shard(check, &visit);
            }
            if (reason != NULL) {
                return reason;
            }
        }
    }
    return NULL;
}

const char *order_refuse(struct arena *arena, const struct order *order, int placement) {
    struct check check = {.arena = arena, .order = order, .placement = (enum placement)placement};
    size_t lanes = (size_t)(order->ways * order->micro_batches);
    check.met = ARENA_ARRAY(arena, unsigned char, lanes * (size_t)order->stages);
    check.shards = order->barriers > 0 ? ARENA_ARRAY(arena, unsigned char, lanes * (size_t)order->ranks) : NULL;
    const char *reason = refuse_passes(&check);
    reason = reason != NULL ? reason : refuse_gaps(&check);
    return reason != NULL ? reason : order_deadlock(arena, order);
}
