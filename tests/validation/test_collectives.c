/* Prices of collectives against published measurements: error by device, operation and source, printed and bounded.
 *
 * The measurements are third-party data that the repository does not carry; without PARPLAN_SHARED the test passes with
 * a note. The spans are those of the nodes' data sheets with the few constants the model has; what the rows show beyond
 * them (protocol switches of one library version, slow clocks, old libraries) stays as error. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collective/collective.h"

enum { LINE = 1024, CELLS = 200, SAMPLES = 512, COLUMNS = 15 };

/* A kind of device as the data names it and as a span: bytes/s and seconds. */
struct machine {
    const char *prefix; /* of the gpu column */
    const char *name;
    double port, ring, multicast, exchange; /* exchange: all-to-all over ring */
    double hop, call;
};
static const struct machine machines[] = {
    {"A100-SXM", "A100", 300e9, 240e9, 0, 0.91, 1.35e-6, 8.5e-6},
    {"H100-SXM", "H100", 450e9, 385e9, 315e9, 0.93, 0.85e-6, 5.5e-6},
    {"H200", "H200", 450e9, 385e9, 315e9, 0.93, 0.85e-6, 5.5e-6},
    {"B200", "B200", 900e9, 740e9, 535e9, 0.86, 1.25e-6, 7.5e-6},
    {"B300", "B300", 900e9, 740e9, 535e9, 0.86, 1.25e-6, 7.5e-6},
    {"GB200", "GB200", 900e9, 740e9, 535e9, 0.86, 1.25e-6, 7.5e-6},
    {"GB300", "GB300", 900e9, 740e9, 535e9, 0.86, 1.25e-6, 7.5e-6},
};
enum { MACHINES = sizeof(machines) / sizeof(machines[0]) };

struct cell {
    char gpu[24], op[24], source[40];
    double errors[2][SAMPLES]; /* relative, below and from 1 MiB */
    size_t count[2];
};

struct sheet {
    struct cell cells[CELLS];
    size_t count, rows;
};

/* Splits a CSV line in place; quoted fields may hold commas. */
static size_t split(char *line, char **fields, size_t limit) {
    size_t count = 0;
    for (char *at = line; at != NULL && count < limit;) {
        bool quoted = *at == '"';
        char *start = quoted ? at + 1 : at;
        char *end = quoted ? strchr(start, '"') : start + strcspn(start, ",\r\n");
        if (end == NULL) {
            break;
        }
        char *next = quoted ? end + strcspn(end, ",\r\n") : end;
        at = *next == ',' ? next + 1 : NULL;
        *end = '\0';
        fields[count++] = start;
    }
    return count;
}

static int kind_of(const char *op) {
    if (strcmp(op, "alltoall") == 0) {
        return COLLECTIVE_ALL_TO_ALL;
    }
    if (strcmp(op, "sendrecv") == 0) {
        return COLLECTIVE_SEND;
    }
    for (int kind = 0; kind < COLLECTIVE_KINDS; kind++) {
        if (strcmp(op, collective_names[kind]) == 0) {
            return kind;
        }
    }
    return -1;
}

static const struct machine *machine_of(const char *gpu) {
    for (size_t i = 0; i < MACHINES; i++) {
        if (strncmp(gpu, machines[i].prefix, strlen(machines[i].prefix)) == 0) {
            return &machines[i];
        }
    }
    return NULL;
}

static struct span span_of(const struct machine *machine, int64_t size) {
    return (struct span){
        .size = size,
        .inner = size,
        .outer = 1,
        .kind = SCALEUP_SWITCH,
        .multicast = machine->multicast > 0,
        .domain = 8,
        .inner_port = machine->port,
        .inner_rate = machine->ring,
        .inner_exchange = machine->ring,
        .pair_rate = machine->ring,
        .multicast_rate = machine->multicast,
        .inner_latency = machine->hop,
        .inner_steps = size - 1,
        .base_latency = machine->call,
        .all_to_all_efficiency = machine->exchange,
        .library = LIBRARY_NCCL,
    };
}

static struct cell *cell_of(struct sheet *sheet, const char *gpu, const char *op, const char *source) {
    char short_source[40];
    snprintf(short_source, sizeof(short_source), "%.*s", (int)strcspn(source, "/ "), source);
    for (size_t i = 0; i < sheet->count; i++) {
        struct cell *cell = &sheet->cells[i];
        if (strcmp(cell->gpu, gpu) == 0 && strcmp(cell->op, op) == 0 && strcmp(cell->source, short_source) == 0) {
            return cell;
        }
    }
    cr_assert(sheet->count < CELLS);
    struct cell *cell = &sheet->cells[sheet->count++];
    snprintf(cell->gpu, sizeof(cell->gpu), "%s", gpu);
    snprintf(cell->op, sizeof(cell->op), "%s", op);
    snprintf(cell->source, sizeof(cell->source), "%s", short_source);
    return cell;
}

/* Columns: id gpu nodes gpus op bytes dtype time_us algbw busbw interconnect library confidence source note. */
static void read_row(struct sheet *sheet, char *line) {
    char *field[COLUMNS];
    if (split(line, field, COLUMNS) < 14) {
        return;
    }
    const struct machine *machine = machine_of(field[1]);
    int kind = kind_of(field[4]);
    double bytes = atof(field[5]);
    double measured = atof(field[7]) * 1e-6;
    bool forced = strstr(field[11], "NVLS_ENAB") != NULL; /* an algorithm switched off by hand */
    if (machine == NULL || kind < 0 || strcmp(field[2], "1") != 0 || bytes <= 0 || measured <= 0 || forced) {
        return;
    }
    struct span span = span_of(machine, atoll(field[3]));
    double seconds = collective_seconds(&span, (enum collective)kind, bytes, NULL);
    struct cell *cell = cell_of(sheet, machine->name, field[4], field[13]);
    int large = bytes >= 1048576;
    cr_assert(cell->count[large] < SAMPLES);
    cell->errors[large][cell->count[large]++] = seconds / measured - 1;
    sheet->rows++;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct summary {
    double median, ninety, worst, bias;
};

static struct summary summarise(const double *errors, size_t count) {
    struct summary summary = {0};
    double sorted[SAMPLES];
    for (size_t i = 0; i < count; i++) {
        sorted[i] = fabs(errors[i]);
        summary.bias += errors[i] / (double)count;
    }
    qsort(sorted, count, sizeof(sorted[0]), ascending);
    if (count > 0) {
        summary.median = count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2] + sorted[count / 2 - 1]) / 2;
        summary.ninety = sorted[(count - 1) * 9 / 10];
        summary.worst = sorted[count - 1];
    }
    return summary;
}

/* What a median may be. Rows timed through torch or with NCCL before 2.2x wait 20 to 60 us more a call (vidur, vTrain,
 * stas00/ml-engineering): of theirs only large sizes compare, and vidur's stop at 64 MiB. Large sizes otherwise keep to
 * 15 %, small ones to 35 %, sends, whose times are rounded to 1 us, to 40 %. */
static double bound_of(const struct cell *cell, int large) {
    bool vidur = strcmp(cell->source, "vidur") == 0;
    bool slow_calls = vidur || strcmp(cell->source, "stas00") == 0 || strcmp(cell->source, "vTrain") == 0;
    if (large) {
        return vidur ? 0.3 : slow_calls ? 0.2 : 0.15;
    }
    return slow_calls ? 0.9 : strcmp(cell->op, "sendrecv") == 0 ? 0.4 : 0.35;
}

static void print_and_check(const struct sheet *sheet) {
    printf("# %zu rows: relative error of the price over the measurement, percent\n", sheet->rows);
    printf("# %-6s %-15s %-15s | %22s | %28s\n", "device", "operation", "source", "below 1 MiB: n median", "from 1 MiB: n median 90% max bias");
    for (size_t i = 0; i < sheet->count; i++) {
        const struct cell *cell = &sheet->cells[i];
        struct summary small = summarise(cell->errors[0], cell->count[0]);
        struct summary large = summarise(cell->errors[1], cell->count[1]);
        printf("# %-6s %-15s %-15s | %3zu %5.1f | %3zu %5.1f %5.1f %5.1f %+6.1f\n", cell->gpu, cell->op, cell->source,
               cell->count[0], 100 * small.median, cell->count[1], 100 * large.median, 100 * large.ninety,
               100 * large.worst, 100 * large.bias);
        cr_expect(cell->count[0] < 4 || small.median <= bound_of(cell, 0), "%s %s %s below 1 MiB: median error %.0f %%",
                  cell->gpu, cell->op, cell->source, 100 * small.median);
        cr_expect(cell->count[1] < 4 || large.median <= bound_of(cell, 1), "%s %s %s from 1 MiB: median error %.0f %%",
                  cell->gpu, cell->op, cell->source, 100 * large.median);
    }
}

static void read_measurements(struct sheet *sheet, void (*row)(struct sheet *sheet, char *line)) {
    const char *shared = getenv("PARPLAN_SHARED");
    char path[LINE];
    snprintf(path, sizeof(path), "%s/validation/collectives.csv", shared == NULL ? "." : shared);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        cr_skip_test("no measurements at %s", path);
    }
    char line[LINE];
    while (fgets(line, sizeof(line), file) != NULL) {
        row(sheet, line);
    }
    fclose(file);
}

Test(collectives, one_node) {
    static struct sheet sheet;
    read_measurements(&sheet, read_row);
    print_and_check(&sheet);
    cr_expect(sheet.rows > 1000, "only %zu rows could be used", sheet.rows);
}

/* Clusters of the data: NIC bytes/s a device and seconds a hop. */
struct cluster {
    const char *gpu, *nics;          /* parts of the gpu and interconnect columns */
    const struct machine *machine;
    int64_t domains; /* scale-up domains the group touches; 0: one a node */
    double nic, hop;
};
static const struct cluster clusters[] = {
    {"A100-SXM-80GB (p4de)", "EFA", &machines[0], 0, 6.25e9 * 0.97, 70e-6},
    {"H100-SXM-80GB (p5)", "EFA", &machines[1], 0, 50e9 * 0.97, 27e-6},
    {"H200-SXM (p5en)", "EFA", &machines[2], 0, 50e9 * 0.97, 27e-6},
    {"B200", "EFA", &machines[3], 0, 50e9 * 0.97, 27e-6},
    {"GB200", "one NVL72", &machines[5], 1, 50e9 * 0.97, 5e-6},
    {"GB200", "RDMA only", &machines[5], 2, 50e9 * 0.97, 5e-6},
    {"GB200", "2 domains", &machines[5], 2, 50e9 * 0.97, 5e-6},
    {"H100-SXM (DGX)", "", &machines[1], 0, 50e9 * 0.72, 5e-6}, /* one pair alone: fewer queues than a ring has */
};

static void read_cluster_row(struct sheet *sheet, char *line) {
    char *field[COLUMNS];
    if (split(line, field, COLUMNS) < 14 || atoi(field[2]) < 2 || kind_of(field[4]) < 0) {
        return;
    }
    double bytes = atof(field[5]);
    double measured = atof(field[7]) * 1e-6;
    for (size_t i = 0; i < sizeof(clusters) / sizeof(clusters[0]); i++) {
        const struct cluster *cluster = &clusters[i];
        if (strcmp(field[1], cluster->gpu) != 0 || strstr(field[10], cluster->nics) == NULL || bytes <= 0 || measured <= 0) {
            continue;
        }
        int64_t size = atoll(field[3]);
        int64_t nodes = atoll(field[2]);
        struct span span = span_of(cluster->machine, size);
        span.outer = cluster->domains > 0 ? cluster->domains : nodes;
        span.inner = size / span.outer;
        span.inner_steps = span.inner - 1;
        span.outer_rate = span.outer_exchange = cluster->nic;
        span.outer_latency = cluster->hop;
        double seconds = collective_seconds(&span, (enum collective)kind_of(field[4]), bytes, NULL);
        struct cell *cell = cell_of(sheet, cluster->gpu, field[4], field[13]);
        int large = bytes >= 1048576;
        cell->errors[large][cell->count[large]++] = seconds / measured - 1;
        sheet->rows++;
        return;
    }
}

Test(collectives, several_nodes) {
    static struct sheet sheet;
    read_measurements(&sheet, read_cluster_row);
    print_and_check(&sheet);
}
