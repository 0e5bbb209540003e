#include "program/check_kernels.h"

#include "base/arena.h"
#include "base/random.h"

#define PRIME 4294967291u /* the largest below 2^32 */

uint32_t prints_sum(uint32_t a, uint32_t b) {
    return (uint32_t)(((uint64_t)a + b) % PRIME);
}

static uint32_t product(uint32_t a, uint32_t b) {
    return (uint32_t)((uint64_t)a * b % PRIME);
}

/* 1 / a, by Fermat: a^(p - 2). */
static uint32_t inverse(uint32_t a) {
    uint32_t result = 1;
    for (uint32_t exponent = PRIME - 2; exponent > 0; exponent /= 2) {
        result = exponent % 2 == 1 ? product(result, a) : result;
        a = product(a, a);
    }
    return result;
}

static uint32_t random_print(const char *purpose, int64_t index) {
    struct random random;
    random_stream(&random, 0, purpose, (uint64_t)index);
    return 1 + random_below(&random, PRIME - 1);
}

static uint32_t operation_print(int32_t item) {
    return random_print("operation", item);
}

uint32_t prints_piece(int64_t role, int32_t pieces) {
    return product(random_print("role", role), inverse((uint32_t)pieces));
}

void prints_open(struct arena *arena, const struct program *program, struct prints *ret) {
    uint32_t *of = ARENA_ARRAY(arena, uint32_t, (size_t)program->work_count);
    int32_t last[BLOCK_COUNT][MODEL_KINDS]; /* operations that any block of the sort has */
    *ret = (struct prints){.of = of};
    for (int i = 0; i < BLOCK_COUNT * MODEL_KINDS; i++) {
        last[i / MODEL_KINDS][i % MODEL_KINDS] = NOTHING;
    }
    for (int64_t i = 0; i < program->work_count; i++) {
        const struct work *work = &program->works[i];
        if (work->kind != WORK_KERNEL || work->layer_kind >= MODEL_KINDS) {
            continue;
        }
        of[i] = product(operation_print(work->item), inverse((uint32_t)work->pieces));
        int32_t *most = &last[work->block][work->layer_kind];
        *most = work->item > *most ? work->item : *most;
    }
    for (int i = 0; i < BLOCK_COUNT * MODEL_KINDS; i++) {
        int block = i / MODEL_KINDS, kind = i % MODEL_KINDS;
        for (int32_t item = 0; item <= last[block][kind]; item++) {
            ret->all[block][kind] = prints_sum(ret->all[block][kind], operation_print(item));
        }
    }
}

bool prints_whole(struct prints *prints, int block, int layer_kind, int phase, int64_t times, uint32_t sum) {
    uint32_t expected = prints->all[block][layer_kind];
    if (phase == PHASE_WEIGHT) {
        if (!prints->known[block][layer_kind]) {
            prints->known[block][layer_kind] = true;
            prints->weights[block][layer_kind] = sum;
        }
        return sum == prints->weights[block][layer_kind];
    }
    return sum == product(expected, (uint32_t)times);
}
