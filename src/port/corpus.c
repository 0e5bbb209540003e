/* Rows of published measurements to cases. */
#include "port/corpus.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "port/framework.h"
#include "schedule/schedule.h"

const char *const memory_kind_names[] = {"allocated", "reserved", "device", NULL};

static const char *const required_columns[] = {"id",  "source", "device", "gpus", "seq_len",     "tp",
                                               "pp",  "layers", "hidden", "dp",   "global_batch", "micro_batch", NULL};

enum status corpus_check(const struct csv *csv, struct diag *diag) {
    for (const char *const *column = required_columns; *column != NULL; column++) {
        bool found = false;
        for (size_t i = 0; i < csv->column_count; i++) {
            found = found || text_equal(csv->columns[i], *column);
        }
        if (!found) {
            struct mark mark = {.source = csv->source, .line = 1, .column = 1, .length = 1};
            (void)diag_error(diag, mark, "column '%s' is missing", *column);
        }
    }
    return diag_status(diag);
}

/* One row being read. */
struct row {
    struct arena *arena;
    const struct csv *csv;
    size_t index;
    struct corpus_case *ret;
    const struct framework *framework;
    struct text filled;
};

static const char *cell(const struct row *r, const char *column) {
    return csv_cell(r->csv, r->index, column);
}

static void refuse(struct row *r, const char *reason) {
    if (r->ret->refusal == NULL) {
        r->ret->refusal = reason;
    }
}

static void fill(struct row *r, const char *column, const char *value) {
    text_add_format(&r->filled, "%s%s = %s", r->filled.size > 0 ? ", " : "", column, value);
}

/* A number, or `fallback` where the cell is empty; anything else refuses the row. */
static double number(struct row *r, const char *column, double fallback) {
    const char *text = cell(r, column);
    double value = fallback;
    if (text[0] != '\0' && (!text_number(text, strlen(text), &value) || value < 0 || value > 1e15)) {
        refuse(r, arena_format(r->arena, "%s: '%s' is no number", column, text));
    }
    return value;
}

static int64_t count(struct row *r, const char *column, int64_t fallback) {
    double value = number(r, column, (double)fallback);
    return value < 1e15 ? (int64_t)value : 0;
}

/* A count that a run cannot do without; `fallback` < 1 refuses a row that lacks it. */
static int64_t needed(struct row *r, const char *column, int64_t fallback) {
    if (cell(r, column)[0] == '\0') {
        if (fallback < 1) {
            refuse(r, arena_format(r->arena, "%s is not stated", column));
            return 1;
        }
        fill(r, column, arena_format(r->arena, "%lld", (long long)fallback));
        return fallback;
    }
    int64_t value = count(r, column, 0);
    if (value < 1) {
        refuse(r, arena_format(r->arena, "%s: '%s' must be at least 1", column, cell(r, column)));
        return 1;
    }
    return value;
}

static void override_count(struct row *r, const char *column, int64_t *member) {
    int64_t value = count(r, column, 0);
    if (value > 0) {
        *member = value;
    }
}

/* Architecture of a model known by its shape alone: gated feed-forward means Llama's block, else GPT's. */
static void shape_defaults(struct row *r, struct model *m) {
    bool gated = count(r, "gated_mlp", 0) == 1;
    field_defaults(r->arena, model_fields, m);
    m->name = cell(r, "model");
    m->hidden_size = needed(r, "hidden", 0);
    m->num_hidden_layers = needed(r, "layers", 0);
    m->num_attention_heads = needed(r, "heads", m->hidden_size >= 128 ? m->hidden_size / 128 : 1);
    m->vocab_size = needed(r, "vocab", 50257);
    m->mlp = gated ? MLP_SWIGLU : MLP_GELU;
    m->norm = gated ? NORM_RMS : NORM_LAYER;
    m->position = gated ? POSITION_ROPE : POSITION_LEARNED;
    m->tie_word_embeddings = !gated;
    m->bias = (struct bias){!gated, !gated, !gated, false, false};
    m->max_position_embeddings = count(r, "seq_len", 2048);
    m->intermediate_size = gated ? 0 : 4 * m->hidden_size;
    m->dropout = gated ? 0 : r->framework->dropout;
}

static void override_moe(struct row *r, struct model *m) {
    int64_t experts = count(r, "experts", 0);
    if (experts <= 1) {
        return;
    }
    if (m->moe == NULL) {
        m->moe = ARENA_NEW(r->arena, struct moe);
        m->moe->layer_freq = 1;
        m->moe->imbalance = 1;
    }
    m->moe->num_experts = experts;
    override_count(r, "topk", &m->moe->experts_per_token);
    override_count(r, "moe_ffn", &m->moe->expert_intermediate_size);
    override_count(r, "moe_layer_freq", &m->moe->layer_freq);
    override_count(r, "dense_first", &m->moe->first_dense_layers);
    const char *shared = cell(r, "shared_experts");
    if (strstr(shared, "hidden") != NULL) {
        long long width = 0;
        if (text_integer(shared, strspn(shared, "0123456789"), &width)) {
            m->moe->shared_intermediate_size = width;
            m->moe->shared_experts = 1;
        }
    } else if (shared[0] != '\0') {
        int64_t number_of = count(r, "shared_experts", 0);
        if (number_of != m->moe->shared_experts) {
            m->moe->shared_experts = number_of;
            m->moe->shared_intermediate_size = number_of * m->moe->expert_intermediate_size;
        }
    }
    if (m->moe->experts_per_token == 0) {
        refuse(r, "topk is not stated");
    }
    if (m->moe->expert_intermediate_size == 0) {
        m->moe->expert_intermediate_size = m->intermediate_size;
        fill(r, "moe_ffn", "ffn_hidden");
    }
}

/* Over a shipped model, depth and width where the row differs; derived widths are derived again. */
static void override_shape(struct row *r, struct model *m) {
    int64_t hidden = m->hidden_size, heads = m->num_attention_heads;
    override_count(r, "hidden", &m->hidden_size);
    override_count(r, "layers", &m->num_hidden_layers);
    override_count(r, "heads", &m->num_attention_heads);
    if (m->mla == NULL) {
        if (m->hidden_size != hidden || m->num_attention_heads != heads) {
            m->head_dim = 0;
        }
        override_count(r, "kv_heads", &m->num_key_value_heads);
        override_count(r, "head_dim", &m->head_dim);
    }
    override_count(r, "ffn_hidden", &m->intermediate_size);
    override_count(r, "vocab", &m->vocab_size);
    override_moe(r, m);
}

static void make_model(struct row *r, const struct corpus_loader *loader) {
    struct model *m = &r->ret->model;
    const char *reference = cell(r, "model_ref");
    if (reference[0] != '\0') {
        if (loader->model(loader->context, reference, m) != OK) {
            refuse(r, arena_format(r->arena, "model_ref: no shipped model '%s'", reference));
            return;
        }
    } else {
        shape_defaults(r, m);
    }
    if (r->ret->refusal != NULL) {
        return;
    }
    override_shape(r, m);
    const char *note = cell(r, "note");
    if (strstr(note, "CPU-offload") != NULL || strstr(note, "CPU offload") != NULL) {
        refuse(r, "note: optimizer state or activations in host memory are not expressible");
    }
    if (strstr(cell(r, "model"), "hybrid") != NULL || strstr(cell(r, "model"), "(hy") != NULL) {
        refuse(r, "model: which of its layers are attention is not stated");
    }
    if (strstr(note, "deterministic-mode") != NULL) {
        r->ret->times = false; /* other kernels than anyone trains with; memory is the same */
    }
    const char *tuned = cell(r, "finetune");
    if (strcmp(tuned, "lora") == 0) {
        refuse(r, "finetune: adapters on frozen weights are not expressible");
    }
    struct diag diag;
    diag_init(&diag, r->arena);
    m->kind_count = m->layer_count = 0;
    if (model_complete(r->arena, m, NULL, &diag) != OK) {
        refuse(r, arena_format(r->arena, "model: %s", diag.count > 0 ? diag.entries[0].text : "invalid"));
    }
}

/* The shipped topology of a device; names may carry a memory size that the file's name leaves out. */
static enum status load_device(struct row *r, const struct corpus_loader *loader) {
    char *name = arena_text(r->arena, cell(r, "device"));
    for (;;) {
        if (loader->topology(loader->context, name, &r->ret->topology) == OK) {
            return OK;
        }
        char *dash = strrchr(name, '-');
        if (dash == NULL) {
            return STATUS_INVALID;
        }
        *dash = '\0';
    }
}

static void make_nodes(struct row *r, struct node_type *node, struct group *group) {
    int64_t devices = needed(r, "gpus", 0);
    int64_t per_node = count(r, "gpus_per_node", node->count);
    per_node = per_node < 1 ? node->count : per_node;
    node->count = per_node < devices ? per_node : devices;
    if (devices % node->count != 0) {
        refuse(r, "gpus does not fill whole nodes");
        return;
    }
    group->count = devices / node->count;
    r->ret->topology.groups.count = 1;
    override_count(r, "scaleup_gpus", &node->scaleup.domain);
    if (node->scaleup.domain <= per_node) {
        node->scaleup.domain = 0;
    }
    double scaleup = number(r, "scaleup_gbs", 0);
    if (scaleup > 0) {
        node->scaleup.bandwidth = scaleup * 1e9;
    }
    double nic = number(r, "nic_gbit_per_gpu", 0);
    if (nic > 0) {
        node->nics.count = per_node;
        node->nics.rate = nic * 1e9 / 8;
    }
}

static void make_topology(struct row *r, const struct corpus_loader *loader) {
    struct topology *t = &r->ret->topology;
    const char *device = cell(r, "device");
    if (device[0] == '\0') {
        refuse(r, "device is not stated");
    } else if (load_device(r, loader) != OK) {
        refuse(r, arena_format(r->arena, "device: no shipped topology for '%s'", device));
    }
    if (r->ret->refusal != NULL) {
        return;
    }
    make_nodes(r, t->nodes.items, t->groups.items);
    if (r->framework->allocator > 0) {
        t->runtime.allocator_overhead = r->framework->allocator;
    }
    struct diag diag;
    diag_init(&diag, r->arena);
    if (r->ret->refusal == NULL && topology_complete(r->arena, t, NULL, &diag) != OK) {
        refuse(r, arena_format(r->arena, "topology: %s", diag.count > 0 ? diag.entries[0].text : "invalid"));
    }
}

static int precision_of(struct row *r, const char *text) {
    static const struct { const char *text; int dtype; } known[] = {
        {"bf16", DTYPE_BF16}, {"fp16", DTYPE_FP16}, {"fp8", DTYPE_FP8}, {"mxfp8", DTYPE_FP8},
        {"nvfp4", DTYPE_FP4}, {"mxfp4", DTYPE_FP4}, {"fp32", DTYPE_FP32}, {"tf32", DTYPE_TF32},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].text, text) == 0) {
            return known[i].dtype;
        }
    }
    if (text[0] == '\0') {
        fill(r, "precision", "bf16");
    } else {
        refuse(r, arena_format(r->arena, "precision: '%s' is not known", text));
    }
    return DTYPE_BF16;
}

/* What the row says is recomputed selectively, as bits of job.recompute_ops; 0 = it does not say. */
static uint64_t recompute_ops(const char *text) {
    static const struct { const char *word; unsigned part; } words[] = {
        {"core_attn", PART_CORE}, {"norm", PART_NORM}, {"act", PART_ACTIVATION}, {"up_proj", PART_MLA_UP},
    };
    uint64_t parts = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *at = strstr(text, words[i].word);
        bool core = at != NULL && words[i].part == PART_ACTIVATION && at > text && strstr(text, "core_") != NULL &&
                    strstr(text, "moe_act") == NULL && strstr(text, ", act") == NULL;
        parts |= at != NULL && !core ? words[i].part : 0;
    }
    for (const char *at = text; (at = strstr(at, "mlp")) != NULL; at++) {
        parts |= PART_MLP;
    }
    for (const char *at = text; (at = strstr(at, "moe")) != NULL; at++) {
        parts |= strncmp(at, "moe_act", 7) != 0 ? PART_MOE : 0;
    }
    return parts << 1;
}

static void make_recompute(struct row *r, struct job *job, struct decision *d) {
    const char *text = cell(r, "recompute");
    d->recompute = r->framework->recompute;
    if (strcmp(text, "none") == 0) {
        d->recompute = RECOMPUTE_NONE;
    } else if (strcmp(text, "full") == 0) {
        d->recompute = RECOMPUTE_FULL;
    } else if (strcmp(text, "selective") == 0) {
        d->recompute = RECOMPUTE_SELECTIVE;
        uint64_t ops = recompute_ops(cell(r, "recompute_ops"));
        job->recompute_ops = ops != 0 ? ops : (uint64_t)PART_CORE << 1;
    } else if (text[0] == '\0') {
        static const char *const names[] = {"none", "selective", "full"};
        fill(r, "recompute", names[d->recompute]);
    } else {
        refuse(r, arena_format(r->arena, "recompute: '%s' is not known", text));
    }
}

static void make_job(struct row *r) {
    struct job *job = &r->ret->job;
    const struct framework *f = r->framework;
    field_defaults(r->arena, job_fields, job);
    job->seq_len = needed(r, "seq_len", 0);
    job->global_batch = needed(r, "global_batch", 0);
    job->precision = precision_of(r, cell(r, "precision"));
    job->gradient_precision = f->gradient_precision;
    job->clip_gradients = f->clip;
    job->overlap.gradients = f->overlap_gradients;
    job->overlap.parameters = f->overlap_parameters;
    job->overlap.pipeline = f->overlap_pipeline;
    job->overlap.tensor = f->overlap_tensor;
    job->kernels.fused_norm = f->fused_norm;
    job->kernels.fused_activation = f->fused_activation;
    job->kernels.attention_rate = f->attention_rate;
    const char *flash = cell(r, "flash_attention");
    job->kernels.flash_attention = flash[0] != '\0' ? strcmp(flash, "1") == 0 : f->flash_attention;
    if (flash[0] == '\0') { /* Megatron's local kernels keep the scores */
        const char *note = cell(r, "note");
        bool local = (strstr(note, "options:") != NULL && strstr(note, "transformer_engine") == NULL) ||
                     strstr(note, "attention-backend=unfused") != NULL;
        job->kernels.flash_attention = f->flash_attention && !local;
        fill(r, "flash_attention", job->kernels.flash_attention ? "1" : "0");
    }
    job->memory_fraction = 1;
    static const char *const flex[] = {"DeepEP", "deepep", "HybridEP", "hybridep"};
    for (size_t i = 0; i < sizeof flex / sizeof flex[0]; i++) {
        job->dispatch = strstr(cell(r, "note"), flex[i]) != NULL ? (int)DISPATCH_FLEX : job->dispatch;
    }
    const char *vocabulary = cell(r, "vocab_parallel");
    job->vocab_parallel = strncmp(vocabulary, "vocab", 5) == 0 || strcmp(vocabulary, "interlaced") == 0 ||
                          strcmp(vocabulary, "synctwice") == 0;
    if (strcmp(vocabulary, "redis") == 0) {
        refuse(r, "vocab_parallel: layers redistributed by measured time are not stated");
    }
}

static int schedule_of(struct row *r, int64_t pp, int64_t vpp) {
    const char *text = cell(r, "schedule");
    if (pp == 1) {
        return SCHEDULE_NONE;
    }
    if (text[0] == '\0' || strcmp(text, "none") == 0) {
        const char *usual = vpp > 1 ? "interleaved" : "1f1b";
        fill(r, "schedule", usual);
        return vpp > 1 ? SCHEDULE_INTERLEAVED : SCHEDULE_1F1B;
    }
    for (int i = 0; i < SCHEDULE_COUNT; i++) {
        if (strcmp(schedule_names[i], text) == 0) {
            return i == SCHEDULE_1F1B && vpp > 1 ? SCHEDULE_INTERLEAVED : i;
        }
    }
    refuse(r, arena_format(r->arena, "schedule: '%s' has no closed form here", text));
    return SCHEDULE_1F1B;
}

static void make_degrees(struct row *r, struct parallel *p) {
    int64_t devices = count(r, "gpus", 1);
    p->tp = needed(r, "tp", 1);
    p->pp = needed(r, "pp", 1);
    p->cp = count(r, "cp", 1) > 0 ? count(r, "cp", 1) : 1;
    int64_t replicas = p->tp * p->pp * p->cp;
    p->dp = needed(r, "dp", devices / replicas);
    p->vpp = count(r, "vpp", 1) > 0 ? count(r, "vpp", 1) : 1;
    p->ep = count(r, "ep", 1) > 0 ? count(r, "ep", 1) : 1;
    p->etp = count(r, "etp", 1) > 0 ? count(r, "etp", 1) : 1;
    p->ulysses = 1;
    p->cp_kind = CONTEXT_RING;
    bool needs_sp = p->tp > 1 && r->ret->model.moe != NULL; /* Megatron-Core demands it */
    p->sp = p->tp > 1 && (count(r, "sp", needs_sp ? 1 : 0) == 1 || needs_sp);
    bool sharded = p->dp * p->cp > 1;
    p->zero = count(r, "zero", r->framework->zero);
    p->zero = !sharded ? 0 : p->pp > 1 && p->zero > 1 ? 1 : p->zero;
    if (cell(r, "zero")[0] == '\0' && sharded) {
        fill(r, "zero", arena_format(r->arena, "%lld", (long long)p->zero));
    }
}

static void make_decision(struct row *r) {
    struct decision *d = &r->ret->decision;
    make_degrees(r, &d->parallel);
    d->micro_batch = needed(r, "micro_batch", 1);
    d->schedule = schedule_of(r, d->parallel.pp, d->parallel.vpp);
    int64_t fixed = schedules[d->schedule]->fixed_chunks;
    if (d->parallel.pp == 1 || fixed > 0 || !schedules[d->schedule]->chunked) {
        d->parallel.vpp = fixed > 0 ? fixed : 1;
    }
    int64_t share = d->parallel.dp * d->micro_batch;
    d->micro_batches = r->ret->job.global_batch / share;
    int64_t chunks = d->parallel.pp * d->parallel.vpp;
    int64_t layers = r->ret->model.layer_count;
    d->stages = layers % chunks != 0 && (layers + 2) % chunks == 0 ? STAGES_ENDS : STAGES_EVEN;
    make_recompute(r, &r->ret->job, d);
}

static void make_measured(struct row *r) {
    struct corpus_case *c = r->ret;
    c->measured_s = number(r, "measured_iter_s", 0);
    c->measured_tflops = number(r, "measured_tflops_per_gpu", 0);
    c->measured_mfu = number(r, "measured_mfu", 0);
    c->hardware_flops = strcmp(cell(r, "flops_kind"), "hardware") == 0;
    c->measured_bytes = number(r, "measured_peak_mem_gib", 0) * 1073741824;
    const char *kind = cell(r, "memory_kind");
    c->memory_kind = strcmp(kind, "device") == 0 ? MEMORY_DEVICE
                     : strcmp(kind, "reserved") == 0 ? MEMORY_RESERVED : MEMORY_ALLOCATED;
    c->last_stage = strcmp(cell(r, "memory_rank"), "last") == 0;
    c->times = strcmp(cell(r, "use"), "memory") != 0;
}

void corpus_case_make(struct arena *arena, const struct csv *csv, size_t row, const struct corpus_loader *loader,
                      struct corpus_case *ret) {
    struct row r = {.arena = arena, .csv = csv, .index = row, .ret = ret};
    *ret = (struct corpus_case){.id = csv_cell(csv, row, "id"), .source = csv_cell(csv, row, "source")};
    text_init(&r.filled, arena);
    r.framework = framework_of(ret->source);
    ret->flops = r.framework->flops;
    make_measured(&r);
    make_model(&r, loader);
    make_topology(&r, loader);
    make_job(&r);
    if (ret->refusal == NULL) {
        make_decision(&r);
    }
    const char *unknown = cell(&r, "unknown");
    ret->filled = r.filled.size > 0 ? r.filled.data : "";
    ret->specified = unknown[0] == '\0';
}
