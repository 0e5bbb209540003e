/* Devices: number types, peaks and what stands in for a missing one, memory; shipped data against the fact table. */
#include "load.h"

Test(device, types) {
    static const struct {
        enum dtype dtype;
        const char *name;
        double bytes;
    } rows[] = {{DTYPE_FP32, "fp32", 4}, {DTYPE_TF32, "tf32", 4}, {DTYPE_BF16, "bf16", 2},
                {DTYPE_FP16, "fp16", 2}, {DTYPE_FP8, "fp8", 1},   {DTYPE_FP4, "fp4", 0.5}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_str_eq(dtype_names[rows[i].dtype], rows[i].name);
        cr_expect(dtype_bytes(rows[i].dtype) == rows[i].bytes, "%s", rows[i].name);
    }
    cr_expect_null(dtype_names[DTYPE_COUNT]);
    cr_expect(dtype_bytes(DTYPE_COUNT) == 0);
}

Test(device, peak_falls_back_to_wider_types) {
    static const struct peak v100 = {.fp32 = 15.7, .fp16 = 125}, a100 = {19.5, 156, 312, 312, 0, 0};
    static const struct peak b200 = {75, 1125, 2250, 2250, 4500, 9000}, tpu = {.bf16 = 459}, none = {0};
    static const struct {
        const char *what;
        const struct peak *peak;
        enum dtype dtype;
        double expected;
    } rows[] = {
        {"bf16 on V100 runs in fp16", &v100, DTYPE_BF16, 125},
        {"tf32 on V100 runs in fp32", &v100, DTYPE_TF32, 15.7},
        {"fp8 on V100 runs in fp16", &v100, DTYPE_FP8, 125},
        {"fp8 on A100 runs in bf16", &a100, DTYPE_FP8, 312},
        {"fp4 on A100 runs in bf16", &a100, DTYPE_FP4, 312},
        {"fp32 on A100", &a100, DTYPE_FP32, 19.5},
        {"fp4 on B200", &b200, DTYPE_FP4, 9000},
        {"fp8 on B200", &b200, DTYPE_FP8, 4500},
        {"fp16 on a TPU runs in bf16", &tpu, DTYPE_FP16, 459},
        {"fp32 on a TPU has nothing else", &tpu, DTYPE_FP32, 459},
        {"nothing at all", &none, DTYPE_BF16, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct device device = {.peak = *rows[i].peak};
        cr_expect(device_peak(&device, rows[i].dtype) == rows[i].expected, "%s: %g", rows[i].what,
                  device_peak(&device, rows[i].dtype));
    }
}

Test(device, usable_memory) {
    struct device device = {.memory = 1000};
    cr_expect(near_to(device_usable_memory(&device), 985));
    device.memory_usable = 990;
    cr_expect(device_usable_memory(&device) == 990);
}

/* The next line of `file` cut at commas. */
static int read_cells(FILE *file, char *line, int size, char **cells, int room) {
    int count = 0;
    if (fgets(line, size, file) == NULL) {
        return 0;
    }
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at != NULL && count < room; count++) {
        cells[count] = at;
        at = strchr(at, ',');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

/* tests/oracle/accelerators.csv: part, vendor, year, fp32, tf32, bf16, fp8, fp4, int8, GB, GB/s, link GB/s, ...; a
 * column of `ours` differs where our document says so. */
Test(device, shipped_devices_hold_the_facts) {
    static const struct {
        const char *part, *name;
        double share;        /* of the part that our device is */
        double link, memory; /* ours where it differs: GB/s, GB */
    } rows[] = {
        {"V100-SXM2-32", "v100-dgx2", 1, 0, 0},
        {"V100-SXM2-32", "v100-dgx1", 1, 0, 0},
        {"A100-SXM-40", "a100-sxm-40g", 1, 0, 0},
        {"A100-SXM-80", "a100-sxm-80g", 1, 0, 0},
        {"A100-PCIe-80", "a100-pcie-80g", 1, 300, 0}, /* the bridge; the table has PCIe */
        {"H100-SXM", "h100-sxm", 1, 0, 0},
        {"H100-PCIe", "h100-pcie", 1, 300, 0},
        {"H200-SXM", "h200-sxm", 1, 0, 0},
        {"B200-SXM", "b200-sxm", 1, 0, 0},
        {"B300-SXM", "b300-sxm", 1, 0, 0},
        {"GB200-NVL72", "gb200-nvl72", 1, 0, 0},
        {"GB300-NVL72", "gb300-nvl72", 1, 0, 0},
        {"RTX4090", "rtx-4090", 1, 31.5, 0},
        {"L40S", "l40s", 1, 31.5, 0},
        {"MI250X", "mi250x", 0.5, 0, 0},
        {"MI300X", "mi300x", 1, 0, 0},
        {"TPUv4", "tpu-v4", 1, 270, 0}, /* six links of 45 */
        {"TPUv5p", "tpu-v5p", 1, 540, 0},
        {"Ascend910B", "ascend-910b", 1, 0, 0},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology topology = load_shipped(arena, rows[i].name, 0);
        const struct device *device = topology_device(&topology, 0);
        FILE *file = fopen(support_path(arena, "tests/oracle/accelerators.csv"), "r");
        cr_assert_not_null(file, "tests/oracle/accelerators.csv is missing");
        char line[512], *cell[20];
        bool found = false;
        while (!found && read_cells(file, line, sizeof line, cell, 20) > 12) {
            found = strcmp(cell[0], rows[i].part) == 0;
        }
        fclose(file);
        cr_assert(found, "%s is not in the table", rows[i].part);
        double share = rows[i].share, gigabytes = device->memory / 1e9;
        double link = rows[i].link > 0 ? rows[i].link : strtod(cell[11], NULL) * share;
        cr_expect(near_to(device_peak(device, DTYPE_BF16), strtod(cell[5], NULL) * share * 1e12), "%s: bf16",
                  rows[i].name);
        cr_expect(near_to(device->peak.fp8, strtod(cell[6], NULL) * share * 1e12), "%s: fp8", rows[i].name);
        cr_expect(near_to(device->peak.fp4, strtod(cell[7], NULL) * share * 1e12), "%s: fp4", rows[i].name);
        cr_expect(device->hbm_bandwidth > strtod(cell[10], NULL) * share * 0.999e9 &&
                      device->hbm_bandwidth < strtod(cell[10], NULL) * share * 1.001e9,
                  "%s: memory bandwidth", rows[i].name);
        cr_expect(near_to(topology_node(&topology, 0)->scaleup.bandwidth, link * 1e9), "%s: link", rows[i].name);
        /* Sheets say GB for 10^9 or 2^30 bytes. */
        cr_expect(gigabytes > strtod(cell[9], NULL) * share * 0.97 && gigabytes < strtod(cell[9], NULL) * share * 1.08,
                  "%s: memory %g GB", rows[i].name, gigabytes);
    }
    arena_close(arena);
}
