/* A crit-bit tree (D. J. Bernstein, "Crit-bit trees", https://cr.yp.to/critbit.html): an inner branch holds the first
 * bit in which the names below it differ, a leaf holds a name.
 *
 *            byte 2, bit 4
 *           0 /         \ 1
 *          "moe"    byte 3, bit 0
 *                   0 /      \ 1
 *                "moves"   "movie"
 */
#include "yaml/names.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

struct name_branch {
    struct name name;             /* leaf: text is not NULL */
    struct name_branch *child[2]; /* inner branch */
    size_t byte;
    unsigned char bit; /* a mask */
};

void names_init(struct names *names, struct arena *arena) {
    *names = (struct names){.arena = arena};
}

/* Which child a name belongs to. Names shorter than the byte asked for have zeros there. */
static int branch_side(const struct name_branch *branch, const char *text, size_t size) {
    return branch->byte < size && ((unsigned char)text[branch->byte] & branch->bit) != 0;
}

static struct name_branch *names_nearest(const struct names *names, const char *text, size_t size) {
    struct name_branch *branch = names->root;
    while (branch->name.text == NULL) {
        branch = branch->child[branch_side(branch, text, size)];
    }
    return branch;
}

struct name *names_find(const struct names *names, const char *text) {
    if (names->root == NULL) {
        return NULL;
    }
    struct name_branch *leaf = names_nearest(names, text, strlen(text));
    return strcmp(leaf->name.text, text) == 0 ? &leaf->name : NULL;
}

static struct name_branch *names_leaf(struct names *names, const char *text) {
    struct name_branch *leaf = ARENA_NEW(names->arena, struct name_branch);
    leaf->name.text = text;
    return leaf;
}

/* Whether branch a asks for an earlier bit than b. */
static bool branch_before(const struct name_branch *a, const struct name_branch *b) {
    return a->byte < b->byte || (a->byte == b->byte && a->bit > b->bit);
}

struct name *names_add(struct names *names, const char *text) {
    if (names->root == NULL) {
        names->root = names_leaf(names, text);
        return &names->root->name;
    }
    size_t size = strlen(text);
    struct name_branch *nearest = names_nearest(names, text, size);
    size_t byte = 0;
    while (text[byte] == nearest->name.text[byte] && text[byte] != '\0') {
        byte++;
    }
    unsigned differ = (unsigned char)text[byte] ^ (unsigned)(unsigned char)nearest->name.text[byte];
    if (differ == 0) {
        return &nearest->name;
    }
    unsigned char bit = 0x80;
    while ((differ & bit) == 0) {
        bit = (unsigned char)(bit >> 1);
    }
    struct name_branch *inner = ARENA_NEW(names->arena, struct name_branch);
    *inner = (struct name_branch){.byte = byte, .bit = bit};
    struct name_branch **link = &names->root;
    while ((*link)->name.text == NULL && branch_before(*link, inner)) {
        link = &(*link)->child[branch_side(*link, text, size)];
    }
    struct name_branch *leaf = names_leaf(names, text);
    int side = branch_side(inner, text, size);
    inner->child[side] = leaf;
    inner->child[1 - side] = *link;
    *link = inner;
    return &leaf->name;
}
