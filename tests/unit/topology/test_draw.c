/* The drawing: every line fits, the numbers are there, ASCII stays ASCII; one picture in full. */
#include "load.h"
#include "topology/draw.h"

static const char *draw(struct arena *arena, const struct topology *topology, int width, bool ascii) {
    struct text text;
    text_init(&text, arena);
    draw_topology(topology, width, ascii, &text);
    return text.data;
}

Test(draw, every_line_fits) {
    struct arena *arena = support_arena();
    const char *names[SHIPPED_MOST];
    size_t count = shipped_names(arena, names);
    for (size_t i = 0; i < count; i++) {
        struct topology topology = load_shipped(arena, names[i], 0);
        for (int width = 40; width <= 130; width += 9) {
            for (int ascii = 0; ascii < 2; ascii++) {
                const char *line = draw(arena, &topology, width, ascii);
                for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                    size_t size = (size_t)(end - line);
                    cr_expect(text_width(line, size) <= (size_t)width, "%s at %d: %.*s", names[i], width, (int)size,
                              line);
                    bool sides = strncmp(line, "| ", 2) == 0;
                    cr_expect(!sides || (size == (size_t)width && end[-1] == '|'), "%s at %d: %.*s", names[i], width,
                              (int)size, line);
                    for (size_t j = 0; ascii && j < size; j++) {
                        cr_expect((unsigned char)line[j] < 0x80, "%s: byte %zu of %.*s", names[i], j, (int)size, line);
                    }
                }
                cr_expect(*line == '\0', "%s ends in the middle of a line", names[i]);
            }
        }
    }
    arena_close(arena);
}

Test(draw, says_what_matters) {
    static const struct {
        const char *name;
        int64_t devices;
        const char *pieces[5];
    } rows[] = {
        {"h100-sxm", 512, {"512 devices in 64 nodes", "450 GB/s a device", "400 Gbit/s", "12.8 TB/s up", "spine"}},
        {"gb200-nvl72", 144, {"2 of 72 devices (18 nodes)", "900 GB/s", "185 GiB", NULL, NULL}},
        {"a100-pcie-80g", 0, {"4 a node, of 2 devices", "bridges between pairs", NULL, NULL, NULL}},
        {"tpu-v5p", 0, {"torus 8x8x8", "1 of 512 devices (128 nodes)", NULL, NULL, NULL}},
        {"mi300x", 0, {"full mesh", "a pair 44.8 GB/s", NULL, NULL, NULL}},
        {"mi250x", 2048, {"dragonfly", "(1.7534:1)", NULL, NULL, NULL}},
        {"rtx-4090", 0, {"staged in host memory", "without RDMA", NULL, NULL, NULL}},
        {"mixed-a100-v100", 0, {"link a100 - v100: 25.0 GB/s, +30.0 us", "16 devices a node", NULL, NULL, NULL}},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct topology topology = load_shipped(arena, rows[i].name, rows[i].devices);
        const char *drawing = draw(arena, &topology, 160, true);
        for (int j = 0; j < 5 && rows[i].pieces[j] != NULL; j++) {
            cr_expect(strstr(drawing, rows[i].pieces[j]) != NULL, "%s: no '%s' in\n%s", rows[i].name, rows[i].pieces[j],
                      drawing);
        }
    }
    arena_close(arena);
}

Test(draw, tapers_multiply) {
    struct arena *arena = support_arena();
    struct topology topology = load_clean(
        arena, HEAD "nodes:\n  - {name: n, device: d, count: 1, scaleup: {bandwidth: 450GB/s},\n"
                    "     nics: {count: 1, rate: 400Gbit/s}}\ngroups:\n  - {name: g, node: n, count: 64}\nfabric:\n"
                    "  tiers: [{name: a, nodes: 4, oversubscription: 2}, {name: b, nodes: 16, oversubscription: 3}]\n");
    const char *drawing = draw(arena, &topology, 100, true);
    cr_expect(strstr(drawing, "a: blocks of 4 nodes, 100 GB/s up each (2:1)\n") != NULL, "%s", drawing);
    cr_expect(strstr(drawing, "b: blocks of 16 nodes, 133 GB/s up each (6:1)\n") != NULL, "%s", drawing);
    arena_close(arena);
}

Test(draw, whole_picture) {
    static const char expected[] = "t: 8 devices in 2 nodes\n"
                                   "\n"
                                   "g: 2 nodes n, 4 devices a node\n"
                                   "+------------------------------------------------------------------+\n"
                                   "| d: 80.0 GiB (78.8 GiB usable) at 2.00 TB/s, bf16 300 TFLOP/s     |\n"
                                   "| +---+  +---+  +---+  +---+                                       |\n"
                                   "| | 0 |  | 1 |  | 2 |  | 3 |                                       |\n"
                                   "| +-+-+  +-+-+  +-+-+  +-+-+                                       |\n"
                                   "| ==========================                                       |\n"
                                   "| scale-up: switch, 450 GB/s a device (rings reach 360 GB/s), 1.00 |\n"
                                   "|   us a hop                                                       |\n"
                                   "| host: 2 sockets                                                  |\n"
                                   "| network: 2 ib ports of 400 Gbit/s, 25.0 GB/s a device, 4.00 us   |\n"
                                   "+---+------+-------------------------------------------------------+\n"
                                   "====================================================================\n"
                                   "fabric (flat): one switch level, no taper\n";
    struct arena *arena = support_arena();
    struct topology topology =
        load_clean(arena, HEAD "nodes:\n  - {name: n, device: d, count: 4, scaleup: {bandwidth: 450GB/s},\n"
                               "     nics: {count: 2, rate: 400Gbit/s, efficiency: 1}}\n"
                               "groups:\n  - {name: g, node: n, count: 2}\n");
    cr_expect_str_eq(draw(arena, &topology, 68, true), expected);
    arena_close(arena);
}
