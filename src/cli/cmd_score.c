/* parplan score CORPUS.csv: every row of a corpus of published measurements predicted, and the errors a source. */
#include "base/arena.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/scores.h"
#include "cli/terminal.h"
#include "topology/topology.h"
#include "yaml/document.h"

struct score_options {
    bool cases;
};

/* Loaded documents by name: a corpus names few models and topologies in many rows. */
struct cache {
    struct context *context;
    struct cached {
        const char *name;
        enum status status;
        void *document;
        struct cached *next;
    } *models, *topologies;
};

static struct cached *cache_find(struct cached *entries, const char *name) {
    while (entries && !text_equal(entries->name, name)) {
        entries = entries->next;
    }
    return entries;
}

static struct cached *cache_add(struct cache *cache, struct cached **entries, const char *name) {
    struct cached *entry = ARENA_NEW(cache->context->arena, struct cached);
    *entry = (struct cached){.name = arena_text(cache->context->arena, name), .next = *entries};
    *entries = entry;
    return entry;
}

/* A document that cannot be loaded refuses the row, it does not end the command: its errors are not kept. */
static struct context quiet_context(const struct cache *cache) {
    struct context context = *cache->context;
    context.diag = ARENA_NEW(context.arena, struct diag);
    diag_init(context.diag, context.arena);
    return context;
}

static enum status cached_model(void *context, const char *name, struct model *ret) {
    struct cache *cache = context;
    struct cached *entry = cache_find(cache->models, name);
    if (!entry) {
        struct context quiet = quiet_context(cache);
        struct model *model = NULL;
        entry = cache_add(cache, &cache->models, name);
        entry->status = load_model(&quiet, &(struct word){.text = entry->name}, &model);
        entry->document = model;
    }
    TRY(entry->status);
    *ret = *(const struct model *)entry->document;
    return OK;
}

static enum status cached_topology(void *context, const char *name, struct topology *ret) {
    struct cache *cache = context;
    struct cached *entry = cache_find(cache->topologies, name);
    if (!entry) {
        struct context quiet = quiet_context(cache);
        struct topology *topology = NULL;
        entry = cache_add(cache, &cache->topologies, name);
        entry->status = load_topology(&quiet, &(struct word){.text = entry->name}, NULL, &topology);
        entry->document = topology;
    }
    TRY(entry->status);
    *ret = *(const struct topology *)entry->document;
    return OK;
}

static void add_source(struct scores *scores, const char *source) {
    for (size_t i = 0; i < scores->source_count; i++) {
        if (text_equal(scores->sources[i], source)) {
            return;
        }
    }
    scores->sources[scores->source_count++] = source;
}

static void price_all(struct context *context, const struct csv *csv, struct scores *scores) {
    struct arena *arena = context->arena;
    struct cache cache = {.context = context};
    const struct corpus_loader loader = {.context = &cache, .model = cached_model, .topology = cached_topology};
    *scores = (struct scores){.cases = ARENA_ARRAY(arena, struct score_case, csv->row_count + 1),
                              .count = csv->row_count,
                              .sources = ARENA_ARRAY(arena, const char *, csv->row_count + 1)};
    for (size_t i = 0; i < csv->row_count; i++) {
        struct corpus_case *input = ARENA_NEW(arena, struct corpus_case);
        corpus_case_make(arena, csv, i, &loader, input);
        score_case_make(arena, input, &scores->cases[i]);
        scores->priced += scores->cases[i].refusal == NULL;
        add_source(scores, input->source);
    }
}

static enum status run(struct context *context) {
    const struct score_options *options = context->options;
    struct source *source = NULL;
    struct csv csv;
    TRY(document_read(context->arena, context->operands[0].text, &source, context->diag));
    TRY(csv_parse(context->arena, source, &csv, context->diag));
    TRY(corpus_check(&csv, context->diag));
    struct scores scores;
    price_all(context, &csv, &scores);
    struct text text;
    text_init(&text, context->arena);
    switch ((enum format)context->globals.format) {
    case FORMAT_JSON:
        scores_json(&scores, &text);
        break;
    case FORMAT_CSV:
        scores_csv(&scores, &text);
        break;
    case FORMAT_TABLE:
        scores_text(&scores, options->cases, terminal_width(), &text);
        break;
    }
    return output_result(context, &text);
}

static const struct field own_fields[] = {
    {.key = "cases", .kind = FIELD_BOOL, .offset = offsetof(struct score_options, cases), .fallback = "false",
     .doc = "Also a line for every row, and the reasons of those refused"},
    FIELD_END,
};

const struct command command_score = {
    .name = "score",
    .summary = "Predict published measurements and report the error per source",
    .description =
        "Reads a table of measured training runs, builds model, topology and job of each row, prices exactly that "
        "configuration and compares. What a row does not state takes the usual choice of its framework, and such rows "
        "are reported apart; a row that cannot be expressed is refused with the reason. Errors are relative to the "
        "measurement; bias is their mean with sign, the rank correlation is Spearman's.",
    .operands = (const struct operand[]){
        {.name = "CORPUS", .kind = OPERAND_FILE, .doc = "A CSV file with a header row; see COLUMNS"},
        {.name = NULL},
    },
    .groups = (const struct option_group[]){{.title = "Options", .fields = own_fields}, {.title = NULL}},
    .size = sizeof(struct score_options),
    .examples = (const struct example[]){
        {"How far off a corpus is predicted, row by row", "parplan score corpus.csv --cases"},
        {.line = NULL},
    },
    .formats = HAS_JSON | HAS_CSV,
    .run = run,
};
