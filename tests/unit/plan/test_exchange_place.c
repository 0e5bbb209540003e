/* Where exchanges stand among the operations of a layer: what they feed and follow, in forward and in backward. */
#include "setup.h"

#include "base/random.h"
#include "plan/exchange.h"

struct setting {
    int64_t tp, cp, ep, etp, ulysses;
    bool sp, flash;
    int cp_kind;
    const char *job;
};

static struct shard shard_of(const struct setting *s, int64_t domains) {
    return (struct shard){.tp = s->tp, .cp = s->cp, .ep = s->ep, .etp = s->etp, .ulysses = s->ulysses,
                          .sequence_parallel = s->sp, .micro_batch = 1, .seq_len = 4096, .element = 2,
                          .flash = s->flash, .gathers_keys = s->cp_kind == CONTEXT_ALL_GATHER, .ep_domains = domains,
                          .expert_load = 1};
}

static const struct setting tensor = {8, 1, 1, 1, 1, true, true, CONTEXT_RING, ""};
static const struct setting ring = {1, 8, 1, 1, 1, false, true, CONTEXT_RING, ""};
static const struct setting unfused = {1, 8, 1, 1, 1, false, false, CONTEXT_RING, ""};
static const struct setting gathered = {1, 8, 1, 1, 1, false, true, CONTEXT_ALL_GATHER, ""};
static const struct setting heads = {1, 8, 1, 1, 4, false, true, CONTEXT_USP, ""};
static const struct setting experts = {2, 1, 4, 2, 1, true, true, CONTEXT_RING, ""};
static const struct setting deep = {1, 1, 8, 1, 1, false, true, CONTEXT_RING, "dispatch: flex\n"};

enum { F = EXCHANGE_FORWARD, B = EXCHANGE_BACKWARD };

/* Of the model's last layer. */
static const struct {
    const char *model;
    const struct setting *setting;
    const char *exchange, *first, *last;
    int phase, place;
} rows[] = {
    {"llama3-8b", &tensor, "gather input", "qkv", "qkv", F, EXCHANGE_FEEDS},
    {"llama3-8b", &tensor, "reduce output", "attention out", "attention out", F, EXCHANGE_FOLLOWS},
    {"llama3-8b", &tensor, "gather output gradient", "attention out", "attention out", B, EXCHANGE_FEEDS},
    {"llama3-8b", &tensor, "reduce input gradient", "qkv", "qkv", B, EXCHANGE_FOLLOWS},
    {"llama3-8b", &tensor, "gather saved input", "qkv", "qkv", B, EXCHANGE_FEEDS_WEIGHT},
    /* A parallel block has one gather and one reduction for both its halves. */
    {"palm-540b", &tensor, "gather input", "qkv", "fc1", F, EXCHANGE_FEEDS},
    {"palm-540b", &tensor, "reduce output", "attention out", "fc2", F, EXCHANGE_FOLLOWS},
    /* One exchange brings both latents to both up projections. */
    {"deepseek-v3", &tensor, "gather input", "q up", "kv up", F, EXCHANGE_FEEDS},
    {"deepseek-v3", &tensor, "reduce input gradient", "q up", "kv up", B, EXCHANGE_FOLLOWS},
    {"deepseek-v2-lite", &tensor, "gather input", "q", "kv up", F, EXCHANGE_FEEDS},
    {"minimax-text-01", &tensor, "gather input", "qkv", "qkv", F, EXCHANGE_FEEDS},
    {"t5-11b", &tensor, "gather input", "qkv", "qkv", F, EXCHANGE_FEEDS},
    {"llama3-8b", &ring, "ring keys and values", "attention", "attention", F, EXCHANGE_FEEDS},
    {"llama3-8b", &ring, "ring gradients", "attention", "attention", B, EXCHANGE_FEEDS},
    {"llama3-8b", &ring, "ring gradients home", "attention", "attention", B, EXCHANGE_FOLLOWS},
    {"llama3-8b", &unfused, "ring keys and values", "scores", "values", F, EXCHANGE_FEEDS},
    {"llama3-8b", &gathered, "gather keys and values", "attention", "attention", F, EXCHANGE_FEEDS},
    {"llama3-8b", &gathered, "reduce key and value gradients", "attention", "attention", B, EXCHANGE_FOLLOWS},
    {"llama3-8b", &heads, "heads to ranks", "attention", "attention", F, EXCHANGE_FEEDS},
    {"llama3-8b", &heads, "heads back", "attention", "attention", F, EXCHANGE_FOLLOWS},
    {"llama3-8b", &heads, "heads back", "attention", "attention", B, EXCHANGE_FEEDS},
    {"llama3-8b", &heads, "heads to ranks", "attention", "attention", B, EXCHANGE_FOLLOWS},
    {"mixtral-8x7b", &experts, "dispatch", "experts fc1", "experts fc2", F, EXCHANGE_FEEDS},
    {"mixtral-8x7b", &experts, "gather rows", "experts fc1", "experts fc2", F, EXCHANGE_FEEDS},
    {"mixtral-8x7b", &experts, "reduce rows", "experts fc1", "experts fc2", F, EXCHANGE_FOLLOWS},
    {"mixtral-8x7b", &experts, "combine", "experts fc1", "experts fc2", F, EXCHANGE_FOLLOWS},
    {"mixtral-8x7b", &experts, "dispatch", "experts fc1", "experts fc2", B, EXCHANGE_FEEDS},
    {"mixtral-8x7b", &experts, "combine", "experts fc1", "experts fc2", B, EXCHANGE_FOLLOWS},
    {"deepseek-v3", &deep, "tokens to nodes", "experts fc1", "experts fc2", F, EXCHANGE_FEEDS},
};

static void list_layer(struct arena *arena, const struct model *model, const struct layer_kind *kind,
                       const struct setting *setting, struct layer_work *work, struct exchange_list *ret) {
    struct shard shard = shard_of(setting, setting->ep == 8 ? 2 : 1);
    operation_layer(model, kind, &shard, work);
    exchange_layer(model, kind, &shard, setting->cp_kind, setup_job(arena, setting->job), work, ret);
}

static const struct layer_kind *last_kind(const struct model *model) {
    return &model->kinds[model->layers[model->layer_count - 1]];
}

Test(exchange_place, operations) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct model *model = setup_model(arena, rows[i].model);
        struct layer_work work;
        struct exchange_list list;
        bool found = false;
        list_layer(arena, model, last_kind(model), rows[i].setting, &work, &list);
        for (int j = 0; j < list.count && !found; j++) {
            const struct exchange *e = &list.items[j];
            found = strcmp(e->name, rows[i].exchange) == 0 && (int)e->phase == rows[i].phase &&
                    (int)e->place == rows[i].place && strcmp(work.operations[e->first].name, rows[i].first) == 0 &&
                    strcmp(work.operations[e->last].name, rows[i].last) == 0;
        }
        cr_expect(found, "row %zu: %s: %s", i, rows[i].model, rows[i].exchange);
    }
    arena_close(arena);
}

static void expect_places(const char *name, const struct layer_work *work, const struct exchange_list *list) {
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        bool weight = e->place == EXCHANGE_FEEDS_WEIGHT;
        cr_expect(0 <= e->first && e->first <= e->last && e->last < work->operation_count, "%s: %s: %d to %d of %d",
                  name, e->name, e->first, e->last, work->operation_count);
        cr_expect(!weight || (e->phase == EXCHANGE_BACKWARD && e->beside == BESIDE_INPUT_GRADIENT), "%s: %s", name,
                  e->name);
        cr_expect(e->beside != BESIDE_WEIGHT_GRADIENT || e->place == EXCHANGE_FOLLOWS, "%s: %s", name, e->name);
        if (e->beside == BESIDE_WEIGHT_GRADIENT || e->beside == BESIDE_INPUT_GRADIENT || e->beside == BESIDE_GEMM) {
            cr_expect(work->operations[e->first].kind == OPERATION_GEMM &&
                          work->operations[e->last].kind == OPERATION_GEMM,
                      "%s: %s stands beside products", name, e->name);
        }
    }
}

/* Every exchange of every layer stands at operations that there are, whatever the cut. */
Test(exchange_place, lies_in_the_layer) {
    static const char *const models[] = {"llama3-8b",  "gemma2-27b",  "palm-540b",          "falcon-180b",
                                         "t5-11b",     "mixtral-8x7b", "deepseek-v3",        "deepseek-v2-lite",
                                         "gpt-oss-20b", "dit-xl-2",    "qwen3-next-80b-a3b", "minimax-text-01"};
    static const char *const jobs[] = {"", "dispatch: flex\n", "dispatch: allgather\n",
                                       "overlap: {tensor: true, experts: true}\n"};
    struct arena *arena = support_arena();
    struct random random;
    random_stream(&random, 1, "exchange-place", 0);
    for (int draw = 0; draw < 600; draw++) {
        const struct model *model = setup_model(arena, models[draw % (int)ROWS(models)]);
        int64_t cp = INT64_C(1) << random_below(&random, 4);
        struct setting s = {INT64_C(1) << random_below(&random, 4), cp, 1, 1, 1, random_below(&random, 2) > 0,
                            random_below(&random, 2) > 0, (int)random_below(&random, CONTEXT_KINDS),
                            jobs[random_below(&random, ROWS(jobs))]};
        s.sp = s.sp && s.tp > 1;
        s.ep = model->moe != NULL ? INT64_C(1) << random_below(&random, 4) : 1;
        s.etp = model->moe != NULL ? 1 + random_below(&random, 2) : 1;
        s.ulysses = s.cp_kind == CONTEXT_ULYSSES ? cp : s.cp_kind == CONTEXT_USP && cp > 1 ? 2 : 1;
        for (int64_t kind = 0; kind < model->kind_count; kind++) {
            struct layer_work work;
            struct exchange_list list;
            list_layer(arena, model, &model->kinds[kind], &s, &work, &list);
            expect_places(model->name, &work, &list);
        }
    }
    arena_close(arena);
}

static void expect_at(const struct layer_work *work, const struct exchange_list *list, const char *exchange,
                      const char *operation, enum exchange_phase phase, enum exchange_place place) {
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (strcmp(e->name, exchange) == 0) {
            cr_expect(strcmp(work->operations[e->first].name, operation) == 0 && e->first == e->last &&
                          e->phase == phase && e->place == place,
                      "%s", exchange);
            return;
        }
    }
    cr_expect(false, "no %s", exchange);
}

Test(exchange_place, ends_of_the_model) {
    struct arena *arena = support_arena();
    const struct model *model = setup_model(arena, "llama3-8b");
    struct shard shard = shard_of(&tensor, 1);
    struct layer_work work;
    struct exchange_list list;
    operation_embedding(model, &shard, &work);
    exchange_embedding(model, &shard, &work, &list);
    expect_at(&work, &list, "reduce embedding", "embedding", EXCHANGE_FORWARD, EXCHANGE_FOLLOWS);
    expect_at(&work, &list, "gather embedding gradient", "embedding", EXCHANGE_BACKWARD, EXCHANGE_FEEDS);
    operation_head(model, &shard, false, &work);
    exchange_head(model, &shard, &work, &list);
    expect_at(&work, &list, "gather head input", "head", EXCHANGE_FORWARD, EXCHANGE_FEEDS);
    expect_at(&work, &list, "loss statistics", "loss", EXCHANGE_FORWARD, EXCHANGE_FEEDS);
    expect_at(&work, &list, "reduce head input gradient", "head", EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS);
    expect_at(&work, &list, "gather saved head input", "head", EXCHANGE_BACKWARD, EXCHANGE_FEEDS_WEIGHT);
    work = (struct layer_work){.operation_count = 1, .tokens = 4096};
    work.operations[0].name = "projection";
    exchange_projection(model, &shard, &work, &list);
    cr_expect_eq(list.count, 3);
    expect_at(&work, &list, "gather projection inputs", "projection", EXCHANGE_FORWARD, EXCHANGE_FEEDS);
    expect_at(&work, &list, "gather projection", "projection", EXCHANGE_FORWARD, EXCHANGE_FOLLOWS);
    expect_at(&work, &list, "reduce projection gradient", "projection", EXCHANGE_BACKWARD, EXCHANGE_FOLLOWS);
    cr_expect(list.items[0].kind == COLLECTIVE_ALL_GATHER && list.items[1].kind == COLLECTIVE_ALL_GATHER &&
              list.items[2].kind == COLLECTIVE_REDUCE_SCATTER);
    cr_expect(list.items[0].bytes == 4 * 4096 * 4096.0 && list.items[1].bytes == 2 * 4096 * 4096.0);
    arena_close(arena);
}
