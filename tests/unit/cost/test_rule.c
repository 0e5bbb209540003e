/* Legality: one decision for each rule that breaks it, others at its edge that break none. */
#include "../plan/setup.h"

#include "cost/rule.h"
#include "cost/stage.h"
#include "schedule/schedule.h"

/* What decisions are judged on: documents at so many H100s, 1024 sequences a step. */
enum {
    LLAMA,
    MANY,
    MIXTRAL,
    ODD_HEADS,
    ODD_KEYS,
    TWELVE_KEYS,
    LINEAR,
    NARROW,
    UNFUSED,
    ODD_LENGTH,
    ODDER_LENGTH,
    SPREAD,
    LATENT,
    SHARED,
    SETTINGS
};

static const struct {
    const char *model, *job;
    int64_t devices;
} settings[SETTINGS] = {
    [LLAMA] = {"llama3-8b", "", 16}, /* 32 heads, 8 key-value heads, 32 layers, 4096 tokens */
    [MANY] = {"llama3-8b", "", 64},
    [MIXTRAL] = {"mixtral-8x7b", "", 16},
    [TWELVE_KEYS] = {MODEL "hidden_size: 768\nnum_attention_heads: 24\nnum_key_value_heads: 12\nvocab_size: 1024\n"
                           "intermediate_size: 3072\nnum_hidden_layers: 8\n",
                     "", 16},
    [ODDER_LENGTH] = {"llama3-8b", "seq_len: 4095\n", 16},
    [ODD_HEADS] = {MODEL "hidden_size: 512\nnum_attention_heads: 8\nnum_key_value_heads: 2\nvocab_size: 1024\n"
                         "intermediate_size: 3072\nnum_hidden_layers: 8\n",
                   "", 24},
    [ODD_KEYS] = {MODEL "hidden_size: 768\nnum_attention_heads: 12\nnum_key_value_heads: 4\nvocab_size: 1024\n"
                        "intermediate_size: 3072\nnum_hidden_layers: 8\n",
                  "seq_len: 6144\nglobal_batch: 1024\n", 24},
    [LINEAR] = {SMALL "num_hidden_layers: 8\nlayer_pattern: [linear, full]\n"
                      "linear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32}\n",
                "", 16},
    [NARROW] = {MODEL "hidden_size: 512\nnum_attention_heads: 16\nvocab_size: 1024\nintermediate_size: 1000\n"
                      "num_hidden_layers: 8\n",
                "", 16},
    [UNFUSED] = {"llama3-8b", "kernels: {flash_attention: false}\n", 16},
    [ODD_LENGTH] = {"llama3-8b", "seq_len: 4094\n", 16},
    [SPREAD] = {"llama3-8b", "vocab_parallel: true\n", 16},
    [LATENT] = {"deepseek-v2-lite", "", 16}, /* 16 heads, 64 experts of 1408 */
    [SHARED] = {SMALL "num_hidden_layers: 8\nmoe: {num_experts: 8, expert_intermediate_size: 96, shared_experts: 1, "
                      "shared_intermediate_size: 12}\n",
                "", 16},
};

struct rule_row {
    const char *rule; /* NULL: legal */
    int setting;
    int64_t tp, pp, vpp, dp, cp, ep, etp, zero, micro_batch;
    bool sp;
    int cp_kind;
    int64_t ulysses;
    int order, schedule, stages;
    size_t broken; /* rules broken in all */
};

enum { RING = CONTEXT_RING, HEADS = CONTEXT_ULYSSES, BOTH = CONTEXT_USP, NEAR = ORDER_TP_CP_PP_DP };

static const struct rule_row rows[] = {
    {"world", LLAMA, 2, 1, 1, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"tp-heads", ODD_HEADS, 6, 1, 1, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"tp-kv-heads", ODD_KEYS, 6, 1, 1, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"tp-kv-heads", ODD_KEYS, 3, 2, 1, 1, 4, 1, 1, 0, 1, true, HEADS, 4, 0, SCHEDULE_GPIPE, 0, 1},
    {"tp-linear-heads", LINEAR, 8, 1, 1, 2, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"tp-width", NARROW, 16, 1, 1, 1, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"tp-width", SHARED, 8, 1, 1, 2, 1, 1, 1, 0, 1, true, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kernel", UNFUSED, 2, 1, 1, 4, 2, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"ep-experts", LLAMA, 2, 1, 1, 8, 1, 2, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"ep-experts", MIXTRAL, 1, 1, 1, 16, 1, 16, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"etp-width", LLAMA, 2, 1, 1, 8, 1, 1, 2, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"etp-width", SHARED, 1, 1, 1, 16, 1, 1, 64, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 2}, /* and ep-fold */
    {"ep-fold", MIXTRAL, 1, 4, 1, 4, 1, 8, 1, 0, 1, false, RING, 1, 0, SCHEDULE_1F1B, 0, 1},
    {"vocabulary", SPREAD, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"sp-tp", LLAMA, 1, 1, 1, 16, 1, 1, 1, 0, 1, true, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"sp-sequence", ODD_LENGTH, 4, 1, 1, 4, 1, 1, 1, 0, 1, true, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"sp-experts", MIXTRAL, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kinds", LLAMA, 2, 1, 1, 4, 2, 1, 1, 0, 1, false, RING, 2, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kinds", LLAMA, 2, 1, 1, 2, 4, 1, 1, 0, 1, false, HEADS, 2, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kinds", LLAMA, 2, 1, 1, 2, 4, 1, 1, 0, 1, false, BOTH, 4, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kinds", LLAMA, 2, 1, 1, 2, 4, 1, 1, 0, 1, false, BOTH, 1, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kinds", LLAMA, 2, 1, 1, 2, 4, 1, 1, 0, 1, false, CONTEXT_ALL_GATHER, 4, 0, SCHEDULE_NONE, 0, 1},
    {"cp-sequence", ODD_LENGTH, 2, 1, 1, 4, 2, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"cp-sequence", ODD_LENGTH, 1, 1, 1, 4, 4, 1, 1, 0, 1, false, HEADS, 4, 0, SCHEDULE_NONE, 0, 1},
    {"cp-heads", ODD_KEYS, 1, 1, 1, 4, 6, 1, 1, 0, 1, false, HEADS, 6, 0, SCHEDULE_NONE, 0, 1},
    {"cp-heads", MANY, 8, 1, 1, 1, 8, 1, 1, 0, 1, false, HEADS, 8, 0, SCHEDULE_NONE, 0, 1},
    {"cp-heads", TWELVE_KEYS, 4, 1, 1, 2, 2, 1, 1, 0, 1, false, HEADS, 2, 0, SCHEDULE_NONE, 0, 1},
    {"cp-kinds", LLAMA, 2, 1, 1, 4, 2, 1, 1, 0, 1, false, BOTH, 2, 0, SCHEDULE_NONE, 0, 1},
    {"ep-fold", MIXTRAL, 1, 4, 1, 4, 1, 8, 1, 0, 1, false, RING, 1, NEAR, SCHEDULE_1F1B, 0, 1},
    {"ep-order", MIXTRAL, 1, 2, 1, 8, 1, 8, 1, 0, 1, false, RING, 1, NEAR, SCHEDULE_1F1B, 0, 1},
    {"batch", LLAMA, 2, 1, 1, 8, 1, 1, 1, 0, 3, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"batch", LLAMA, 2, 1, 1, 8, 1, 1, 1, 0, 256, false, RING, 1, 0, SCHEDULE_NONE, 0, 2}, /* no micro-batch left */
    {"zero-group", LLAMA, 16, 1, 1, 1, 1, 1, 1, 1, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 1},
    {"zero-pipeline", LLAMA, 2, 2, 1, 4, 1, 1, 1, 2, 1, false, RING, 1, 0, SCHEDULE_1F1B, 0, 1},
    {"pp-schedule", LLAMA, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_1F1B, 0, 2},
    {"pp-schedule", LLAMA, 2, 2, 1, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 2},
    {"schedule-shape", LLAMA, 1, 4, 2, 4, 1, 1, 1, 0, 128, false, RING, 1, 0, SCHEDULE_INTERLEAVED, 0, 1},
    {"schedule-shape", LLAMA, 1, 4, 2, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_1F1B, 0, 1},
    {"stage-cut", LLAMA, 2, 2, 17, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_INTERLEAVED, 0, 1},
    {"stage-cut", LLAMA, 2, 4, 1, 2, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_1F1B, STAGES_ENDS, 1},
    /* Legal. */
    {NULL, LLAMA, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, BOTH, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 2, 1, 1, 2, 4, 1, 1, 0, 1, false, BOTH, 2, 0, SCHEDULE_NONE, 0, 0},
    {NULL, MANY, 16, 1, 1, 2, 2, 1, 1, 0, 1, false, HEADS, 2, 0, SCHEDULE_NONE, 0, 0},
    {NULL, ODDER_LENGTH, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 16, 1, 1, 1, 1, 1, 1, 0, 1024, true, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 1, 1, 1, 16, 1, 1, 1, 3, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 1, 1, 1, 1, 16, 1, 1, 3, 1, false, HEADS, 16, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 1, 1, 1, 2, 8, 1, 1, 1, 1, false, BOTH, 4, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LLAMA, 1, 4, 8, 4, 1, 1, 1, 1, 1, false, RING, 1, 0, SCHEDULE_INTERLEAVED, 0, 0},
    {NULL, LLAMA, 8, 2, 1, 1, 1, 1, 1, 0, 1, true, RING, 1, NEAR, SCHEDULE_ZB_H1, STAGES_ENDS, 0},
    {NULL, LLAMA, 2, 8, 2, 1, 1, 1, 1, 0, 1, true, RING, 1, NEAR, SCHEDULE_ZB_V, 0, 0},
    {NULL, LLAMA, 2, 8, 1, 1, 1, 1, 1, 0, 1, true, RING, 1, NEAR, SCHEDULE_DUALPIPE, 0, 0},
    {NULL, MIXTRAL, 4, 2, 1, 2, 1, 8, 1, 1, 1, true, RING, 1, 0, SCHEDULE_1F1B, 0, 0},
    {NULL, MIXTRAL, 4, 2, 1, 2, 1, 4, 1, 1, 1, true, RING, 1, NEAR, SCHEDULE_1F1B, 0, 0},
    {NULL, MIXTRAL, 1, 1, 1, 16, 1, 8, 2, 2, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, ODD_LENGTH, 2, 1, 1, 8, 1, 1, 1, 0, 1, true, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, ODD_LENGTH, 1, 1, 1, 8, 2, 1, 1, 0, 1, false, HEADS, 2, 0, SCHEDULE_NONE, 0, 0},
    {NULL, ODD_KEYS, 12, 2, 1, 1, 1, 1, 1, 0, 1, true, RING, 1, 0, SCHEDULE_GPIPE, 0, 0},
    {NULL, LLAMA, 8, 1, 1, 1, 2, 1, 1, 0, 1, false, HEADS, 2, 0, SCHEDULE_NONE, 0, 0}, /* both get the one head */
    {NULL, LINEAR, 4, 1, 1, 2, 2, 1, 1, 0, 1, true, HEADS, 2, 0, SCHEDULE_NONE, 0, 0},
    {NULL, UNFUSED, 2, 1, 1, 8, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, SPREAD, 2, 2, 1, 4, 1, 1, 1, 0, 1, false, RING, 1, 0, SCHEDULE_1F1B, 0, 0},
    {NULL, LATENT, 16, 1, 1, 1, 1, 16, 1, 0, 1, true, RING, 1, 0, SCHEDULE_NONE, 0, 0},
    {NULL, LATENT, 2, 1, 1, 1, 8, 8, 2, 1, 1, true, HEADS, 8, 0, SCHEDULE_NONE, 0, 0},
    {NULL, SHARED, 4, 1, 1, 4, 1, 8, 2, 1, 1, true, RING, 1, 0, SCHEDULE_NONE, 0, 0},
};

static struct decision decision_of(const struct rule_row *r, const struct job *job) {
    return (struct decision){
        .parallel = {.tp = r->tp,
                     .pp = r->pp,
                     .vpp = r->vpp,
                     .dp = r->dp,
                     .cp = r->cp,
                     .ep = r->ep,
                     .etp = r->etp,
                     .zero = r->zero,
                     .sp = r->sp,
                     .cp_kind = r->cp_kind,
                     .ulysses = r->ulysses,
                     .order = r->order},
        .micro_batch = r->micro_batch,
        .micro_batches = job->global_batch / (r->dp * r->micro_batch),
        .schedule = r->schedule,
        .recompute = RECOMPUTE_NONE,
        .stages = r->stages,
    };
}

/* The rule and its sentence stand in the reasons, and rule_broken finds it in its scope and in no other. */
static void expect_broken(const struct cost_context *context, const struct decision *decision, size_t row,
                          const char *name, const struct list *reasons) {
    const struct rule *rule = rules;
    bool listed = false;
    while (rule->name != NULL && !text_equal(rule->name, name)) {
        rule++;
    }
    cr_assert(rule->name != NULL, "row %zu: there is no rule %s", row, name);
    for (size_t i = 0; i < reasons->count; i++) {
        const char *text = ((const char **)reasons->items)[i];
        size_t size = strlen(name);
        listed = listed ||
                 (text_starts(text, name) && text_starts(text + size, ": ") && text_starts(text + size + 2, rule->doc));
    }
    cr_expect(listed, "row %zu: %s is not among the %zu reasons", row, name, reasons->count);
    cr_expect(rule->broken(context, decision), "row %zu: %s", row, name);
    cr_expect_not_null(rule_broken(context, decision, rule->scope), "row %zu: %s in its scope", row, name);
    for (int scope = RULE_SHAPE; scope <= RULE_WHOLE && reasons->count == 1; scope++) {
        const struct rule *first = rule_broken(context, decision, (enum rule_scope)scope);
        cr_expect_eq(first, scope == (int)rule->scope ? rule : NULL, "row %zu: scope %d", row, scope);
    }
}

Test(rule, every_rule_is_broken_by_a_row_and_by_no_other) {
    struct arena *arena = support_arena();
    struct cost_context contexts[SETTINGS];
    for (int i = 0; i < SETTINGS; i++) {
        contexts[i] = cost_context_make(setup_model(arena, settings[i].model),
                                        setup_topology(arena, "h100-sxm", settings[i].devices),
                                        setup_job(arena, settings[i].job));
    }
    bool hit[64] = {false};
    for (size_t row = 0; row < ROWS(rows); row++) {
        const struct cost_context *context = &contexts[rows[row].setting];
        struct decision decision = decision_of(&rows[row], context->job);
        struct list reasons = rule_reasons(arena, context, &decision);
        cr_expect_eq(reasons.count, rows[row].broken, "row %zu (%s): %zu reasons, the first %s", row, rows[row].rule,
                     reasons.count, reasons.count > 0 ? ((const char **)reasons.items)[0] : "none");
        for (size_t i = 0; rows[row].rule != NULL && rules[i].name != NULL; i++) {
            hit[i] = hit[i] || text_equal(rules[i].name, rows[row].rule);
        }
        if (rows[row].rule != NULL) {
            expect_broken(context, &decision, row, rows[row].rule, &reasons);
        }
    }
    for (size_t i = 0; rules[i].name != NULL; i++) {
        cr_expect(hit[i], "no row breaks %s", rules[i].name);
        cr_expect(strlen(rules[i].doc) > 10, "%s has no sentence", rules[i].name);
    }
    arena_close(arena);
}

/* Schedules and cuts say in their own words what they refuse. */
Test(rule, details) {
    int seen = 0;
    struct arena *arena = support_arena();
    struct cost_context context =
        cost_context_make(setup_model(arena, "llama3-8b"), setup_topology(arena, "h100-sxm", 16), setup_job(arena, ""));
    for (size_t row = 0; row < ROWS(rows); row++) {
        bool schedule = text_equal(rows[row].rule, "schedule-shape"), cut = text_equal(rows[row].rule, "stage-cut");
        if (schedule || cut) {
            seen++;
            struct decision d = decision_of(&rows[row], context.job);
            struct schedule_shape shape = {d.parallel.pp, d.micro_batches, d.parallel.vpp};
            const char *why = schedule ? schedules[d.schedule]->refuse(&shape)
                                       : stage_refuse(32, d.parallel.pp, d.parallel.vpp,
                                                      schedules[d.schedule]->placement, d.stages == STAGES_ENDS);
            struct list reasons = rule_reasons(arena, &context, &d);
            cr_expect(text_ends(((const char **)reasons.items)[0], arena_format(arena, "(%s)", why)), "row %zu: %s",
                      row, ((const char **)reasons.items)[0]);
        }
    }
    cr_expect_eq(seen, 4);
    arena_close(arena);
}

/* Degrees that no machine has are refused, without overflow. */
Test(rule, absurd_degrees) {
    struct arena *arena = support_arena();
    struct cost_context context = cost_context_make(setup_model(arena, "mixtral-8x7b"),
                                                    setup_topology(arena, "h100-sxm", 16), setup_job(arena, ""));
    static const int64_t sizes[] = {1, 2, 65536, 1000000000};
    for (int bits = 0; bits < 1 << 12; bits++) {
        int64_t a = sizes[bits & 3], b = sizes[bits >> 2 & 3], c = sizes[bits >> 4 & 3], e = sizes[bits >> 6 & 3];
        struct decision d = {.parallel = {.tp = a,
                                          .pp = b,
                                          .vpp = sizes[bits >> 8 & 3],
                                          .dp = c,
                                          .cp = e,
                                          .ep = sizes[bits >> 10 & 3],
                                          .etp = a,
                                          .ulysses = 1,
                                          .sp = true},
                             .micro_batch = b,
                             .micro_batches = c,
                             .schedule = bits % SCHEDULE_COUNT};
        double product = (double)a * (double)b * (double)c * (double)e;
        const struct rule *rule = rule_broken(&context, &d, RULE_SHAPE);
        cr_expect(product == 16 || (rule != NULL && text_equal(rule->name, "world")), "%.3g ranks", product);
        cr_expect(product == 16 || rule_reasons(arena, &context, &d).count > 0);
    }
    arena_close(arena);
}
