/* Listing, bounding and ordering of nodes. */
#include "search/frontier.h"

#include <math.h>

#include "base/arena.h"
#include "plan/constraint.h"

void tally_add(struct tally *sum, const struct tally *part) {
    sum->evaluated += part->evaluated;
    sum->pruned_memory += part->pruned_memory;
    sum->pruned_bound += part->pruned_bound;
    sum->pruned_rule += part->pruned_rule;
    sum->forbidden += part->forbidden;
    for (int i = 0; i < RULES_MAX; i++) {
        sum->refused[i] += part->refused[i];
    }
}

static void refuse(struct tally *tally, int64_t rule, int64_t count) {
    tally->pruned_rule += count;
    tally->refused[rule] += count;
}

/* Configurations below one cut and micro-batch. */
static int64_t below(const struct search_space *space, int64_t pp) {
    return pipelines_find(space->pipelines, pp)->variant_count * space->axes->zero.count * space->axes->recompute_count;
}

static int64_t count_cuts(const struct search_space *space, const struct parallel *shape) {
    int orders[ORDER_KINDS];
    return space_sequences(space->axes, shape->tp, shape->cp, NULL, 0) * space_orders(space->axes, shape, orders);
}

/* The legal micro-batches of a shape; counts the rest as refused when there is a tally. */
static int64_t list_micro_batches(const struct search_space *space, const struct parallel *shape,
                                  struct search_node *ret, int64_t cuts, struct tally *tally) {
    int64_t count = 0;
    struct decision d = {.parallel = *shape};
    for (int64_t i = 0; i < space->axes->micro_batch.count; i++) {
        d.micro_batch = space->axes->micro_batch.items[i];
        const struct rule *rule = rule_broken(space->context, &d, RULE_MICRO_BATCH);
        if (rule == NULL && ret != NULL) {
            ret[count].micro_batch = (int32_t)i;
        }
        if (rule != NULL && tally != NULL) {
            refuse(tally, rule - rules, cuts * below(space, shape->pp));
        }
        count += rule == NULL ? 1 : 0;
    }
    return count;
}

static void add_shape(struct arena *arena, struct frontier *f, const struct parallel *parallel, int64_t *room) {
    if (f->shape_count == *room) {
        int64_t grown = *room == 0 ? 256 : 2 * *room;
        struct shape *shapes = ARENA_ARRAY(arena, struct shape, (size_t)grown);
        for (int64_t i = 0; i < f->shape_count; i++) {
            shapes[i] = f->shapes[i];
        }
        f->shapes = shapes;
        *room = grown;
    }
    f->shapes[f->shape_count++] = (struct shape){.parallel = *parallel, .first_node = f->count};
    f->count += list_micro_batches(f->space, parallel, NULL, 0, NULL);
}

static void list_shape(struct arena *arena, struct frontier *f, const struct parallel *parallel, int64_t *room,
                       struct tally *tally) {
    struct decision decision = {.parallel = *parallel};
    const struct rule *rule = rule_broken(f->space->context, &decision, RULE_SHAPE);
    if (rule == NULL) {
        add_shape(arena, f, parallel, room);
        return;
    }
    int64_t sizes = f->space->axes->micro_batch.count;
    refuse(tally, rule - rules, count_cuts(f->space, parallel) * sizes * below(f->space, parallel->pp));
}

static void list_pipelines(struct arena *arena, struct frontier *f, struct parallel *parallel, int64_t *room,
                           struct tally *tally) {
    const struct space_axes *a = f->space->axes;
    for (int64_t pp = 0; pp < a->pp.count; pp++) {
        parallel->pp = a->pp.items[pp];
        parallel->dp = space_dp(a, parallel->tp, parallel->cp, parallel->pp);
        if (parallel->dp > 0) {
            list_shape(arena, f, parallel, room, tally);
        }
    }
}

void frontier_list(struct arena *arena, const struct search_space *space, struct frontier *ret, struct tally *tally) {
    const struct space_axes *a = space->axes;
    int64_t room = 0;
    *ret = (struct frontier){.space = space};
    for (int64_t tp = 0; tp < a->tp.count; tp++) {
        for (int64_t cp = 0; cp < a->cp.count; cp++) {
            for (int64_t ep = 0; ep < a->ep.count; ep++) {
                for (int64_t etp = 0; etp < a->etp.count; etp++) {
                    struct parallel parallel = {.tp = a->tp.items[tp],
                                                .cp = a->cp.items[cp],
                                                .ep = a->ep.items[ep],
                                                .etp = a->etp.items[etp],
                                                .vpp = 1,
                                                .ulysses = 1};
                    list_pipelines(arena, ret, &parallel, &room, tally);
                }
            }
        }
    }
    ret->nodes = ARENA_ARRAY(arena, struct search_node, (size_t)ret->count + 1);
}

int64_t search_pairs(const struct search_space *space, const struct decision *decision, const struct legality *legal) {
    if (space->constraint == NULL) {
        return legal->pairs;
    }
    struct decision d = *decision;
    int64_t pairs = 0;
    for (int64_t v = 0; v < legal->pipeline->variant_count; v++) {
        for (int64_t z = 0; z < space->axes->zero.count; z++) {
            d.parallel.vpp = legal->pipeline->variants[v].vpp;
            d.parallel.zero = space->axes->zero.items[z];
            bool is_legal = (legal->zeros[v] >> z & 1) != 0;
            pairs += is_legal && !constraint_forbids(space->constraint, &d) ? 1 : 0;
        }
    }
    return pairs;
}

static struct decision decision_of(const struct frontier *f, const struct search_node *node) {
    struct decision d = {.parallel = f->shapes[node->shape].parallel};
    d.micro_batch = f->space->axes->micro_batch.items[node->micro_batch];
    d.micro_batches = f->space->context->job->global_batch / (d.parallel.dp * d.micro_batch);
    return d;
}

int64_t frontier_size(const struct frontier *frontier, const struct search_node *node) {
    const struct shape *shape = &frontier->shapes[node->shape];
    struct decision d = decision_of(frontier, node);
    const struct legality *legal = pipelines_legality(frontier->space->pipelines, &d.parallel, d.micro_batches);
    int64_t size = 0;
    for (int sp = 0; sp < 2; sp++) {
        d.parallel.sp = sp == 1;
        if (shape->legal_count[sp] > 0) {
            size += shape->legal_count[sp] * search_pairs(frontier->space, &d, legal);
        }
    }
    return size * frontier->space->axes->recompute_count;
}

/* Counts what rules about the whole and the job's constraints refuse below a node. */
static void refuse_below(const struct frontier *f, const struct search_node *node, struct tally *tally) {
    const struct shape *shape = &f->shapes[node->shape];
    struct decision d = decision_of(f, node);
    const struct legality *legal = pipelines_legality(f->space->pipelines, &d.parallel, d.micro_batches);
    int64_t times = (shape->legal_count[0] + shape->legal_count[1]) * f->space->axes->recompute_count;
    for (int64_t rule = 0; rules[rule].name != NULL; rule++) {
        if (legal->refused[rule] > 0) {
            refuse(tally, rule, times * legal->refused[rule]);
        }
    }
    int64_t forbidden = times * legal->pairs - frontier_size(f, node);
    tally->pruned_rule += forbidden;
    tally->forbidden += forbidden;
}

/* Counts the cuts that rules refuse; returns how many are legal. */
static int64_t refuse_cuts(struct frontier *f, struct shape *shape, const struct shape_cuts *cuts,
                           struct tally *tally) {
    int64_t under_cut = f->space->axes->micro_batch.count * below(f->space, shape->parallel.pp);
    for (int64_t rule = 0; rules[rule].name != NULL; rule++) {
        if (cuts->refused[rule] > 0) {
            refuse(tally, rule, cuts->refused[rule] * under_cut);
        }
    }
    shape->legal_count[0] = (int32_t)cuts->legal_count[0];
    shape->legal_count[1] = (int32_t)cuts->legal_count[1];
    return cuts->legal_count[0] + cuts->legal_count[1];
}

/* Bounds a node, or counts it where nothing in it can be a plan. */
static void bound_node(const struct frontier *f, enum objective objective, struct floors *floors,
                       struct search_node *node, struct tally *tally) {
    const struct search_space *space = f->space;
    int64_t size = frontier_size(f, node);
    node->bound = size > 0 ? 0 : (double)INFINITY;
    if (size == 0 || floors == NULL) {
        return;
    }
    bool fits = floors_node(floors, space->axes->micro_batch.items[node->micro_batch], &node->floor);
    if (!fits || node->floor.seconds > space->longest) {
        *(fits ? &tally->pruned_bound : &tally->pruned_memory) += size;
        node->bound = (double)INFINITY;
        return;
    }
    node->bound = objective_bound(space->context, objective, &node->floor);
}

void frontier_bound(struct frontier *frontier, int64_t shape, enum objective objective, struct floors *floors,
                    struct shape_cuts *cuts, struct tally *tally) {
    struct shape *s = &frontier->shapes[shape];
    struct search_node *nodes = &frontier->nodes[s->first_node];
    shape_cuts_make(frontier->space->axes, &s->parallel, cuts);
    int64_t legal = refuse_cuts(frontier, s, cuts, tally);
    int64_t count = list_micro_batches(frontier->space, &s->parallel, nodes, legal, tally);
    if (floors != NULL) {
        floors_shape(floors, &s->parallel, cuts);
    }
    for (int64_t i = 0; i < count; i++) {
        nodes[i].shape = (int32_t)shape;
        refuse_below(frontier, &nodes[i], tally);
        bound_node(frontier, objective, floors, &nodes[i], tally);
    }
}

static bool before(const struct search_node *a, const struct search_node *b) {
    if (a->bound < b->bound || a->bound > b->bound) {
        return a->bound < b->bound;
    }
    return a->shape != b->shape ? a->shape < b->shape : a->micro_batch < b->micro_batch;
}

static void sink(struct frontier *f, int64_t at) {
    struct search_node node = f->nodes[at];
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child + 1 < f->count && before(&f->nodes[child + 1], &f->nodes[child])) {
            child++;
        }
        if (child >= f->count || !before(&f->nodes[child], &node)) {
            break;
        }
        f->nodes[at] = f->nodes[child];
        at = child;
    }
    f->nodes[at] = node;
}

void frontier_order(struct frontier *frontier) {
    int64_t kept = 0;
    for (int64_t i = 0; i < frontier->count; i++) {
        if (frontier->nodes[i].bound < (double)INFINITY) {
            frontier->nodes[kept++] = frontier->nodes[i];
        }
    }
    frontier->count = kept;
    for (int64_t i = kept / 2 - 1; i >= 0; i--) {
        sink(frontier, i);
    }
}

const struct search_node *frontier_next(const struct frontier *frontier) {
    return frontier->count > 0 ? &frontier->nodes[0] : NULL;
}

struct search_node frontier_take(struct frontier *frontier) {
    struct search_node first = frontier->nodes[0];
    frontier->nodes[0] = frontier->nodes[--frontier->count];
    if (frontier->count > 0) {
        sink(frontier, 0);
    }
    return first;
}
