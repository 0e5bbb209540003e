/* Programs built by hand: what the builder keeps, sorts and leaves out. */
#include <criterion/criterion.h>

#include "../support.h"
#include "program/build.h"

static const struct parallel alone = {.tp = 1, .pp = 2, .vpp = 1, .dp = 1, .cp = 1, .ep = 1, .etp = 1, .ulysses = 1};

static struct instruction on(enum stream stream) {
    return (struct instruction){.work = 0, .micro_batch = NOTHING, .stage = NOTHING, .layer = NOTHING,
                                .partner = NOTHING, .meeting = NOTHING, .action = ACTION_FORWARD,
                                .stream = (uint8_t)stream};
}

static int32_t add(struct builder *builder, enum stream stream) {
    struct instruction instruction = on(stream);
    return builder_add(builder, &instruction);
}

static bool waits_are(const struct program *program, int64_t instruction, int64_t count, const int32_t *waits) {
    const struct instruction *at = &program->instructions[instruction];
    bool same = at[1].first_wait - at[0].first_wait == count;
    for (int64_t i = 0; same && i < count; i++) {
        same = program->waits[at->first_wait + i] == waits[i];
    }
    return same;
}

Test(builder, sorts_waits_and_leaves_out_what_streams_imply) {
    struct arena *arena = support_arena();
    struct builder *builder = builder_open(arena, DETAIL_LAYER, &alone, 1);
    struct program program;
    builder_role(builder, 0);
    add(builder, STREAM_COMPUTE);
    builder_role(builder, 1);
    for (int i = 0; i < 3; i++) {
        add(builder, STREAM_COMPUTE); /* 0, 1, 2 */
    }
    add(builder, STREAM_DATA); /* 3 */
    add(builder, STREAM_DATA); /* 4 */
    add(builder, STREAM_COMPUTE); /* 5 */
    builder_wait(builder, 5, 4);
    builder_wait(builder, 3, 1);
    builder_wait(builder, 5, 1);       /* its own stream's order */
    builder_wait(builder, 4, 0);
    builder_wait(builder, 4, 2);       /* ends behind 0 */
    builder_wait(builder, 4, NOTHING);
    builder_wait(builder, 3, 1);       /* twice */
    builder_wait(builder, 5, 3);       /* ends before 4 */
    builder_wait(builder, 1, 4);       /* one that comes later */
    builder_close(builder, &program);
    cr_assert(program.role_count == 2 && program.count == 7 && program.roles[1].first == 1);
    cr_expect(program.roles[0].count == 1 && program.roles[1].count == 6);
    cr_expect(waits_are(&program, 0, 0, NULL));
    cr_expect(waits_are(&program, 1 + 1, 1, (int32_t[]){4}));
    cr_expect(waits_are(&program, 1 + 3, 1, (int32_t[]){1}));
    cr_expect(waits_are(&program, 1 + 4, 1, (int32_t[]){2}));
    cr_expect(waits_are(&program, 1 + 5, 1, (int32_t[]){4}));
    cr_expect(program.wait_count == 4 && program.instructions[7].first_wait == 4);
    arena_close(arena);
}

Test(builder, finds_equal_works_again) {
    enum { WORKS = 3000 };
    struct arena *arena = support_arena();
    struct builder *builder = builder_open(arena, DETAIL_LAYER, &alone, 1);
    int32_t indices[WORKS];
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < WORKS; i++) {
            struct work work;
            memset(&work, again ? 0xff : 0, sizeof work); /* padding does not count */
            work = (struct work){.kind = WORK_REDUCE, .stage = i % 7, .other = NOTHING, .item = i % 11, .pieces = 1,
                                 .size = 1 + i % 13, .step = 1, .bytes = i / 1001, .parameters = i % 2 ? 0.0 : -0.0};
            int32_t index = builder_work(builder, &work);
            cr_assert(again ? index == indices[i] : index == i % 1001 + i / 1001 * 1001, "%d: %d", i, index);
            indices[i] = index;
        }
    }
    struct program program;
    builder_close(builder, &program);
    cr_expect(program.work_count == WORKS, "%lld", (long long)program.work_count);
    arena_close(arena);
}

Test(builder, sorts_effects_and_keeps_tensors_of_roles_apart) {
    struct arena *arena = support_arena();
    struct builder *builder = builder_open(arena, DETAIL_LAYER, &alone, 1);
    struct tensor tensor = {.bytes = 1, .class = TENSOR_WORKING, .micro_batch = NOTHING, .stage = NOTHING};
    struct program program;
    for (int role = 0; role < 2; role++) {
        builder_role(builder, role);
        for (int i = 0; i < 3; i++) {
            add(builder, STREAM_COMPUTE);
        }
        cr_expect(builder_tensor(builder, &tensor, NOTHING, NOTHING) == 0);
        cr_expect(builder_tensor(builder, &tensor, 1, 2) == 1);
        cr_expect(builder_tensor(builder, &tensor, 0, NOTHING) == 2);
        cr_expect(builder_tensor(builder, &tensor, 1, 1) == 3);
        builder_free(builder, 2, 1);
    }
    builder_close(builder, &program);
    static const struct effect expected[] = {{0, 2, false}, {1, 1, false}, {1, 3, false},
                                             {1, 3, true},  {1, 2, true},  {2, 1, true}};
    cr_assert(program.effect_count == 2 * ROWS(expected) && program.tensor_count == 8);
    for (size_t i = 0; i < 2 * ROWS(expected); i++) {
        const struct effect *effect = &program.effects[i], *want = &expected[i % ROWS(expected)];
        cr_expect(effect->instruction == want->instruction && effect->tensor == want->tensor &&
                  effect->frees == want->frees, "effect %zu", i);
    }
    cr_expect(program.roles[1].first_tensor == 4 && program.roles[1].first_effect == (int64_t)ROWS(expected));
    arena_close(arena);
}

Test(builder, links_and_counts_members) {
    struct arena *arena = support_arena();
    struct builder *builder = builder_open(arena, DETAIL_LAYER, &alone, 1);
    struct meeting meeting = {AXIS_PP, 2, 0};
    struct program program;
    int32_t all = builder_meeting(builder, &meeting);
    for (int role = 0; role < 2; role++) {
        builder_role(builder, role);
        add(builder, STREAM_COMPUTE);
        add(builder, role == 0 ? STREAM_SEND_NEXT : STREAM_RECEIVE_PREVIOUS);
        struct instruction collective = on(STREAM_DATA);
        collective.meeting = all;
        builder_add(builder, &collective);
    }
    builder_link(builder, 0, 1, 1, 1);
    builder_at(builder, 0, 0)->layer = 7;
    builder_close(builder, &program);
    cr_expect(program.instructions[1].partner == 1 && program.instructions[1].peer == 1);
    cr_expect(program.instructions[4].partner == 1 && program.instructions[4].peer == 0);
    cr_expect(program.meetings[all].members == 2 && program.instructions[0].layer == 7);
    arena_close(arena);
}

Test(builder, makes_an_empty_program) {
    struct arena *arena = support_arena();
    struct program program;
    builder_close(builder_open(arena, DETAIL_PASS, &alone, 1), &program);
    cr_expect(program.role_count == 0 && program.count == 0 && program.instructions[0].first_wait == 0);
    arena_close(arena);
}

/* Which replicas, numbered tp fastest, then cp, then dp, are in one block of `lockstep`: those that tensor- and
 * context-parallel groups and groups of experts join, directly or through others. Found by joining sets. */
static int64_t joined(const struct parallel *p, int64_t *sets) {
    struct mesh mesh = mesh_make(p->tp, p->cp, p->dp, 1, p->ep, p->etp, (enum mesh_order)p->order);
    static const enum axis axes[] = {AXIS_TP, AXIS_CP, AXIS_EP, AXIS_ETP};
    int64_t world = p->tp * p->cp * p->dp, members[64];
    for (int64_t i = 0; i < world; i++) {
        sets[i] = i;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (int64_t rank = 0; rank < world; rank++) {
            for (size_t a = 0; a < ROWS(axes); a++) {
                int64_t count = mesh_group(&mesh, axes[a], rank, members);
                for (int64_t i = 0; i < count; i++) {
                    changed = changed || sets[members[i]] < sets[rank];
                    sets[rank] = sets[members[i]] < sets[rank] ? sets[members[i]] : sets[rank];
                }
            }
        }
    }
    int64_t size = 0;
    for (int64_t rank = 0; rank < world; rank++) {
        size += sets[rank] == sets[0];
    }
    return size;
}

Test(builder, lockstep_joins_what_collectives_join) {
    int checked = 0;
    for (int64_t i = 0; i < 5 * 4 * 4 * 7 * 6 * 4; i++) {
        struct parallel p = {.order = (int)(i % 5), .tp = 1 + i / 5 % 4, .cp = 1 + i / 20 % 4, .dp = 1 + i / 80 % 7,
                             .ep = 1 + i / 560 % 6, .etp = 1 + i / 3360 % 4, .pp = 1, .vpp = 1, .ulysses = 1};
        int64_t world = p.tp * p.cp * p.dp, sets[128];
        if (world % (p.ep * p.etp) != 0) {
            continue;
        }
        struct arena *arena = support_arena();
        struct program program;
        builder_close(builder_open(arena, DETAIL_PASS, &p, 1), &program);
        int64_t expected = joined(&p, sets);
        cr_assert(program.lockstep == expected, "tp %lld cp %lld dp %lld ep %lld etp %lld order %s: %lld, not %lld",
                  (long long)p.tp, (long long)p.cp, (long long)p.dp, (long long)p.ep, (long long)p.etp,
                  order_names[p.order], (long long)program.lockstep, (long long)expected);
        checked++;
        arena_close(arena);
    }
    cr_expect(checked > 1000, "%d", checked);
}
