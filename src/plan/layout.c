/* The conversion table of layout.h. */
#include "plan/layout.h"

#include <stddef.h>

bool layout_convert(struct layout from, struct layout to, struct conversion *ret) {
    *ret = (struct conversion){false, COLLECTIVE_ALL_REDUCE};
    if (to.kind == LAYOUT_PARTIAL) {
        return from.kind != LAYOUT_SPLIT; /* a replicated tensor only needs scaling */
    }
    switch (from.kind) {
    case LAYOUT_REPLICATED:
        return true; /* a copy or a local slice */
    case LAYOUT_SPLIT:
        if (to.kind == LAYOUT_SPLIT) {
            *ret = (struct conversion){from.dim != to.dim, COLLECTIVE_ALL_TO_ALL};
        } else {
            *ret = (struct conversion){true, COLLECTIVE_ALL_GATHER};
        }
        return true;
    case LAYOUT_PARTIAL:
        *ret = (struct conversion){true, to.kind == LAYOUT_SPLIT ? COLLECTIVE_REDUCE_SCATTER : COLLECTIVE_ALL_REDUCE};
        return true;
    }
    return false;
}

struct layout layout_gradient(struct layout layout) {
    switch (layout.kind) {
    case LAYOUT_REPLICATED:
        return (struct layout){LAYOUT_PARTIAL, DIM_NONE};
    case LAYOUT_PARTIAL:
        return (struct layout){LAYOUT_REPLICATED, DIM_NONE};
    case LAYOUT_SPLIT:
        break;
    }
    return layout;
}

const char *layout_text(struct layout layout) {
    static const char *const splits[] = {"split", "split(sequence)", "split(head)", "split(feature)", "split(expert)",
                                         "split(parameter)", "split(vocabulary)"};
    switch (layout.kind) {
    case LAYOUT_REPLICATED:
        return "replicated";
    case LAYOUT_PARTIAL:
        return "partial";
    case LAYOUT_SPLIT:
        return splits[layout.dim];
    }
    return NULL;
}
