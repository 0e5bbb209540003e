/* The short form: what it reads, what it refuses and where, what it makes of a topology. */
#include "load.h"
#include "topology/shortform.h"

Test(shortform, is) {
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"8xh100-sxm", true},     {"4xgb200*18", true}, {"8xrtx-4090", true}, {"8x4090", true}, {"h100-sxm", false},
        {"xh100", false},         {"8x", false},        {"8*h100", false},    {"", false},      {"8", false},
        {"topologies/8x", false}, {"8x/tmp", false},    {"8X100", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect(shortform_is(rows[i].text) == rows[i].is, "'%s'", rows[i].text);
    }
}

Test(shortform, reads) {
    static const struct {
        const char *text, *device;
        int64_t count, nodes, nics;
        double rate;
    } rows[] = {
        {"8xh100-sxm*64@8x400G", "h100-sxm", 8, 64, 8, 50e9},
        {"4xgb200*18", "gb200", 4, 18, 0, 0},
        {"8xrtx-4090", "rtx-4090", 8, 0, 0, 0},
        {"8xh100-sxm@4x200G", "h100-sxm", 8, 0, 4, 25e9},
        {"8xh100-sxm*2@1x1.6T", "h100-sxm", 8, 2, 1, 200e9},
        {"8xh100-sxm*2@1x500M", "h100-sxm", 8, 2, 1, 62.5e6},
        {"8xh100-sxm*2@8x50GB/s", "h100-sxm", 8, 2, 8, 50e9},
        {"8xh100-sxm*2@8x400Gbit/s", "h100-sxm", 8, 2, 8, 50e9},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct shortform form;
        diag_init(&diag, arena);
        cr_assert(shortform_parse(arena, rows[i].text, &form, &diag) == OK, "%s: %s", rows[i].text,
                  diag.entries[0].text);
        cr_expect(strcmp(form.device, rows[i].device) == 0 && form.count == rows[i].count &&
                      form.nodes == rows[i].nodes && form.nics == rows[i].nics && near_to(form.rate, rows[i].rate),
                  "%s", rows[i].text);
    }
    arena_close(arena);
}

Test(shortform, refuses) {
    static const struct {
        const char *text;
        unsigned column, length;
        const char *piece; /* of the message */
    } rows[] = {
        {"0xh100", 1, 1, "not between 1 and"},
        {"99999999999999999999xh100", 1, 20, "99999999999999999999 is not between"},
        {"10000001xh100", 1, 8, "not between"},
        {"8xh100*", 8, 1, "a whole number"},
        {"8xh100*0", 8, 1, "not between"},
        {"8xh100*abc", 8, 1, "a whole number"},
        {"8xh100*10000000000000000000", 8, 20, "not between"},
        {"8xh100*-4", 8, 1, "a whole number"},
        {"8xh100@", 8, 1, "a whole number"},
        {"8xh100@8", 9, 1, "'x' is wanted"},
        {"8xh100@8x", 10, 1, "rate"},
        {"8xh100@8x400", 10, 3, "rate"},
        {"8xh100@8x0G", 10, 2, "positive"},
        {"8xh100@8x-1G", 10, 3, "positive"},
        {"8xh100@8xNaNG", 10, 4, "rate"},
        {"8xh100@8x80GiB", 10, 5, "rate"},
        {"8xh100@0x400G", 8, 1, "not between"},
        {"8xh100*4*2", 9, 2, "nothing more"},
        {"8xh100@8x400G*4", 10, 6, "rate"},
        {"8x*4", 3, 1, "name of a device"},
        {"", 1, 1, "a whole number"},
        {"8h100", 2, 1, "'x' is wanted"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct shortform form;
        diag_init(&diag, arena);
        cr_assert(shortform_parse(arena, rows[i].text, &form, &diag) == STATUS_INVALID, "'%s' is read", rows[i].text);
        const struct diag_entry *entry = &diag.entries[0];
        cr_expect(diag.errors == 1 && strstr(entry->text, rows[i].piece) != NULL, "'%s': %s", rows[i].text,
                  entry->text);
        cr_expect(entry->mark.line == 1 && entry->mark.column == rows[i].column && entry->mark.length == rows[i].length,
                  "'%s': column %u, length %u", rows[i].text, entry->mark.column, entry->mark.length);
        cr_expect_str_eq(entry->mark.source->name, "<arguments>");
        cr_expect_str_eq(entry->mark.source->text, rows[i].text);
    }
    arena_close(arena);
}

Test(shortform, applies) {
    static const struct {
        const char *text, *file, *name;
        int64_t devices, nodes, nics, domain;
        double rate, bandwidth;
    } rows[] = {
        {"8xh100-sxm*64@8x400G", "h100-sxm", "8xh100-sxm*64", 512, 64, 8, 8, 50e9, 450e9},
        {"8xh100-sxm", "h100-sxm", "8xh100-sxm", 8, 1, 8, 8, 50e9, 450e9},
        {"4xh100-sxm*16", "h100-sxm", "4xh100-sxm*16", 64, 16, 4, 4, 50e9, 450e9},
        {"1xh100-sxm", "h100-sxm", "1xh100-sxm", 1, 1, 1, 1, 50e9, 450e9},
        {"16xh100-sxm*2@16x200G", "h100-sxm", "16xh100-sxm*2", 32, 2, 16, 16, 25e9, 450e9},
        {"4xgb200*18", "gb200", "4xgb200*18", 72, 18, 4, 72, 50e9, 900e9},
        {"4xgb200*36", "gb200", "4xgb200*36", 144, 36, 4, 72, 50e9, 900e9},
        {"4xmi300x*2@4x400G", "mi300x", "4xmi300x*2", 8, 2, 4, 4, 50e9, 192e9},
        {"8xrtx-4090*2@1x10G", "rtx-4090", "8xrtx-4090*2", 16, 2, 1, 8, 1.25e9, 31.5e9},
        {"1xa100-pcie-80g", "a100-pcie-80g", "1xa100-pcie-80g", 1, 1, 1, 1, 25e9, 300e9},
        {"2xa100-pcie-80g", "a100-pcie-80g", "2xa100-pcie-80g", 2, 1, 1, 2, 25e9, 300e9},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct shortform form;
        diag_init(&diag, arena);
        struct topology topology = load_shipped(arena, rows[i].file, 0);
        cr_assert(shortform_parse(arena, rows[i].text, &form, &diag) == OK, "%s", rows[i].text);
        cr_assert(shortform_apply(arena, &form, &topology, &diag) == OK && diag.count == 0, "%s: %s", rows[i].text,
                  diag.count > 0 ? diag.entries[0].text : "");
        const struct node_type *node = topology_node(&topology, 0);
        const struct group *group = topology.groups.items;
        cr_expect_str_eq(topology.name, rows[i].name);
        cr_expect(topology_devices(&topology) == rows[i].devices && topology_node_count(&topology) == rows[i].nodes,
                  "%s: %lld devices", rows[i].text, (long long)topology_devices(&topology));
        cr_expect(node->nics.count == rows[i].nics && near_to(node->nics.rate, rows[i].rate), "%s: adapters",
                  rows[i].text);
        cr_expect(group->place.domain == rows[i].domain && near_to(node->scaleup.bandwidth, rows[i].bandwidth),
                  "%s: domain %lld", rows[i].text, (long long)group->place.domain);
    }
    arena_close(arena);
}

Test(shortform, refuses_to_apply) {
    static const struct {
        const char *text, *file, *piece;
    } rows[] = {
        {"8xmixed*4", "mixed-a100-v100", "several groups"},
        {"5xgb200*2", "gb200", "do not fit the scale-up domain"},
        {"16xv100-dgx1", "v100-dgx1", "cube mesh"},
        {"8xh100-sxm*9000000", "h100-sxm", "1 to 10000000"},
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct diag diag;
        struct shortform form;
        diag_init(&diag, arena);
        struct topology topology = load_shipped(arena, rows[i].file, 0);
        cr_assert(shortform_parse(arena, rows[i].text, &form, &diag) == OK, "%s", rows[i].text);
        cr_expect(shortform_apply(arena, &form, &topology, &diag) == STATUS_INVALID, "%s", rows[i].text);
        cr_expect(diag.count > 0 && strstr(diag.entries[0].text, rows[i].piece) != NULL, "%s: %s", rows[i].text,
                  diag.count > 0 ? diag.entries[0].text : "");
    }
    arena_close(arena);
}
