/* Topology documents: what loads can be drawn, scaled and routed. */
#include "fuzz_load.h"

#include "topology/draw.h"
#include "topology/route.h"
#include "topology/topology.h"

static enum status load(struct arena *arena, struct node *root, void *object, struct diag *diag) {
    return topology_load(arena, root, object, diag);
}

static void use(struct arena *arena, const struct topology *loaded) {
    struct topology topology = *loaded;
    struct text drawing;
    struct diag diag;
    text_init(&drawing, arena);
    draw_topology(&topology, 80, true, &drawing);
    PROMISE(topology_devices(&topology) >= 1 && topology_node_count(&topology) >= 1);
    diag_init(&diag, arena);
    enum status status = topology_scale(arena, &topology, 0, 64, &diag);
    PROMISE((status == OK) == (diag.errors == 0));
    int64_t devices = topology_devices(&topology);
    PROMISE(status != OK || devices == 64);
    for (int64_t size = 2; status == OK && size <= devices; size *= 2) {
        struct span span = route_span(&topology, devices / size, size);
        PROMISE(span.size == size && span.inner >= 1 && span.outer >= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct fuzz_kind kind = {"topology", topology_fields, sizeof(struct topology), load};
    struct arena *arena = arena_open(NULL, NULL);
    const struct topology *topology = fuzz_round(arena, &kind, data, size);
    if (topology != NULL) {
        use(arena, topology);
    }
    arena_close(arena);
    return 0;
}
