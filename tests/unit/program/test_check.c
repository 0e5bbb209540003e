/* Programs that are broken in one place; each fault is found and said. */
#include "check_plans.h"

static void no_work(struct broken *b) { b->instructions[3].work = (int32_t)b->program.work_count; }
static void no_stage(struct broken *b) { nth(b, ACTION_FORWARD, 0)->stage = 99; }
static void no_layer(struct broken *b) { nth(b, ACTION_FORWARD, 1)->layer = 8; }
static void no_micro_batch(struct broken *b) { nth(b, ACTION_FORWARD, 0)->micro_batch = 4; }
static void no_meeting(struct broken *b) { nth(b, ACTION_COLLECTIVE, 0)->meeting = NOTHING; }
static void meeting_of_a_pass(struct broken *b) { nth(b, ACTION_FORWARD, 0)->meeting = 0; }
static void partner_of_a_pass(struct broken *b) { nth(b, ACTION_FORWARD, 0)->partner = 0; }
static void no_partner(struct broken *b) { nth(b, ACTION_SEND, 0)->partner = NOTHING; }
static void no_peer(struct broken *b) { nth(b, ACTION_RECEIVE, 0)->peer = 2; }
static void no_action(struct broken *b) { b->instructions[0].action = ACTION_COUNT; }
static void no_wait(struct broken *b) { b->waits[b->program.wait_count - 1] = 100000; }
static void waits_backwards(struct broken *b) { b->instructions[5].first_wait = 1000; }
static void waits_end_early(struct broken *b) { b->instructions[b->program.count].first_wait -= 1; }
static void role_overlaps(struct broken *b) { b->roles[1].first -= 1; }
static void role_twice(struct broken *b) { b->roles[1].pipeline_rank = 0; }
static void roles_end_early(struct broken *b) { b->roles[1].count -= 1; }
static void other_work(struct broken *b) { nth(b, ACTION_FORWARD, 0)->work = nth(b, ACTION_SEND, 0)->work; }
static void other_action(struct broken *b) { nth(b, ACTION_FORWARD, 2)->action = ACTION_FULL; }
static void other_stream(struct broken *b) { nth(b, ACTION_FORWARD, 0)->stream = STREAM_DATA; }
static void stray_message(struct broken *b) { nth(b, ACTION_SEND, 0)->stream = STREAM_SEND_PREVIOUS; }
static void other_ranks_stage(struct broken *b) { nth(b, ACTION_FORWARD, 0)->stage = 1; }
static void odd_degree(struct broken *b) { b->program.parallel.dp = 0; }
static void odd_replicas(struct broken *b) { b->program.replicas = 5; }
static void odd_lockstep(struct broken *b) { b->program.lockstep = 3; }
static void odd_pipeline(struct broken *b) { b->program.parallel.pp = 3; }
static void endless_micro_batches(struct broken *b) { b->program.micro_batches = 1 << 30; }
static void odd_work(struct broken *b) { b->works[0].kind = WORK_KINDS; }
static void workless(struct broken *b) { b->works[0].bytes = -1; }
static void pieceless(struct broken *b) { b->works[0].pieces = 0; }
static void kindless(struct broken *b) { b->works[nth(b, ACTION_FORWARD, 1)->work].layer_kind = 1; }
static void stage_nowhere(struct broken *b) { b->stages[1].rank = 2; }
static void stage_too_long(struct broken *b) { b->stages[1].layers = 5; }
static void tensor_classless(struct broken *b) { b->tensors[2].class = TENSOR_CLASSES; }
static void tensor_of_nothing(struct broken *b) { b->tensors[0].bytes = -1; }
static void effect_of_nothing(struct broken *b) { b->effects[0].tensor = 100000; }
static void effects_mixed(struct broken *b) { b->effects[1].instruction = b->effects[0].instruction - 1; }
static void meeting_sizeless(struct broken *b) { b->meetings[0].size = 0; }
static void pair_of_nothing(struct broken *b) { nth(b, ACTION_PAIR, 0)->partner = 8; }

static void partners_swapped(struct broken *b) {
    nth(b, ACTION_SEND, 0)->partner = nth(b, ACTION_SEND, 1)->partner;
}

static void messages_swapped(struct broken *b) {
    struct instruction *sends[2] = {nth(b, ACTION_SEND, 0), nth(b, ACTION_SEND, 1)};
    int32_t partner = sends[0]->partner;
    int64_t first = b->roles[1].first;
    sends[0]->partner = sends[1]->partner;
    sends[1]->partner = partner;
    struct instruction *receives[2] = {&b->instructions[first + sends[0]->partner],
                                       &b->instructions[first + sends[1]->partner]};
    receives[0]->partner = (int32_t)(sends[0] - b->instructions);
    receives[1]->partner = (int32_t)(sends[1] - b->instructions);
    receives[0]->micro_batch = sends[0]->micro_batch;
    receives[1]->micro_batch = sends[1]->micro_batch;
}

static void message_of_another(struct broken *b) { nth(b, ACTION_SEND, 1)->micro_batch = 3; }
static void members_missing(struct broken *b) { b->meetings[0].members = 2; }

static void other_size(struct broken *b) { b->meetings[0].size = 16; }

static void group_disagrees(struct broken *b) {
    int n = 0;
    while (b->works[nth(b, ACTION_COLLECTIVE, n)->work].axis != AXIS_PP) {
        n++;
    }
    struct instruction *collective = nth(b, ACTION_COLLECTIVE, n);
    struct work work = b->works[collective->work];
    work.bytes *= 2;
    collective->work = broken_work(b, work);
}

/* Meetings of all roles, swapped in the last of them. */
static void group_out_of_order(struct broken *b) {
    struct instruction *found[2] = {NULL, NULL};
    for (int64_t i = b->roles[1].first; i < b->program.count && found[1] == NULL; i++) {
        struct instruction *at = &b->instructions[i];
        if (at->meeting != NOTHING && b->meetings[at->meeting].axis == AXIS_PP &&
            (found[0] == NULL || at->work == found[0]->work)) {
            found[found[0] != NULL] = at;
        }
    }
    cr_assert(found[1] != NULL);
    int32_t meeting = found[0]->meeting;
    found[0]->meeting = found[1]->meeting;
    found[1]->meeting = meeting;
}

static void twice_at_a_meeting(struct broken *b) {
    nth(b, ACTION_COLLECTIVE, 0)->meeting = nth(b, ACTION_COLLECTIVE, 1)->meeting;
}

static void forward_missing(struct broken *b) {
    struct instruction *forward = nth(b, ACTION_FORWARD, 1);
    struct work work = b->works[forward->work];
    forward->action = work.action = ACTION_RECOMPUTE;
    forward->work = broken_work(b, work);
}

/* A micro-batch that never comes to the second stage. */
static void stage_left_out(struct broken *b) {
    struct work work = {.kind = WORK_PASS, .action = ACTION_RECOMPUTE, .stage = 1, .other = NOTHING, .item = NOTHING,
                        .pieces = 1, .size = 1, .step = 1};
    int32_t again = broken_work(b, work);
    for (int64_t i = b->roles[1].first; i < b->program.count; i++) {
        struct instruction *at = &b->instructions[i];
        if (at->micro_batch == 2 && at->action <= ACTION_FULL) {
            cr_assert(work_kind(b, at) == WORK_PASS);
            at->action = ACTION_RECOMPUTE;
            at->work = again;
        }
    }
}

static void forward_twice(struct broken *b) { nth(b, ACTION_FORWARD, 1)->micro_batch = 1; }
static void layer_twice(struct broken *b) { nth(b, ACTION_FORWARD, 1)->layer = 1; }
static void other_layer_kind(struct broken *b) { nth(b, ACTION_FORWARD, 1)->layer = NOTHING; }
static void layer_of_another_stage(struct broken *b) { nth(b, ACTION_FORWARD, 1)->layer = 6; }
static void layer_in_two_stages(struct broken *b) { b->stages[1].first = 3; b->stages[1].layers = 5; }
static void layer_in_no_stage(struct broken *b) { b->stages[1].first = 5; b->stages[1].layers = 3; }
static void no_embedding(struct broken *b) { b->stages[0].embedding = false; }
static void pass_of_nothing(struct broken *b) { nth(b, ACTION_FORWARD, 0)->stage = NOTHING; }
static void wrong_way(struct broken *b) { nth(b, ACTION_FORWARD, 0)->micro_batch = 7; }
static void odd_ways(struct broken *b) { b->program.micro_batches = 9; }

static void weight_missing(struct broken *b) {
    struct instruction *weight = nth(b, ACTION_WEIGHT, 0);
    weight->micro_batch = weight->micro_batch == 0 ? 1 : 0;
}

static void other_pass(struct broken *b) {
    for (int64_t i = 0; i < b->program.work_count; i++) {
        const struct work *work = &b->works[i];
        if (work->kind == WORK_PASS && work->action == ACTION_FORWARD && work->stage == 1) {
            of_kind(b, ACTION_FORWARD, WORK_PASS)->work = (int32_t)i;
        }
    }
}

static void other_kernel(struct broken *b) {
    nth(b, ACTION_FORWARD, 4)->work = nth(b, ACTION_FORWARD, 5)->work;
}

static void other_weight(struct broken *b) { nth(b, ACTION_WEIGHT, 1)->work = nth(b, ACTION_WEIGHT, 2)->work; }

static void piece_missing(struct broken *b) {
    for (int64_t i = 0; i < b->program.work_count; i++) {
        b->works[i].pieces *= b->works[i].kind == WORK_KERNEL && b->works[i].item == 3 ? 2 : 1;
    }
}

static void shard_twice(struct broken *b) { nth(b, ACTION_SHARD, 0)->micro_batch = 1; }
static void shard_of_a_layer(struct broken *b) { b->works[nth(b, ACTION_SHARD, 0)->work].block = BLOCK_LAYER; }
static void skipped_in_part(struct broken *b) { forward_missing(b); }

static const struct fault faults[] = {
    {"no_work", &plain, DETAIL_LAYER, no_work, "role 0, instruction 3: there is no work"},
    {"no_stage", &plain, DETAIL_LAYER, no_stage, "there is no such stage, layer or micro-batch"},
    {"no_layer", &plain, DETAIL_LAYER, no_layer, "there is no such stage, layer or micro-batch"},
    {"no_micro_batch", &plain, DETAIL_LAYER, no_micro_batch, "there is no such stage, layer or micro-batch"},
    {"no_meeting", &plain, DETAIL_LAYER, no_meeting, "it meets nobody"},
    {"meeting_of_a_pass", &plain, DETAIL_LAYER, meeting_of_a_pass, "it has a meeting, but is no collective"},
    {"partner_of_a_pass", &plain, DETAIL_LAYER, partner_of_a_pass, "it has a partner, but is no message"},
    {"no_partner", &plain, DETAIL_LAYER, no_partner, "its message has no other end"},
    {"no_peer", &plain, DETAIL_LAYER, no_peer, "its message has no other end"},
    {"no_action", &plain, DETAIL_LAYER, no_action, "no such action or stream"},
    {"no_wait", &plain, DETAIL_LAYER, no_wait, "it waits for instruction 100000, which there is not"},
    {"waits_backwards", &plain, DETAIL_LAYER, waits_backwards, "its waits are not in order"},
    {"waits_end_early", &plain, DETAIL_LAYER, waits_end_early, "do not begin or end where all do"},
    {"role_overlaps", &plain, DETAIL_LAYER, role_overlaps, "role 1 does not begin where the one before it ends"},
    {"role_twice", &plain, DETAIL_LAYER, role_twice, "role 1: pipeline rank 0 is there twice"},
    {"roles_end_early", &plain, DETAIL_LAYER, roles_end_early, "the roles do not hold all instructions"},
    {"other_work", &plain, DETAIL_LAYER, other_work, "its work is of another kind than its action"},
    {"other_action", &plain, DETAIL_LAYER, other_action, "its work is that of another action"},
    {"other_stream", &plain, DETAIL_LAYER, other_stream, "it stands on a stream that is not for it"},
    {"stray_message", &plain, DETAIL_LAYER, stray_message, "it stands on a stream that is not for it"},
    {"other_ranks_stage", &plain, DETAIL_LAYER, other_ranks_stage, "its stage is another rank's"},
    {"odd_degree", &plain, DETAIL_LAYER, odd_degree, "a degree of parallelism"},
    {"odd_replicas", &plain, DETAIL_LAYER, odd_replicas, "there are 5 replicas of a role, but tp x cp x dp is 4"},
    {"odd_lockstep", &plain, DETAIL_LAYER, odd_lockstep, "4 replicas cannot run in groups of 3"},
    {"odd_pipeline", &plain, DETAIL_LAYER, odd_pipeline, "there are 2 roles for 3 pipeline ranks"},
    {"endless_micro_batches", &plain, DETAIL_LAYER, endless_micro_batches, "micro-batches cannot pass in"},
    {"odd_work", &plain, DETAIL_LAYER, odd_work, "work 0 is of no kind that there is"},
    {"workless", &plain, DETAIL_LAYER, workless, "work 0 has no amount"},
    {"pieceless", &plain, DETAIL_LAYER, pieceless, "work 0 has a part that there is not"},
    {"kindless", &plain, DETAIL_LAYER, kindless, "is of a kind of layer that the model does not have"},
    {"stage_nowhere", &plain, DETAIL_LAYER, stage_nowhere, "stage 1 is nowhere"},
    {"stage_too_long", &plain, DETAIL_LAYER, stage_too_long, "stage 1 has layers that the model does not have"},
    {"tensor_classless", &plain, DETAIL_LAYER, tensor_classless, "tensor 2 has a class"},
    {"tensor_of_nothing", &plain, DETAIL_LAYER, tensor_of_nothing, "tensor 0 has a class, size"},
    {"effect_of_nothing", &plain, DETAIL_LAYER, effect_of_nothing, "effect 0 names no instruction or tensor"},
    {"effects_mixed", &plain, DETAIL_LAYER, effects_mixed, "stands out of order"},
    {"meeting_sizeless", &plain, DETAIL_LAYER, meeting_sizeless, "meeting 0 has no axis or no size"},
    {"pair_of_nothing", &two_way, DETAIL_PASS, pair_of_nothing, "it pairs with no micro-batch"},
    {"partners_swapped", &plain, DETAIL_LAYER, partners_swapped, "does not name it"},
    {"messages_swapped", &plain, DETAIL_LAYER, messages_swapped, "what was sent before it is received behind it"},
    {"message_of_another", &plain, DETAIL_LAYER, message_of_another, "its other end is of another micro-batch"},
    {"members_missing", &plain, DETAIL_LAYER, members_missing, "meeting 0: 1 instructions come to it"},
    {"other_size", &plain, DETAIL_LAYER, other_size, "the others of its group do something else"},
    {"group_disagrees", &tied, DETAIL_LAYER, group_disagrees, "the others of its group do something else"},
    {"group_out_of_order", &spread, DETAIL_LAYER, group_out_of_order, "of its group's collectives in this role"},
    {"twice_at_a_meeting", &plain, DETAIL_LAYER, twice_at_a_meeting, "meeting 0: 0 instructions come to it"},
    {"forward_missing", &plain, DETAIL_LAYER, forward_missing, "forward of layer 0, micro-batch 0, is missing"},
    {"stage_left_out", &split, DETAIL_PASS, stage_left_out, "forward of layer 4, micro-batch 2, is missing"},
    {"forward_twice", &plain, DETAIL_LAYER, forward_twice, "forward of layer 0, micro-batch 1, is there twice"},
    {"layer_twice", &plain, DETAIL_LAYER, layer_twice, "forward of layer 1, micro-batch 0, is there twice"},
    {"other_layer_kind", &plain, DETAIL_LAYER, other_layer_kind, "its work is of another kind of layer"},
    {"layer_of_another_stage", &plain, DETAIL_LAYER, layer_of_another_stage, "its stage does not have layer 6"},
    {"layer_in_two_stages", &plain, DETAIL_LAYER, layer_in_two_stages, "layer 3 lies in stages 0 and 1"},
    {"layer_in_no_stage", &plain, DETAIL_LAYER, layer_in_no_stage, "layer 4 lies in no stage"},
    {"no_embedding", &plain, DETAIL_LAYER, no_embedding, "its stage does not have the embedding"},
    {"pass_of_nothing", &plain, DETAIL_LAYER, pass_of_nothing, "no stage, or one that this micro-batch does not pass"},
    {"wrong_way", &two_way, DETAIL_PASS, wrong_way, "no stage, or one that this micro-batch does not pass"},
    {"odd_ways", &two_way, DETAIL_PASS, odd_ways, "9 micro-batches do not enter at two ends alike"},
    {"weight_missing", &split, DETAIL_PASS, weight_missing, "weight gradient of the embedding, micro-batch"},
    {"other_pass", &split, DETAIL_PASS, other_pass, "its work is another stage's"},
    {"other_kernel", &plain, DETAIL_OPERATION, other_kernel, "not all its kernels once"},
    {"other_weight", &plain, DETAIL_OPERATION, other_weight, "weight gradient of"},
    {"piece_missing", &plain, DETAIL_OPERATION, piece_missing, "not all its kernels once"},
    {"shard_twice", &spread, DETAIL_PASS, shard_twice, "not all ranks do their part once"},
    {"shard_of_a_layer", &spread, DETAIL_PASS, shard_of_a_layer, "it is no part of the vocabulary"},
    {"skipped_in_part", &skipping, DETAIL_LAYER, skipped_in_part, "is missing"},
};

Test(program_check, says_what_is_wrong) {
    find_faults(faults, ROWS(faults));
}

Test(program_check, keeps_to_the_limit) {
    struct arena *arena = support_arena();
    struct lowered *lowered = lower_wish(arena, &plain, DETAIL_LAYER);
    struct broken broken;
    broken_make(arena, &lowered->program, &broken);
    for (int64_t i = 0; i < broken.program.count; i++) {
        broken.instructions[i].work = -5;
    }
    cr_assert(program_check(arena, &broken.program, lowered->model, &lowered->diag) == STATUS_INVALID);
    cr_expect(lowered->diag.count == DIAG_LIMIT && lowered->diag.suppressed == 0);
    arena_close(arena);
}
