/* Every shipped topology loads without a diagnostic, and every block of numbers says where they come from. */
#include "load.h"
#include "topology/route.h"

Test(shipped, all_load_cleanly) {
    static const char *const wanted[] = {
        "a100-pcie-80g", "a100-sxm-40g", "a100-sxm-80g", "a800-sxm",  "ascend-910b", "b200-sxm",
        "b300-sxm",      "gb200-nvl72",  "gb300-nvl72",  "h100-pcie", "h100-sxm",    "h200-sxm",
        "h800-sxm",      "l40s",         "mi250x",       "mi300x",    "rtx-4090",    "mixed-a100-v100",
        "tpu-v4",        "tpu-v5p",      "v100-dgx1",    "v100-dgx2",
    };
    struct arena *arena = support_arena();
    const char *names[SHIPPED_MOST];
    size_t count = shipped_names(arena, names);
    for (size_t i = 0; i < ROWS(wanted); i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++) {
            found = found || strcmp(names[j], wanted[i]) == 0;
        }
        cr_expect(found, "%s is not shipped", wanted[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct topology topology = load_shipped(arena, names[i], 0);
        cr_expect_str_eq(topology.name, names[i]);
        cr_expect(topology_devices(&topology) > 1, "%s", names[i]);
    }
    arena_close(arena);
}

/* Adds up how many blocks that hold numbers lack a source; `places` names them. */
static void find_unsourced(const struct node *node, struct text *places) {
    static const char *const blocks[] = {"kernels", "scaleup", "nics",    "host",
                                         "fabric",  "library", "runtime", "reliability"};
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        bool block = node->key != NULL && (strcmp(node->key, "devices") == 0 || strcmp(node->key, "links") == 0);
        for (size_t i = 0; i < ROWS(blocks); i++) {
            block = block || (child->key != NULL && strcmp(child->key, blocks[i]) == 0);
        }
        const struct node *source = block ? node_find(child, "source") : NULL;
        if (block && (source == NULL || source->text == NULL || strlen(source->text) < 10)) {
            text_add_format(places, " %s:%u", child->mark.source->name, child->mark.line);
        }
        if (child->kind != NODE_SCALAR) {
            find_unsourced(child, places);
        }
    }
}

Test(shipped, every_block_has_a_source) {
    struct arena *arena = support_arena();
    const char *names[SHIPPED_MOST];
    size_t count = shipped_names(arena, names);
    for (size_t i = 0; i < count; i++) {
        struct diag diag;
        struct text places;
        diag_init(&diag, arena);
        text_init(&places, arena);
        text_add(&places, "");
        find_unsourced(shipped_document(arena, names[i], &diag), &places);
        cr_expect(places.size == 0, "%s: no source at%s", names[i], places.data);
        struct topology topology = load_shipped(arena, names[i], 0);
        cr_expect(strlen(topology.library.source) > 0 && strlen(topology.runtime.source) > 0, "%s", names[i]);
        cr_expect(topology.source != NULL, "%s", names[i]);
    }
    arena_close(arena);
}

/* What must hold of any span on any machine. */
static void check_span(const char *name, const struct topology *topology, int64_t stride, int64_t size) {
    struct span span = route_span(topology, stride, size);
    struct link hop = route_hop(topology, stride, size);
    bool counts = span.inner >= 1 && span.outer >= 1 && span.inner <= span.domain && span.size == size &&
                  span.inner * span.outer >= size && (span.outer > 1 || span.inner == size);
    bool inner = span.inner_rate > 0 && span.inner_rate <= span.inner_port && span.inner_exchange > 0 &&
                 span.inner_exchange <= span.inner_port && span.pair_rate > 0 && span.inner_steps >= 0 &&
                 span.inner_latency > 0;
    bool outer = span.outer == 1 || (span.outer_rate > 0 && span.outer_exchange > 0 && span.outer_latency > 0 &&
                                     span.outer_exchange <= span.outer_rate * 1.000001);
    bool link = hop.rate > 0 && hop.latency > 0;
    cr_expect(counts && inner && outer && link,
              "%s: stride %lld size %lld: inner %lld outer %lld, %g %g %g, %g %g, hop %g", name, (long long)stride,
              (long long)size, (long long)span.inner, (long long)span.outer, span.inner_port, span.inner_rate,
              span.inner_exchange, span.outer_rate, span.outer_exchange, hop.rate);
}

Test(shipped, spans_are_sane_everywhere) {
    struct arena *arena = support_arena();
    const char *names[SHIPPED_MOST];
    size_t count = shipped_names(arena, names);
    for (size_t i = 0; i < count; i++) {
        for (int64_t times = 1; times <= 64; times *= 8) {
            struct topology topology = load_shipped(arena, names[i], 0);
            int64_t devices = topology_devices(&topology) * times;
            topology = load_shipped(arena, names[i], topology.groups.count == 1 ? devices : 0);
            devices = topology_devices(&topology);
            for (int64_t stride = 1; stride < devices; stride++) {
                for (int64_t size = 2; devices % stride == 0 && size <= devices / stride; size++) {
                    if (devices / stride % size == 0) {
                        check_span(names[i], &topology, stride, size);
                    }
                }
            }
        }
    }
    arena_close(arena);
}
