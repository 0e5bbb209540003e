/* Critical paths of programs whose longest chain is plain to see. */
#include <criterion/criterion.h>

#include "programs.h"
#include "sim/path.h"

static struct critical_path path_of(struct arena *arena, const struct engine_input *input) {
    struct engine_result result = play(arena, input);
    struct critical_path path;
    critical_path(arena, input->program, &result, &path);
    return path;
}

static void expect_step(const struct critical_path *path, int64_t step, int64_t instance, int32_t instruction,
                        int64_t start, int64_t end) {
    const struct path_step *s = &path->steps[step];
    cr_expect(s->instance == instance && s->instruction == instruction && s->start == start && s->end == end,
              "step %d: instruction %d of %d, %lld to %lld", (int)step, (int)s->instruction, (int)s->instance,
              (long long)s->start, (long long)s->end);
}

/* Two ranks: compute, message, compute, collective beside shorter compute. */
Test(path, over_a_message) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    making_compute(m, 30, NOTHING);
    int32_t send = making_add(m, ACTION_SEND, STREAM_SEND_NEXT, 10, 0);
    making_compute(m, 20, NOTHING);
    making_role(m);
    int32_t receive = making_add(m, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS, 0, NOTHING);
    int32_t compute = making_compute(m, 40, receive);
    int32_t reduce = making_add(m, ACTION_COLLECTIVE, STREAM_DATA, 50, compute);
    m->works[reduce].axis = AXIS_EDP;
    making_compute(m, 45, NOTHING);
    making_link(m, send, receive, 5);
    struct engine_input input = making_input(m);
    struct critical_path path = path_of(arena, &input);
    cr_assert(path.count == 4, "%d steps", (int)path.count);
    expect_step(&path, 0, 0, 0, 0, 30);
    expect_step(&path, 1, 0, 1, 30, 40);
    expect_step(&path, 2, 1, 1, 45, 85);
    expect_step(&path, 3, 1, 2, 85, 135);
    cr_expect(path.of_action[ACTION_FORWARD] == 70 && path.of_action[ACTION_SEND] == 10 &&
              path.of_action[ACTION_COLLECTIVE] == 50 && path.of_axis[AXIS_EDP] == 50 && path.waiting == 5);
    arena_close(arena);
}

/* A pause is waiting; so is the time before the first step. */
Test(path, over_a_pause) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    making_compute(m, 30, NOTHING);
    making_compute(m, 30, NOTHING);
    struct pause pauses[] = {{-1, -1, 0, 7e-12, 0}, {-1, -1, 35e-12, 20e-12, 0}};
    struct scenario scenario = {.pauses = {pauses, 2}};
    struct engine_input input = making_input(m);
    input.scenario = &scenario;
    struct critical_path path = path_of(arena, &input);
    cr_assert(path.count == 2);
    expect_step(&path, 0, 0, 0, 7, 37);
    expect_step(&path, 1, 0, 1, 55, 85);
    cr_expect(path.waiting == 25 && path.of_action[ACTION_FORWARD] == 60);
    arena_close(arena);
}

Test(path, of_nothing) {
    struct arena *arena = support_arena();
    struct making *m = making_open(arena);
    making_role(m);
    struct engine_input input = making_input(m);
    struct critical_path path = path_of(arena, &input);
    cr_expect(path.count == 0 && path.waiting == 0);
    arena_close(arena);
}
