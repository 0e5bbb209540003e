/* The double binary tree: its shape for every n up to 1024. */
#include <criterion/criterion.h>

#include "collective/rate.h"
#include "collective/tree.h"

Test(tree, fourteen) {
    const struct {
        int64_t rank, parent, left, right;
    } rows[] = {{0, -1, 8, -1}, {8, 0, 4, 12}, {4, 8, 2, 6}, {12, 8, 10, 13}, {10, 12, 9, 11}, {13, 12, -1, -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tree_place place = tree_place(0, 14, rows[i].rank);
        cr_expect(place.parent == rows[i].parent && place.child[0] == rows[i].left && place.child[1] == rows[i].right,
                  "rank %lld: parent %lld, children %lld %lld", (long long)rows[i].rank, (long long)place.parent,
                  (long long)place.child[0], (long long)place.child[1]);
    }
    cr_expect(tree_place(0, 14, 9).depth == 4, "leaf 9 at depth %lld", (long long)tree_place(0, 14, 9).depth);
}

static int children(struct tree_place place) {
    return (place.child[0] >= 0) + (place.child[1] >= 0);
}

/* Parents and children agree, one root, depth = 1 + parent's. Returns the greatest depth. */
static int64_t check_tree(int tree, int64_t n) {
    int64_t deepest = 0;
    int roots = 0;
    for (int64_t rank = 0; rank < n; rank++) {
        struct tree_place place = tree_place(tree, n, rank);
        roots += place.parent < 0;
        deepest = place.depth > deepest ? place.depth : deepest;
        if (place.parent >= 0) {
            struct tree_place parent = tree_place(tree, n, place.parent);
            cr_assert(parent.child[0] == rank || parent.child[1] == rank,
                      "n %lld tree %d rank %lld: lost by its parent", (long long)n, tree, (long long)rank);
            cr_assert(place.depth == parent.depth + 1, "n %lld tree %d rank %lld: depth", (long long)n, tree,
                      (long long)rank);
        }
        for (int i = 0; i < 2; i++) {
            cr_assert(place.child[i] < n && (place.child[i] < 0 || tree_place(tree, n, place.child[i]).parent == rank),
                      "n %lld tree %d rank %lld: child %d", (long long)n, tree, (long long)rank, i);
        }
    }
    cr_assert(roots == 1, "n %lld tree %d: %d roots", (long long)n, tree, roots);
    return deepest;
}

Test(tree, every_size) {
    for (int64_t n = 2; n <= 1024; n++) {
        for (int tree = 0; tree < 2; tree++) {
            int64_t deepest = check_tree(tree, n);
            cr_assert(deepest == log2_ceil(n), "n %lld tree %d: depth %lld", (long long)n, tree, (long long)deepest);
        }
        double egress = 0;
        int shared = 0;
        for (int64_t rank = 0; rank < n; rank++) {
            struct tree_place first = tree_place(0, n, rank);
            struct tree_place second = tree_place(1, n, rank);
            shared += children(first) > 0 && children(second) > 0 && first.parent >= 0 && second.parent >= 0;
            double sent = 0.5 * ((first.parent >= 0) + (second.parent >= 0) + children(first) + children(second));
            egress = sent > egress ? sent : egress;
        }
        cr_assert(egress == double_tree_factor(n), "n %lld: egress %g, factor %g", (long long)n, egress,
                  double_tree_factor(n));
        cr_assert(shared <= n % 2, "n %lld: %d ranks interior in both trees", (long long)n, shared);
    }
}
