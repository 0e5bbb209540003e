/* Programs of one role that only hold memory, with times of their own. */
#ifndef PARPLAN_TESTS_SIM_TENSORS_H
#define PARPLAN_TESTS_SIM_TENSORS_H

#include <criterion/criterion.h>

#include "../support.h"
#include "base/random.h"
#include "program/build.h"
#include "sim/memory.h"

#define MIB (1024.0 * 1024)

enum { TENSORS_MOST = 4000 };

/* A tensor from one moment to another; `begin` < 0: throughout. */
struct living {
    double bytes;
    enum tensor_class class;
    int64_t begin, end;
};

struct played {
    struct program program;
    int64_t *starts, *ends;
};

/* Every tensor is allocated by an instruction of its own and freed by another, of streams in turn, and these lie in
 * order of time on each. */
struct moment_of {
    int64_t time;
    int32_t tensor;
    bool frees;
};

static inline int moment_before(const void *a, const void *b) {
    const struct moment_of *x = a, *y = b;
    return x->time != y->time ? (x->time < y->time ? -1 : 1) : x->tensor - y->tensor;
}

static inline void play(struct arena *arena, const struct living *livings, int count, int streams,
                        struct played *ret) {
    static const struct parallel one = {.tp = 1, .pp = 1, .dp = 1, .cp = 1, .ep = 1, .etp = 1};
    struct builder *builder = builder_open(arena, DETAIL_LAYER, &one, 1);
    struct moment_of *moments = ARENA_ARRAY(arena, struct moment_of, 2 * (size_t)count);
    int32_t *tensors = ARENA_ARRAY(arena, int32_t, (size_t)count);
    int used = 0;
    builder_role(builder, 0);
    for (int i = 0; i < count; i++) {
        if (livings[i].begin >= 0) {
            moments[used++] = (struct moment_of){livings[i].begin, i, false};
            moments[used++] = (struct moment_of){livings[i].end, i, true};
        }
    }
    qsort(moments, (size_t)used, sizeof *moments, moment_before);
    ret->starts = ARENA_ARRAY(arena, int64_t, (size_t)used);
    ret->ends = ARENA_ARRAY(arena, int64_t, (size_t)used);
    for (int i = 0; i < used; i++) {
        struct instruction instruction = {.micro_batch = NOTHING, .stage = NOTHING, .layer = NOTHING,
                                          .partner = NOTHING, .meeting = NOTHING,
                                          .stream = (uint8_t)(i * 7 % streams)};
        (void)builder_add(builder, &instruction);
        ret->starts[i] = ret->ends[i] = moments[i].time;
    }
    for (int i = 0; i < count; i++) {
        struct tensor tensor = {livings[i].bytes, (int32_t)livings[i].class, NOTHING, NOTHING};
        tensors[i] = builder_tensor(builder, &tensor, NOTHING, NOTHING);
    }
    struct program *program = &ret->program;
    struct effect *effects = ARENA_ARRAY(arena, struct effect, (size_t)used);
    for (int i = 0; i < used; i++) {
        effects[i] = (struct effect){i, tensors[moments[i].tensor], moments[i].frees};
    }
    builder_close(builder, program);
    struct role *role = ARENA_NEW(arena, struct role);
    *role = program->roles[0];
    role->effect_count = program->effect_count = used;
    program->effects = effects;
    program->roles = role;
}

static inline int random_livings(struct random *random, struct living *livings, int most, int64_t span,
                                 double largest) {
    int count = 1 + (int)random_below(random, (uint32_t)most);
    for (int i = 0; i < count; i++) {
        int64_t begin = random_below(random, (uint32_t)span);
        livings[i] = (struct living){(double)(int64_t)(largest * random_unit(random) * random_unit(random)),
                                     (enum tensor_class)random_below(random, TENSOR_CLASSES), begin,
                                     begin + random_below(random, (uint32_t)span)};
        if (random_below(random, 8) == 0) {
            livings[i].begin = livings[i].end = -1;
        }
    }
    return count;
}

#endif
