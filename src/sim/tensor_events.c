/* Instructions of a stream follow one another in time, so the allocations of a stream are sorted, and its frees;
 * merging these lists sorts them all. */
#include "sim/tensor_events.h"

#include "base/arena.h"

enum { LISTS = 2 * STREAM_COUNT };

/* Allocations or frees of one stream. */
struct list_of_events {
    struct tensor_event *items;
    int64_t count, next;
};

struct effects {
    const struct effect *items;
    int64_t count;
    const struct instruction *instructions;
    const int64_t *starts, *ends;
};

static int64_t time_of(const struct effects *effects, const struct effect *effect) {
    return effect->frees ? effects->ends[effect->instruction] : effects->starts[effect->instruction];
}

/* Which tensors no effect names, and which are there for no time at all. */
static void find_fleeting(struct arena *arena, const struct effects *effects, int64_t tensors, bool *held,
                          bool *ret_fleeting) {
    int64_t *begins = ARENA_ARRAY(arena, int64_t, (size_t)tensors);
    for (int64_t i = 0; i < tensors; i++) {
        held[i] = true;
    }
    for (int64_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        held[effect->tensor] = false;
        if (!effect->frees) {
            begins[effect->tensor] = time_of(effects, effect);
        }
    }
    for (int64_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (effect->frees) {
            ret_fleeting[effect->tensor] = time_of(effects, effect) <= begins[effect->tensor];
        }
    }
}

static struct list_of_events *list_of(struct list_of_events lists[LISTS], const struct effects *effects,
                                      const struct effect *effect) {
    return &lists[2 * effects->instructions[effect->instruction].stream + (effect->frees ? 0 : 1)];
}

static void lists_fill(struct arena *arena, const struct effects *effects, const bool *fleeting,
                       struct list_of_events lists[LISTS]) {
    for (int64_t i = 0; i < effects->count; i++) {
        if (!fleeting[effects->items[i].tensor]) {
            list_of(lists, effects, &effects->items[i])->count++;
        }
    }
    for (int i = 0; i < LISTS; i++) {
        lists[i].items = ARENA_ARRAY(arena, struct tensor_event, (size_t)lists[i].count);
        lists[i].count = 0;
    }
    for (int64_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (!fleeting[effect->tensor]) {
            struct list_of_events *list = list_of(lists, effects, effect);
            list->items[list->count++] = (struct tensor_event){time_of(effects, effect), effect->tensor,
                                                               effect->instruction, effect->frees};
        }
    }
}

static bool comes_before(const struct tensor_event *a, const struct tensor_event *b) {
    if (a->time != b->time) {
        return a->time < b->time;
    }
    return a->frees != b->frees ? a->frees : a->instruction < b->instruction;
}

static const struct tensor_event *merge_next(struct list_of_events lists[LISTS]) {
    struct list_of_events *first = NULL;
    for (int i = 0; i < LISTS; i++) {
        struct list_of_events *list = &lists[i];
        if (list->next < list->count &&
            (first == NULL || comes_before(&list->items[list->next], &first->items[first->next]))) {
            first = list;
        }
    }
    return first == NULL ? NULL : &first->items[first->next++];
}

void tensor_events_make(struct arena *arena, const struct program *program, int64_t role, const int64_t *starts,
                        const int64_t *ends, struct tensor_events *ret) {
    const struct role *of = &program->roles[role];
    struct effects effects = {program->effects + of->first_effect, of->effect_count,
                              program->instructions + of->first, starts, ends};
    bool *held = ARENA_ARRAY(arena, bool, (size_t)of->tensor_count);
    struct tensor_event *events = ARENA_ARRAY(arena, struct tensor_event, (size_t)of->effect_count);
    struct arena_place begin = arena_mark(arena);
    struct list_of_events lists[LISTS] = {{.items = NULL}};
    bool *fleeting = ARENA_ARRAY(arena, bool, (size_t)of->tensor_count);
    find_fleeting(arena, &effects, of->tensor_count, held, fleeting);
    lists_fill(arena, &effects, fleeting, lists);
    int64_t count = 0;
    for (const struct tensor_event *next = merge_next(lists); next != NULL; next = merge_next(lists)) {
        events[count++] = *next;
    }
    arena_rewind(arena, begin);
    *ret = (struct tensor_events){events, count, held};
}
