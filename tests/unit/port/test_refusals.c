/* Every reason for which a row is refused, in its words: what a reader of the score's table is told. */
#include "case.h"

#define MIXTRAL "model_ref=mixtral-8x7b|hidden=|layers=|heads=|vocab="

struct refused {
    const char *changes, *reason;
};

static void check_refused(const struct refused *rows, size_t count) {
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    for (size_t i = 0; i < count; i++) {
        const struct corpus_case *c = case_make(arena, loader, rows[i].changes);
        cr_assert(c->refusal != NULL, "%s: not refused", rows[i].changes);
        cr_expect_str_eq(c->refusal, rows[i].reason, "%s: %s", rows[i].changes, c->refusal);
    }
    arena_close(arena);
}

Test(refusals, not_stated) {
    static const struct refused rows[] = {
        {"hidden=", "hidden is not stated"},
        {"layers=", "layers is not stated"},
        {"seq_len=", "seq_len is not stated"},
        {"global_batch=", "global_batch is not stated"},
        {"gpus=", "gpus is not stated"},
        {"device=", "device is not stated"},
        {"experts=8", "topk is not stated"},
        {"gated_mlp=1|experts=8|topk=2", "model: moe: expert_intermediate_size is missing"},
        {"gated_mlp=1", "model: intermediate_size is missing"},
    };
    check_refused(rows, ROWS(rows));
}

Test(refusals, not_expressible) {
    static const struct refused rows[] = {
        {"model_ref=gpt-9", "model_ref: no shipped model 'gpt-9'"},
        {"device=abacus", "device: no shipped topology for 'abacus'"},
        {"device=abacus-sxm-80g", "device: no shipped topology for 'abacus-sxm-80g'"},
        {"finetune=lora", "finetune: adapters on frozen weights are not expressible"},
        {"note=AdamW with CPU-offload", "note: optimizer state or activations in host memory are not expressible"},
        {"note=CPU offload", "note: optimizer state or activations in host memory are not expressible"},
        {"model=Nemotron hybrid", "model: which of its layers are attention is not stated"},
        {"model=H 47B (hybrid)", "model: which of its layers are attention is not stated"},
        {"vocab_parallel=redis", "vocab_parallel: layers redistributed by measured time are not stated"},
        {"vocab_parallel=other", "vocab_parallel: 'other' is not known"},
        {"schedule=breadth-first", "schedule: 'breadth-first' has no closed form here"},
        {"precision=int8", "precision: 'int8' is not known"},
        {"recompute=some", "recompute: 'some' is not known"},
        {"recompute=selective|recompute_ops=core_attn, dreams", "recompute_ops: 'dreams' is not known"},
        {"recompute=selective|recompute_ops=moes", "recompute_ops: 'moes' is not known"},
        {"recompute=selective|recompute_ops=mlp+moe", "recompute_ops: 'mlp+moe' is not known"},
        {"zero=4", "zero: '4' is no stage"},
        {"gpus=12|dp=3", "gpus does not fill whole nodes"},
        {"tp=32", "tp x pp x cp is more than gpus"},
        {"tp=4|pp=4|cp=2", "tp x pp x cp is more than gpus"},
        {"heads=16|kv_heads=3", "model: num_key_value_heads: 3 does not divide num_attention_heads 16"},
        {"experts=4|topk=5", "model: experts_per_token: 5 exceeds num_experts 4"},
        {MIXTRAL "|experts=8|dense_first=2", "model: intermediate_size is missing"},
    };
    check_refused(rows, ROWS(rows));
}

Test(refusals, hostile_numbers) {
    static const struct refused rows[] = {
        {"gpus=many", "gpus: 'many' is no number"},
        {"gpus=nan", "gpus: 'nan' is no number"},
        {"gpus=inf", "gpus: 'inf' is no number"},
        {"gpus=0x10", "gpus: '0x10' is no number"},
        {"gpus= 16", "gpus: ' 16' is no number"},
        {"gpus=16 GPUs", "gpus: '16 GPUs' is no number"},
        {"gpus=-16", "gpus: '-16' is negative"},
        {"gpus=1e300", "gpus: '1e300' is too large"},
        {"gpus=1e999", "gpus: '1e999' is no number"},
        {"gpus=10000000000000000000", "gpus: '10000000000000000000' is too large"},
        {"gpus=0", "gpus: '0' must be at least 1"},
        {"gpus=16.5", "gpus: '16.5' is not whole"},
        {"gpus=999999999", "gpus: more than 10000000"},
        {"gpus_per_node=70000", "gpus_per_node: must be between 1 and 65536, not 70000"},
        {"gpus_per_node=-8", "gpus_per_node: '-8' is negative"},
        {"scaleup_gpus=99999999", "scaleup_gpus: must be between 0 and 10000000, not 99999999"},
        {"scaleup_gbs=fast", "scaleup_gbs: 'fast' is no number"},
        {"nic_gbit_per_gpu=1e16", "nic_gbit_per_gpu: '1e16' is too large"},
        {"hidden=-1", "hidden: '-1' is negative"},
        {"hidden=0", "hidden: '0' must be at least 1"},
        {"hidden=1e8", "hidden: must be between 1 and 1048576, not 100000000"},
        {"layers=200000", "layers: must be between 1 and 10000, not 200000"},
        {"heads=2000000", "heads: must be between 1 and 1048576, not 2000000"},
        {"head_dim=70000", "head_dim: must be between 0 and 65536, not 70000"},
        {"ffn_hidden=1e9", "ffn_hidden: must be between 0 and 16777216, not 1000000000"},
        {"vocab=999999999", "vocab: must be between 0 and 268435456, not 999999999"},
        {"experts=70000|topk=1", "experts: must be between 1 and 65536, not 70000"},
        {"experts=8|topk=1|moe_ffn=99999999", "moe_ffn: must be between 0 and 16777216, not 99999999"},
        {"experts=8|topk=1|shared_experts=2000", "shared_experts: '2000' is too large"},
        {"experts=8|topk=1|shared_experts=99999999 hidden", "shared_experts: '99999999 hidden' is too large"},
        {"experts=8|topk=1|shared_experts=some hidden", "shared_experts: 'some hidden' is no number"},
        {"experts=8|topk=1|shared_experts=9999999999999999999999 hidden",
         "shared_experts: '9999999999999999999999 hidden' is too large"},
        {"tp=0", "tp: '0' must be at least 1"},
        {"tp=1.5", "tp: '1.5' is not whole"},
        {"tp=1000000000|pp=1000000000|cp=1000000000", "tp x pp x cp is more than gpus"},
        {"dp=-4", "dp: '-4' is negative"},
        {"cp=x", "cp: 'x' is no number"},
        {"vpp=-1", "vpp: '-1' is negative"},
        {"zero=-1", "zero: '-1' is negative"},
        {"micro_batch=0", "micro_batch: '0' must be at least 1"},
        {"micro_batch=2e9", "micro_batch: '2e9' is too large"},
        {"seq_len=1e10", "seq_len: '1e10' is too large"},
        {"global_batch=none", "global_batch: 'none' is no number"},
        {"measured_iter_s=-1", "measured_iter_s: '-1' is negative"},
        {"measured_iter_s=soon", "measured_iter_s: 'soon' is no number"},
        {"measured_iter_s=NaN", "measured_iter_s: 'NaN' is no number"},
        {"measured_tflops_per_gpu=1e300", "measured_tflops_per_gpu: '1e300' is too large"},
        {"measured_peak_mem_gib=80 GB", "measured_peak_mem_gib: '80 GB' is no number"},
        {"layers=10000|hidden=1048576|heads=8192|ffn_hidden=16777216",
         "model: the model has 3.96e+17 parameters, more than 1e+17"},
    };
    check_refused(rows, ROWS(rows));
}

/* Of several reasons the first one read is told: the measurement, the model, the machine, the job. */
Test(refusals, the_first_counts) {
    static const struct refused rows[] = {
        {"measured_iter_s=x|hidden=y|gpus=z", "measured_iter_s: 'x' is no number"},
        {"hidden=y|gpus=z|precision=w", "hidden: 'y' is no number"},
        {"gpus=z|precision=w", "gpus: 'z' is no number"},
        {"precision=w|tp=v", "precision: 'w' is not known"},
    };
    check_refused(rows, ROWS(rows));
}

/* "" in every cell, and no cell at all: a reason, no crash. */
Test(refusals, empty_rows) {
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    static const char *const texts[] = {"id\nx\n", "id,gpus\nx,\n"};
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct corpus_case c;
        corpus_case_make(arena, case_csv(arena, texts[i]), 0, loader, &c);
        cr_expect(c.refusal != NULL && text_equal(c.refusal, "hidden is not stated"), "%s: %s", texts[i], c.refusal);
    }
    arena_close(arena);
}

Test(refusals, columns) {
    struct arena *arena = support_arena();
    static const struct {
        const char *text;
        size_t errors;
        const char *first;
    } rows[] = {
        {"id,source,device,gpus,seq_len,tp,pp,layers,hidden,dp,global_batch,micro_batch\n", 0, ""},
        {"micro_batch,other,global_batch,dp,hidden,layers,pp,tp,seq_len,gpus,device,source,id\n", 0, ""},
        {"source,device,gpus,seq_len,tp,pp,layers,hidden,dp,global_batch,micro_batch\n", 1, "column 'id' is missing"},
        {"id,source,device,seq_len,tp,pp,layers,hidden,dp,micro_batch\n", 2, "column 'gpus' is missing"},
        {"ID\n", 12, "column 'id' is missing"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        diag_init(&diag, arena);
        enum status status = corpus_check(case_csv(arena, rows[i].text), &diag);
        cr_expect(diag.errors == rows[i].errors && (status == OK) == (diag.errors == 0), "%s: %zu errors",
                  rows[i].text, diag.errors);
        const char *first = diag.count > 0 ? diag.entries[0].text : "";
        cr_expect_str_eq(first, rows[i].first, "%s: %s", rows[i].text, first);
    }
    arena_close(arena);
}

Test(refusals, too_many_rows) {
    struct arena *arena = support_arena();
    const char *head = "id,source,device,gpus,seq_len,tp,pp,layers,hidden,dp,global_batch,micro_batch\n";
    static const size_t rows[] = {20000, 20001};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct text text;
        struct diag diag;
        text_init(&text, arena);
        text_add(&text, head);
        for (size_t row = 0; row < rows[i]; row++) {
            text_add(&text, "x\n");
        }
        diag_init(&diag, arena);
        enum status status = corpus_check(case_csv(arena, text.data), &diag);
        cr_expect_eq(status, i == 0 ? OK : STATUS_INVALID, "%zu rows", rows[i]);
        cr_expect(i == 0 || (text_equal(diag.entries[0].text, "more than 20000 rows") &&
                             diag.entries[0].mark.line == 20002));
    }
    arena_close(arena);
}
