/* The order of a block's kernels and what each reads. Kernels follow the list of operations; with overlap of experts
 * the shared ones run while tokens are on their way:
 *
 *   permute  ┌ shared fc1, activation ┐  experts  ┌ shared fc2 ┐  unpermute
 *            └──────── dispatch ──────┘           └─ combine ──┘ */
#include <string.h>

#include "program/operations.h"

/* The operation of one name nearest to `from`, at or before it; NOTHING. */
static int find_before(const struct layer_work *work, const char *name, int from) {
    for (int i = from; i >= 0; i--) {
        if (strcmp(work->operations[i].name, name) == 0) {
            return i;
        }
    }
    return NOTHING;
}

static int find_last(const struct layer_work *work, const char *name) {
    return find_before(work, name, work->operation_count - 1);
}

static bool is_named(const struct layer_work *work, int operation, const char *name) {
    return strcmp(work->operations[operation].name, name) == 0;
}

/* The norm before an operation, of the feed-forward or, in a parallel block, of attention. */
static int norm_before(const struct layer_work *work, int operation) {
    int own = find_before(work, "feed-forward norm", operation);
    return own != NOTHING ? own : find_before(work, "attention norm", operation);
}

static void add_source(struct sort *sort, int operation, int source) {
    for (int i = 0; i < SOURCES_MAX; i++) {
        int *at = &sort->sources[operation][i];
        if (*at == source || source == NOTHING) {
            return;
        }
        if (*at == NOTHING) {
            *at = source;
            return;
        }
    }
}

/* Operations read what the one before them in the list made, but for the branches of MLA and of experts. */
static void find_sources(struct sort *sort) {
    static const struct { const char *name, *sources[2]; } branches[] = {
        {"kv down", {"attention norm", NULL}}, {"q", {"attention norm", NULL}}, {"q up", {"q latent norm", NULL}},
        {"kv up", {"kv latent norm", NULL}},   {"cross keys and values", {NULL, NULL}},
    };
    const struct layer_work *work = &sort->lists.work;
    for (int i = 0; i < work->operation_count; i++) {
        bool branch = false;
        for (size_t j = 0; j < sizeof branches / sizeof branches[0]; j++) {
            for (int k = 0; is_named(work, i, branches[j].name) && k < 2; k++) {
                branch = true;
                add_source(sort, i, branches[j].sources[k] ? find_before(work, branches[j].sources[k], i) : NOTHING);
            }
        }
        if (is_named(work, i, "fc1") || is_named(work, i, "shared gate")) {
            add_source(sort, i, norm_before(work, i));
            branch = is_named(work, i, "fc1");
        }
        if (!branch && i > 0) {
            add_source(sort, i, i - 1);
        }
        if (is_named(work, i, "rotary")) {
            add_source(sort, i, find_before(work, "q up", i));
            add_source(sort, i, find_before(work, "q", i));
        }
        if (is_named(work, i, "feed-forward residual")) {
            add_source(sort, i, find_before(work, "unpermute", i));
        }
    }
}

static bool experts_overlap(const struct exchange_list *list) {
    for (int i = 0; i < list->count; i++) {
        if (list->items[i].beside == BESIDE_SHARED_EXPERTS) {
            return true;
        }
    }
    return false;
}

/* Inserts operations first .. last behind those that are there. */
static int put(struct sort *sort, int count, int first, int last, bool beside) {
    for (int i = first; i <= last; i++) {
        sort->order[count++] = i;
        sort->beside[i] = beside;
    }
    return count;
}

static void find_order(struct sort *sort) {
    const struct layer_work *work = &sort->lists.work;
    int last = work->operation_count - 1;
    if (!experts_overlap(&sort->lists.exchanges)) {
        (void)put(sort, 0, 0, last, false);
        return;
    }
    int first = find_last(work, "experts fc1"), second = find_last(work, "experts fc2");
    int back = find_last(work, "unpermute"), rest = find_last(work, "feed-forward residual");
    int split = find_before(work, "fc2", rest);
    int count = put(sort, 0, 0, first - 1, false);
    count = put(sort, count, back + 1, split - 1, true);
    count = put(sort, count, first, second, false);
    count = put(sort, count, split, rest - 1, true);
    count = put(sort, count, second + 1, back, false);
    (void)put(sort, count, rest, last, false);
}

void sort_make(const struct model *model, const struct job *job, const struct shard *shard, int cp_kind,
               unsigned recomputed, enum block block, int layer_kind, struct sort *ret) {
    bool layer = block == BLOCK_LAYER || block == BLOCK_MTP;
    recomputed = layer ? recomputed : 0;
    *ret = (struct sort){.all_again = (recomputed & PART_ALL) != 0, .recomputed = recomputed};
    block_work(model, job, shard, cp_kind, block, layer_kind, &ret->lists);
    for (int i = 0; i < OPERATIONS_MAX; i++) {
        for (int j = 0; j < SOURCES_MAX; j++) {
            ret->sources[i][j] = NOTHING;
        }
    }
    for (int i = 0; i < ret->lists.work.operation_count; i++) {
        ret->again[i] = (ret->lists.work.operations[i].parts & recomputed) != 0;
    }
    find_sources(ret);
    find_order(ret);
    sort_hold(job, shard, recomputed, block, ret);
}
