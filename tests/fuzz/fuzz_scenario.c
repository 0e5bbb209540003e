/* Scenario documents, each played: two ranks that meet, then a message. Whatever a scenario does, the step ends or says
 * who waits. */
#include "fuzz_load.h"

#include "sim/engine.h"
#include "sim/scenario.h"

static enum status load(struct arena *arena, struct node *root, void *object, struct diag *diag) {
    return scenario_load(arena, root, object, diag);
}

enum { COMPUTE, MEET, SEND, RECEIVE, INSTRUCTIONS };

static void play(struct arena *arena, const struct scenario *scenario) {
    static const struct work_price prices[INSTRUCTIONS] = {{.picoseconds = 1000000000}, {.picoseconds = 300000000},
                                                           {.picoseconds = 100000000, .latency = 5000000}, {0}};
    static const struct meeting meetings[] = {{AXIS_DP, 2, 1}};
    static const struct work works[INSTRUCTIONS] = {{.kind = WORK_PASS, .stage = NOTHING},
                                                    {.kind = WORK_REDUCE, .axis = AXIS_DP, .step = 1},
                                                    {.kind = WORK_MESSAGE}, {.kind = WORK_MESSAGE}};
    static const struct instruction instructions[INSTRUCTIONS + 1] = {
        {COMPUTE, 0, NOTHING, NOTHING, 0, NOTHING, NOTHING, 0, ACTION_FULL, STREAM_COMPUTE},
        {MEET, NOTHING, NOTHING, NOTHING, 0, NOTHING, 0, 0, ACTION_COLLECTIVE, STREAM_DATA},
        {SEND, 0, NOTHING, NOTHING, 0, 0, NOTHING, 1, ACTION_SEND, STREAM_SEND_NEXT},
        {RECEIVE, 0, NOTHING, NOTHING, 0, SEND, NOTHING, 0, ACTION_RECEIVE, STREAM_RECEIVE_PREVIOUS},
        {.first_wait = 0}};
    static const struct role roles[] = {{.count = 3}, {.pipeline_rank = 1, .first = 3, .count = 1}};
    const struct program program = {
        .parallel = {.tp = 1, .pp = 2, .vpp = 1, .dp = 2, .cp = 1, .ep = 1, .etp = 1}, .replicas = 2, .lockstep = 1,
        .roles = roles, .instructions = instructions, .works = works, .meetings = meetings, .role_count = 2,
        .count = INSTRUCTIONS, .work_count = INSTRUCTIONS, .meeting_count = 1};
    struct engine_input input = {.program = &program, .prices = prices, .scenario = scenario, .every_rank = true,
                                 .contention = {CONTENTION_NONE, 0.9, 0.9, 0}, .times = true, .causes = true};
    struct engine_result direct, events;
    engine_run(arena, &input, &direct);
    input.contention.level = CONTENTION_SCALAR;
    engine_run(arena, &input, &events);
    PROMISE(direct.finished == (direct.stuck == NULL) && events.finished == (events.stuck == NULL));
    PROMISE(direct.finished || !events.finished); /* what comes later may meet a failure */
    PROMISE(!events.finished || direct.end <= events.end + 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct fuzz_kind kind = {"scenario", scenario_fields, sizeof(struct scenario), load};
    struct arena *arena = arena_open(NULL, NULL);
    const struct scenario *scenario = fuzz_round(arena, &kind, data, size);
    if (scenario != NULL) {
        struct diag diag;
        diag_init(&diag, arena);
        PROMISE((scenario_check(scenario, 4, NULL, &diag) == OK) == (diag.errors == 0));
        play(arena, scenario);
    }
    arena_close(arena);
    return 0;
}
