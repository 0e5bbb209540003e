/* Megatron-LM's own memory estimate (megatron/training/theoretical_memory_usage.py) under its own convention, and by
 * how much ours differs where that convention leaves something out:
 *
 *   weights      no biases, learned positions, norms of queries and keys, router's correction, MTP projection; a rank
 * has an average stage and one embedding activations  18h + 4f bytes a token whatever the attention (no GQA, MLA), the
 * gate (SwiGLU keeps 6f) or the experts; dropout always on, no statistics of fused attention, no context parallelism;
 * token ids divided by tp */
#include "../plan/setup.h"

#include <math.h>

#include "cost/state.h"
#include "model/count.h"

struct row {
    const char *model;
    int64_t world, tp, pp, vpp, ep, etp, dp, micro_batches, micro_batch, seq_len;
    bool sharded; /* distributed optimizer */
    double weights, split_activations, whole_activations;
};

static bool next_row(FILE *file, char *line, struct row *ret) {
    char *c[CELLS];
    if (read_row(file, line, LINE, c, CELLS) != 18) {
        return false;
    }
    *ret = (struct row){.model = text_equal(c[0], "llama3-405b") ? "llama3.1-405b" : c[0],
                        .world = cell_number(c[1]),
                        .tp = cell_number(c[2]),
                        .pp = cell_number(c[3]),
                        .vpp = cell_number(c[4]),
                        .ep = cell_number(c[5]),
                        .etp = cell_number(c[6]),
                        .dp = cell_number(c[7]),
                        .micro_batches = cell_number(c[8]),
                        .micro_batch = cell_number(c[9]),
                        .seq_len = cell_number(c[10]),
                        .sharded = text_equal(c[11], "True"),
                        .weights = strtod(c[15], NULL),
                        .split_activations = strtod(c[16], NULL),
                        .whole_activations = strtod(c[17], NULL)};
    return true;
}

static FILE *open_rows(struct arena *arena, char *line) {
    char *c[CELLS];
    FILE *file = open_oracle(arena, "megatron_mem.csv");
    cr_assert_eq(read_row(file, line, LINE, c, CELLS), 18);
    return file;
}

/* The model of a row; without its MTP blocks where the name says so. */
static const struct model *row_model(struct arena *arena, const struct row *row) {
    bool alone = text_ends(row->model, "-nomtp");
    struct model *model = setup_model(arena, alone ? "deepseek-v3" : row->model);
    model->mtp_layers = alone ? 0 : model->mtp_layers;
    return model;
}

/* Parameters as the estimate sorts them; `unseen` of ours it leaves out, in a layer. */
struct sorted {
    double split, replicated, experts, unseen_split, unseen_replicated;
};

static struct sorted sort_layer(const struct model *model, const struct layer_kind *kind) {
    struct layer_params p = count_layer(model, kind);
    double h = (double)model->hidden_size, d = (double)model->head_dim;
    double heads = (double)model->num_attention_heads, f = (double)kind->intermediate_size;
    struct sorted s = {.experts = (double)p.experts};
    s.unseen_split += model->bias.qkv ? (heads + 2 * (double)model->num_key_value_heads) * d : 0;
    s.unseen_split += model->bias.mlp ? f : 0;
    s.unseen_replicated += (model->bias.out ? h : 0) + (model->bias.mlp ? h : 0) + (model->qk_norm ? 2 * d : 0);
    s.unseen_replicated += kind->ffn == FFN_MOE ? (double)model->moe->router_bias : 0;
    s.split = (double)(p.attention + p.mlp + p.latent) - s.unseen_split;
    s.replicated = (double)(p.replicated - p.latent) - s.unseen_replicated;
    return s;
}

static void add_layer(struct sorted *sum, const struct sorted *layer, double times) {
    sum->split += times * layer->split;
    sum->replicated += times * layer->replicated;
    sum->experts += times * layer->experts;
    sum->unseen_split += times * layer->unseen_split;
    sum->unseen_replicated += times * layer->unseen_replicated;
}

static struct sorted sort_layers(const struct model *model) {
    struct sorted sum = {0};
    for (int64_t i = 0; i < model->layer_count; i++) {
        struct sorted layer = sort_layer(model, &model->kinds[model->layers[i]]);
        add_layer(&sum, &layer, 1);
    }
    return sum;
}

static double vocabulary(const struct model *model) {
    return (double)(model_padded_vocab(model, 1) * model->hidden_size);
}

static double state_bytes(const struct row *row, double ranks) {
    return row->sharded ? 6 + 12 / ranks : 18;
}

/* Of the rank that has most: an average stage, every MTP block, an embedding (both when p = 1 and they differ). */
static double megatron_weights(const struct row *row, const struct model *model) {
    struct sorted all = sort_layers(model), mtp = sort_layer(model, &model->kinds[model->mtp_kind]);
    double p = (double)row->pp, blocks = (double)model->mtp_layers;
    double tables = row->pp == 1 && !model->tie_word_embeddings ? 2 : 1;
    double split = all.split / p + blocks * mtp.split + tables * vocabulary(model);
    double replicated = (all.replicated + (double)count_outer(model).final_norm) / p + blocks * mtp.replicated;
    double experts = (all.experts / p + blocks * mtp.experts) / (double)(row->etp * row->ep);
    double edp = (double)row->world / (double)(row->etp * row->ep * row->pp);
    return (split / (double)row->tp + replicated) * state_bytes(row, (double)row->dp) + experts * state_bytes(row, edp);
}

/* --ffn-hidden-size; Qwen3-30B-A3B's configuration has one that none of its layers uses. */
static double dense_width(const struct model *model) {
    double width = (double)model->intermediate_size;
    return width > 0                                  ? width
           : text_equal(model->name, "qwen3-30b-a3b") ? 6144
                                                      : (double)model->moe->expert_intermediate_size;
}

static double in_flight(const struct row *row) {
    double p = (double)row->pp;
    if (row->vpp > 1) {
        return 1 + (p - 1) / (p * (double)row->vpp);
    }
    return row->pp > 1 ? fmin(1, (double)row->micro_batches / p) : 1;
}

static double megatron_activations(const struct row *row, const struct model *model, bool split) {
    double sb = (double)(row->seq_len * row->micro_batch), h = (double)model->hidden_size, p = (double)row->pp;
    double t = (double)row->tp, layers = (double)model->num_hidden_layers, v = (double)model_padded_vocab(model, 1);
    double layer = split ? sb * (18 * h + 4 * dense_width(model)) : sb * h * (10 + 24 / t);
    double bytes = (layer * layers + 8 * sb * p + sb * h * p) * in_flight(row);
    if (split) {
        return (bytes + (row->pp == 1 ? 4 * sb * (h + v) : 0)) / t;
    }
    return 1.05 * (bytes + (row->pp == 1 ? 2 * (sb * v / t + sb * h) : 0));
}

/* Every row under Megatron-LM's convention: weights and optimizer to the byte, activations too (their factor 1.05
 * leaves fractions of a byte, which are rounded as the table's). */
Test(megatron, equals_its_estimate) {
    struct arena *arena = support_arena();
    char line[LINE];
    FILE *file = open_rows(arena, line);
    struct row row;
    int rows = 0;
    for (; next_row(file, line, &row); rows++) {
        const struct model *model = row_model(arena, &row);
        double weights = megatron_weights(&row, model);
        cr_expect_eq(weights, row.weights, "%s tp %lld pp %lld: weights %.1f, table %.1f", row.model, (long long)row.tp,
                     (long long)row.pp, weights, row.weights);
        double split = megatron_activations(&row, model, true), whole = megatron_activations(&row, model, false);
        cr_expect_eq(split, row.split_activations, "%s tp %lld pp %lld: %.1f, table %.1f", row.model, (long long)row.tp,
                     (long long)row.pp, split, row.split_activations);
        cr_expect(fabs(whole - row.whole_activations) < 0.1, "%s tp %lld pp %lld without sp: %.2f, table %.2f",
                  row.model, (long long)row.tp, (long long)row.pp, whole, row.whole_activations);
    }
    cr_expect_eq(rows, 70, "%d rows", rows);
    fclose(file);
    arena_close(arena);
}

/* Our states of all pipeline ranks together, against p of theirs: where the average stage has p embeddings ours has the
 * embedding and the head, MTP blocks once with their projection and a copy of the embedding; and what they do not see.
 */
static double expected_states(const struct row *row, const struct model *model, double theirs) {
    struct sorted all = sort_layers(model), mtp = sort_layer(model, &model->kinds[model->mtp_kind]);
    struct outer_params outer = count_outer(model);
    double t = (double)row->tp, p = (double)row->pp, blocks = (double)model->mtp_layers;
    double tables = row->pp > 1 ? 2 - p : 0;
    double dense =
        all.unseen_split / t + all.unseen_replicated + tables * vocabulary(model) / t + (double)outer.position;
    double mtp_dense = mtp.split / t + mtp.replicated;
    dense -= (p - 1) * blocks * mtp_dense;
    dense += blocks * (mtp.unseen_replicated + mtp.unseen_split / t) + (double)outer.mtp / t;
    dense += blocks > 0 && row->pp > 1 ? vocabulary(model) / t : 0;
    /* MLA's down projections are whole on every rank, not divided by tp */
    double latent = 0;
    for (int64_t i = 0; i < model->layer_count; i++) {
        latent += (double)count_layer(model, &model->kinds[model->layers[i]]).latent;
    }
    latent += blocks * (double)count_layer(model, &model->kinds[model->mtp_kind]).latent;
    dense += latent * (1 - 1 / t);
    /* rows of vocabulary up to a multiple of 128 tp, where the table has the plain ones */
    double padding = (double)(model_padded_vocab(model, row->tp) * model->hidden_size) - vocabulary(model);
    double copies = row->pp > 1 ? 2 + (blocks > 0 ? 1 : 0) : model->tie_word_embeddings ? 1 : 2;
    dense += copies * padding / t;
    double experts = -(p - 1) * blocks * mtp.experts / (double)(row->etp * row->ep);
    double edp = (double)row->world / (double)(row->etp * row->ep * row->pp);
    return p * theirs + dense * state_bytes(row, (double)row->dp) + experts * state_bytes(row, edp);
}

Test(megatron, our_states_differ_as_stated) {
    struct arena *arena = support_arena();
    char line[LINE];
    FILE *file = open_rows(arena, line);
    struct row row;
    while (next_row(file, line, &row)) {
        const struct model *model = row_model(arena, &row);
        struct parallel parallel = {.tp = row.tp,
                                    .pp = row.pp,
                                    .vpp = 1,
                                    .dp = row.dp,
                                    .cp = 1,
                                    .ep = row.ep,
                                    .etp = row.etp,
                                    .ulysses = 1,
                                    .sp = true};
        struct cost_context context =
            cost_context_make(model, setup_topology(arena, "h100-sxm", row.world), setup_job(arena, ""));
        struct cut cut = cost_cut(&context, &parallel);
        struct state_spans spans = state_spans(&context, &cut);
        struct stage_map *map = ARENA_NEW(arena, struct stage_map);
        stage_map_make(&context, row.pp, 1, PLACEMENT_LINEAR, false, map);
        double ours = 0;
        for (int64_t rank = 0; rank < row.pp; rank++) {
            ours += cost_state_bytes(&context, &cut, &spans, &map->classes[map->rank_class[rank]], row.sharded ? 1 : 0);
        }
        double expected = expected_states(&row, model, row.weights);
        cr_expect(fabs(ours - expected) <= 1e-12 * expected, "%s tp %lld pp %lld ep %lld: %.1f, expected %.1f",
                  row.model, (long long)row.tp, (long long)row.pp, (long long)row.ep, ours, expected);
    }
    fclose(file);
    arena_close(arena);
}

static struct shard shard_of(const struct row *row, bool sp, bool flash) {
    return (struct shard){.tp = row->tp,
                          .cp = 1,
                          .ep = row->ep,
                          .etp = row->etp,
                          .ulysses = 1,
                          .sequence_parallel = sp,
                          .micro_batch = row->micro_batch,
                          .seq_len = row->seq_len,
                          .element = 2,
                          .flash = flash,
                          .expert_load = 1};
}

/* What we keep of one token in a layer beyond 18h + 4f, from the gaps above, with sequence parallelism and fused
 * attention: no dropout masks, statistics, shared key-value heads, heads of other widths, the gate, latents, experts.
 */
static double gap(const struct model *model, const struct layer_kind *kind) {
    double h = (double)model->hidden_size, a = (double)model->num_attention_heads, d = (double)model->head_dim;
    double bytes = (model->dropout > 0 ? 0 : -2 * h) + 4 * a;
    if (kind->attention == ATTENTION_MLA) {
        const struct mla *m = model->mla;
        double qk = (double)(m->qk_nope_head_dim + m->qk_rope_head_dim), v = (double)m->v_head_dim;
        bytes += 4 * ((double)m->q_lora_rank + (double)m->kv_lora_rank) + 2 * (double)m->qk_rope_head_dim;
        bytes += 4 * a * qk + 4 * a * v - 8 * h;
    } else {
        double g = (double)model->num_key_value_heads;
        bytes += 4 * (a * d - h) + 4 * (g * d - h) + (model->qk_norm ? 2 * (a + g) * d : 0);
    }
    if (kind->ffn == FFN_DENSE) {
        return bytes + (model->mlp == MLP_SWIGLU ? 2 * (double)kind->intermediate_size : 0);
    }
    const struct moe *moe = model->moe;
    double k = (double)moe->experts_per_token, shared = (double)moe->shared_intermediate_size;
    bytes +=
        8 * (double)moe->num_experts + 8 * k + k * (2 * h + 6 * (double)moe->expert_intermediate_size) + 6 * shared;
    return bytes - 4 * dense_width(model);
}

Test(megatron, our_activations_differ_as_stated) {
    struct arena *arena = support_arena();
    char line[LINE];
    FILE *file = open_rows(arena, line);
    struct row row;
    while (next_row(file, line, &row)) {
        const struct model *model = row_model(arena, &row);
        double tokens = (double)(row.seq_len * row.micro_batch), h = (double)model->hidden_size, t = (double)row.tp;
        for (int64_t i = 0; i < model->kind_count; i++) {
            const struct layer_kind *kind = &model->kinds[i];
            struct shard shard = shard_of(&row, true, true);
            struct layer_work work;
            operation_layer(model, kind, &shard, &work);
            double ours = operation_saved_bytes(&work, 0) * t / tokens, theirs = 18 * h + 4 * dense_width(model);
            double expected = theirs + gap(model, kind);
            /* key-value heads that several ranks share, and the rows of experts cut by tensor parallelism */
            double kv = (double)model->num_key_value_heads;
            expected += kind->attention != ATTENTION_MLA && t > kv
                            ? (4 + (model->qk_norm ? 2 : 0)) * (t - kv) * (double)model->head_dim
                            : 0;
            if (kind->ffn == FFN_MOE) {
                expected += (double)(row.etp - 1) * 2 * h * (double)model->moe->experts_per_token;
            }
            cr_expect(fabs(ours - expected) < 1e-6,
                      "%s kind %lld tp %lld: %.3f bytes a token, expected %.3f (theirs %.0f)", row.model, (long long)i,
                      (long long)row.tp, ours, expected, theirs);
            shard.cp = 2; /* which their estimate does not know */
            operation_layer(model, kind, &shard, &work);
            cr_expect(fabs(operation_saved_bytes(&work, 0) * 2 * t / tokens - expected) < 1e-6, "%s: cp", row.model);
        }
    }
    fclose(file);
    arena_close(arena);
}

/* GPT-3 is what their formulas were made for: recomputing the core, all of it is theirs but the 8 bytes of a token's
 * id. */
Test(megatron, our_activations_of_gpt_are_theirs) {
    struct arena *arena = support_arena();
    char line[LINE];
    FILE *file = open_rows(arena, line);
    struct row row;
    int rows = 0;
    while (next_row(file, line, &row)) {
        if (!text_equal(row.model, "gpt3-175b") || row.pp != 1) {
            continue;
        }
        const struct model *model = row_model(arena, &row);
        double tokens = (double)(row.seq_len * row.micro_batch), layers = (double)model->layer_count;
        for (int sp = 0; sp < 2; sp++) {
            struct shard shard = shard_of(&row, sp == 1, false);
            struct layer_work layer, embedding, head;
            operation_layer(model, &model->kinds[0], &shard, &layer);
            operation_embedding(model, &shard, &embedding);
            operation_head(model, &shard, false, &head);
            double ours = layers * operation_saved_bytes(&layer, PART_CORE) + operation_saved_bytes(&embedding, 0);
            if (sp == 1) {
                ours += operation_saved_bytes(&head, 0) + 8 * tokens / (double)row.tp;
                cr_expect_eq(ours, row.split_activations, "%.1f, table %.1f", ours, row.split_activations);
            } else { /* of their head: logits and one copy of the stream in 2 bytes; ours has both of the norm's and
                        fp32 */
                double logits = (double)model_padded_vocab(model, row.tp) / (double)row.tp;
                double hidden = (double)model->hidden_size;
                cr_expect_eq(operation_saved_bytes(&head, 0), tokens * (4 * hidden + 4 * logits));
                ours += tokens * (2 * hidden + 2 * logits) + 8 * tokens;
                cr_expect(fabs(1.05 * ours - row.whole_activations) < 0.1, "%.1f, table %.1f", 1.05 * ours,
                          row.whole_activations);
            }
        }
        rows++;
    }
    cr_expect_eq(rows, 2);
    fclose(file);
    arena_close(arena);
}
