/* Rows of measurements to cases, priced: the input is a CSV file, every model and topology it names is the same small
 * one. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "port/corpus.h"
#include "port/score.h"
#include "yaml/document.h"

static const char model_text[] =
    "schema: parplan/model/v1\nname: m\nhidden_size: 64\nnum_hidden_layers: 4\nnum_attention_heads: 4\n"
    "vocab_size: 128\nintermediate_size: 256\n";

static const char topology_text[] =
    "schema: parplan/topology/v1\nname: t\ndevices:\n"
    "  - {name: d, memory: 80GiB, hbm_bandwidth: 2TB/s, sms: 100, peak: {bf16: 300TFLOP/s}}\n"
    "nodes:\n  - name: n\n    device: d\n    count: 8\n"
    "    scaleup: {kind: switch, bandwidth: 300GB/s, efficiency: 0.8, latency: 1us}\n"
    "    nics: {count: 8, rate: 400Gbit/s, efficiency: 0.9, latency: 5us}\n"
    "groups:\n  - {name: g, node: n, count: 4}\n"
    "fabric: {kind: fat_tree, tiers: [{name: leaf, latency: 1us}]}\n";

static struct node *parse(struct arena *arena, const char *text, struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    PROMISE(document_parse(arena, "fuzz.yaml", text, strlen(text), &root, diag) == OK);
    return root;
}

static enum status load_model(void *arena, const char *name, struct model *ret) {
    struct diag diag;
    (void)name;
    return model_load(arena, parse(arena, model_text, &diag), ret, &diag);
}

static enum status load_topology(void *arena, const char *name, struct topology *ret) {
    struct diag diag;
    (void)name;
    enum status status = topology_load(arena, parse(arena, topology_text, &diag), ret, &diag);
    PROMISE(status == OK);
    return status;
}

static void price(struct arena *arena, const struct csv *csv, size_t row) {
    const struct corpus_loader loader = {.context = arena, .model = load_model, .topology = load_topology};
    struct corpus_case input = {0};
    struct score_case score = {0};
    corpus_case_make(arena, csv, row, &loader, &input);
    PROMISE(input.id != NULL && input.source != NULL);
    score_case_make(arena, &input, &score);
    if (score.refusal == NULL) {
        PROMISE(isfinite(score.predicted_s) && score.predicted_s > 0);
        PROMISE(isfinite(score.predicted_bytes) && (score.measured_bytes > 0) == (score.predicted_bytes > 0));
    } else {
        PROMISE(strlen(score.refusal) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { ROWS = 8 };
    struct arena *arena = arena_open(NULL, NULL);
    struct diag diag;
    struct csv csv;
    const struct source source = {
        .name = "fuzz.csv", .text = arena_copy(arena, (const char *)data, size), .size = size};
    diag_init(&diag, arena);
    if (csv_parse(arena, &source, &csv, &diag) == OK && corpus_check(&csv, &diag) == OK) {
        for (size_t row = 0; row < csv.row_count && row < ROWS; row++) {
            price(arena, &csv, row);
        }
    }
    arena_close(arena);
    return 0;
}
