/* Rows of published measurements to cases: topology, degrees and what was measured; model and job lie beside
 * (corpus_model.c, corpus_job.c). */
#include "port/corpus.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "port/row.h"
#include "schedule/schedule.h"

const char *const memory_kind_names[] = {"allocated", "reserved", "device", NULL};

static const char *const required_columns[] = {"id", "source", "device", "gpus", "seq_len",      "tp",
                                               "pp", "layers", "hidden", "dp",   "global_batch", "micro_batch", NULL};

enum { ROWS_MAX = 20000 }; /* ten times what is published; sources are told apart by comparing all with all */

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
    if (csv->row_count > ROWS_MAX) {
        struct mark mark = {.source = csv->source, .line = csv->lines[ROWS_MAX], .column = 1, .length = 1};
        (void)diag_error(diag, mark, "more than %d rows", ROWS_MAX);
    }
    return diag_status(diag);
}

/* The shipped topology of a device; names may carry a memory size that the file's name leaves out. */
static enum status load_device(struct row *r, const struct corpus_loader *loader) {
    char *name = arena_text(r->arena, row_cell(r, "device"));
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

/* The loader's topology is shared by all rows: node and group are copied before they are changed. */
static void own_nodes(struct row *r, struct topology *t) {
    struct node_type *node = ARENA_NEW(r->arena, struct node_type);
    struct group *group = ARENA_NEW(r->arena, struct group);
    *node = *topology_node(t, 0);
    *group = *(const struct group *)t->groups.items;
    t->nodes = (struct list){node, 1};
    t->groups = (struct list){group, 1};
    t->links = (struct list){NULL, 0};
}

static void make_nodes(struct row *r, struct node_type *node, struct group *group) {
    int64_t devices = row_needed(r, "gpus", 0);
    const struct field *fields = field_find(topology_fields, "nodes")->fields;
    row_override(r, "gpus_per_node", fields, "count", node);
    row_override(r, "scaleup_gpus", field_find(fields, "scaleup")->fields, "domain", &node->scaleup);
    int64_t per_node = node->count;
    node->count = per_node < devices ? per_node : devices;
    if (devices > TOPOLOGY_DEVICES) {
        row_refuse(r, arena_format(r->arena, "gpus: more than %d", TOPOLOGY_DEVICES));
    } else if (devices % node->count != 0) {
        row_refuse(r, "gpus does not fill whole nodes");
    }
    group->count = devices / node->count;
    if (node->scaleup.domain <= per_node) {
        node->scaleup.domain = 0;
    }
    double scaleup = row_number(r, "scaleup_gbs", 0);
    if (scaleup > 0) {
        node->scaleup.bandwidth = scaleup * 1e9;
    }
    double nic = row_number(r, "nic_gbit_per_gpu", 0);
    if (nic > 0) {
        node->nics.count = per_node;
        node->nics.rate = nic * 1e9 / 8;
    }
}

static void make_topology(struct row *r, const struct corpus_loader *loader) {
    struct topology *t = &r->ret->topology;
    const char *device = row_cell(r, "device");
    if (device[0] == '\0') {
        row_refuse(r, "device is not stated");
    } else if (load_device(r, loader) != OK) {
        row_refuse(r, arena_format(r->arena, "device: no shipped topology for '%s'", device));
    }
    if (r->ret->refusal == NULL) {
        own_nodes(r, t);
        make_nodes(r, t->nodes.items, t->groups.items);
    }
    if (r->ret->refusal != NULL) {
        return;
    }
    if (r->framework->allocator > 0) {
        t->runtime.allocator_overhead = r->framework->allocator;
    }
    struct diag diag;
    diag_init(&diag, r->arena);
    if (topology_complete(r->arena, t, NULL, &diag) != OK) {
        row_refuse(r, arena_format(r->arena, "topology: %s", diag.count > 0 ? diag.entries[0].text : "invalid"));
    }
}

static int schedule_of(struct row *r, int64_t pp, int64_t vpp) {
    const char *text = row_cell(r, "schedule");
    if (pp == 1) {
        return SCHEDULE_NONE;
    }
    if (text[0] == '\0' || text_equal(text, "none")) {
        const char *usual = vpp > 1 ? "interleaved" : "1f1b";
        row_fill(r, "schedule", usual);
        return vpp > 1 ? SCHEDULE_INTERLEAVED : SCHEDULE_1F1B;
    }
    for (int i = 0; i < SCHEDULE_COUNT; i++) {
        if (text_equal(schedule_names[i], text)) {
            return i == SCHEDULE_1F1B && vpp > 1 ? SCHEDULE_INTERLEAVED : i;
        }
    }
    row_refuse(r, arena_format(r->arena, "schedule: '%s' has no closed form here", text));
    return SCHEDULE_1F1B;
}

/* A degree that may be left out, then 1. */
static int64_t degree(struct row *r, const char *column) {
    int64_t value = row_count(r, column, 1);
    return value > 1 ? value : 1;
}

/* Chunks a rank. An interleaved schedule that does not say has the fewest that cut its layers evenly. */
static int64_t chunks_of(struct row *r, int64_t pp) {
    bool stated = row_cell(r, "vpp")[0] != '\0' || !text_equal(row_cell(r, "schedule"), "interleaved") || pp == 1;
    int64_t layers = r->ret->model.layer_count / pp, chunks = 2;
    if (stated) {
        return degree(r, "vpp");
    }
    while (chunks < layers && layers % chunks != 0) {
        chunks++;
    }
    row_fill(r, "vpp", arena_format(r->arena, "%lld", (long long)chunks));
    return chunks;
}

static void make_zero(struct row *r, struct parallel *p) {
    bool sharded = p->dp * p->cp > 1;
    p->zero = row_count(r, "zero", r->framework->zero);
    if (p->zero > 3) {
        row_refuse(r, arena_format(r->arena, "zero: '%s' is no stage", row_cell(r, "zero")));
    }
    p->zero = !sharded ? 0 : p->pp > 1 && p->zero > 1 ? 1 : p->zero;
    if (row_cell(r, "zero")[0] == '\0' && sharded) {
        row_fill(r, "zero", arena_format(r->arena, "%lld", (long long)p->zero));
    }
}

/* Degrees beyond the devices are refused at once: their product could be any number. */
static void make_degrees(struct row *r, struct parallel *p) {
    int64_t devices = topology_devices(&r->ret->topology);
    p->tp = row_needed(r, "tp", 1);
    p->pp = row_needed(r, "pp", 1);
    p->cp = degree(r, "cp");
    if (p->tp > devices / p->pp || p->tp * p->pp > devices / p->cp) {
        row_refuse(r, "tp x pp x cp is more than gpus");
        return;
    }
    p->dp = row_needed(r, "dp", devices / (p->tp * p->pp * p->cp));
    p->vpp = chunks_of(r, p->pp);
    p->ep = degree(r, "ep");
    p->etp = degree(r, "etp");
    p->ulysses = 1;
    p->cp_kind = CONTEXT_RING;
    bool needs_sp = p->tp > 1 && r->ret->model.moe != NULL; /* Megatron-Core demands it */
    p->sp = p->tp > 1 && (row_count(r, "sp", 0) == 1 || needs_sp);
    make_zero(r, p);
}

static void make_decision(struct row *r) {
    struct decision *d = &r->ret->decision;
    make_degrees(r, &d->parallel);
    if (r->ret->refusal != NULL) {
        return;
    }
    d->micro_batch = row_needed(r, "micro_batch", 1);
    d->schedule = schedule_of(r, d->parallel.pp, d->parallel.vpp);
    int64_t fixed = schedules[d->schedule]->fixed_chunks;
    if (d->parallel.pp == 1 || fixed > 0 || !schedules[d->schedule]->chunked) {
        d->parallel.vpp = fixed > 0 ? fixed : 1;
    }
    d->micro_batches = r->ret->job.global_batch / (d->parallel.dp * d->micro_batch);
    int64_t chunks = d->parallel.pp * d->parallel.vpp;
    int64_t layers = r->ret->model.layer_count;
    d->stages = layers % chunks != 0 && (layers + 2) % chunks == 0 ? STAGES_ENDS : STAGES_EVEN;
}

static void make_measured(struct row *r) {
    struct corpus_case *c = r->ret;
    c->measured_s = row_number(r, "measured_iter_s", 0);
    c->measured_tflops = row_number(r, "measured_tflops_per_gpu", 0);
    c->measured_mfu = row_number(r, "measured_mfu", 0);
    c->hardware_flops = text_equal(row_cell(r, "flops_kind"), "hardware");
    c->measured_bytes = row_number(r, "measured_peak_mem_gib", 0) * 1073741824;
    const char *kind = row_cell(r, "memory_kind");
    c->memory_kind = text_equal(kind, "device")     ? MEMORY_DEVICE
                     : text_equal(kind, "reserved") ? MEMORY_RESERVED
                                                    : MEMORY_ALLOCATED;
    c->last_stage = text_equal(row_cell(r, "memory_rank"), "last");
    c->times = !text_equal(row_cell(r, "use"), "memory");
}

void corpus_case_make(struct arena *arena, const struct csv *csv, size_t row, const struct corpus_loader *loader,
                      struct corpus_case *ret) {
    struct row r = {.arena = arena, .csv = csv, .index = row, .ret = ret};
    *ret = (struct corpus_case){.id = csv_cell(csv, row, "id"), .source = csv_cell(csv, row, "source")};
    text_init(&r.filled, arena);
    r.framework = framework_of(ret->source);
    ret->flops = r.framework->flops;
    make_measured(&r);
    corpus_model(&r, loader);
    make_topology(&r, loader);
    corpus_job(&r);
    if (ret->refusal == NULL) {
        make_decision(&r);
    }
    ret->filled = r.filled.size > 0 ? r.filled.data : "";
    ret->specified = row_cell(&r, "unknown")[0] == '\0';
}
