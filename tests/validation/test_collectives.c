/* The prices of collectives on the shipped topologies against published measurements (collectives.csv): nccl-tests logs
 * of aiconfigurator, apex_plus, vTrain, AWS, stas00/ml-engineering and others. Prints the error of each case and
 * operation, below and from 1 MiB, and fails past its bounds. Bounds are medians: single sizes are off by up to 60 %
 * where one NCCL version switches protocol too early or too late. Rows timed through torch or with NCCL before 2.2x
 * wait 20 to 60 us more a call (vTrain, ml-engineering), so that only their large sizes compare. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/arena.h"
#include "collective/collective.h"
#include "measurements.h"
#include "yaml/document.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ERRORS_MAX = 512, LARGE = 1048576 };

struct errors {
    double values[ERRORS_MAX]; /* predicted over measured, minus one */
    size_t count;
};

/* Where the rows were taken: a shipped topology, or it with other NICs (rate in bytes/s a device, hop in seconds). */
struct site {
    const char *topology, *gpu, *source; /* gpu: the whole cell; source: its beginning */
    const char *nodes, *links;           /* nodes: "1", or NULL for several; links: part of the interconnect cell */
    int64_t domains;                     /* scale-up domains a group touches; 0: as the topology says */
    double rate, hop;
    double small, large; /* greatest median errors below and from 1 MiB; 0: not held */
};

static const struct site sites[] = {
    {"a100-sxm-80g", "A100-SXM4-80GB", "aiconfigurator", "1", "", 0, 0, 0, 0.15, 0.15},
    {"a100-sxm-80g", "A100-SXM", "vTrain", "1", "", 0, 0, 0, 0, 0.05},
    {"a100-sxm-80g", "A100-SXM", "stas00", "1", "", 0, 0, 0, 0, 0.15},
    {"h100-sxm", "H100-SXM-80GB", "aiconfigurator", "1", "", 0, 0, 0, 0.25, 0.15},
    {"h100-sxm", "H100-SXM-80GB", "apex_plus", "1", "", 0, 0, 0, 0.25, 0.15},
    {"h100-sxm", "H100-SXM-80GB (p5)", "aws-samples", "1", "", 0, 0, 0, 0.15, 0.1},
    {"h200-sxm", "H200-SXM", "aiconfigurator", "1", "", 0, 0, 0, 0.25, 0.15},
    {"h200-sxm", "H200", "apex_plus", "1", "", 0, 0, 0, 0.4, 0.15},
    {"h200-sxm", "H200-SXM", "stas00", "1", "", 0, 0, 0, 0, 0.15},
    {"b200-sxm", "B200", "aiconfigurator", "1", "", 0, 0, 0, 0.15, 0.15},
    {"b200-sxm", "B200", "stas00", "1", "", 0, 0, 0, 0, 0.15},
    {"b300-sxm", "B300", "aiconfigurator", "1", "", 0, 0, 0, 0.15, 0.15},
    {"gb200-nvl72", "GB200", "aiconfigurator", "1", "", 0, 0, 0, 0.15, 0.15},
    {"gb300-nvl72", "GB300", "aiconfigurator", "1", "", 0, 0, 0, 0.15, 0.15},
    {"gb200-nvl72", "GB200", "yangwhale", NULL, "one NVL72", 0, 0, 0, 0, 0.18},
    {"gb200-nvl72", "GB200", "yangwhale", NULL, "2 domains", 2, 0, 0, 0, 0.2},
    {"h100-sxm", "H100-SXM-80GB (p5)", "aws-samples", NULL, "EFA", 0, 48.5e9, 27e-6, 0.15, 0.15},
    {"a100-sxm-80g", "A100-SXM-80GB (p4de)", "aws-samples", NULL, "EFA", 0, 6.06e9, 70e-6, 0.15, 0.15},
    {"b200-sxm", "B200", "stas00", NULL, "EFA", 0, 48.5e9, 27e-6, 0, 0.2},
    {"v100-dgx1", "V100-SXM2", "vTrain", "1", "", 0, 0, 0, 0, 0.15},
    {"mi300x", "MI300X", "stas00", "1", "", 0, 0, 0, 0, 0.15},
};

/* A shipped topology; of one node for measurements on one. */
static struct topology load(struct arena *arena, const char *name, bool one) {
    struct diag diag;
    struct node *root = NULL;
    struct topology topology;
    diag_init(&diag, arena);
    const char *path = arena_format(arena, "%s/topologies/%s.yaml", getenv("PARPLAN_SOURCE"), name);
    cr_assert_eq(document_load(arena, path, &root, &diag), OK, "%s", path);
    cr_assert_eq(document_extend(arena, root, "topologies", NULL, NULL, &root, &diag), OK, "%s", path);
    cr_assert_eq(topology_load(arena, root, &topology, &diag), OK, "%s: %s", path,
                 diag.count > 0 ? diag.entries[0].text : "");
    cr_assert_eq(topology_scale(arena, &topology, one ? 1 : 0, 0, &diag), OK, "%s: one node", path);
    return topology;
}

static int kind_of(const char *op) {
    const char *name = strcmp(op, "alltoall") == 0 ? "all_to_all" : strcmp(op, "sendrecv") == 0 ? "send" : op;
    for (int kind = 0; kind < COLLECTIVE_KINDS; kind++) {
        if (strcmp(name, collective_names[kind]) == 0) {
            return kind;
        }
    }
    return -1;
}

static struct span span_of(const struct topology *topology, const struct site *site, int64_t size) {
    struct span span = route_span(topology, 1, size);
    if (site->domains > 0) {
        span.outer = site->domains;
        span.inner = size / site->domains;
        span.inner_steps = span.inner - 1;
    }
    if (site->rate > 0) {
        span.outer_rate = span.outer_exchange = site->rate;
        span.outer_latency = site->hop;
    }
    return span;
}

/* Rows with an algorithm switched off by hand do not count. */
static bool fits(const struct measurements *table, const struct site *site) {
    const char *source = measurements_text(table, "source"), *nodes = measurements_text(table, "nodes");
    bool placed = site->nodes != NULL ? strcmp(nodes, site->nodes) == 0 : strtol(nodes, NULL, 10) > 1;
    return placed && strcmp(measurements_text(table, "gpu"), site->gpu) == 0 &&
           strncmp(source, site->source, strlen(site->source)) == 0 &&
           strstr(measurements_text(table, "interconnect"), site->links) != NULL &&
           strstr(measurements_text(table, "library"), "NVLS_ENAB") == NULL;
}

static void gather(const struct site *site, struct errors errors[COLLECTIVE_KINDS][2]) {
    struct arena *arena = arena_open(NULL, NULL);
    struct topology topology = load(arena, site->topology, site->nodes != NULL);
    struct measurements table;
    cr_assert(measurements_open(&table, "collectives.csv"));
    while (measurements_next(&table)) {
        int kind = kind_of(measurements_text(&table, "op"));
        double bytes = measurements_number(&table, "bytes"), measured = measurements_number(&table, "time_us") * 1e-6;
        if (kind < 0 || bytes <= 0 || measured <= 0 || !fits(&table, site)) {
            continue;
        }
        struct span span = span_of(&topology, site, (int64_t)measurements_number(&table, "gpus"));
        struct errors *into = &errors[kind][bytes >= LARGE];
        cr_assert(into->count < ERRORS_MAX);
        double seconds = collective_seconds(&span, (enum collective)kind, bytes, NULL);
        into->values[into->count++] = seconds / measured - 1;
    }
    arena_close(arena);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints and holds one median; few rows are printed only. */
static void judge(const struct site *site, int kind, const char *sizes, struct errors *errors, double bound) {
    if (errors->count == 0) {
        return;
    }
    double bias = 0;
    for (size_t i = 0; i < errors->count; i++) {
        bias += errors->values[i] / (double)errors->count;
        errors->values[i] = fabs(errors->values[i]);
    }
    qsort(errors->values, errors->count, sizeof *errors->values, ascending);
    double median = (errors->values[errors->count / 2] + errors->values[(errors->count - 1) / 2]) / 2;
    fprintf(stderr,
            "# %-12s %-14s %s %-14s %s %3zu rows  bias %+6.1f %%  median %5.1f %%  p90 %5.1f %%  max %5.1f %%\n",
            site->topology, site->source, site->nodes == NULL ? "cluster" : "node   ", collective_names[kind], sizes,
            errors->count, 100 * bias, 100 * median, 100 * errors->values[(errors->count - 1) * 9 / 10],
            100 * errors->values[errors->count - 1]);
    cr_expect(!(bound > 0) || errors->count < 4 || median <= bound, "%s %s %s %s: median error %.3f, at most %.3f",
              site->topology, site->source, collective_names[kind], sizes, median, bound);
}

Test(collectives, measured) {
    struct measurements table;
    if (!measurements_open(&table, "collectives.csv")) {
        cr_skip_test("no measurements");
    }
    fclose(table.file);
    size_t rows = 0;
    for (size_t i = 0; i < COUNT(sites); i++) {
        struct errors errors[COLLECTIVE_KINDS][2];
        memset(errors, 0, sizeof errors);
        gather(&sites[i], errors);
        for (int kind = 0; kind < COLLECTIVE_KINDS; kind++) {
            rows += errors[kind][0].count + errors[kind][1].count;
            judge(&sites[i], kind, "< 1 MiB ", &errors[kind][0], sites[i].small);
            judge(&sites[i], kind, ">= 1 MiB", &errors[kind][1], sites[i].large);
        }
    }
    cr_expect(rows > 1500, "only %zu rows were used", rows);
}
