/* The rules of the document: what is refused, with the place; what is warned of; what is filled in. */
#include "load.h"

#define NODE                                                                                                           \
    "nodes:\n  - {name: n, device: d, count: 8, scaleup: {bandwidth: 450GB/s}, nics: {count: 8, rate: 400Gbit/s}}\n"
#define SCALEUP(fields) HEAD "nodes:\n  - {name: n, device: d, count: 8, scaleup: {bandwidth: 450GB/s, " fields "}}\n"
#define NICS(fields)                                                                                                   \
    HEAD "nodes:\n  - {name: n, device: d, count: 8, scaleup: {bandwidth: 450GB/s}, nics: {" fields "}}\n"
#define DEVICES(fields) "schema: parplan/topology/v1\nname: t\ndevices:\n  - {name: d, sms: 100, " fields "}\n" NODE
#define GOOD "memory: 80GiB, hbm_bandwidth: 2TB/s, peak: {bf16: 300TFLOP/s}"

struct rule {
    const char *what, *text;
    enum severity severity;
    unsigned line;
    const char *piece, *help; /* of the first diagnostic */
};

static const struct rule rules[] = {
    {"unknown device", HEAD "nodes:\n  - {name: n, device: dd, count: 8, scaleup: {bandwidth: 450GB/s}}\n",
     SEVERITY_ERROR, 6, "device: nothing in this document is named dd", "did you mean d?"},
    {"device twice", HEAD DEVICE NODE, SEVERITY_ERROR, 5, "two elements are called 'd'", NULL},
    {"node twice", HEAD NODE "  - {name: n, device: d, count: 1, scaleup: {bandwidth: 450GB/s}}\n", SEVERITY_ERROR, 7,
     "nodes: two elements are called 'n'", NULL},
    {"unknown node", HEAD NODE "groups:\n  - {name: g, node: nn, count: 2}\n", SEVERITY_ERROR, 8,
     "node: nothing in this document is named nn", "did you mean n?"},
    {"group twice", HEAD NODE "groups:\n  - {name: g, node: n}\n  - {name: g, node: n}\n", SEVERITY_ERROR, 9,
     "groups: two elements are called 'g'", NULL},
    {"empty name", HEAD NODE "groups:\n  - {name: '', node: n}\n", SEVERITY_ERROR, 8, "groups: an empty name", NULL},
    {"no devices", "schema: parplan/topology/v1\nname: t\ndevices: []\n" NODE, SEVERITY_ERROR, 4, "at least one", NULL},
    {"10^19 nodes", HEAD NODE "groups:\n  - {name: g, node: n, count: 10000000000000000000}\n", SEVERITY_ERROR, 8,
     "count", NULL},
    {"ten million nodes of 8", HEAD NODE "groups:\n  - {name: g, node: n, count: 10000000}\n", SEVERITY_ERROR, 8,
     "a cluster has 1 to 10000000 devices", NULL},
    {"no nodes", HEAD NODE "groups:\n  - {name: g, node: n, count: 0}\n", SEVERITY_ERROR, 8, "count", NULL},
    {"negative", HEAD NODE "groups:\n  - {name: g, node: n, count: -1}\n", SEVERITY_ERROR, 8, "count", NULL},
    {"several nodes without a network",
     HEAD "nodes:\n  - {name: n, device: d, count: 8, scaleup: {bandwidth: 450GB/s}}\n"
          "groups:\n  - {name: g, node: n, count: 2}\n",
     SEVERITY_ERROR, 8, "no network adapters", "add `nics"},
    {"domain of 3 in 8", SCALEUP("domain: 3"), SEVERITY_ERROR, 6, "neither a part nor a multiple", NULL},
    {"domain of 12 over 8", SCALEUP("domain: 12"), SEVERITY_ERROR, 6, "neither a part nor a multiple", NULL},
    {"cube mesh of 16", SCALEUP("kind: cube_mesh, domain: 16"), SEVERITY_ERROR, 6, "at most 8", NULL},
    {"mesh of one", SCALEUP("kind: mesh, domain: 1"), SEVERITY_ERROR, 6, "at least 2", NULL},
    {"dims without torus", SCALEUP("dims: [2, 4]"), SEVERITY_ERROR, 6, "only a torus", NULL},
    {"dims that do not make the domain", SCALEUP("kind: torus, domain: 8, dims: [4, 4]"), SEVERITY_ERROR, 6,
     "they make 16 devices, the domain has 8", NULL},
    {"dims past the limit", SCALEUP("kind: torus, dims: [10000, 10000, 10000]"), SEVERITY_ERROR, 6, "axis 1", NULL},
    {"five axes", SCALEUP("kind: torus, dims: [2, 2, 2, 2, 2]"), SEVERITY_ERROR, 6, "5 axes", NULL},
    {"adapters without a rate", NICS("count: 8"), SEVERITY_ERROR, 6, "without a rate", "add rate"},
    {"unknown transport", NICS("count: 8, rate: 400Gbit/s, transport: rocee"), SEVERITY_ERROR, 6, "rocee is none of",
     "did you mean roce?"},
    {"bytes for bits", NICS("count: 8, rate: 400GB/s"), SEVERITY_WARNING, 6, "rate: 400 GB/s for one adapter",
     "did you mean 400Gbit/s?"},
    {"a slow adapter", NICS("count: 8, rate: 1MB/s"), SEVERITY_WARNING, 6, "only 1.00 MB/s", NULL},
    {"bits for bytes", HEAD "nodes:\n  - {name: n, device: d, count: 8, scaleup: {bandwidth: 450Gbit/s}}\n",
     SEVERITY_WARNING, 6, "scale-up switch", "did you mean 450GB/s?"},
    {"a bare number", NICS("count: 8, rate: 400"), SEVERITY_ERROR, 6, "rate", NULL},
    {"an efficiency of 95", NICS("count: 8, rate: 400Gbit/s, efficiency: 95"), SEVERITY_ERROR, 6, "efficiency", NULL},
    {"no peak", DEVICES("memory: 80GiB, hbm_bandwidth: 2TB/s, peak: {}"), SEVERITY_ERROR, 4, "computes in no type",
     "give at least one"},
    {"PFLOP/s for TFLOP/s", DEVICES("memory: 80GiB, hbm_bandwidth: 2TB/s, peak: {bf16: 312PFLOP/s}"), SEVERITY_WARNING,
     4, "over 100PFLOP/s", NULL},
    {"80MiB of memory",
     DEVICES("memory: 80MiB, hbm_bandwidth: 2TB/s, peak: {bf16: 1TFLOP/s}, context: 1MiB, "
             "workspace: 1MiB"),
     SEVERITY_WARNING, 4, "memory: 80", NULL},
    {"more usable than there is", DEVICES(GOOD ", memory_usable: 81GiB"), SEVERITY_ERROR, 4, "more than the memory",
     NULL},
    {"a context as large as the memory", DEVICES(GOOD ", context: 80GiB"), SEVERITY_ERROR, 4, "nothing is left", NULL},
    {"GB/s for TB/s", DEVICES("memory: 80GiB, hbm_bandwidth: 2GB/s, peak: {bf16: 300TFLOP/s}"), SEVERITY_WARNING, 4,
     "hbm_bandwidth: 2.00 GB/s", NULL},
    {"tiers out of order",
     HEAD NODE "fabric:\n  tiers:\n    - {name: a, nodes: 32}\n    - {name: b, nodes: 16}\n    - {name: c}\n",
     SEVERITY_ERROR, 9, "does not fit", NULL},
    {"a tier above all", HEAD NODE "fabric:\n  tiers:\n    - {name: a}\n    - {name: b}\n", SEVERITY_ERROR, 9,
     "it holds all nodes", NULL},
    {"tier twice", HEAD NODE "fabric:\n  tiers:\n    - {name: a, nodes: 4}\n    - {name: a}\n", SEVERITY_ERROR, 10,
     "two elements are called 'a'", NULL},
    {"link to nowhere",
     HEAD NODE "groups:\n  - {name: pod0, node: n}\nlinks:\n  - {from: pod0, to: pod1, bandwidth: 1GB/s}\n",
     SEVERITY_ERROR, 10, "to: nothing in this document is named pod1", "did you mean pod0?"},
    {"link to itself", HEAD NODE "links:\n  - {from: n, to: n, bandwidth: 1GB/s}\n", SEVERITY_ERROR, 8, "to itself",
     NULL},
    {"linked twice",
     HEAD NODE "groups:\n  - {name: g, node: n}\n  - {name: h, node: n}\nlinks:\n"
               "  - {from: g, to: h, bandwidth: 1GB/s}\n  - {from: h, to: g, bandwidth: 1GB/s}\n",
     SEVERITY_ERROR, 12, "linked twice", NULL},
    {"two networks without a link",
     HEAD NODE "  - {name: m, device: d, count: 8, scaleup: {bandwidth: 450GB/s}, nics: {count: 8, rate: 1GB/s, "
               "transport: roce}}\n",
     SEVERITY_WARNING, 7, "different networks (ib, roce)", "add links: [{from: n, to: m"},
    {"unknown key", HEAD NODE "fabrick: {}\n", SEVERITY_ERROR, 7, "fabrick", NULL},
    {"no schema", "name: t\n", SEVERITY_ERROR, 1, "schema", NULL},
};

Test(rules, say_what_is_wrong_and_where) {
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rules); i++) {
        const struct rule *rule = &rules[i];
        struct diag diag;
        struct topology topology;
        enum status status = load_text(arena, rule->text, &topology, &diag);
        enum status expected = rule->severity == SEVERITY_ERROR ? STATUS_INVALID : OK;
        cr_assert(status == expected && diag.count > 0, "%s: status %d, %zu diagnostics: %s", rule->what, (int)status,
                  diag.count, diag.count > 0 ? diag.entries[0].text : "");
        const struct diag_entry *entry = &diag.entries[0];
        cr_expect(entry->severity == rule->severity && strstr(entry->text, rule->piece) != NULL, "%s: %s", rule->what,
                  entry->text);
        cr_expect(entry->mark.line == rule->line, "%s: line %u", rule->what, entry->mark.line);
        cr_expect(rule->help == NULL || (entry->help != NULL && strstr(entry->help, rule->help) != NULL), "%s: help %s",
                  rule->what, entry->help != NULL ? entry->help : "is missing");
    }
    arena_close(arena);
}

Test(rules, all_errors_in_one_pass) {
    struct arena *arena = support_arena();
    struct diag diag;
    struct topology topology;
    enum status status =
        load_text(arena,
                  HEAD "nodes:\n  - {name: n, device: x, count: 8, scaleup: {bandwidth: 450GB/s, domain: 3}, "
                       "nics: {count: 1}}\ngroups:\n  - {name: g, node: y}\n",
                  &topology, &diag);
    cr_expect(status == STATUS_INVALID && diag.errors == 4, "%zu errors", diag.errors);
    arena_close(arena);
}

Test(rules, defaults) {
    struct arena *arena = support_arena();
    struct topology topology = load_clean(arena, HEAD NODE);
    const struct group *group = topology.groups.items;
    cr_expect(topology.groups.count == 1 && group->count == 1 && group->derate == 1);
    cr_expect_str_eq(group->name, "n");
    cr_expect(group->place.domain == 8 && topology_devices(&topology) == 8);
    cr_expect(topology_is_uniform(&topology) && topology_slowest(&topology, DTYPE_BF16) == 0);
    cr_expect(topology.library.channels == 16 && topology.library.buffer == 4 << 20);
    cr_expect(topology_node(&topology, 0)->scaleup.kind == SCALEUP_SWITCH);
    cr_expect(topology_node(&topology, 0)->nics.rdma && topology_node(&topology, 0)->scaleup.peer_to_peer);
    topology = load_clean(arena, SCALEUP("kind: pairs"));
    cr_expect(((const struct group *)topology.groups.items)->place.domain == 2);
    topology = load_clean(arena, SCALEUP("kind: torus, dims: [2, 4]"));
    group = topology.groups.items;
    cr_expect(group->place.domain == 8 && group->place.dims[0] == 2 && group->place.dims[1] == 4);
    arena_close(arena);
}

Test(rules, derates_make_clusters_uneven) {
    struct arena *arena = support_arena();
    struct topology topology =
        load_clean(arena, HEAD NODE
                   "groups:\n  - {name: g, node: n}\n  - {name: h, node: n, derate: 0.97}\n  - {name: i, node: n}\n");
    cr_expect_not(topology_is_uniform(&topology));
    cr_expect(topology_slowest(&topology, DTYPE_BF16) == 1);
    arena_close(arena);
}
