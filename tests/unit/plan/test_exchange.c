/* What a layer communicates: bytes a rank sends, calls and kinds, against the closed forms of the papers. */
#include "setup.h"

#include <math.h>

#include "plan/exchange.h"

/* Bytes that one rank sends for the collective, given its full buffer S: rings of n ranks send (n-1)/n S, an all-reduce
 * twice that; a send is itself. */
static double sent_bytes(const struct exchange *e) {
    double part = (double)(e->size - 1) / (double)e->size;
    switch (e->kind) {
    case COLLECTIVE_ALL_REDUCE:
        return e->count * 2 * part * e->bytes;
    case COLLECTIVE_SEND:
        return e->count * e->bytes;
    case COLLECTIVE_ALL_GATHER:
    case COLLECTIVE_REDUCE_SCATTER:
    case COLLECTIVE_ALL_TO_ALL:
        return e->count * part * e->bytes;
    case COLLECTIVE_BROADCAST:
    case COLLECTIVE_REDUCE:
    case COLLECTIVE_KINDS:
        break;
    }
    return NAN;
}

/* What a list does on one axis in one phase. */
struct sum {
    double bytes, calls[COLLECTIVE_KINDS];
};

static struct sum sum_of(const struct exchange_list *list, enum axis axis, enum exchange_phase phase) {
    struct sum sum = {0};
    for (int i = 0; i < list->count; i++) {
        const struct exchange *e = &list->items[i];
        if (e->axis == axis && e->phase == phase) {
            sum.bytes += sent_bytes(e);
            sum.calls[e->kind] += e->count;
        }
    }
    return sum;
}

struct setting {
    const char *model;
    int64_t tp, cp, ep, etp, ulysses, micro_batch, seq_len;
    bool sp;
    int cp_kind;
    double load;
    bool gather;
    double fp8;
};

static struct shard shard_of(const struct setting *s) {
    return (struct shard){.tp = s->tp,
                          .cp = s->cp,
                          .ep = s->ep > 0 ? s->ep : 1,
                          .etp = s->etp > 0 ? s->etp : 1,
                          .ulysses = s->ulysses > 0 ? s->ulysses : 1,
                          .sequence_parallel = s->sp,
                          .micro_batch = s->micro_batch,
                          .seq_len = s->seq_len,
                          .element = 2,
                          .flash = true,
                          .gathers_keys = s->cp_kind == CONTEXT_ALL_GATHER,
                          .expert_load = s->load > 0 ? s->load : 1};
}

/* The exchanges of the model's last layer. */
static void list_layer(struct arena *arena, const struct setting *s, struct exchange_list *ret) {
    const struct model *model = setup_model(arena, s->model);
    const struct layer_kind *kind = &model->kinds[model->layers[model->layer_count - 1]];
    const struct job *job = setup_job(arena, s->gather ? "dispatch: allgather\n" : "");
    struct shard shard = shard_of(s);
    struct layer_work work;
    operation_layer(model, kind, &shard, &work);
    exchange_layer(model, kind, &shard, s->cp_kind, job, &work, ret);
}

static void expect_sum(const char *what, const struct sum *sum, double bytes, enum collective kind, double calls) {
    cr_expect(fabs(sum->bytes - bytes) <= 1e-12 * fmax(1, bytes), "%s: %.6e bytes, expected %.6e", what, sum->bytes,
              bytes);
    cr_expect_eq(sum->calls[kind], calls, "%s: %.0f calls of %s, expected %.0f", what, sum->calls[kind],
                 collective_names[kind], calls);
}

/* Nothing is exchanged by one rank. */
Test(exchange, nothing_alone) {
    static const char *const models[] = {"llama3-70b", "deepseek-v3", "minimax-text-01", "flan-t5-xxl", "dit-xl-2"};
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(models); i++) {
        struct exchange_list list;
        list_layer(arena, &(struct setting){models[i], 1, 1, .micro_batch = 1, .seq_len = 4096}, &list);
        cr_expect_eq(list.count, 0, "%s: %d exchanges", models[i], list.count);
        const struct model *model = setup_model(arena, models[i]);
        struct shard shard = shard_of(&(struct setting){models[i], 1, 1, .micro_batch = 1, .seq_len = 4096});
        struct layer_work work;
        operation_head(model, &shard, false, &work);
        exchange_head(model, &shard, &work, &list);
        cr_expect_eq(list.count, 0, "%s: head", models[i]);
        exchange_embedding(model, &shard, &work, &list);
        cr_expect_eq(list.count, 0, "%s: embedding", models[i]);
    }
    arena_close(arena);
}

/* Megatron-LM (arXiv:1909.08053): two all-reduces of 2sbh forward, two backward: 8(t-1)/t sbh bytes each. With sequence
 * parallelism (arXiv:2205.05198) two all-gathers and two reduce-scatters each way, u = 2sbh(t-1)/t each, and two more
 * all-gathers of the saved inputs backward. Context parallelism divides the tokens. */
Test(exchange, tensor_parallelism) {
    static const struct {
        const char *model;
        int64_t tp, cp, micro_batch, seq_len;
        double hidden, blocks;
    } rows[] = {
        {"gpt3-175b", 8, 1, 1, 2048, 12288, 2},        {"llama3-70b", 4, 1, 2, 8192, 8192, 2},
        {"llama3-70b", 8, 4, 1, 8192, 8192, 2},        {"gemma2-27b", 3, 1, 5, 300, 4608, 2},
        {"palm-540b", 8, 1, 1, 2048, 18432, 1},        /* one block for both */
        {"mixtral-8x7b", 2, 1, 1, 4096, 4096, 1},      /* tokens go to experts from where they are */
        {"llama4-scout-text", 4, 1, 1, 4096, 5120, 2}, /* a shared expert */
        {"minimax-text-01", 8, 1, 1, 4096, 6144, 1},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        for (int sp = 0; sp < 2; sp++) {
            struct exchange_list list;
            struct setting s = {
                rows[i].model, rows[i].tp, rows[i].cp, .micro_batch = rows[i].micro_batch, .seq_len = rows[i].seq_len,
                .sp = sp == 1};
            list_layer(arena, &s, &list);
            struct sum forward = sum_of(&list, AXIS_TP, EXCHANGE_FORWARD);
            struct sum backward = sum_of(&list, AXIS_TP, EXCHANGE_BACKWARD);
            double tokens = (double)(rows[i].micro_batch * rows[i].seq_len) / (double)rows[i].cp;
            double u = (double)(rows[i].tp - 1) / (double)rows[i].tp * 2 * tokens * rows[i].hidden;
            double n = rows[i].blocks;
            expect_sum(rows[i].model, &forward, 2 * n * u, sp == 1 ? COLLECTIVE_ALL_GATHER : COLLECTIVE_ALL_REDUCE, n);
            expect_sum(rows[i].model, &forward, 2 * n * u, COLLECTIVE_REDUCE_SCATTER, sp == 1 ? n : 0);
            expect_sum(rows[i].model, &backward, (sp == 1 ? 3 : 2) * n * u, COLLECTIVE_REDUCE_SCATTER, sp == 1 ? n : 0);
            expect_sum(rows[i].model, &backward, (sp == 1 ? 3 : 2) * n * u, COLLECTIVE_ALL_GATHER, sp == 1 ? 2 * n : 0);
            cr_expect_eq(backward.calls[COLLECTIVE_ALL_REDUCE], sp == 1 ? 0 : n);
        }
    }
    arena_close(arena);
}

/* Latent attention gathers its latents (DeepSeek-V3: 1536 + 512 + 64 of 7168), a decoder of T5 the encoder's tokens
 * too. */
Test(exchange, tensor_parallelism_of_other_blocks) {
    struct arena *arena = support_arena();
    struct exchange_list list;
    double part = 7.0 / 8;
    list_layer(arena, &(struct setting){"deepseek-v3", 8, 1, .micro_batch = 1, .seq_len = 4096, .sp = true}, &list);
    struct sum sum = sum_of(&list, AXIS_TP, EXCHANGE_FORWARD);
    double latents = 2 * 4096.0 * (1536 + 512 + 64), hidden = 2 * 4096.0 * 7168;
    expect_sum("latents", &sum, part * (latents + 3 * hidden), COLLECTIVE_ALL_GATHER, 2); /* and the shared expert */
    sum = sum_of(&list, AXIS_TP, EXCHANGE_BACKWARD);
    expect_sum("latents", &sum, part * (3 * latents - latents + 4 * hidden), COLLECTIVE_REDUCE_SCATTER, 2);
    list_layer(arena, &(struct setting){"deepseek-v2-lite", 8, 1, .micro_batch = 1, .seq_len = 4096, .sp = true},
               &list);
    sum = sum_of(&list, AXIS_TP, EXCHANGE_FORWARD);
    expect_sum("full-rank queries", &sum, part * 2 * 4096.0 * (2048 + 512 + 64 + 3 * 2048), COLLECTIVE_ALL_GATHER, 2);
    list_layer(arena, &(struct setting){"t5-11b", 8, 1, .micro_batch = 2, .seq_len = 114, .sp = true}, &list);
    sum = sum_of(&list, AXIS_TP, EXCHANGE_FORWARD);
    double own = 2 * 2 * 114 * 1024.0, source = 2 * 2 * 512 * 1024.0;
    expect_sum("cross", &sum, part * (6 * own + source), COLLECTIVE_ALL_GATHER, 4);
    list_layer(arena, &(struct setting){"t5-11b", 8, 1, .micro_batch = 2, .seq_len = 114}, &list);
    sum = sum_of(&list, AXIS_TP, EXCHANGE_BACKWARD);
    expect_sum("cross", &sum, 2 * part * (3 * own + source), COLLECTIVE_ALL_REDUCE, 4);
    arena_close(arena);
}

/* Ring attention: keys and values of g heads of d pass c-1 times, 4(c-1)/c sbgd bytes; backward again, and the fp32
 * gradients all c hops, 8 sbgd. All-gather: 4(c-1)/c sbgd each way. Tensor parallelism divides g. */
Test(exchange, ring_and_all_gather) {
    static const struct {
        const char *model;
        int64_t tp, cp, micro_batch, seq_len;
        double kv; /* g d on a tensor-parallel rank: key and value, each */
    } rows[] = {
        {"llama3-70b", 1, 4, 1, 8192, 8 * 128}, {"llama3-70b", 8, 4, 2, 8192, 128},
        {"llama3-70b", 16, 2, 1, 8192, 128},    {"llama2-7b", 2, 8, 1, 32768, 16 * 128},
        {"falcon-180b", 1, 3, 1, 6144, 8 * 64},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct exchange_list list;
        struct setting s = {rows[i].model,
                            rows[i].tp,
                            rows[i].cp,
                            .micro_batch = rows[i].micro_batch,
                            .seq_len = rows[i].seq_len,
                            .cp_kind = CONTEXT_RING};
        double sbgd = (double)(rows[i].micro_batch * rows[i].seq_len) * rows[i].kv, c = (double)rows[i].cp;
        list_layer(arena, &s, &list);
        struct sum sum = sum_of(&list, AXIS_CP, EXCHANGE_FORWARD);
        expect_sum(rows[i].model, &sum, 4 * (c - 1) / c * sbgd, COLLECTIVE_SEND, c - 1);
        sum = sum_of(&list, AXIS_CP, EXCHANGE_BACKWARD);
        expect_sum(rows[i].model, &sum, 4 * (c - 1) / c * sbgd + 8 * sbgd, COLLECTIVE_SEND, c);
        s.cp_kind = CONTEXT_ALL_GATHER;
        list_layer(arena, &s, &list);
        sum = sum_of(&list, AXIS_CP, EXCHANGE_FORWARD);
        expect_sum(rows[i].model, &sum, 4 * (c - 1) / c * sbgd, COLLECTIVE_ALL_GATHER, 1);
        sum = sum_of(&list, AXIS_CP, EXCHANGE_BACKWARD);
        expect_sum(rows[i].model, &sum, 4 * (c - 1) / c * sbgd, COLLECTIVE_REDUCE_SCATTER, 1);
    }
    arena_close(arena);
}

/* Ulysses over u of c ranks: all-to-alls of q, k, v and of the output, (u-1)/u (s/c) b d (2a + 2 max(g, u)) 2 bytes
 * each way; the ring of r = c/u passes 4(r-1)/r s b (max(g, u)/u) d. a and g are those of a tensor-parallel rank. */
Test(exchange, ulysses_and_both) {
    static const struct {
        const char *model;
        int64_t tp, cp, ulysses;
        double a, g, d;
    } rows[] = {
        {"llama3-70b", 1, 8, 8, 64, 8, 128},   {"llama3-70b", 1, 16, 16, 64, 8, 128},
        {"llama3-70b", 2, 16, 16, 32, 4, 128}, {"llama2-7b", 4, 4, 4, 8, 8, 128},
        {"llama2-7b", 1, 12, 4, 32, 32, 128},  {"llama3-70b", 1, 32, 16, 64, 8, 128},
        {"llama3-70b", 4, 8, 4, 16, 2, 128},   {"qwen3-30b-a3b", 1, 8, 2, 32, 4, 128},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct exchange_list list;
        struct setting s = {rows[i].model,
                            rows[i].tp,
                            rows[i].cp,
                            .ulysses = rows[i].ulysses,
                            .micro_batch = 2,
                            .seq_len = 24576,
                            .cp_kind = rows[i].ulysses < rows[i].cp ? CONTEXT_USP : CONTEXT_ULYSSES};
        double u = (double)rows[i].ulysses, c = (double)rows[i].cp, r = c / u, sb = 2 * 24576.0;
        double g = fmax(rows[i].g, u), all_to_all = (u - 1) / u * sb / c * rows[i].d * (2 * rows[i].a + 2 * g) * 2;
        double ring = 4 * (r - 1) / r * sb * g / u * rows[i].d;
        double gradients = r > 1 ? 8 * sb * g / u * rows[i].d : 0;
        list_layer(arena, &s, &list);
        for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
            bool back = phase == EXCHANGE_BACKWARD;
            struct sum sum = sum_of(&list, AXIS_CP, (enum exchange_phase)phase);
            expect_sum(rows[i].model, &sum, all_to_all + ring + (back ? gradients : 0), COLLECTIVE_ALL_TO_ALL, 2);
            cr_expect_eq(sum.calls[COLLECTIVE_SEND], r > 1 && back ? r : r - 1, "%s: %.0f sends", rows[i].model,
                         sum.calls[COLLECTIVE_SEND]);
        }
        for (int e = 0; e < list.count; e++) { /* heads among neighbours, the ring across them */
            bool send = list.items[e].kind == COLLECTIVE_SEND;
            cr_expect(list.items[e].axis != AXIS_CP || list.items[e].size == (send ? (int64_t)r : rows[i].ulysses));
            cr_expect(list.items[e].axis != AXIS_CP || list.items[e].step == (send ? rows[i].ulysses : 1));
        }
    }
    arena_close(arena);
}

/* LASP-2 (arXiv:2502.07563): one all-gather of fp32 states each way, (c-1) b a dk dv 4 bytes, whatever the length. Keys
 * of cross-attention are the encoder's. MLA passes whole keys of 192 and values of 128. */
Test(exchange, context_of_other_attentions) {
    struct arena *arena = support_arena();
    struct exchange_list list;
    const char *linear = SMALL "num_hidden_layers: 1\nlayer_pattern: [linear]\n"
                               "linear: {key_heads: 4, value_heads: 8, key_dim: 16, value_dim: 32}\n";
    list_layer(arena, &(struct setting){linear, 2, 4, .micro_batch = 3, .seq_len = 512, .cp_kind = CONTEXT_RING},
               &list);
    for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
        struct sum sum = sum_of(&list, AXIS_CP, (enum exchange_phase)phase);
        expect_sum("linear", &sum, 3 * 3 * 4.0 * 16 * 32 * 4, COLLECTIVE_ALL_GATHER, 1);
    }
    list_layer(arena, &(struct setting){"deepseek-v3", 2, 4, .micro_batch = 1, .seq_len = 4096}, &list);
    struct sum sum = sum_of(&list, AXIS_CP, EXCHANGE_FORWARD);
    expect_sum("mla", &sum, 3 * 1024.0 * 64 * (192 + 128) * 2, COLLECTIVE_SEND, 3);
    list_layer(arena, &(struct setting){"t5-11b", 1, 2, .micro_batch = 1, .seq_len = 128}, &list);
    sum = sum_of(&list, AXIS_CP, EXCHANGE_FORWARD);
    expect_sum("cross", &sum, (64 + 256) * 2 * 128.0 * 128 * 2, COLLECTIVE_SEND, 2);
    arena_close(arena);
}

/* Experts: T tokens of a rank, k copies each, q = 2 bytes: dispatch and combine qkTh(e-1)/e each; over the experts'
 * tensor parallelism (etp-1)/etp of the received rows of all its members. Backward the same. The all-gather dispatcher
 * moves (n-1)Th q over n = e etp ranks, whatever k. */
Test(exchange, experts) {
    static const struct {
        int64_t tp, ep, etp;
        double load;
        const char *more;
        double rows; /* kT of this rank's experts, over the balanced and dropless one */
    } rows[] = {
        {1, 8, 1, 1, "", 1}, {1, 4, 2, 1, "", 1},     {4, 16, 1, 1, "", 1},
        {1, 1, 4, 1, "", 1}, {2, 8, 2, 1.3, "", 1.3}, {1, 8, 2, 1.3, ", capacity_factor: 1.25", 1.25},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *model = arena_format(arena,
                                         SMALL "num_hidden_layers: 1\nmoe: {num_experts: 16, "
                                               "experts_per_token: 3, expert_intermediate_size: 64%s}\n",
                                         rows[i].more);
        double own = 2 * 256.0 / (double)rows[i].tp, e = (double)rows[i].ep, t = (double)rows[i].etp;
        double received = 3 * own * rows[i].rows * 512 * 2, once = own * 512 * 2;
        for (int gather = 0; gather < 2; gather++) {
            struct exchange_list list;
            struct setting s = {model,
                                rows[i].tp,
                                1,
                                rows[i].ep,
                                rows[i].etp,
                                .micro_batch = 2,
                                .seq_len = 256,
                                .sp = rows[i].tp > 1,
                                .load = rows[i].load,
                                .gather = gather == 1};
            list_layer(arena, &s, &list);
            for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
                struct sum ep = sum_of(&list, AXIS_EP, (enum exchange_phase)phase);
                struct sum etp = sum_of(&list, AXIS_ETP, (enum exchange_phase)phase);
                double groups = e > 1 ? 1 : 0, members = t > 1 ? 1 : 0;
                if (gather == 1) {
                    expect_sum("all-gather", &ep, 2 * (e - 1) * once, COLLECTIVE_ALL_GATHER, groups);
                    ep.bytes += etp.bytes;
                    expect_sum("all-gather", &ep, 2 * (e * t - 1) * once, COLLECTIVE_REDUCE_SCATTER, groups);
                } else {
                    expect_sum("all-to-all", &ep, 2 * (e - 1) / e * received, COLLECTIVE_ALL_TO_ALL, 2 * groups);
                    expect_sum("members", &etp, 2 * (t - 1) / t * received * t, COLLECTIVE_ALL_GATHER, members);
                    expect_sum("members", &etp, 2 * (t - 1) / t * received * t, COLLECTIVE_REDUCE_SCATTER, members);
                }
            }
        }
    }
    arena_close(arena);
}

/* The dispatcher that sends one copy to each node and rank that holds an expert of the token (DeepEP): the expected
 * number of them, by the table, `groups` once as nodes of two ranks each and once as the ranks of one node. */
Test(exchange, copies_for_nodes_and_ranks) {
    struct arena *arena = support_arena();
    const struct job *job = setup_job(arena, "dispatch: flex\n");
    FILE *file = open_oracle(arena, "moe_dedup.csv");
    char line[LINE];
    char *c[CELLS];
    int count = 0;
    cr_assert_eq(read_row(file, line, LINE, c, CELLS), 6);
    for (; read_row(file, line, LINE, c, CELLS) == 6; count++) {
        const struct model *model =
            setup_model(arena, arena_format(arena,
                                            SMALL "num_hidden_layers: 1\nmoe: {num_experts: %s, experts_per_token: %s, "
                                                  "expert_intermediate_size: 64}\n",
                                            c[0], c[1]));
        double distinct = strtod(c[3], NULL), remote = strtod(c[4], NULL), token = 2 * 512 * 256 * 1.5;
        for (int nodes = 0; nodes < 2; nodes++) {
            int64_t groups = cell_number(c[2]);
            struct shard shard = shard_of(&(struct setting){NULL, 1, 1, nodes == 1 ? 2 * groups : groups,
                                                            .micro_batch = 1, .seq_len = 256, .load = 1.5});
            struct layer_work work;
            struct exchange_list list;
            shard.ep_domains = nodes == 1 ? groups : 1;
            operation_layer(model, &model->kinds[0], &shard, &work);
            exchange_layer(model, &model->kinds[0], &shard, CONTEXT_RING, job, &work, &list);
            cr_expect_eq(list.count, nodes == 1 ? 8 : 4, "%d exchanges", list.count);
            for (int phase = EXCHANGE_FORWARD; phase <= EXCHANGE_BACKWARD; phase++) {
                struct sum sum = sum_of(&list, AXIS_EP, (enum exchange_phase)phase);
                cr_expect_eq(sum.calls[COLLECTIVE_ALL_TO_ALL], nodes == 1 ? 4 : 2);
            }
            const struct exchange *e = &list.items[0]; /* the first hop */
            cr_expect(fabs(e->bytes / (token * distinct) - 1) < 1e-6, "%s of %s on %s: %.6f copies, table %s", c[1],
                      c[0], c[2], e->bytes / token, c[3]);
            cr_expect(fabs(sent_bytes(e) / (token * remote) - 1) < 1e-6, "%s of %s on %s: remote", c[1], c[0], c[2]);
            cr_expect(e->size == groups && e->step == (nodes == 1 ? 2 : 1) && (e->parts & PART_MOE) != 0);
            cr_expect(nodes == 0 || (list.items[1].size == 2 && list.items[1].step == 1 &&
                                     (list.items[1].parts & PART_MOE) != 0 && list.items[1].bytes > e->bytes * 0.99));
        }
    }
    cr_expect_eq(count, 7);
    fclose(file);
    /* DeepSeek-V3 routes to 4 of its 8 nodes. */
    const struct model *model = setup_model(arena, "deepseek-v3");
    struct shard shard = shard_of(&(struct setting){NULL, 1, 1, 64, .micro_batch = 1, .seq_len = 1024});
    struct layer_work work;
    struct exchange_list list;
    shard.ep_domains = 8;
    operation_layer(model, &model->kinds[model->layers[60]], &shard, &work);
    exchange_layer(model, &model->kinds[model->layers[60]], &shard, CONTEXT_RING, job, &work, &list);
    cr_expect_eq(list.items[0].bytes, 4 * 2 * 7168.0 * 1024);
    arena_close(arena);
}
