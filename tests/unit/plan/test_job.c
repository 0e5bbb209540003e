/* The job document: every key by file and by flag, defaults, bad values with their place, and what follows from keys.
 */
#include "setup.h"

#include "schedule/schedule.h"

/* A value that is not the default, by the field's kind. */
static const char *other_value(struct arena *arena, const struct field *field, const void *defaults) {
    const char *now = field_text(arena, field, defaults);
    switch (field->kind) {
    case FIELD_BOOL:
        return text_equal(now, "true") ? "false" : "true";
    case FIELD_COUNT:
        return text_equal(now, "3") ? "4" : "3";
    case FIELD_NUMBER:
    case FIELD_RATIO:
        return field->max > 2 ? "2.5" : "0.5";
    case FIELD_QUANTITY:
        return field->dimension == UNIT_SECONDS ? "7s" : "7GiB";
    case FIELD_CHOICE:
        return text_equal(now, field->choices[0]) ? field->choices[1] : field->choices[0];
    case FIELD_CHOICES:
        return field->choices[1];
    case FIELD_DEGREES:
        return "1,2";
    case FIELD_TEXT:
        return "word";
    case FIELD_TEXTS:
        return text_equal(field->key, "forbid") ? "tp > 8" : "memory,time";
    case FIELD_STRUCT:
    case FIELD_OPTIONAL:
    case FIELD_STRUCTS:
    case FIELD_COUNTS:
    case FIELD_NUMBERS:
        break;
    }
    cr_assert_fail("%s: a kind of field that no job had", field->key);
    return NULL;
}

/* One key alone in a document, and the same by field_parse into the member itself. */
static void check_key(struct arena *arena, const char *outer, const struct field *field, size_t offset) {
    struct job by_default, by_file, by_flag;
    const char *reason = NULL;
    field_defaults(arena, job_fields, &by_default);
    field_defaults(arena, job_fields, &by_flag);
    const char *value = other_value(arena, field, (char *)&by_default + offset);
    bool list = field->kind == FIELD_TEXTS || field->kind == FIELD_DEGREES;
    const char *written = arena_format(arena, list ? "[%s]" : "%s", value);
    const char *key = field->key;
    const char *keys = outer == NULL ? arena_format(arena, "%s: %s\n", key, written)
                                     : arena_format(arena, "%s: {%s: %s}\n", outer, key, written);
    by_file = *setup_job(arena, keys);
    cr_assert(field_parse(arena, field, value, (char *)&by_flag + offset, &reason), "%s: %s", keys, reason);
    const char *of_file = field_text(arena, field, (char *)&by_file + offset);
    const char *of_flag = field_text(arena, field, (char *)&by_flag + offset);
    cr_expect_str_eq(of_file, of_flag, "%s: %s by file, %s by flag", keys, of_file, of_flag);
    cr_expect_not(field_is_default(arena, field, (char *)&by_file + offset), "%s: still the default", keys);
    cr_expect(strlen(field->doc) > 5, "%s has no doc", key);
}

Test(job, every_key_loads) {
    struct arena *arena = support_arena();
    int keys = 0;
    for (const struct field *field = job_fields; field->key != NULL; field++) {
        if (field->kind == FIELD_STRUCT) {
            for (const struct field *inner = field->fields; inner->key != NULL; inner++, keys++) {
                check_key(arena, field->key, inner, field->offset);
            }
        } else {
            check_key(arena, NULL, field, 0);
            keys++;
        }
    }
    cr_expect_geq(keys, 47, "%d keys", keys);
    arena_close(arena);
}

/* Keys reach the members they name. */
Test(job, keys_mean_their_members) {
    struct arena *arena = support_arena();
    const struct job *j = setup_job(
        arena, "global_batch: 7\nseq_len: 99\nprecision: fp8\ngradient_precision: bf16\nmoment_precision: fp16\n"
               "optimizer: muon\ndispatch: allgather\nrecompute_ops: [norm, moe]\nbucket: 5e7\nmemory_fraction: 80%\n"
               "max_step_time: 2min\nobjective: energy\ntop: 9\ntime: 30s\nthreads: 3\nseed: 4\n");
    cr_expect(j->global_batch == 7 && j->seq_len == 99 && job_dtype(j) == DTYPE_FP8);
    cr_expect(j->gradient_precision == DTYPE_BF16 && j->moment_precision == DTYPE_FP16);
    cr_expect(j->optimizer == OPTIMIZER_MUON && j->dispatch == DISPATCH_ALL_GATHER && j->recompute_ops == (4 | 64));
    cr_expect(j->bucket == 5e7 && j->memory_fraction == 0.8 && j->max_step_time == 120 && j->time == 30);
    cr_expect(j->objective == OBJECTIVE_ENERGY && j->top == 9 && j->threads == 3 && j->seed == 4);
    const struct space *s =
        &setup_job(arena, "search: {tp: 8, pp: \"1..3\", vpp: [4, 1, 4], dp: auto, cp: 2, ep: 3, etp: 4, zero: [0, 3], "
                          "sp: on, cp_kind: [ring, usp], recompute: [none, full], schedule: [1f1b, dualpipe], "
                          "order: pp-tp-cp-dp, stages: ends, ulysses: 6, hybrid_shard: true, micro_batch: 5}\n")
             ->space;
    cr_expect(s->tp.count == 1 && s->tp.values[0] == 8 && !s->tp.any && s->dp.any);
    cr_expect(s->pp.count == 3 && s->pp.values[0] == 1 && s->pp.values[2] == 3);
    cr_expect(s->vpp.count == 2 && s->vpp.values[0] == 1 && s->vpp.values[1] == 4);
    cr_expect(s->cp.values[0] == 2 && s->ep.values[0] == 3 && s->etp.values[0] == 4 && s->micro_batch.values[0] == 5);
    cr_expect(s->zero.count == 2 && s->zero.values[0] == 0 && s->zero.values[1] == 3);
    cr_expect_eq(s->sp, 2);
    cr_expect_eq(s->cp_kind, 1 << CONTEXT_RING | 1 << CONTEXT_USP);
    cr_expect_eq(s->recompute, 1 << RECOMPUTE_NONE | 1 << RECOMPUTE_FULL);
    cr_expect_eq(s->schedule, 1 << SCHEDULE_1F1B | 1 << SCHEDULE_DUALPIPE);
    cr_expect_eq(s->order, 1 << ORDER_PP_TP_CP_DP);
    cr_expect(s->stages == STAGES_ENDS && s->ulysses == 6 && s->hybrid_shard);
    arena_close(arena);
}

/* bf16 with Adam as Megatron has it, everything open to the search. */
Test(job, defaults) {
    struct arena *arena = support_arena();
    const struct job *j = setup_job(arena, "");
    cr_expect(j->global_batch == 1024 && j->seq_len == 4096 && j->precision == DTYPE_BF16);
    cr_expect(j->gradient_precision == DTYPE_FP32 && j->moment_precision == DTYPE_FP32 && j->master_weights);
    cr_expect(j->optimizer == OPTIMIZER_ADAM && j->clip_gradients && j->train_mtp && !j->vocab_parallel);
    cr_expect(j->kernels.flash_attention && j->kernels.fused_norm && j->kernels.fused_activation && !j->kernels.graphs);
    cr_expect(j->overlap.gradients && j->overlap.parameters && j->overlap.pipeline && !j->overlap.tensor);
    cr_expect(j->memory_fraction == 0.95 && j->objective == OBJECTIVE_STEP_TIME && j->top == 5 && j->seed == 1);
    cr_expect(j->max_step_time == 0 && j->time == 0 && j->threads == 0 && j->forbid.count == 0 && j->pareto.count == 0);
    const struct space *s = &j->space;
    cr_expect(s->tp.any && s->pp.any && s->vpp.any && s->dp.any && s->cp.any && s->ep.any && s->etp.any);
    cr_expect(s->zero.any && s->micro_batch.any && s->stages == STAGES_AUTO && !s->hybrid_shard && s->ulysses == 0);
    cr_expect(s->sp == 3 && s->cp_kind == (1 << CONTEXT_KINDS) - 1 && s->recompute == (1 << RECOMPUTE_KINDS) - 1);
    cr_expect(s->schedule == (1 << SCHEDULE_COUNT) - 1 && s->order == (1 << ORDER_KINDS) - 1);
    arena_close(arena);
}

/* Each error where it stands, with what would be right; line 1 is the schema. */
Test(job, bad_values_have_a_place_and_help) {
    static const struct {
        const char *keys;
        unsigned line, column;
        const char *text, *help; /* parts; help may be part of the text */
    } rows[] = {
        {"global_batch: 0\n", 2, 15, "global_batch: must be between 1 and 1000000000, not 0", ""},
        {"seq_len: 4k\n", 2, 10, "seq_len: must be a whole number, not \"4k\"", ""},
        {"precision: bf17\n", 2, 12, "precision: must be fp32|tf32|bf16|fp16|fp8|fp4", "did you mean bf16?"},
        {"search: {tp: [1, 2, x]}\n", 2, 21, "search.tp[2]: must be a whole number, not \"x\"", ""},
        {"search:\n  zero: 4\n", 3, 9, "search.zero: must be between 0 and 3, not 4", ""},
        {"search: {vpp: 0}\n", 2, 15, "search.vpp: must be between 1 and 1000000000, not 0", ""},
        {"search: {sp: maybe}\n", 2, 14, "search.sp: must be off|on", ""},
        {"search: {recompute: [full, selectiv]}\n", 2, 28, "search.recompute[1]", "did you mean selective?"},
        {"seq_len: 5\ngradient_precision: fp8\n", 3, 21, "gradients are accumulated in fp32, bf16 or fp16", ""},
        {"gradient_precision: fp4\n", 2, 21, "gradients are accumulated in fp32, bf16 or fp16", ""},
        {"pareto: [time, memroy]\n", 2, 16, "pareto: 'memroy' is no objective", "did you mean memory"},
        {"forbid: [tp > 8, \"tp >\"]\n", 2, 18, "forbid: 'tp >': an axis or a whole number expected", "'tp > 8'"},
        {"max_step_time: 10\n", 2, 16, "max_step_time: a duration needs a unit, such as", ""},
        {"memory_fraction: 2\n", 2, 18, "memory_fraction: must be between 0.01 and 1, not 2", ""},
        {"global_bach: 4\n", 2, 1, "unknown key 'global_bach' in job", "did you mean 'global_batch'?"},
        {"overlap: {gradient: true}\n", 2, 11, "unknown key 'gradient' in overlap", "did you mean 'gradients'?"},
        {"kernels: flash\n", 2, 10, "kernels: must be a map of keys, not one value", ""},
        {"top: 0\n", 2, 6, "top: must be between 1 and 1000, not 0", ""},
        {"dispatch: all\n", 2, 11, "dispatch: must be alltoall|allgather", ""},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct job job;
        struct node *root = parse(arena, arena_format(arena, "schema: parplan/job/v1\n%s", rows[i].keys), &diag);
        cr_assert_eq(job_load(arena, root, &job, &diag), STATUS_INVALID, "%s is taken", rows[i].keys);
        cr_assert_eq(diag.count, 1, "%s: %zu errors", rows[i].keys, diag.count);
        const struct diag_entry *e = &diag.entries[0];
        cr_expect(e->mark.line == rows[i].line && e->mark.column == rows[i].column, "%s: at %u:%u", rows[i].keys,
                  e->mark.line, e->mark.column);
        cr_expect(strstr(e->text, rows[i].text) != NULL, "%s: %s", rows[i].keys, e->text);
        cr_expect(strstr(e->text, rows[i].help) != NULL || (e->help != NULL && strstr(e->help, rows[i].help) != NULL),
                  "%s: help %s", rows[i].keys, e->help);
    }
    /* All at once, and without a document. */
    struct diag diag;
    struct job job;
    struct node *root = parse(arena, "schema: parplan/job/v1\ntop: 0\nseq_len: x\nkernels: 3\n", &diag);
    cr_expect_eq(job_load(arena, root, &job, &diag), STATUS_INVALID);
    cr_expect_eq(diag.count, 3);
    diag_init(&diag, arena);
    job = *setup_job(arena, "");
    job.gradient_precision = DTYPE_FP8;
    cr_expect_eq(job_complete(arena, &job, NULL, &diag), STATUS_INVALID);
    cr_expect_eq(diag.entries[0].mark.line, 0);
    arena_close(arena);
}

/* Bytes a parameter: ZeRO (arXiv:1910.02054, section 3), Megatron-LM's docs/source/api-guide/dist_optimizer.md,
 * DeepSpeed. Sharded over d: weight + gradient + optimizer / d is 6 + 12/d of Megatron's bf16, 8 + 8/d of its fp32. Its
 * fp16 has 20 = 4 + 16 because its optimizer makes an fp32 copy of 16-bit gradients, which the job does not model: 4
 * less here. */
Test(job, state_bytes) {
    static const struct {
        const char *keys;
        double weight, gradient, optimizer;
    } rows[] = {
        {"", 2, 4, 12},                                            /* Megatron bf16: 18 */
        {"precision: fp16\ngradient_precision: fp16\n", 2, 2, 12}, /* ZeRO paper: 16 */
        {"precision: fp32\n", 4, 4, 8},                            /* 16 = 8 + 8/d */
        {"precision: tf32\n", 4, 4, 8},
        {"precision: fp32\nmaster_weights: false\n", 4, 4, 8}, /* weights are the master */
        {"moment_precision: bf16\n", 2, 4, 8},                 /* precision-aware: 6 + 8/d */
        {"moment_precision: fp8\n", 2, 4, 6},
        {"precision: fp8\n", 2, 4, 12}, /* weights are kept in bf16 */
        {"precision: fp4\n", 2, 4, 12},
        {"optimizer: sgd\n", 2, 4, 8}, /* master and one moment */
        {"optimizer: muon\n", 2, 4, 8},
        {"optimizer: adafactor\n", 2, 4, 4}, /* rows and columns of moments */
        {"master_weights: false\n", 2, 4, 8},
        {"gradient_precision: bf16\nmaster_weights: false\nmoment_precision: bf16\n", 2, 2, 4},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct state_bytes b = job_state_bytes(setup_job(arena, rows[i].keys));
        cr_expect(b.weight == rows[i].weight && b.gradient == rows[i].gradient && b.optimizer == rows[i].optimizer,
                  "%s: %.1f + %.1f + %.1f", rows[i].keys, b.weight, b.gradient, b.optimizer);
    }
    arena_close(arena);
}

Test(job, what_selective_recomputes) {
    static const struct {
        const char *keys, *model;
        unsigned parts;
    } rows[] = {
        {"", "llama3-8b", PART_NORM | PART_ACTIVATION},
        {"", "deepseek-v3", PART_NORM | PART_ACTIVATION | PART_MLA_UP},
        {"kernels: {flash_attention: false}\n", "deepseek-v3", PART_CORE},
        {"recompute_ops: rule\n", "llama3-8b", PART_NORM | PART_ACTIVATION},
        {"recompute_ops: [rule, mlp]\n", "llama3-8b", PART_NORM | PART_ACTIVATION},
        {"recompute_ops: core_attn\n", "llama3-8b", PART_CORE},
        {"recompute_ops: norm\n", "llama3-8b", PART_NORM},
        {"recompute_ops: act\n", "llama3-8b", PART_ACTIVATION},
        {"recompute_ops: mla_up\n", "deepseek-v3", PART_MLA_UP},
        {"recompute_ops: mlp\n", "llama3-8b", PART_MLP},
        {"recompute_ops: [moe, act]\n", "deepseek-v3", PART_MOE | PART_ACTIVATION},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct job *job = setup_job(arena, rows[i].keys);
        const struct model *model = setup_model(arena, rows[i].model);
        cr_expect_eq(job_recompute_parts(job, model, RECOMPUTE_SELECTIVE), rows[i].parts, "%s: %u", rows[i].keys,
                     job_recompute_parts(job, model, RECOMPUTE_SELECTIVE));
        cr_expect_eq(job_recompute_parts(job, model, RECOMPUTE_NONE), 0);
        cr_expect_eq(job_recompute_parts(job, model, RECOMPUTE_FULL), PART_ALL);
    }
    arena_close(arena);
}
