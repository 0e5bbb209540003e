/* Tensors between the passes of a block: who makes what the model's list of saved bytes names, and which kernel is the
 * last to need it. */
#include <stddef.h>
#include <string.h>

#include "program/operations.h"

/* Whose kernel makes a saved tensor, whose backward and whose weight gradient read it: names of operations, the nearest
 * one at or before the one that the tensor is listed with. SAME: that one, and then `weight` stands at or behind it. */
#define SAME ""
struct usage {
    const char *saved, *made, *used, *weight;
    bool behind; /* so does `used` */
};

static const struct usage usages[] = {
    {"norm output", SAME, NULL, "next", false},
    {"query", SAME, "core", NULL, true},
    {"keys and values", SAME, "core", NULL, true},
    {"keys", SAME, "core", NULL, true},
    {"values", SAME, "core", NULL, true},
    {"cross query", SAME, "core", NULL, true},
    {"cross keys and values", SAME, "core", NULL, true},
    {"query, keys and values", "chunk scores", "chunk scores", NULL, false},
    {"head gates", "chunk scores", "chunk scores", NULL, false},
    {"chunk states", "state update", "state update", NULL, false},
    {"softmax output", "softmax", "softmax", NULL, false},
    {"attention dropout", "attention dropout", "attention dropout", NULL, false},
    {"attention output", "core", "core", "attention out", false},
    {"attention out input", SAME, NULL, "attention out", false},
    {"q latent normed", SAME, NULL, "q up", false},
    {"kv latent normed", SAME, NULL, "kv up", false},
    {"fc1 output", "fc1", "activation", NULL, false},
    {"fc2 input", "activation", NULL, "fc2", false},
    {"experts input", "experts fc1", NULL, "experts fc1", false},
    {"experts fc1 output", "experts fc1", "activation", NULL, false},
    {"experts fc2 input", "activation", NULL, "experts fc2", false},
    {"router", "router", "top-k", NULL, false},
    {"shared output", "fc2", "shared gate", NULL, false},
    {"projection input", SAME, NULL, "projection", false},
    {"extra blocks", SAME, SAME, "extra blocks", false},
};

static bool is_product(const struct operation *operation) {
    return operation->kind == OPERATION_GEMM || operation->kind == OPERATION_GROUPED;
}

static bool is_core(const char *name) {
    return strcmp(name, "attention") == 0 || strcmp(name, "scores") == 0 || strcmp(name, "chunk scores") == 0;
}

static bool answers(const struct operation *operation, const char *name) {
    if (strcmp(name, "core") == 0) {
        return is_core(operation->name);
    }
    return strcmp(name, "next") == 0 ? is_product(operation) : strcmp(operation->name, name) == 0;
}

/* The nearest operation of this name at or before `from`, or behind it. */
static int find(const struct layer_work *work, const char *name, int from, bool behind) {
    if (name == NULL) {
        return NOTHING;
    }
    if (strcmp(name, SAME) == 0) {
        return from;
    }
    for (int i = from; i >= 0 && i < work->operation_count; i += behind ? 1 : -1) {
        if (answers(&work->operations[i], name)) {
            return i;
        }
    }
    return NOTHING;
}

static const struct usage *usage_of(const char *saved) {
    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        if (strcmp(usages[i].saved, saved) == 0) {
            return &usages[i];
        }
    }
    return NULL;
}

static struct held *hold(struct sort *sort, enum held_kind kind, enum tensor_class class, double bytes) {
    struct held *held = &sort->held[sort->held_count++];
    *held = (struct held){kind, class, bytes, NOTHING, NOTHING, NOTHING};
    return held;
}

static int at_or(int operation, int otherwise) {
    return operation != NOTHING ? operation : otherwise;
}

/* A tensor without a row of its own belongs to the operation that it is listed with. */
static void hold_saved(struct sort *sort, int index, bool again) {
    const struct layer_work *work = &sort->lists.work;
    const struct usage *usage = usage_of(work->saved[index].name);
    int with = work->saved_with[index];
    struct held *held = hold(sort, again ? HELD_AGAIN : HELD_KEPT, again ? TENSOR_WORKING : TENSOR_ACTIVATIONS,
                             work->saved[index].bytes);
    held->made = held->used = with;
    if (usage == NULL) {
        return;
    }
    held->made = at_or(find(work, usage->made, with, false), with);
    held->used = find(work, usage->used, with, usage->behind);
    held->weight = find(work, usage->weight, with, strcmp(usage->made, SAME) == 0);
    if (held->weight != NOTHING && !is_product(&work->operations[held->weight])) {
        held->weight = NOTHING;
    }
    if (held->used == NOTHING && held->weight == NOTHING) {
        held->used = with;
    }
}

/* Backward of a product has the gradients of its output, which its weight gradient needs too, and of its input. */
static void hold_gradients(struct sort *sort, double element, int operation) {
    const struct operation *o = &sort->lists.work.operations[operation];
    struct held *output = hold(sort, HELD_GRADIENT, TENSOR_WORKING, element * o->m * o->n);
    output->made = output->weight = operation;
    struct held *input = hold(sort, HELD_GRADIENT, TENSOR_WORKING, element * o->m * o->k);
    input->made = input->used = operation;
}

/* Logits in 16 bit, their 32-bit copy that becomes the gradient, and the 16-bit gradient of the product; a fused loss
 * keeps them once and makes the gradient in their place. */
static void hold_logits(struct sort *sort, bool fused, double bytes) {
    const struct layer_work *work = &sort->lists.work;
    int head = find(work, "head", work->operation_count - 1, false);
    int loss = find(work, "loss", work->operation_count - 1, false);
    struct held *held = hold(sort, HELD_KEPT, TENSOR_LOGITS, fused ? bytes : bytes / 2);
    held->made = head;
    held->used = loss;
    if (fused) {
        held->weight = head;
        return;
    }
    held = hold(sort, HELD_KEPT, TENSOR_LOGITS, bytes);
    held->made = held->used = loss;
    held = hold(sort, HELD_GRADIENT, TENSOR_LOGITS, bytes / 2);
    held->made = loss;
    held->weight = head;
}

/* The first operation of the layer itself: an MTP block has a projection before it. */
static int layer_begin(enum block block) {
    return block == BLOCK_MTP ? 1 : 0;
}

void sort_hold(const struct job *job, const struct shard *shard, unsigned recomputed, enum block block,
               struct sort *sort) {
    const struct layer_work *work = &sort->lists.work;
    bool full = (recomputed & PART_ALL) != 0;
    if (full) {
        struct held *input = hold(sort, HELD_INPUT, TENSOR_ACTIVATIONS, work->input_bytes);
        input->made = layer_begin(block);
    }
    for (int i = 0; i < work->saved_count; i++) {
        if (strcmp(work->saved[i].name, "logits") == 0) {
            hold_logits(sort, job->kernels.fused_cross_entropy, work->saved[i].bytes);
        } else {
            hold_saved(sort, i, (work->saved[i].parts & recomputed) != 0);
        }
    }
    for (int i = 0; i < work->operation_count; i++) {
        if (is_product(&work->operations[i]) && strcmp(work->operations[i].name, "head") != 0) {
            hold_gradients(sort, shard->element, i);
        }
    }
}
