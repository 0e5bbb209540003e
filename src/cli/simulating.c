#include "cli/simulating.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cost/rule.h"
#include "plan/stages.h"
#include "topology/topology.h"
#include "yaml/bind.h"
#include "yaml/document.h"

static const char *const detail_choices[] = {"pass", "layer", "op", NULL};

#define AT(member) .offset = offsetof(struct simulating_options, member)
const struct field simulating_fields[] = {
    {.key = "detail", .kind = FIELD_CHOICE, AT(detail), .fallback = "pass", .choices = detail_choices,
     .doc = "What is simulated as one: a pass of a chunk, a layer, or a kernel"},
    {.key = "contention", .kind = FIELD_CHOICE, AT(contention), .fallback = "scalar", .choices = contention_names,
     .doc = "What computation and communication take from each other: nothing, the topology's overlap_slowdown, or "
            "multiprocessors and bandwidth"},
    {.key = "scenario", .kind = FIELD_TEXT, AT(scenario), .value_name = "FILE",
     .doc = "What disturbs the step: slow ranks and links, jitter, pauses, failures"},
    {.key = "seeds", .kind = FIELD_COUNT, AT(seeds), .fallback = "1", .min = 1, .max = 1e6,
     .doc = "Steps to draw under the scenario's jitter"},
    {.key = "seed", .kind = FIELD_COUNT, AT(seed), .fallback = "0", .max = 1e15,
     .doc = "Seed of the first of them; the next has the next"},
    {.key = "every_rank", .kind = FIELD_BOOL, AT(every_rank), .fallback = "false",
     .doc = "Play every rank, not one of each that behave alike"},
    {.key = "expandable_segments", .kind = FIELD_BOOL, AT(expandable_segments), .fallback = "false",
     .doc = "The caching allocator grows one segment instead of keeping many"},
    FIELD_END,
};
#undef AT

const struct operand simulating_operands[] = {
    {.name = "PLAN", .kind = OPERAND_FILE, .doc = "A plan, as search and estimate write them with -o"},
    {.name = NULL},
};

/* What a plan names: a path counts from the plan's folder where there is such a file, else from where the user is. */
static struct word named(struct context *context, const struct simulating *s, const char *key, const char *name) {
    struct word word = {name, bind_mark(s->root, key)};
    const char *plan = s->path;
    const char *slash = strrchr(plan, '/');
    struct stat found;
    if (slash && name[0] != '/' && (strchr(name, '/') || strchr(name, '.'))) {
        const char *beside = arena_format(context->arena, "%.*s%s", (int)(slash + 1 - plan), plan, name);
        word.text = stat(beside, &found) == 0 ? beside : name;
    }
    return word;
}

/* Entries of the diag from `first` on that have no place are about this one. */
static void place_from(struct diag *diag, size_t first, struct mark mark) {
    for (size_t i = first; i < diag->count; i++) {
        if (!diag->entries[i].mark.source) {
            diag->entries[i].mark = mark;
        }
    }
}

static enum status load_scaled(struct context *context, struct simulating *s) {
    struct word word = named(context, s, "topology", s->plan->topology);
    TRY(load_topology(context, &word, NULL, &s->planning.topology));
    if (topology_devices(s->planning.topology) == s->plan->devices) {
        return OK;
    }
    size_t first = context->diag->count;
    enum status status = topology_scale(context->arena, s->planning.topology, 0, s->plan->devices, context->diag);
    place_from(context->diag, first, bind_mark(s->root, "devices"));
    return status;
}

/* A rule that speaks of the schedule's or the stages' own way does not bind a plan that lists its order or layout. */
static bool is_overruled(const struct plan *plan, const char *reason) {
    return (plan->layout.count > 0 && text_starts(reason, "stage-cut:")) ||
           (plan->order.count > 0 && (text_starts(reason, "schedule-shape:") || text_starts(reason, "pp-schedule:")));
}

/* Where in a plan a rule's subject stands. */
static const char *subject(const char *reason) {
    static const struct { const char *rule, *path; } subjects[] = {
        {"tp-", "parallel.tp"},          {"sp-", "parallel.sp"},        {"cp-", "parallel.cp"},
        {"ep-", "parallel.ep"},          {"etp-", "parallel.etp"},      {"zero-", "parallel.zero"},
        {"batch", "micro_batch"},        {"pp-schedule", "schedule"},   {"schedule-", "schedule"},
        {"stage-cut", "layout"},         {"vocabulary", "job"},
    };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (text_starts(reason, subjects[i].rule)) {
            return subjects[i].path;
        }
    }
    return "parallel";
}

static enum status check_rules(struct context *context, const struct simulating *s) {
    const struct parallel *p = &s->plan->decision.parallel;
    struct list reasons = rule_reasons(context->arena, &s->planning.cost, &s->plan->decision);
    const char *const *texts = reasons.items;
    for (size_t i = 0; i < reasons.count; i++) {
        if (is_overruled(s->plan, texts[i])) {
            continue;
        }
        struct mark mark = bind_mark(s->root, subject(texts[i]));
        if (text_starts(texts[i], "world:")) {
            (void)diag_error(context->diag, mark,
                             "tp %lld x pp %lld x cp %lld x dp %lld are not the plan's %lld devices", (long long)p->tp,
                             (long long)p->pp, (long long)p->cp, (long long)p->dp, (long long)s->plan->devices);
        } else {
            (void)diag_error(context->diag, mark, "%s", texts[i]);
        }
    }
    return diag_status(context->diag);
}

/* A plan remembers what its inputs were; another model or machine may make another plan the best. */
static void warn_changes(struct context *context, const struct simulating *s) {
    const struct plan_input *inputs = s->plan->inputs.items;
    for (size_t i = 0; i < s->plan->inputs.count; i++) {
        bool model = text_equal(inputs[i].kind, "model");
        if (!model && !text_equal(inputs[i].kind, "topology")) {
            continue;
        }
        const void *object = model ? (const void *)s->planning.model : (const void *)s->planning.topology;
        struct plan_input now = load_identity(context, inputs[i].kind, inputs[i].name, object);
        if (inputs[i].digest && !text_equal(now.digest, inputs[i].digest)) {
            diag_warning(context->diag, bind_mark(s->root, inputs[i].kind),
                         "the %s has changed since the plan was made; it is simulated as it is now", inputs[i].kind);
        }
    }
}

/* The closed form cuts layers by rule and takes the schedule's order of passes. */
static bool is_by_rule(struct arena *arena, const struct simulating *s) {
    const struct plan_stage *layout = s->plan->layout.items;
    struct stages stages;
    if (s->plan->order.count > 0) {
        return false;
    }
    stages_by_rule(arena, &s->plan->decision, s->planning.model, s->planning.cost.mtp, &stages);
    for (size_t i = 0; i < s->plan->layout.count; i++) {
        const struct plan_stage *own = &layout[i];
        int64_t place = own->rank * stages.held + own->chunk;
        if (own->chunk >= stages.held || place >= stages.count || stages.items[place].first != own->first ||
            stages.items[place].layers != own->layers) {
            return false;
        }
    }
    return true;
}

enum status simulating_load(struct context *context, const struct word *word, struct simulating *ret) {
    *ret = (struct simulating){.path = word->text};
    TRY(load_plan(context, word, &ret->plan, &ret->root));
    struct word model = named(context, ret, "model", ret->plan->model);
    enum status status = load_model(context, &model, &ret->planning.model);
    TRY(load_scaled(context, ret));
    TRY(status);
    ret->planning.job = &ret->plan->job;
    ret->planning.cost = cost_context_make(ret->planning.model, ret->planning.topology, ret->planning.job);
    TRY(check_rules(context, ret));
    warn_changes(context, ret);
    if (is_by_rule(context->arena, ret)) {
        ret->estimate = cost_estimate(context->arena, &ret->planning.cost, &ret->plan->decision, NULL);
    }
    return OK;
}

enum status simulating_choose(struct context *context, const struct simulating *simulating,
                              const struct simulating_options *options, struct simulate_options *ret) {
    *ret = (struct simulate_options){
        .root = simulating->root,
        .detail = options->detail,
        .contention = options->contention,
        .every_rank = options->every_rank,
        .expandable = options->expandable_segments,
        .seed = options->seed,
        .seeds = options->seeds,
    };
    if (!options->scenario) {
        return OK;
    }
    struct word word = {options->scenario, options_mark(context, "scenario")};
    struct node *root = NULL;
    TRY(load_document(context, "scenario", &word, &root));
    struct scenario *scenario = ARENA_NEW(context->arena, struct scenario);
    TRY(scenario_load(context->arena, root, scenario, context->diag));
    TRY(scenario_check(scenario, simulating->plan->devices, root, context->diag));
    ret->scenario = scenario;
    return OK;
}

enum status simulating_run(struct context *context, const struct simulating *simulating,
                           const struct simulate_options *options, struct simulation *ret) {
    double begin = progress_clock();
    enum status status =
        simulate(context->arena, &simulating->planning.cost, simulating->plan, options, ret, context->diag);
    ret->wall = progress_clock() - begin;
    return status;
}
