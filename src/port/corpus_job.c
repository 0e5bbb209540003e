/* The job of a row: precision, what is recomputed, and the habits of its framework. */
#include <string.h>

#include "base/arena.h"
#include "port/row.h"

static int precision_of(struct row *r, const char *text) {
    static const struct {
        const char *text;
        int dtype;
    } known[] = {
        {"bf16", DTYPE_BF16}, {"fp16", DTYPE_FP16}, {"fp8", DTYPE_FP8},   {"mxfp8", DTYPE_FP8},
        {"nvfp4", DTYPE_FP4}, {"mxfp4", DTYPE_FP4}, {"fp32", DTYPE_FP32}, {"tf32", DTYPE_TF32},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (text_equal(known[i].text, text)) {
            return known[i].dtype;
        }
    }
    if (text[0] == '\0') {
        row_fill(r, "precision", "bf16");
    } else {
        row_refuse(r, arena_format(r->arena, "precision: '%s' is not known", text));
    }
    return DTYPE_BF16;
}

/* Names of recomputed modules: Megatron-Core's --recompute-modules and what publications call them. Blanks and hyphens
 * are read as '_'. */
static const struct module {
    const char *name;
    unsigned part; /* 0: known, but nothing here runs it again by itself */
} modules[] = {
    {"core_attn", PART_CORE},
    {"layernorm", PART_NORM},
    {"rmsnorm", PART_NORM},
    {"norm", PART_NORM},
    {"act", PART_ACTIVATION},
    {"moe_act", PART_ACTIVATION},
    {"mla_up_proj", PART_MLA_UP},
    {"mla_up_projections", PART_MLA_UP},
    {"mlp", PART_MLP},
    {"moe", PART_MOE},
    {"shared_expert", 0},
    {"shared_experts", 0},
};

static char folded(char c) {
    return c == ' ' || c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Length of `name` at the start of `text` when it ends there as a word, else 0. */
static size_t module_at(const char *text, const char *name) {
    size_t size = 0;
    while (name[size] != '\0' && folded(text[size]) == name[size]) {
        size++;
    }
    bool ends = text[size] == '\0' || text[size] == ',' || text[size] == ' ';
    return name[size] == '\0' && ends ? size : 0;
}

/* The longest name that `text` begins with, so that "moe_act" is not "moe"; NULL if there is none. */
static const struct module *module_find(const char *text, size_t *ret_size) {
    const struct module *found = NULL;
    *ret_size = 0;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        size_t size = module_at(text, modules[i].name);
        if (size > *ret_size) {
            *ret_size = size;
            found = &modules[i];
        }
    }
    return found;
}

/* What the row says is recomputed selectively, as bits of job.recompute_ops; core attention if it does not say. */
static uint64_t recompute_ops(struct row *r) {
    const char *at = row_cell(r, "recompute_ops");
    uint64_t parts = 0;
    for (at += strspn(at, ", "); *at != '\0'; at += strspn(at, ", ")) {
        size_t size;
        const struct module *module = module_find(at, &size);
        if (module == NULL) {
            row_refuse(r, arena_format(r->arena, "recompute_ops: '%s' is not known",
                                       arena_copy(r->arena, at, strcspn(at, ", "))));
            return 0;
        }
        if (module->part == 0) {
            row_fill(r, "recompute_ops", arena_format(r->arena, "without %s", module->name));
        }
        parts |= module->part;
        at += size;
    }
    return (parts != 0 ? parts : (uint64_t)PART_CORE) << 1;
}

static void make_recompute(struct row *r) {
    static const char *const names[] = {"none", "selective", "full"};
    const char *text = row_cell(r, "recompute");
    struct decision *d = &r->ret->decision;
    d->recompute = r->framework->recompute;
    if (text[0] == '\0') {
        row_fill(r, "recompute", names[d->recompute]);
        return;
    }
    for (int i = 0; i < RECOMPUTE_KINDS; i++) {
        if (text_equal(text, names[i])) {
            d->recompute = i;
            r->ret->job.recompute_ops = i == RECOMPUTE_SELECTIVE ? recompute_ops(r) : r->ret->job.recompute_ops;
            return;
        }
    }
    row_refuse(r, arena_format(r->arena, "recompute: '%s' is not known", text));
}

/* Megatron's local kernels keep the scores. */
static bool has_flash_attention(struct row *r) {
    const char *flash = row_cell(r, "flash_attention"), *note = row_cell(r, "note");
    if (flash[0] != '\0') {
        return text_equal(flash, "1");
    }
    bool local = (strstr(note, "options:") != NULL && strstr(note, "transformer_engine") == NULL) ||
                 strstr(note, "attention-backend=unfused") != NULL;
    bool fused = r->framework->flash_attention && !local;
    row_fill(r, "flash_attention", fused ? "1" : "0");
    return fused;
}

static void make_dispatch(struct row *r, struct job *job) {
    static const char *const flex[] = {"DeepEP", "deepep", "HybridEP", "hybridep"};
    for (size_t i = 0; i < sizeof flex / sizeof flex[0]; i++) {
        if (strstr(row_cell(r, "note"), flex[i]) != NULL) {
            job->dispatch = DISPATCH_FLEX;
        }
    }
}

/* Variants of Vocabulary Parallelism (arXiv:2411.05288): base and none keep the vocabulary on the end stages. */
static void make_vocabulary(struct row *r, struct job *job) {
    const char *text = row_cell(r, "vocab_parallel");
    job->vocab_parallel = text_starts(text, "vocab") || text_equal(text, "interlaced") || text_equal(text, "synctwice");
    if (text_equal(text, "redis")) {
        row_refuse(r, "vocab_parallel: layers redistributed by measured time are not stated");
    } else if (!job->vocab_parallel && text[0] != '\0' && !text_equal(text, "none") && !text_equal(text, "base")) {
        row_refuse(r, arena_format(r->arena, "vocab_parallel: '%s' is not known", text));
    }
}

static void make_habits(const struct framework *f, const struct device *device, struct job *job) {
    job->gradient_precision = (int)f->gradient_precision;
    job->clip_gradients = f->clip;
    job->overlap.gradients = f->overlap_gradients;
    job->overlap.parameters = f->overlap_parameters;
    job->overlap.pipeline = f->overlap_pipeline;
    job->overlap.tensor = f->overlap_tensor;
    job->kernels.fused_norm = f->fused_norm;
    job->kernels.fused_activation = f->fused_activation;
    bool hopper = device_peak(device, DTYPE_FP8) > device_peak(device, DTYPE_BF16); /* FP8 came with Hopper */
    job->kernels.attention_rate = hopper ? f->attention_rate_hopper : f->attention_rate;
    job->kernels.fused_accumulation = !f->separate_accumulation;
    job->memory_fraction = 1;
}

void corpus_job(struct row *r) {
    struct job *job = &r->ret->job;
    field_defaults(r->arena, job_fields, job);
    job->seq_len = row_needed(r, "seq_len", 0);
    job->global_batch = row_needed(r, "global_batch", 0);
    job->precision = precision_of(r, row_cell(r, "precision"));
    if (r->ret->topology.groups.count > 0) { /* a refused row may have no topology */
        make_habits(r->framework, topology_device(&r->ret->topology, 0), job);
    }
    job->kernels.flash_attention = has_flash_attention(r);
    make_dispatch(r, job);
    make_vocabulary(r, job);
    make_recompute(r);
}
