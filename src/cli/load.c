#include "cli/load.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/data.h"
#include "cli/kinds.h"
#include "cli/options.h"
#include "cli/overlay.h"
#include "model/model.h"
#include "plan/job.h"
#include "plan/plan.h"
#include "topology/shortform.h"
#include "topology/topology.h"
#include "yaml/document.h"
#include "yaml/emit.h"

const struct field scale_fields[] = {
    {.key = "nodes", .kind = FIELD_COUNT, .offset = offsetof(struct scale, nodes), .max = 1e9, .fallback = "0",
     .doc = "Scale the topology to N nodes; 0 leaves it as it is"},
    {.key = "gpus", .kind = FIELD_COUNT, .offset = offsetof(struct scale, gpus), .max = 1e9, .fallback = "0",
     .doc = "Scale the topology to N devices; 0 leaves it as it is"},
    FIELD_END,
};

/* document_locate: a path as it stands, else a shipped document. */
static const char *locate(void *arena, const char *name, const char *folder) {
    struct stat found;
    if (stat(name, &found) == 0) {
        return name;
    }
    return data_find(arena, folder, name);
}

static bool looks_like_path(const char *name) {
    return strchr(name, '/') || text_ends(name, ".yaml") || text_ends(name, ".yml") || text_ends(name, ".json") ||
           text_equal(name, "-");
}

/* The path of the document a word names. Without one, the nearest shipped name is offered. */
static enum status find_document(struct context *context, const struct document_kind *kind, const struct word *word,
                                 const char **ret_path) {
    struct stat found;
    const char *shipped = NULL;
    if (looks_like_path(word->text) || !kind->folder) {
        *ret_path = word->text;
        return OK;
    }
    shipped = data_find(context->arena, kind->folder, word->text);
    if (shipped) {
        *ret_path = shipped;
        return OK;
    }
    if (stat(word->text, &found) == 0) {
        *ret_path = word->text;
        return OK;
    }
    enum status status = diag_error(context->diag, word->mark, "no %s '%s': neither a shipped one nor a file",
                                    kind->name, word->text);
    const char *const *names = NULL;
    size_t count = data_list(context->arena, kind->folder, &names);
    const char *nearest = options_suggest(word->text, names, count);
    if (nearest) {
        diag_help(context->diag, "did you mean '%s'?", nearest);
    } else {
        diag_help(context->diag, "'parplan show %s' lists the shipped ones", kind->name);
    }
    return status;
}

enum status load_document(struct context *context, const char *kind_name, const struct word *word,
                          struct node **ret_root) {
    const struct document_kind *kind = document_kind_find(kind_name);
    const char *path = NULL;
    TRY(find_document(context, kind, word, &path));
    struct node *root = NULL;
    TRY(document_load(context->arena, path, &root, context->diag));
    return document_extend(context->arena, root, kind->folder ? kind->folder : "jobs", locate, context->arena, ret_root,
                           context->diag);
}

enum status load_model(struct context *context, const struct word *word, struct model **ret_model) {
    struct node *root = NULL;
    TRY(load_document(context, "model", word, &root));
    struct model *model = ARENA_NEW(context->arena, struct model);
    TRY(model_load(context->arena, root, model, context->diag));
    *ret_model = model;
    return OK;
}

/* The diag's entries from `first` on without a place are about this word. */
static void place_entries(struct context *context, size_t first, struct mark mark) {
    for (size_t i = first; i < context->diag->count; i++) {
        if (!context->diag->entries[i].mark.source) {
            context->diag->entries[i].mark = mark;
        }
    }
}

static enum status read_topology(struct context *context, const struct word *word, struct topology *topology) {
    struct shortform form;
    struct word device = *word;
    size_t size = strcspn(word->text, "*@"); /* the rate of a short form has a slash: 8xh100-sxm@8x400Gbit/s */
    bool short_form = shortform_is(word->text) && !looks_like_path(arena_copy(context->arena, word->text, size));
    if (short_form) {
        TRY(shortform_parse(context->arena, word->text, &form, context->diag));
        device.text = form.device;
    }
    struct node *root = NULL;
    TRY(load_document(context, "topology", &device, &root));
    TRY(topology_load(context->arena, root, topology, context->diag));
    return short_form ? shortform_apply(context->arena, &form, topology, context->diag) : OK;
}

enum status load_topology(struct context *context, const struct word *word, const struct scale *scale,
                          struct topology **ret_topology) {
    struct topology *topology = ARENA_NEW(context->arena, struct topology);
    size_t first = context->diag->count;
    enum status status = read_topology(context, word, topology);
    place_entries(context, first, word->mark);
    TRY(status);
    if (scale && (scale->nodes || scale->gpus)) {
        first = context->diag->count;
        status = topology_scale(context->arena, topology, scale->nodes, scale->gpus, context->diag);
        place_entries(context, first, options_mark(context, scale->gpus ? "gpus" : "nodes"));
        TRY(status);
    }
    *ret_topology = topology;
    return OK;
}

enum status load_job(struct context *context, const struct word *word, struct job **ret_job) {
    struct node *root = overlay_empty(context, "job");
    if (word) {
        TRY(load_document(context, "job", word, &root));
    }
    overlay_flags(context, root);
    struct job *job = ARENA_NEW(context->arena, struct job);
    TRY(job_load(context->arena, root, job, context->diag));
    *ret_job = job;
    return OK;
}

enum status load_plan(struct context *context, const struct word *word, struct plan **ret_plan,
                      const struct node **ret_root) {
    struct node *root = NULL;
    TRY(load_document(context, "plan", word, &root));
    struct plan *plan = ARENA_NEW(context->arena, struct plan);
    TRY(plan_load(context->arena, root, plan, context->diag));
    *ret_plan = plan;
    if (ret_root) {
        *ret_root = root;
    }
    return OK;
}

struct plan_input load_identity(struct context *context, const char *kind, const char *name, const void *object) {
    struct text text;
    text_init(&text, context->arena);
    emit_document(&text, kind, document_kind_find(kind)->fields, object, false);
    return (struct plan_input){
        .kind = kind,
        .name = name,
        .digest = arena_format(context->arena, "fnv1a64:%016llx", text_digest(text.data, text.size)),
    };
}
