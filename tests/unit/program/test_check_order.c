/* Waits that never end, and tensors that are not there when they are needed. */
#include "check_plans.h"

static void waits_for_itself(struct broken *b) {
    for (int64_t i = 0; i < b->roles[0].count; i++) {
        if (b->instructions[i].first_wait < b->instructions[i + 1].first_wait) {
            b->waits[b->instructions[i].first_wait] = (int32_t)i;
            return;
        }
    }
}

static void waits_for_its_end(struct broken *b) {
    for (int64_t i = 0; i < b->roles[0].count; i++) {
        const struct instruction *at = &b->instructions[i];
        if (at->stream == STREAM_COMPUTE && at[0].first_wait < at[1].first_wait) {
            b->waits[b->instructions[i].first_wait] = (int32_t)b->roles[0].count - 1;
            return;
        }
    }
}

/* Both ranks send only when they have received. */
static void messages_cross(struct broken *b) {
    for (int64_t i = 0; i < b->roles[0].count; i++) {
        struct instruction *at = &b->instructions[i];
        if (at->action == ACTION_SEND) {
            int64_t receive = i;
            while (b->instructions[receive].action != ACTION_RECEIVE) {
                receive++;
            }
            b->waits[at->first_wait] = (int32_t)receive;
            return;
        }
    }
}

/* One rank sends only behind a collective that the other comes to only when it has received. */
static void meeting_crosses(struct broken *b) {
    int64_t collective = 0;
    while (b->instructions[collective].action != ACTION_COLLECTIVE) {
        collective++;
    }
    const struct instruction *at = &b->instructions[collective];
    for (int32_t w = at[0].first_wait; w < at[1].first_wait; w++) {
        b->waits[w] = 0;
    }
    b->waits[nth(b, ACTION_SEND, 0)->first_wait] = (int32_t)collective;
}

static struct effect *effect_at(struct broken *b, bool frees, int n) {
    for (int64_t i = 0; i < b->program.effect_count; i++) {
        if (b->effects[i].frees == frees && n-- == 0) {
            return &b->effects[i];
        }
    }
    cr_assert_fail("no effect");
    return NULL;
}

static void never_freed(struct broken *b) { effect_at(b, true, 0)->frees = false; }
static void never_allocated(struct broken *b) { effect_at(b, false, 0)->tensor = 0; }
static void freed_twice(struct broken *b) { effect_at(b, true, 0)->tensor = effect_at(b, true, 1)->tensor; }

/* Two tensors become one that is allocated and freed twice, and one that is there throughout. */
static void held_instead(struct broken *b) {
    int32_t first = effect_at(b, false, 0)->tensor, second = effect_at(b, false, 1)->tensor;
    for (int64_t i = 0; i < b->roles[0].effect_count; i++) {
        b->effects[i].tensor = b->effects[i].tensor == second ? first : b->effects[i].tensor;
    }
}

/* A tensor that one stream allocates and another frees, which does not wait for it any more. */
static void freed_aside(struct broken *b) {
    int32_t gather = NOTHING;
    for (int64_t i = 0; i < b->program.effect_count; i++) {
        const struct effect *effect = &b->effects[i];
        const struct instruction *at = &b->instructions[effect->instruction];
        gather = !effect->frees && at->action == ACTION_COLLECTIVE ? effect->instruction : gather;
    }
    cr_assert(gather != NOTHING);
    for (int64_t w = 0; w < b->program.wait_count; w++) {
        b->waits[w] = b->waits[w] == gather ? 0 : b->waits[w];
    }
}

static void freed_before(struct broken *b) {
    struct effect *free = effect_at(b, true, 0);
    struct effect *allocate = effect_at(b, false, 0);
    int32_t tensor = free->tensor;
    free->tensor = allocate->tensor;
    for (int64_t i = 0; i < b->program.effect_count; i++) {
        if (&b->effects[i] == free) {
            continue;
        }
        if (b->effects[i].tensor == free->tensor && b->effects[i].frees) {
            b->effects[i].tensor = tensor;
            break;
        }
    }
    allocate->frees = true;
    free->frees = false;
}

static const struct fault faults[] = {
    {"waits_for_itself", &plain, DETAIL_LAYER, waits_for_itself, "a wait that never ends"},
    {"waits_for_its_end", &plain, DETAIL_LAYER, waits_for_its_end, "a wait that never ends"},
    {"messages_cross", &plain, DETAIL_LAYER, messages_cross, "a wait that never ends"},
    {"never_freed", &plain, DETAIL_LAYER, never_freed, "is allocated or freed twice"},
    {"never_allocated", &plain, DETAIL_LAYER, never_allocated, "is freed but never allocated"},
    {"freed_twice", &plain, DETAIL_LAYER, freed_twice, "is allocated but never freed"},
    {"freed_before", &plain, DETAIL_LAYER, freed_before, "which need not have come before"},
    {"meeting_crosses", &tied_alone, DETAIL_PASS, meeting_crosses, " meets role "},
    {"held_instead", &plain, DETAIL_LAYER, held_instead, "is allocated or freed twice"},
    {"freed_aside", &sharded, DETAIL_LAYER, freed_aside, "which need not have come before"},
};

Test(program_check, finds_what_is_out_of_order) {
    find_faults(faults, ROWS(faults));
}

Test(program_check, shows_the_cycle) {
    struct arena *arena = support_arena();
    struct lowered *lowered = lower_wish(arena, &plain, DETAIL_PASS);
    struct broken broken;
    broken_make(arena, &lowered->program, &broken);
    messages_cross(&broken);
    cr_assert(program_check(arena, &broken.program, lowered->model, &lowered->diag) == STATUS_INVALID);
    const char *text = first_of(&lowered->diag);
    cr_expect(strstr(text, "role 0: send to rank 1, micro-batch 0 waits for role 0: receive from rank 1") != NULL,
              "%s", text);
    cr_expect(strstr(text, "which waits for role 1: send to rank 0, micro-batch 0") != NULL, "%s", text);
    arena_close(arena);
}
