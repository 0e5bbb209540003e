/* What is in a space, and how much. */
#include "instance.h"
#include "search/pipeline.h"

static struct cost_context context_of(struct arena *arena, const char *model, int64_t devices, const char *job) {
    return cost_context_make(setup_model(arena, model), setup_topology(arena, "h100-sxm", devices),
                             setup_job(arena, job));
}

static const char *spell(struct arena *arena, const struct values *values) {
    struct text text;
    text_init(&text, arena);
    for (int64_t i = 0; i < values->count; i++) {
        text_add_format(&text, "%s%lld", i ? " " : "", (long long)values->items[i]);
    }
    return text.data == NULL ? "" : text.data;
}

/* llama3-8b: 32 heads, 32 layers; mixtral-8x7b: 8 experts, 14336 wide. */
Test(space, axes) {
    static const struct {
        const char *model, *job;
        int64_t devices;
        const char *tp, *pp, *cp, *ep, *micro_batch, *zero;
    } rows[] = {
        {"llama3-8b", "global_batch: 12\n", 8, "1 2 4 8", "1 2 4 8", "1 2 4 8", "1", "1 2 3 4 6 12", "0 1 2 3"},
        {"llama3-8b", "global_batch: 7\n", 1, "1", "1", "1", "1", "1 7", "0 1 2 3"},
        {"llama3-8b", "global_batch: 1\n", 7, "1 7", "1 7", "1 7", "1", "1", "0 1 2 3"},
        {"llama3-8b", "global_batch: 1\n", 96, "1 2 3 4 6 8 12 16 24 32", "1 2 3 4 6 8 12 16 24 32",
         "1 2 3 4 6 8 12 16 24 32 48 96", "1", "1", "0 1 2 3"},
        {"mixtral-8x7b", "global_batch: 4\nkernels: {flash_attention: false}\n", 4, "1 2 4", "1 2 4", "1", "1 2 4",
         "1 2 4", "0 1 2 3"},
        {"mixtral-8x7b",
         "global_batch: 4\nsearch: {tp: [4, 2, 4], pp: 1..3, cp: 2, ep: 5, micro_batch: 3, zero: [3, 0, 3]}\n", 8,
         "2 4", "1 2 3", "2", "5", "3", "0 3"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct cost_context c = context_of(arena, rows[i].model, rows[i].devices, rows[i].job);
        struct space_axes axes;
        space_make(arena, &c, &axes);
        const struct {
            const char *name, *expected;
            const struct values *values;
        } each[] = {{"tp", rows[i].tp, &axes.tp},
                    {"pp", rows[i].pp, &axes.pp},
                    {"cp", rows[i].cp, &axes.cp},
                    {"ep", rows[i].ep, &axes.ep},
                    {"micro_batch", rows[i].micro_batch, &axes.micro_batch},
                    {"zero", rows[i].zero, &axes.zero}};
        for (size_t j = 0; j < ROWS(each); j++) {
            cr_expect(strcmp(spell(arena, each[j].values), each[j].expected) == 0, "row %zu, %s: %s", i, each[j].name,
                      spell(arena, each[j].values));
        }
        arena_close(arena);
    }
}

Test(space, dp_fills_the_devices) {
    struct arena *arena = support_arena();
    struct cost_context c = context_of(arena, "llama3-8b", 24, "search: {dp: [1, 2, 3, 6]}\n");
    struct space_axes axes;
    space_make(arena, &c, &axes);
    static const struct {
        int64_t tp, cp, pp, dp;
    } rows[] = {
        {4, 1, 1, 6},  {4, 2, 1, 3},  {4, 3, 2, 1},         {2, 1, 1, 0},         {5, 1, 1, 0},
        {24, 1, 1, 1}, {24, 2, 1, 0}, {1, INT64_MAX, 1, 0}, {INT64_MAX, 2, 2, 0}, {8, 1, INT64_MAX, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t dp = space_dp(&axes, rows[i].tp, rows[i].cp, rows[i].pp);
        cr_expect(dp == rows[i].dp, "row %zu: dp %lld", i, (long long)dp);
    }
    arena_close(arena);
}

Test(space, variants) {
    static const struct {
        const char *job;
        int64_t pp, count;
        struct variant first, last;
    } rows[] = {
        {"search: {schedule: auto}\n", 1, 1, {SCHEDULE_NONE, STAGES_EVEN, 1}, {SCHEDULE_NONE, STAGES_EVEN, 1}},
        {"search: {stages: ends}\n", 1, 1, {SCHEDULE_NONE, STAGES_ENDS, 1}, {SCHEDULE_NONE, STAGES_ENDS, 1}},
        /* 7 schedules with a fixed number of chunks, interleaved with 2 to 8, each even and with lighter ends */
        {"search: {schedule: auto}\n", 4, 28, {SCHEDULE_GPIPE, STAGES_EVEN, 1}, {SCHEDULE_DUALPIPEV, STAGES_ENDS, 2}},
        {"search: {schedule: interleaved, stages: even}\n",
         4,
         7,
         {SCHEDULE_INTERLEAVED, STAGES_EVEN, 2},
         {SCHEDULE_INTERLEAVED, STAGES_EVEN, 8}},
        {"search: {vpp: [4, 2, 1, 2], stages: even}\n",
         4,
         9,
         {SCHEDULE_GPIPE, STAGES_EVEN, 1},
         {SCHEDULE_DUALPIPEV, STAGES_EVEN, 2}},
        {"search: {vpp: 1, stages: even}\n",
         4,
         5,
         {SCHEDULE_GPIPE, STAGES_EVEN, 1},
         {SCHEDULE_DUALPIPE, STAGES_EVEN, 1}},
        {"search: {vpp: 3, schedule: [1f1b, zb-v]}\n", 4, 0, {0}, {0}},
        {"search: {schedule: none}\n", 4, 0, {0}, {0}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct cost_context c = context_of(arena, "llama3-8b", 8, rows[i].job);
        struct space_axes axes;
        struct variant variants[64];
        space_make(arena, &c, &axes);
        int64_t count = space_variants(&axes, rows[i].pp, variants, 64);
        cr_expect(count == rows[i].count && count == space_variants(&axes, rows[i].pp, NULL, 0),
                  "row %zu: %lld variants", i, (long long)count);
        if (count == rows[i].count && count > 0) {
            cr_expect(memcmp(&variants[0], &rows[i].first, sizeof variants[0]) == 0, "row %zu: first", i);
            cr_expect(memcmp(&variants[count - 1], &rows[i].last, sizeof variants[0]) == 0, "row %zu: last", i);
        }
        arena_close(arena);
    }
}

/* As "ring", "allgather/sp", "usp2". */
static const char *spell_sequences(struct arena *arena, const struct sequence_choice *choices, int64_t count) {
    static const char *const kinds[] = {"ring", "allgather", "ulysses", "usp"};
    struct text text;
    text_init(&text, arena);
    for (int64_t i = 0; i < count; i++) {
        text_add_format(&text, "%s%s%lld%s", i ? " " : "", kinds[choices[i].cp_kind], (long long)choices[i].ulysses,
                        choices[i].sp ? "/sp" : "");
    }
    return text.data == NULL ? "" : text.data;
}

Test(space, sequences) {
    static const struct {
        const char *job;
        int64_t tp, cp;
        const char *expected;
    } rows[] = {
        {"", 1, 1, "ring1"},
        {"", 2, 1, "ring1 ring1/sp"},
        {"search: {sp: on}\n", 1, 1, "ring1/sp"},
        {"search: {sp: off}\n", 2, 1, "ring1"},
        {"", 1, 8, "ring1 allgather1 ulysses8 usp2 usp4"},
        {"search: {sp: on}\n", 2, 6, "ring1/sp allgather1/sp ulysses6/sp usp2/sp usp3/sp"},
        {"search: {sp: on}\n", 16, 8, "ring1/sp allgather1/sp ulysses8/sp usp2/sp"},
        {"search: {ulysses: 4, cp_kind: usp}\n", 1, 8, "usp4"},
        {"search: {cp_kind: [ulysses, allgather]}\n", 1, 1, "allgather1"},
        {"search: {cp_kind: usp}\n", 1, 2, ""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct cost_context c = context_of(arena, "llama3-8b", 8, rows[i].job);
        struct space_axes axes;
        struct sequence_choice choices[16];
        space_make(arena, &c, &axes);
        int64_t count = space_sequences(&axes, rows[i].tp, rows[i].cp, choices, 16);
        cr_expect(count == space_sequences(&axes, rows[i].tp, rows[i].cp, NULL, 0));
        cr_expect(strcmp(spell_sequences(arena, choices, count), rows[i].expected) == 0, "row %zu: %s", i,
                  spell_sequences(arena, choices, count));
        arena_close(arena);
    }
}

/* Orders that put every axis of more than one rank where an earlier order has it are left out. */
Test(space, orders) {
    static const struct {
        struct parallel parallel;
        const char *orders;
    } rows[] = {
        {{.tp = 1, .cp = 1, .dp = 1, .pp = 1, .ep = 1, .etp = 1}, "0"},
        {{.tp = 2, .cp = 1, .dp = 1, .pp = 1, .ep = 1, .etp = 1}, "0"},
        {{.tp = 2, .cp = 1, .dp = 2, .pp = 1, .ep = 1, .etp = 1}, "03"},
        {{.tp = 2, .cp = 1, .dp = 1, .pp = 2, .ep = 1, .etp = 1}, "04"},
        {{.tp = 2, .cp = 1, .dp = 2, .pp = 2, .ep = 1, .etp = 1}, "0134"},
        {{.tp = 2, .cp = 2, .dp = 2, .pp = 2, .ep = 1, .etp = 1}, "01234"},
        {{.tp = 1, .cp = 2, .dp = 2, .pp = 1, .ep = 1, .etp = 1}, "02"},
    };
    struct arena *arena = support_arena();
    struct cost_context c = context_of(arena, "llama3-8b", 8, "");
    struct space_axes axes;
    space_make(arena, &c, &axes);
    for (size_t i = 0; i < ROWS(rows); i++) {
        int orders[ORDER_KINDS];
        char text[ORDER_KINDS + 1] = "";
        int64_t count = space_orders(&axes, &rows[i].parallel, orders);
        for (int64_t j = 0; j < count; j++) {
            text[j] = (char)('0' + orders[j]);
        }
        cr_expect(strcmp(text, rows[i].orders) == 0, "row %zu: %s", i, text);
    }
    arena_close(arena);
}

/* The whole size of spaces that can be counted by hand, legal or not; and where each refused one is counted. */
Test(space, size) {
    static const struct {
        const char *what, *model;
        int64_t devices;
        const char *job;
        int64_t size, evaluated;
        const char *rule; /* that refuses most */
        int64_t refused;
    } rows[] = {
        /* one device: 1 shape, 1 cut, 2 micro-batches, 1 variant, 3 recomputations, 4 ZeRO stages of which 0 is legal
         */
        {"one device", "llama3-8b", 1, "global_batch: 2\n", 24, 6, "zero-group", 18},
        /* dp 2: 1 shape, 1 cut; micro-batch 1 legal, 2 not */
        {"two devices", "llama3-8b", 2, "global_batch: 2\nsearch: {tp: 1, pp: 1, cp: 1}\n", 24, 12, "batch", 12},
        /* a prime number of devices: tp 5 does not divide 32 heads; cp 5 wants 10 | 4096; pp 5 cuts 32 layers even */
        {"five", "llama3-8b", 5, "search: {tp: 5, recompute: none, zero: 0, micro_batch: 1}\n", 2, 0, "tp-heads", 2},
        {"forbidden", "llama3-8b", 2, "global_batch: 2\nforbid: [\"zero > 0\"]\nsearch: {tp: 1, pp: 1, cp: 1}\n", 24, 3,
         "batch", 12},
        /* usp 2 x 2 of cp 4 only: sequences of 6 are no multiple of 8 */
        {"cut", "llama3-8b", 4, "seq_len: 6\nglobal_batch: 1\nsearch: {cp: 4, cp_kind: usp, zero: [0, 1]}\n", 6, 0,
         "cp-sequence", 6},
        {"no shape", "llama3-8b", 8, "search: {tp: 3}\n", 0, 0, NULL, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena *arena = support_arena();
        struct cost_context c = context_of(arena, rows[i].model, rows[i].devices, rows[i].job);
        struct search_control control = {.exhaustive = true};
        struct search_result r = search(arena, &c, &control, NULL);
        int64_t size = r.evaluated + r.pruned_memory + r.pruned_bound + r.pruned_rule;
        cr_expect(size == rows[i].size && r.evaluated == rows[i].evaluated, "%s: size %lld, %lld evaluated",
                  rows[i].what, (long long)size, (long long)r.evaluated);
        const struct search_refusal *first = r.refusals.items;
        cr_expect((r.refusals.count == 0) == (rows[i].rule == NULL), "%s: refusals", rows[i].what);
        if (r.refusals.count > 0 && rows[i].rule != NULL) {
            cr_expect(strcmp(first->rule, rows[i].rule) == 0 && first->count == rows[i].refused, "%s: %s refused %lld",
                      rows[i].what, first->rule, (long long)first->count);
        }
        int64_t refused = 0;
        for (size_t j = 0; j < r.refusals.count; j++) {
            cr_expect(j == 0 || first[j - 1].count >= first[j].count, "%s: refusals are sorted", rows[i].what);
            refused += first[j].count;
        }
        cr_expect(refused == r.pruned_rule, "%s: each refused once", rows[i].what);
        arena_close(arena);
    }
}
