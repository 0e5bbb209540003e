/* Rows of a corpus to cases: where each member comes from, what is filled, and every reason for which a row is refused. */
#include "case.h"

#include "schedule/schedule.h"

/* A member by the key that a document gives it: "model.hidden_size", "moe.num_experts", "job.precision", "parallel.tp",
 * "node.count", "scaleup.domain", "nics.rate", "group.count", and those of an estimate. */
static const char *value_of(struct arena *arena, const struct corpus_case *c, const char *path) {
    struct estimate decided = {.decision = c->decision};
    const struct node_type *node = c->topology.nodes.items;
    const struct field *nodes = field_find(topology_fields, "nodes")->fields;
    const struct {
        const char *name;
        const struct field *fields;
        const void *object;
    } roots[] = {
        {"model.", model_fields, &c->model},
        {"bias.", field_find(model_fields, "bias")->fields, &c->model.bias},
        {"moe.", field_find(model_fields, "moe")->fields, c->model.moe},
        {"job.", job_fields, &c->job},
        {"kernels.", field_find(job_fields, "kernels")->fields, &c->job.kernels},
        {"overlap.", field_find(job_fields, "overlap")->fields, &c->job.overlap},
        {"parallel.", parallel_fields, &c->decision.parallel},
        {"node.", nodes, node},
        {"scaleup.", field_find(nodes, "scaleup")->fields, &node->scaleup},
        {"nics.", field_find(nodes, "nics")->fields, &node->nics},
        {"group.", field_find(topology_fields, "groups")->fields, c->topology.groups.items},
        {"runtime.", field_find(topology_fields, "runtime")->fields, &c->topology.runtime},
        {"", estimate_fields, &decided},
    };
    size_t i = 0;
    while (!text_starts(path, roots[i].name)) {
        i++;
    }
    const struct field *field = field_find(roots[i].fields, path + strlen(roots[i].name));
    cr_assert(field != NULL, "no key %s", path);
    return roots[i].object == NULL ? "absent" : field_text(arena, field, roots[i].object);
}

struct member {
    const char *changes, *path, *expected;
};

static void check_members(const struct member *rows, size_t count) {
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    for (size_t i = 0; i < count; i++) {
        const struct corpus_case *c = case_good(arena, loader, rows[i].changes);
        const char *value = value_of(arena, c, rows[i].path);
        cr_expect_str_eq(value, rows[i].expected, "%s: %s is %s, not %s", rows[i].changes, rows[i].path, value,
                         rows[i].expected);
    }
    arena_close(arena);
}

#define MIXTRAL "model_ref=mixtral-8x7b|hidden=|layers=|heads=|vocab="
#define DEEPSEEK "model_ref=deepseek-v3|hidden=|layers=|heads=|vocab=|tp=1|pp=1|dp=16"

Test(corpus, models) {
    static const struct member rows[] = {
        {"", "model.hidden_size", "1024"},
        {"", "model.intermediate_size", "4096"},
        {"", "model.mlp", "gelu"},
        {"", "model.norm", "layernorm"},
        {"", "model.position", "learned"},
        {"", "model.max_position_embeddings", "2048"},
        {"", "model.tie_word_embeddings", "true"},
        {"", "bias.qkv", "true"},
        {"", "model.num_key_value_heads", "16"},
        {"", "model.head_dim", "64"},
        {"", "model.dropout", "0.1"},
        {"", "moe.num_experts", "absent"},
        {"source=llm-foundry", "model.dropout", "0"},
        {"heads=", "model.num_attention_heads", "8"},
        {"hidden=64|heads=|tp=1|dp=8", "model.num_attention_heads", "1"},
        {"heads=|hidden=14400|tp=8|dp=1", "model.num_attention_heads", "120"},
        {"heads=|hidden=13824|tp=8|dp=1", "model.num_attention_heads", "96"},
        {"heads=|hidden=1280|tp=1|dp=8", "model.num_attention_heads", "10"},
        {"heads=|hidden=1280|tp=4|dp=2", "model.num_attention_heads", "8"},
        {"vocab=", "model.vocab_size", "50257"},
        {"kv_heads=4", "model.num_key_value_heads", "4"},
        {"kv_heads=0", "model.num_key_value_heads", "16"},
        {"head_dim=128", "model.head_dim", "128"},
        {"ffn_hidden=3000", "model.intermediate_size", "3000"},
        {"gated_mlp=1|ffn_hidden=2816", "model.mlp", "swiglu"},
        {"gated_mlp=1|ffn_hidden=2816", "model.norm", "rmsnorm"},
        {"gated_mlp=1|ffn_hidden=2816", "model.position", "rope"},
        {"gated_mlp=1|ffn_hidden=2816", "model.tie_word_embeddings", "false"},
        {"gated_mlp=1|ffn_hidden=2816", "bias.mlp", "false"},
        {"gated_mlp=1|ffn_hidden=2816", "model.dropout", "0"},
        {MIXTRAL, "model.hidden_size", "4096"},
        {MIXTRAL, "model.num_hidden_layers", "32"},
        {MIXTRAL "|layers=12", "model.num_hidden_layers", "12"},
        {MIXTRAL "|hidden=2048|heads=16|kv_heads=4", "model.head_dim", "128"},
        {MIXTRAL "|hidden=2048", "model.head_dim", "64"},
        {MIXTRAL "|hidden=2048|head_dim=96", "model.head_dim", "96"},
        {"model_ref=llama2-7b|hidden=|layers=|vocab=|heads=16", "model.num_key_value_heads", "16"},
        {"model_ref=megatron-22b|hidden=|layers=|heads=|vocab=999999", "model.vocab_size", "999999"},
        {"model_ref=gpt3-175b|hidden=|layers=|heads=|vocab=", "model.padded_vocab_size", "51200"},
        {"model_ref=gpt3-175b|hidden=|layers=|heads=|vocab=64000", "model.padded_vocab_size", "0"},
        {DEEPSEEK "|layers=5", "model.num_hidden_layers", "5"},
        {DEEPSEEK "|heads=64", "model.num_attention_heads", "64"},
        {DEEPSEEK "|head_dim=192|kv_heads=128", "model.head_dim", "128"},
    };
    check_members(rows, ROWS(rows));
}

Test(corpus, experts) {
    static const struct member rows[] = {
        {"experts=8|topk=2", "moe.num_experts", "8"},
        {"experts=8|topk=2", "moe.experts_per_token", "2"},
        {"experts=8|topk=2", "moe.layer_freq", "1"},
        {"experts=8|topk=2", "moe.shared_experts", "0"},
        {"experts=8|topk=2|ffn_hidden=3072", "moe.expert_intermediate_size", "3072"},
        {"experts=8|topk=2|moe_ffn=512", "moe.expert_intermediate_size", "512"},
        {"experts=8|topk=2|moe_ffn=512", "model.intermediate_size", "4096"},
        {"experts=8|topk=2|moe_layer_freq=2", "moe.layer_freq", "2"},
        {"experts=8|topk=2|dense_first=3", "moe.first_dense_layers", "3"},
        {"experts=8|topk=2|moe_ffn=512|shared_experts=2", "moe.shared_experts", "2"},
        {"experts=8|topk=2|moe_ffn=512|shared_experts=2", "moe.shared_intermediate_size", "1024"},
        {"experts=8|topk=2|moe_ffn=512|shared_experts=768 hidden", "moe.shared_intermediate_size", "768"},
        {"experts=8|topk=2|moe_ffn=512|shared_experts=768 hidden", "moe.shared_experts", "1"},
        {"experts=0|topk=2", "moe.num_experts", "absent"},
        {"experts=1|topk=1", "moe.num_experts", "absent"},
        {"experts=8|topk=2|sp=0", "parallel.sp", "true"},
        {MIXTRAL, "moe.num_experts", "8"},
        {MIXTRAL "|experts=16", "moe.num_experts", "16"},
        {MIXTRAL "|experts=16", "moe.expert_intermediate_size", "14336"},
        {MIXTRAL "|experts=16|topk=4", "moe.experts_per_token", "4"},
        {DEEPSEEK "|experts=64", "moe.router_bias", "64"},
        {DEEPSEEK "|experts=256|shared_experts=0", "moe.shared_intermediate_size", "0"},
        {DEEPSEEK "|experts=256|shared_experts=2", "moe.shared_intermediate_size", "4096"},
        {DEEPSEEK "|experts=256|dense_first=0", "moe.first_dense_layers", "0"},
        {DEEPSEEK "|experts=256|dense_first=1", "moe.first_dense_layers", "1"},
    };
    check_members(rows, ROWS(rows));
}

Test(corpus, topologies) {
    static const struct member rows[] = {
        {"", "node.count", "8"},
        {"", "group.count", "2"},
        {"gpus=4|dp=1", "node.count", "4"},
        {"gpus=4|dp=1", "group.count", "1"},
        {"gpus_per_node=4", "node.count", "4"},
        {"gpus_per_node=4", "group.count", "4"},
        {"gpus_per_node=16", "node.count", "16"},
        {"gpus_per_node=0", "node.count", "8"},
        {"device=h100-sxm-80g", "node.count", "8"},
        {"device=h100-sxm-80g-rev-2", "node.count", "8"},
        {"device=a100-sxm-80g", "node.device", "a100-sxm"},
        {"scaleup_gpus=4", "scaleup.domain", "0"},
        {"scaleup_gpus=8", "scaleup.domain", "0"},
        {"scaleup_gpus=16", "scaleup.domain", "16"},
        {"scaleup_gbs=300", "scaleup.bandwidth", "300GB/s"},
        {"scaleup_gbs=", "scaleup.bandwidth", "450GB/s"},
        {"nic_gbit_per_gpu=200", "nics.rate", "25GB/s"},
        {"nic_gbit_per_gpu=0", "nics.rate", "50GB/s"},
        {"nic_gbit_per_gpu=100|gpus_per_node=4", "nics.count", "4"},
        {"source=bigscience", "runtime.allocator_overhead", "0.45"},
    };
    check_members(rows, ROWS(rows));
}

Test(corpus, jobs) {
    static const struct member rows[] = {
        {"", "job.seq_len", "2048"},
        {"", "job.global_batch", "32"},
        {"precision=fp16", "job.precision", "fp16"},
        {"precision=fp32", "job.precision", "fp32"},
        {"precision=tf32", "job.precision", "tf32"},
        {"precision=fp8", "job.precision", "fp8"},
        {"precision=mxfp8", "job.precision", "fp8"},
        {"precision=nvfp4", "job.precision", "fp4"},
        {"precision=mxfp4", "job.precision", "fp4"},
        {"precision=", "job.precision", "bf16"},
        {"", "job.gradient_precision", "fp32"},
        {"source=torchtitan", "job.gradient_precision", "bf16"},
        {"source=vTrain", "job.gradient_precision", "fp16"},
        {"source=NeMo docs", "overlap.tensor", "true"},
        {"source=Narayanan", "overlap.gradients", "false"},
        {"flash_attention=0", "kernels.flash_attention", "false"},
        {"flash_attention=", "kernels.flash_attention", "true"},
        {"flash_attention=|source=Korthikanti", "kernels.flash_attention", "false"},
        {"flash_attention=|note=options: local", "kernels.flash_attention", "false"},
        {"flash_attention=|note=options: transformer_engine", "kernels.flash_attention", "true"},
        {"flash_attention=|note=--attention-backend=unfused", "kernels.flash_attention", "false"},
        {"note=dispatch with DeepEP", "job.dispatch", "flex"},
        {"note=HybridEP", "job.dispatch", "flex"},
        {"note=nothing", "job.dispatch", "alltoall"},
        {"vocab_parallel=vocab-1", "job.vocab_parallel", "true"},
        {"vocab_parallel=interlaced", "job.vocab_parallel", "true"},
        {"vocab_parallel=synctwice", "job.vocab_parallel", "true"},
        {"vocab_parallel=base", "job.vocab_parallel", "false"},
        {"vocab_parallel=none", "job.vocab_parallel", "false"},
        {"recompute=none", "recompute", "none"},
        {"recompute=full", "recompute", "full"},
        {"recompute=selective", "recompute", "selective"},
        {"recompute=|source=bigscience", "recompute", "full"},
        {"recompute=|source=NeMo docs", "recompute", "none"},
    };
    check_members(rows, ROWS(rows));
}

Test(corpus, decisions) {
    static const struct member rows[] = {
        {"", "micro_batches", "8"},
        {"micro_batch=2", "micro_batches", "4"},
        {"", "parallel.vpp", "1"},
        {"dp=|gpus=32", "parallel.dp", "8"},
        {"cp=|ep=|etp=", "parallel.cp", "1"},
        {"cp=2|dp=2", "parallel.cp", "2"},
        {"ep=4|experts=8|topk=1", "parallel.ep", "4"},
        {"etp=2|experts=8|topk=1", "parallel.etp", "2"},
        {"sp=1", "parallel.sp", "true"},
        {"sp=0", "parallel.sp", "false"},
        {"sp=1|tp=1|dp=8", "parallel.sp", "false"},
        {"vpp=2", "schedule", "interleaved"},
        {"vpp=2", "parallel.vpp", "2"},
        {"schedule=interleaved|vpp=4", "schedule", "interleaved"},
        {"schedule=|vpp=2", "schedule", "interleaved"},
        {"schedule=none", "schedule", "1f1b"},
        {"schedule=gpipe", "schedule", "gpipe"},
        {"schedule=zb-h1", "schedule", "zb-h1"},
        {"schedule=zb-v", "parallel.vpp", "2"},
        {"schedule=zb-h1|vpp=3", "parallel.vpp", "1"},
        {"schedule=dualpipe|vpp=2", "parallel.vpp", "1"},
        {"schedule=interleaved", "parallel.vpp", "2"},
        {"schedule=interleaved|layers=18", "parallel.vpp", "3"},
        {"schedule=interleaved|layers=14", "parallel.vpp", "7"},
        {"pp=1|dp=8|vpp=4", "schedule", "none"},
        {"pp=1|dp=8|vpp=4", "parallel.vpp", "1"},
        {"layers=6|pp=4|dp=2", "stages", "ends"},
        {"layers=8|pp=4|dp=2", "stages", "even"},
        {"layers=9|pp=4|dp=2", "stages", "even"},
        {"zero=0", "parallel.zero", "0"},
        {"zero=3", "parallel.zero", "1"},
        {"zero=2", "parallel.zero", "1"},
        {"zero=3|pp=1|dp=8", "parallel.zero", "3"},
        {"zero=1|dp=1|gpus=4", "parallel.zero", "0"},
        {"zero=1|dp=1|cp=4", "parallel.zero", "1"},
        {"zero=", "parallel.zero", "1"},
        {"zero=|pp=1|dp=8|source=torchtitan", "parallel.zero", "3"},
        {"zero=|source=torchtitan", "parallel.zero", "1"},
    };
    check_members(rows, ROWS(rows));
}

Test(corpus, recomputed_modules) {
    static const struct {
        const char *text;
        unsigned parts;
    } rows[] = {
        {"", PART_CORE},
        {"core_attn", PART_CORE},
        {"norm, act", PART_NORM | PART_ACTIVATION},
        {"act", PART_ACTIVATION},
        {"moe_act", PART_ACTIVATION},
        {"moe", PART_MOE},
        {"mlp", PART_MLP},
        {"layernorm", PART_NORM},
        {"mla_up_proj", PART_MLA_UP},
        {"mlp, moe_act", PART_MLP | PART_ACTIVATION},
        {"moe_act, layernorm", PART_ACTIVATION | PART_NORM},
        {"layernorm, moe", PART_NORM | PART_MOE},
        {"moe, layernorm, core_attn, moe_act", PART_MOE | PART_NORM | PART_CORE | PART_ACTIVATION},
        {"core_attn, moe_act", PART_CORE | PART_ACTIVATION},
        {"core_attn,act", PART_CORE | PART_ACTIVATION},
        {"mla_up_proj, mlp", PART_MLA_UP | PART_MLP},
        {"mlp, mla up_proj", PART_MLP | PART_MLA_UP},
        {"RMSNorm, MLA up-projections", PART_NORM | PART_MLA_UP},
        {"layernorm mla_up_proj mlp moe_act", PART_NORM | PART_MLA_UP | PART_MLP | PART_ACTIVATION},
        {"norm, act, shared_expert", PART_NORM | PART_ACTIVATION},
        {" mlp ,, moe ", PART_MLP | PART_MOE},
        {"moe act, norm", PART_ACTIVATION | PART_NORM},
    };
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *changes = arena_format(arena, "recompute=selective|recompute_ops=%s", rows[i].text);
        const struct corpus_case *c = case_good(arena, loader, changes);
        cr_expect_eq(c->job.recompute_ops, (uint64_t)rows[i].parts << 1, "'%s': %#llx", rows[i].text,
                     (unsigned long long)c->job.recompute_ops >> 1);
        unsigned parts = job_recompute_parts(&c->job, &c->model, RECOMPUTE_SELECTIVE);
        cr_expect_eq(parts, rows[i].parts, "'%s': parts %#x", rows[i].text, parts);
    }
    arena_close(arena);
}

Test(corpus, filled) {
    static const struct {
        const char *changes, *filled;
    } rows[] = {
        {"", ""},
        {"heads=", "heads = 8"},
        {"vocab=", "vocab = 50257"},
        {"precision=", "precision = bf16"},
        {"recompute=", "recompute = none"},
        {"recompute=|source=EleutherAI", "recompute = full"},
        {"flash_attention=", "flash_attention = 1"},
        {"flash_attention=|source=vTrain", "flash_attention = 0"},
        {"schedule=", "schedule = 1f1b"},
        {"schedule=interleaved", "vpp = 2"},
        {"schedule=interleaved|vpp=4", ""},
        {"schedule=none|vpp=2", "schedule = interleaved"},
        {"schedule=|pp=1|dp=8", ""},
        {"zero=", "zero = 1"},
        {"zero=|dp=1|gpus=4", ""},
        {"dp=", "dp = 4"},
        {"tp=|dp=8", "tp = 1"},
        {"pp=|dp=8", "pp = 1"},
        {"micro_batch=", "micro_batch = 1"},
        {"experts=4|topk=1", "moe_ffn = ffn_hidden"},
        {"experts=4|topk=1|moe_ffn=512", ""},
        {"recompute=selective|recompute_ops=act, shared_expert", "recompute_ops = without shared_expert"},
        {"heads=|zero=|precision=|recompute=|micro_batch=",
         "heads = 8, precision = bf16, recompute = none, zero = 1, micro_batch = 1"},
    };
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct corpus_case *c = case_good(arena, loader, rows[i].changes);
        cr_expect_str_eq(c->filled, rows[i].filled, "%s: filled %s", rows[i].changes, c->filled);
    }
    arena_close(arena);
}

Test(corpus, measured) {
    struct arena *arena = support_arena();
    const struct corpus_loader *loader = loader_open(arena);
    const struct corpus_case *c = case_good(arena, loader, "measured_tflops_per_gpu=150|flops_kind=hardware|measured_mfu=0.4");
    cr_expect(c->measured_s >= 0.5 && c->measured_s <= 0.5 && c->times && c->specified);
    cr_expect(c->measured_tflops >= 150 && c->measured_tflops <= 150 && c->hardware_flops);
    cr_expect(c->measured_mfu >= 0.4 && c->measured_mfu <= 0.4);
    cr_expect(c->measured_bytes <= 0 && !c->last_stage);
    cr_expect_str_eq(c->id, "row-1");
    cr_expect_str_eq(c->source, "nobody's Megatron-LM");
    static const struct {
        const char *changes;
        enum memory_kind kind;
        bool last, times, specified;
    } rows[] = {
        {"measured_peak_mem_gib=2|memory_kind=allocated", MEMORY_ALLOCATED, false, true, true},
        {"measured_peak_mem_gib=2|memory_kind=reserved", MEMORY_RESERVED, false, true, true},
        {"measured_peak_mem_gib=2|memory_kind=device|memory_rank=peak", MEMORY_DEVICE, false, true, true},
        {"measured_peak_mem_gib=2|memory_rank=last", MEMORY_ALLOCATED, true, true, true},
        {"measured_peak_mem_gib=2|use=memory", MEMORY_ALLOCATED, false, false, true},
        {"measured_peak_mem_gib=2|use=both|unknown=nic", MEMORY_ALLOCATED, false, true, false},
        {"measured_peak_mem_gib=2|note=deterministic-mode", MEMORY_ALLOCATED, false, false, true},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        c = case_good(arena, loader, rows[i].changes);
        cr_expect(c->measured_bytes >= 0x1p31 && c->measured_bytes <= 0x1p31, "%s", rows[i].changes);
        cr_expect(c->memory_kind == rows[i].kind && c->last_stage == rows[i].last && c->times == rows[i].times &&
                      c->specified == rows[i].specified,
                  "%s", rows[i].changes);
    }
    arena_close(arena);
}

/* Rows share the loader's documents; what one row changes, the next must not see, whatever their order. */
Test(corpus, rows_do_not_meet) {
    static const char *const rows[] = {
        "device=a100-sxm-80g|nic_gbit_per_gpu=25|scaleup_gbs=100|gpus_per_node=4|scaleup_gpus=16",
        "device=a100-sxm-80g",
        MIXTRAL "|experts=16|topk=4|moe_ffn=512|shared_experts=1|moe_layer_freq=1",
        MIXTRAL,
        MIXTRAL "|layers=4|hidden=2048",
    };
    static const char *const paths[] = {"node.count",       "scaleup.bandwidth", "scaleup.domain",
                                        "nics.rate",        "nics.count",        "group.count",
                                        "model.head_dim",   "moe.num_experts",   "moe.shared_intermediate_size"};
    struct arena *arena = support_arena();
    const struct corpus_loader *shared = loader_open(arena);
    for (size_t turn = 0; turn < 2 * ROWS(rows); turn++) {
        const char *row = rows[turn < ROWS(rows) ? turn : 2 * ROWS(rows) - 1 - turn];
        const struct corpus_case *c = case_good(arena, shared, row);
        const struct corpus_case *alone = case_good(arena, loader_open(arena), row);
        for (size_t i = 0; i < ROWS(paths); i++) {
            const char *value = value_of(arena, c, paths[i]), *expected = value_of(arena, alone, paths[i]);
            cr_expect_str_eq(value, expected, "%s, turn %zu: %s is %s, alone %s", row, turn, paths[i], value, expected);
        }
    }
    arena_close(arena);
}

