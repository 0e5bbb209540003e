/* route_lie against counting: every group of a layout, on blocks of every size. */
#include "load.h"
#include "topology/route.h"

/* Blocks that the group beginning at `first` touches, and members in the fullest. */
static struct lie count_group(int64_t origin, int64_t first, int64_t stride, int64_t size, int64_t block) {
    struct lie lie = {0, 0};
    int64_t before = -1, members = 0;
    for (int64_t i = 0; i < size; i++) {
        int64_t at = (first + i * stride - origin + 1000 * block) / block;
        members = at == before ? members + 1 : 1;
        lie.outer += at == before ? 0 : 1;
        lie.inner = members > lie.inner ? members : lie.inner;
        before = at;
    }
    return lie;
}

/* The worst group of those that meet the place: most blocks, then fewest members together. */
static struct lie count_worst(const struct group_place *place, int64_t stride, int64_t size, int64_t block) {
    struct lie worst = {size, 1};
    int64_t length = stride * size;
    for (int64_t begin = 0; begin + length <= place->cluster; begin += length) {
        if (begin + length <= place->first || begin >= place->first + place->devices) {
            continue;
        }
        for (int64_t o = 0; o < stride; o++) {
            struct lie lie = count_group(place->first, begin + o, stride, size, block);
            if (lie.outer > worst.outer || (lie.outer == worst.outer && lie.inner < worst.inner)) {
                worst = lie;
            }
        }
    }
    return worst;
}

Test(lie, equals_counting) {
    static const struct group_place places[] = {
        {.first = 0, .devices = 96, .cluster = 96},
        {.first = 0, .devices = 72, .cluster = 120},
        {.first = 72, .devices = 48, .cluster = 120},
    };
    for (size_t p = 0; p < ROWS(places); p++) {
        const struct group_place *place = &places[p];
        for (int64_t stride = 1; stride <= place->cluster; stride++) {
            for (int64_t size = 2; stride * size <= place->cluster; size++) {
                for (int64_t block = 2; place->cluster % (stride * size) == 0 && block <= 24; block++) {
                    struct lie lie = route_lie(place, stride, size, block);
                    struct lie truth = count_worst(place, stride, size, block);
                    bool uniform = block % stride == 0 && (block % (stride * size) == 0 || stride * size % block == 0);
                    cr_assert(lie.outer == truth.outer && lie.inner * lie.outer >= size &&
                                  (lie.inner == truth.inner || (!uniform && lie.inner > truth.inner)),
                              "place %zu stride %lld size %lld block %lld: %lld x %lld, counted %lld x %lld", p,
                              (long long)stride, (long long)size, (long long)block, (long long)lie.inner,
                              (long long)lie.outer, (long long)truth.inner, (long long)truth.outer);
                }
            }
        }
    }
}

Test(lie, corners) {
    static const struct group_place place = {.first = 0, .devices = 64, .cluster = 64};
    static const struct {
        const char *what;
        int64_t stride, size, block, inner, outer;
    } rows[] = {
        {"one member", 1, 1, 8, 1, 1},
        {"a node", 1, 8, 8, 8, 1},
        {"every second device of a node", 2, 4, 8, 4, 1},
        {"one of each node", 8, 8, 8, 1, 8},
        {"two of each node", 4, 16, 8, 2, 8},
        {"everything", 1, 64, 8, 8, 8},
        {"blocks of one", 1, 8, 1, 1, 8},
        {"larger than the cluster", 1, 128, 8, 8, 16},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct lie lie = route_lie(&place, rows[i].stride, rows[i].size, rows[i].block);
        cr_expect(lie.inner == rows[i].inner && lie.outer == rows[i].outer, "%s: %lld x %lld", rows[i].what,
                  (long long)lie.inner, (long long)lie.outer);
    }
}
