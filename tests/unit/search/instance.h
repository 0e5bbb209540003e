/* Small random searches: a model, a cluster and a job whose space can be priced one configuration at a time. */
#ifndef PARPLAN_TESTS_SEARCH_INSTANCE_H
#define PARPLAN_TESTS_SEARCH_INSTANCE_H

#include "../cost/decision.h"
#include "base/random.h"
#include "base/text.h"
#include "search/search.h"

struct instance {
    const char *name; /* for messages: everything that was drawn */
    struct cost_context context;
};

static inline int64_t draw_from(struct random *random, const int64_t *values, uint32_t count) {
    return values[random_below(random, count)];
}
#define DRAW(random, ...)                                                                                              \
    draw_from(random, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static inline const char *draw_text(struct random *random, const char *const *texts, uint32_t count) {
    return texts[random_below(random, count)];
}
#define DRAW_TEXT(random, ...)                                                                                         \
    draw_text(random, (const char *const[]){__VA_ARGS__},                                                              \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Dense, gated, mixed, with experts, MTP, tied or not; sizes that seldom are powers of two. */
static inline const char *draw_model(struct arena *arena, struct random *random) {
    struct text text;
    text_init(&text, arena);
    int64_t heads = DRAW(random, 4, 6, 8, 12, 16);
    text_add_format(&text, "schema: parplan/model/v1\nname: drawn\nhidden_size: %lld\nnum_attention_heads: %lld\n",
                    (long long)(heads * DRAW(random, 64, 128)), (long long)heads);
    text_add_format(&text, "num_key_value_heads: %lld\nnum_hidden_layers: %lld\n",
                    (long long)(random_below(random, 2) ? heads : heads / 2),
                    (long long)DRAW(random, 3, 4, 6, 7, 8, 10, 12));
    text_add_format(&text, "intermediate_size: %lld\nvocab_size: %lld\nmlp: %s\n",
                    (long long)DRAW(random, 1536, 3072, 7680, 12288), (long long)DRAW(random, 1000, 32000, 128256),
                    DRAW_TEXT(random, "gelu", "swiglu"));
    if (random_below(random, 3) == 0) {
        text_add_format(&text,
                        "moe: {num_experts: %lld, experts_per_token: 2, expert_intermediate_size: %lld, "
                        "shared_intermediate_size: %lld, first_dense_layers: %lld}\n",
                        (long long)DRAW(random, 4, 6, 8), (long long)DRAW(random, 768, 1536),
                        (long long)DRAW(random, 0, 1536), (long long)DRAW(random, 0, 1));
        text_add_format(&text, "%s", random_below(random, 2) ? "mtp_layers: 1\n" : "");
    }
    text_add(&text, random_below(random, 4) == 0 ? "tie_word_embeddings: true\n" : "");
    return text.data;
}

static inline const char *draw_objective(struct random *random) {
    return DRAW_TEXT(random, "objective: time\n", "objective: time\n", "objective: tokens\n", "objective: cost\n",
                     "objective: energy\n", "objective: memory\n", "pareto: [time, memory]\n",
                     "pareto: [energy, time, memory]\n");
}

/* Keeps the space at some thousands of configurations. */
static inline void draw_space(struct random *random, struct text *text) {
    text_add_format(text, "search:\n  micro_batch: %s\n", DRAW_TEXT(random, "auto", "[1, 2]", "2"));
    text_add_format(text, "  cp: %s\n", DRAW_TEXT(random, "1", "[1, 2]", "2", "auto", "[1, 4]"));
    text_add_format(text, "  order: %s\n", DRAW_TEXT(random, "tp-cp-dp-pp", "[tp-cp-dp-pp, dp-tp-cp-pp]", "auto"));
    text_add_format(text, "  zero: %s\n", DRAW_TEXT(random, "auto", "[0, 1]", "[1, 3]"));
    text_add_format(text, "  recompute: %s\n", DRAW_TEXT(random, "auto", "[none, full]", "selective"));
    text_add_format(text, "  hybrid_shard: %s\n", DRAW_TEXT(random, "false", "false", "true"));
    if (random_below(random, 3) == 0) {
        text_add_format(
            text, "  schedule: %s\n",
            DRAW_TEXT(random, "[none, 1f1b, interleaved]", "[none, zb-h1, zb-v]", "[none, gpipe, dualpipe]"));
    }
    if (random_below(random, 3) == 0) {
        text_add_format(text, "  sp: %s\n", DRAW_TEXT(random, "on", "off"));
    }
    if (random_below(random, 4) == 0) {
        text_add_format(text, "  tp: %s\n", DRAW_TEXT(random, "1..3", "[2, 4]", "1"));
    }
    if (random_below(random, 4) == 0) {
        text_add_format(text, "  dp: %s\n", DRAW_TEXT(random, "1..2", "[1, 3]", "2"));
    }
    if (random_below(random, 4) == 0) {
        text_add_format(text, "  vpp: %s\n", DRAW_TEXT(random, "[1, 2]", "2", "1"));
    }
}

static inline const char *draw_job(struct arena *arena, struct random *random) {
    struct text text;
    text_init(&text, arena);
    text_add_format(&text, "global_batch: %lld\nseq_len: %lld\nthreads: 1\ntop: %lld\n",
                    (long long)DRAW(random, 4, 6, 8, 12, 24, 32), (long long)DRAW(random, 1024, 2048, 6144),
                    (long long)DRAW(random, 1, 3, 8));
    text_add_format(&text, "memory_fraction: %s\n",
                    DRAW_TEXT(random, "0.03", "0.05", "0.1", "0.2", "0.4", "0.95", "0.012"));
    text_add(&text, draw_objective(random));
    text_add(&text,
             DRAW_TEXT(random, "", "", "forbid: [\"tp > 2 && sp == 0\"]\n", "forbid: [\"zero == 3 || pp == 2\"]\n",
                       "forbid: [\"micro_batches < 4\", \"vpp > 2\"]\n"));
    text_add(&text, DRAW_TEXT(random, "", "", "", "precision: fp8\n", "kernels: {flash_attention: false}\n",
                              "kernels: {cuda_graphs: true}\n", "vocab_parallel: true\n", "optimizer: sgd\n"));
    text_add(&text,
             DRAW_TEXT(random, "", "", "overlap: {pipeline: false}\n", "overlap: {tensor: true, experts: true}\n",
                       "overlap: {gradients: false, parameters: false}\n"));
    draw_space(random, &text);
    return text.data;
}

/* The instance with this number; the same at every call. */
static inline struct instance instance_draw(struct arena *arena, const char *purpose, uint64_t number) {
    struct random random;
    random_stream(&random, 1, purpose, number);
    const char *model = draw_model(arena, &random);
    const char *job = draw_job(arena, &random);
    const char *topology = DRAW_TEXT(&random, "h100-sxm", "a100-sxm-80g", "mi300x", "l40s", "tpu-v5p", "gb200-nvl72");
    int64_t devices = DRAW(&random, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8);
    devices = strcmp(topology, "h100-sxm") == 0 && random_below(&random, 2) ? 16 : devices;
    bool fours = strcmp(topology, "tpu-v5p") == 0 || strcmp(topology, "gb200-nvl72") == 0;
    devices = fours ? 4 * DRAW(&random, 1, 2, 4) : devices;
    struct instance instance = {
        .name = arena_format(arena, "%s %llu: %s x %lld\n%s%s", purpose, (unsigned long long)number, topology,
                             (long long)devices, model, job),
        .context = cost_context_make(setup_model(arena, model), setup_topology(arena, topology, devices),
                                     setup_job(arena, job)),
    };
    return instance;
}

static inline struct search_result search(struct arena *arena, const struct cost_context *context,
                                          const struct search_control *control, enum status *ret_status) {
    struct search_result result;
    struct diag diag;
    diag_init(&diag, arena);
    enum status status = search_run(arena, context, control, &result, &diag);
    cr_assert(diag.count == 0, "%s", first_of(&diag));
    if (ret_status != NULL) {
        *ret_status = status;
    }
    return result;
}

#endif
