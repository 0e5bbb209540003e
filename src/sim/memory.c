/* One walk through what comes and goes; a total and a peak for each class. */
#include "sim/memory.h"

#include "base/arena.h"
#include "sim/tensor_events.h"

static double sum_of(const double classes[TENSOR_CLASSES]) {
    double sum = 0;
    for (int class = 0; class < TENSOR_CLASSES; class++) {
        sum += classes[class];
    }
    return sum;
}

struct walk {
    struct memory_curve *curve;
    struct memory_point *points;
    double now[TENSOR_CLASSES];
};

/* What is there from `time` on; `instruction` allocated last. */
static void settle(struct walk *walk, int64_t time, int32_t instruction) {
    struct memory_curve *curve = walk->curve;
    double total = sum_of(walk->now);
    walk->points[curve->count++] = (struct memory_point){time, total};
    if (curve->count == 1 || total > curve->peak) {
        curve->peak = total;
        curve->peak_time = time;
        curve->peak_instruction = instruction;
        for (int class = 0; class < TENSOR_CLASSES; class++) {
            curve->at_peak[class] = walk->now[class];
        }
    }
    for (int class = 0; class < TENSOR_CLASSES; class++) {
        curve->class_peak[class] =
            walk->now[class] > curve->class_peak[class] ? walk->now[class] : curve->class_peak[class];
    }
}

void memory_curve(struct arena *arena, const struct program *program, int64_t role, const int64_t *starts,
                  const int64_t *ends, struct memory_curve *ret) {
    const struct role *of = &program->roles[role];
    const struct tensor *tensors = program->tensors + of->first_tensor;
    struct walk walk = {.curve = ret};
    *ret = (struct memory_curve){.peak_instruction = NOTHING};
    ret->points = walk.points = ARENA_ARRAY(arena, struct memory_point, (size_t)of->effect_count + 1);
    struct arena_place begin = arena_mark(arena);
    struct tensor_events events;
    tensor_events_make(arena, program, role, starts, ends, &events);
    for (int64_t i = 0; i < of->tensor_count; i++) {
        walk.now[tensors[i].class] += events.held[i] ? tensors[i].bytes : 0;
    }
    ret->held = sum_of(walk.now);
    int64_t next = 0;
    if (events.count == 0 || events.items[0].time > 0) {
        settle(&walk, 0, NOTHING);
    }
    while (next < events.count) {
        int64_t time = events.items[next].time;
        int32_t allocated = NOTHING;
        for (; next < events.count && events.items[next].time == time; next++) {
            const struct tensor_event *event = &events.items[next];
            const struct tensor *tensor = &tensors[event->tensor];
            walk.now[tensor->class] += event->frees ? -tensor->bytes : tensor->bytes;
            allocated = event->frees ? allocated : event->instruction;
        }
        settle(&walk, time, allocated);
    }
    arena_rewind(arena, begin);
}
