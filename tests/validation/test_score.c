/* Predictions against published training runs.
 *
 * The corpus (training.csv) is third-party data outside the repository: where it is absent that test skips. It prints the
 * error of every source, of memory by kind, the worst cases and what is refused and why, and fails past the bounds below.
 * Single figures, typed in with their citation, are checked everywhere. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "../unit/port/loader.h"
#include "port/score.h"

enum { SOURCES = 1024, REASONS = 256, WORST = 15 };

struct corpus {
    struct score_case *cases;
    size_t count;
};

static struct corpus corpus_price(struct arena *arena, const struct source *source) {
    const struct corpus_loader *loader = loader_open(arena);
    struct csv csv;
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert(csv_parse(arena, source, &csv, &diag) == OK && corpus_check(&csv, &diag) == OK, "%s",
              diag.entries[0].text);
    struct corpus corpus = {ARENA_ARRAY(arena, struct score_case, csv.row_count + 1), csv.row_count};
    for (size_t i = 0; i < csv.row_count; i++) {
        struct corpus_case *input = ARENA_NEW(arena, struct corpus_case);
        corpus_case_make(arena, &csv, i, loader, input);
        score_case_make(arena, input, &corpus.cases[i]);
    }
    return corpus;
}

/* The published runs, or nothing. */
static bool corpus_open(struct arena *arena, struct corpus *ret) {
    const char *shared = getenv("PARPLAN_SHARED");
    const char *text =
        shared == NULL ? NULL : support_file(arena, arena_format(arena, "%s/validation/training.csv", shared));
    if (text == NULL) {
        return false;
    }
    struct source source = {.name = "training.csv", .text = text, .size = strlen(text)};
    *ret = corpus_price(arena, &source);
    return true;
}

struct selection {
    const char *source; /* beginning; NULL: any */
    int specified, kind; /* -1: any */
};

static bool is_selected(const struct score_case *c, const void *context) {
    const struct selection *s = context;
    return (s->source == NULL || text_starts(c->input->source, s->source)) &&
           (s->specified < 0 || s->specified == (int)c->specified) &&
           (s->kind < 0 || s->kind == (int)c->input->memory_kind);
}

static struct score_errors time_errors(struct arena *arena, const struct corpus *corpus, const char *source,
                                       int specified) {
    struct selection selection = {source, specified, -1};
    return score_time(arena, corpus->cases, corpus->count, is_selected, &selection);
}

static struct score_errors memory_errors(struct arena *arena, const struct corpus *corpus, int kind) {
    struct selection selection = {NULL, -1, kind};
    return score_memory(arena, corpus->cases, corpus->count, is_selected, &selection);
}

static void print_errors(const char *name, const struct score_errors *e) {
    fprintf(stderr, "%-60.60s %5d %6.1f %6.1f %6.1f %6.1f %+6.1f %6.3f\n", name, (int)e->rows, 100 * e->mape,
            100 * e->median_ape, 100 * e->p90_ape, 100 * e->max_ape, 100 * e->bias, e->spearman);
}

/* Distinct texts with how often they were added. */
struct tally {
    const char *texts[SOURCES];
    size_t counts[SOURCES], count;
};

static void tally_add(struct tally *tally, const char *text) {
    size_t i = 0;
    while (i < tally->count && !text_equal(tally->texts[i], text)) {
        i++;
    }
    if (i < SOURCES) {
        tally->texts[i] = text;
        tally->counts[i]++;
        tally->count += i == tally->count;
    }
}

/* Sources whose ranking of at least ten runs misses 0.9, each with the reason. */
static const char *const known_low_ranks[] = {
    /* Many steps of equal size in single-iteration snapshots (104 to 163 s, half of them within 10 %). */
    "bigscience-workshop/bigscience train/tr11-176B-ml/chronicles-prequel.md",
    /* One configuration under thirteen stages of software; only what the row states can be told apart. */
    "NVIDIA/Megatron-LM docs/discussions/deepseek-v3-gb200-optimization.md",
    /* Seconds rounded to whole ones, nine of twelve between 16 and 20. */
    "bigscience-workshop/bigscience experiments/tr3m-1B3.md",
};

static bool is_known_low(const char *source) {
    for (size_t i = 0; i < ROWS(known_low_ranks); i++) {
        if (text_starts(source, known_low_ranks[i])) {
            return true;
        }
    }
    return false;
}

static void check_sources(struct arena *arena, const struct corpus *corpus) {
    struct tally *sources = ARENA_NEW(arena, struct tally);
    for (size_t i = 0; i < corpus->count; i++) {
        tally_add(sources, corpus->cases[i].input->source);
    }
    fprintf(stderr, "%-60s %5s %6s %6s %6s %6s %6s %6s\n", "time: source", "rows", "mean%", "median", "90%", "most",
            "bias", "rank");
    for (size_t i = 0; i < sources->count; i++) {
        struct score_errors e = time_errors(arena, corpus, sources->texts[i], -1);
        if (e.rows >= 5) {
            print_errors(sources->texts[i], &e);
        }
        if (e.rows >= 10) {
            cr_expect_eq(e.spearman < 0.9, is_known_low(sources->texts[i]), "%s: rank correlation %.3f",
                         sources->texts[i], e.spearman);
        }
    }
}

static int worse_first(const void *a, const void *b) {
    const struct score_case *x = *(const struct score_case *const *)a, *y = *(const struct score_case *const *)b;
    return x->ape < y->ape ? 1 : x->ape > y->ape ? -1 : 0;
}

static void print_worst(struct arena *arena, const struct corpus *corpus) {
    const struct score_case **timed = ARENA_ARRAY(arena, const struct score_case *, corpus->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        if (corpus->cases[i].timed && corpus->cases[i].refusal == NULL) {
            timed[count++] = &corpus->cases[i];
        }
    }
    qsort(timed, count, sizeof *timed, worse_first);
    for (size_t i = 0; i < count && i < WORST; i++) {
        const struct score_case *c = timed[i];
        fprintf(stderr, "worst %2zu: %-20s measured %9.3f s, predicted %9.3f s (%+.0f %%)%s\n", i + 1, c->input->id,
                c->measured_s, c->predicted_s, 100 * (c->predicted_s / c->measured_s - 1),
                c->specified ? "" : ", not fully specified");
    }
}

static void print_refused(struct arena *arena, const struct corpus *corpus) {
    struct tally *reasons = ARENA_NEW(arena, struct tally);
    size_t refused = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        if (corpus->cases[i].refusal != NULL) {
            tally_add(reasons, corpus->cases[i].refusal);
            refused++;
        }
    }
    fprintf(stderr, "%zu rows, %zu refused\n", corpus->count, refused);
    for (size_t i = 0; i < reasons->count; i++) {
        fprintf(stderr, "%6zu  %s\n", reasons->counts[i], reasons->texts[i]);
    }
}

Test(score, published_corpus) {
    static const struct {
        const char *name, *source;
        int specified;
        double most;
    } bounds[] = {
        {"Korthikanti et al. 2022, Table 5", "Korthikanti et al. 2022", -1, 0.05},
        {"vTrain, multi-node", "vTrain/", -1, 0.12},
        {"fully specified rows", NULL, 1, 0.15},
        {"the other rows", NULL, 0, 0.15},
        {"all rows", NULL, -1, 0.15},
    };
    struct arena *arena = support_arena();
    struct corpus corpus;
    if (!corpus_open(arena, &corpus)) {
        arena_close(arena);
        cr_skip("no corpus of published runs");
    }
    check_sources(arena, &corpus);
    for (size_t i = 0; i < ROWS(bounds); i++) {
        struct score_errors e = time_errors(arena, &corpus, bounds[i].source, bounds[i].specified);
        print_errors(bounds[i].name, &e);
        cr_expect(e.rows > 0 && e.mape <= bounds[i].most, "%s: %.1f %%, at most %.0f %%", bounds[i].name, 100 * e.mape,
                  100 * bounds[i].most);
    }
    static const double memory_most[MEMORY_KINDS] = {0.10, 0.25, 0.15};
    for (int kind = 0; kind < MEMORY_KINDS; kind++) {
        struct score_errors e = memory_errors(arena, &corpus, kind);
        print_errors(arena_format(arena, "peak memory, %s", memory_kind_names[kind]), &e);
        cr_expect(e.rows == 0 || e.mape <= memory_most[kind], "memory, %s: %.1f %%", memory_kind_names[kind],
                  100 * e.mape);
    }
    print_worst(arena, &corpus);
    print_refused(arena, &corpus);
    arena_close(arena);
}

#define HEAD                                                                                                            \
    "id,source,model_ref,hidden,layers,heads,ffn_hidden,gated_mlp,vocab,seq_len,device,gpus,nic_gbit_per_gpu,precision," \
    "tp,pp,vpp,dp,cp,sp,zero,micro_batch,global_batch,recompute,schedule,flash_attention,measured_iter_s,"               \
    "measured_tflops_per_gpu,flops_kind\n"

/* Narayanan et al. 2021 (arXiv:2104.04473), Table 1: TFLOP/s with recomputation; Korthikanti et al. 2022
 * (arXiv:2205.05198), Table 5: seconds; A100 80 GB. Others at their row. `within` is the greatest relative error: 5 % where
 * paper and hardware are exactly these, 10 % where the network or the software's version is not stated, more for the reason
 * given. */
static const struct {
    double within;
    const char *row;
} figures[] = {
    {0.05, "GPT 22B full,Korthikanti,,6144,48,64,,,51200,2048,a100-sxm-80g,8,200,fp16,8,1,1,1,1,0,0,4,4,full,none,0,1.42,,"},
    {0.05, "GPT 22B selective,Korthikanti,,6144,48,64,,,51200,2048,a100-sxm-80g,8,200,fp16,8,1,1,1,1,1,0,4,4,selective,none,0,1.10,,"},
    {0.05, "GPT 175B full,Korthikanti,,12288,96,96,,,51200,2048,a100-sxm-80g,64,200,fp16,8,8,3,1,1,0,0,1,64,full,interleaved,0,18.13,,"},
    {0.05, "GPT 175B selective,Korthikanti,,12288,96,96,,,51200,2048,a100-sxm-80g,64,200,fp16,8,8,3,1,1,1,0,1,64,selective,interleaved,0,13.75,,"},
    {0.05, "GPT 530B full,Korthikanti,,20480,105,128,,,51200,2048,a100-sxm-80g,280,200,fp16,8,35,3,1,1,0,0,1,280,full,interleaved,0,49.05,,"},
    {0.05, "GPT 530B selective,Korthikanti,,20480,105,128,,,51200,2048,a100-sxm-80g,280,200,fp16,8,35,3,1,1,1,0,1,280,selective,interleaved,0,37.83,,"},
    {0.08, "GPT 1T full,Korthikanti,,25600,128,160,,,51200,2048,a100-sxm-80g,512,200,fp16,8,64,1,1,1,0,0,1,512,full,1f1b,0,94.42,,"},
    {0.08, "GPT 1T selective,Korthikanti,,25600,128,160,,,51200,2048,a100-sxm-80g,512,200,fp16,8,64,1,1,1,1,0,1,512,selective,1f1b,0,71.49,,"},
    {0.08, "GPT 7.5B,Narayanan,,4096,36,32,,,51200,2048,a100-sxm-80g,128,200,fp16,4,1,1,32,1,0,0,16,512,full,none,0,,142,hardware"},
    {0.08, "GPT 39.1B,Narayanan,,8192,48,64,,,51200,2048,a100-sxm-80g,512,200,fp16,8,2,1,32,1,0,0,4,1536,full,1f1b,0,,138,hardware"},
    {0.08, "GPT 310.1B,Narayanan,,16384,96,128,,,51200,2048,a100-sxm-80g,1920,200,fp16,8,16,2,15,1,0,0,1,2160,full,interleaved,0,,155,hardware"},
    {0.08, "GPT 529.6B,Narayanan,,20480,105,128,,,51200,2048,a100-sxm-80g,2520,200,fp16,8,35,3,9,1,0,0,1,2520,full,interleaved,0,,163,hardware"},
    {0.08, "GPT 1008B,Narayanan,,25600,128,160,,,51200,2048,a100-sxm-80g,3072,200,fp16,8,64,1,6,1,0,0,1,3072,full,1f1b,0,,163,hardware"},
    /* Qi et al. 2024 (arXiv:2401.10241), Table 4: 1.64 samples/s a device with 128 micro-batches; RoCE, rate not stated. */
    {0.10, "GPT 14.6B 1F1B,Zero Bubble,,5120,46,40,,,50304,1024,a100-sxm-80g,16,,bf16,1,16,1,1,1,0,0,1,128,none,1f1b,0,4.878,,"},
    /* BigScience train/tr11-176B-ml/README.md. Slower than A100 elsewhere by a fifth: CUDA_LAUNCH_BLOCKING=1 against hanging
     * (chronicles-prequel.md), gradients added and reduced in fp32 outside the GEMMs. */
    {0.20, "BLOOM-176B,bigscience,bloom-176b,,,,,,,2048,a100-sxm-80g,384,50,bf16,4,12,1,8,1,0,1,2,2048,full,1f1b,0,104.7,,"},
    /* NVIDIA DGX Cloud Benchmarking, llama3.1/README.md @741c886, bf16: Llama 3.1 8B, 70B and 405B. */
    {0.10, "Llama-3.1-8B,dgxc,llama3-8b,,,,,,,8192,h100-sxm,8,400,bf16,1,1,1,4,2,0,1,1,128,none,none,1,12.27,,"},
    {0.10, "Llama-3.1-70B,dgxc,llama3-70b,,,,,,,8192,h100-sxm,64,400,bf16,4,4,5,2,2,1,1,1,128,none,interleaved,1,14.66,,"},
    {0.10, "Llama-3.1-405B,dgxc,llama3.1-405b,,,,,,,8192,h100-sxm,512,400,bf16,8,8,8,4,2,1,1,1,256,none,interleaved,1,19.78,,"},
    /* NeMo 24.07 performance page, fp8: 768 TFLOP/s a device, 1728 tokens/s. */
    {0.12, "Llama-2-70B fp8,NeMo docs,llama2-70b,,,,,,,4096,h100-sxm,64,400,fp8,4,4,20,4,1,1,1,1,128,none,interleaved,1,4.741,,"},
    /* MLCommons training_results_v3.0, NVIDIA dgxh100_n64: median of the logged steps. */
    {0.10, "GPT-3 175B fp8,mlcommons,,12288,96,96,,,51200,2048,h100-sxm,512,400,fp8,4,8,12,16,1,1,1,1,2048,none,interleaved,1,12.08,,"},
    /* llm-foundry benchmarking README @8c8dd48: 180 and 423 model TFLOP/s a device; FlashAttention 2 or Triton. */
    {0.15, "MPT-7B A100,llm-foundry,,4096,32,32,,,50368,1024,a100-sxm-80g,8,,bf16,1,1,1,8,1,0,3,64,1024,full,none,1,30.08,,"},
    {0.15, "MPT-7B H100,llm-foundry,,4096,32,32,,,50368,1024,h100-sxm,8,,bf16,1,1,1,8,1,0,3,64,1024,full,none,1,12.85,,"},
};

Test(score, published_figures) {
    struct arena *arena = support_arena();
    struct text text;
    text_init(&text, arena);
    text_add(&text, HEAD);
    for (size_t i = 0; i < ROWS(figures); i++) {
        text_add_format(&text, "%s\n", figures[i].row);
    }
    struct source source = {.name = "figures", .text = text.data, .size = text.size};
    struct corpus corpus = corpus_price(arena, &source);
    cr_assert_eq(corpus.count, ROWS(figures));
    for (size_t i = 0; i < corpus.count; i++) {
        const struct score_case *c = &corpus.cases[i];
        cr_expect(c->refusal == NULL, "%s: %s", c->input->id, c->refusal);
        fprintf(stderr, "%-24s measured %8.3f s, predicted %8.3f s (%+.1f %%)\n", c->input->id, c->measured_s,
                c->predicted_s, 100 * (c->predicted_s / c->measured_s - 1));
        cr_expect(c->ape <= figures[i].within, "%s: %.3f s, measured %.3f s", c->input->id, c->predicted_s,
                  c->measured_s);
    }
    arena_close(arena);
}
