/* Free blocks of a pool, ordered by size and then address, are a treap (Seidel & Aragon 1996, "Randomized search
 * trees"): taking the best fit and putting back take O(log n).
 *
 *   request     rounded to 512 B; up to 1 MiB: small pool, else large pool
 *   best fit    the smallest block that is large enough, the lowest of equals; what is left over of it is split off
 * when
 *               it can serve again: from 512 B on in the small pool, over 1 MiB in the large one
 *   no fit      a new segment: 2 MiB small, 20 MiB up to 10 MiB, else the request rounded to 2 MiB
 *   expandable  each pool has one segment that grows at its end by pages of 2 and 20 MiB; a free block at the end is
 *               taken last, as it may still grow; anything from 512 B on is split off
 *   return      merges with free neighbours; segments stay */
#include "sim/caching_allocator.h"

#include "base/arena.h"
#include "base/random.h"

static const int64_t MIB = 1 << 20;
enum { BLOCK_UNIT = 512 };

struct pool {
    struct memory_block *root;
    struct memory_block *end; /* expandable: the last block of the segment */
};

struct caching_allocator {
    struct arena *arena;
    struct random random;
    bool expandable;
    struct pool pools[2]; /* large, small */
    struct memory_block *dead;
    int64_t next_address, reserved, segments;
};

struct caching_allocator *caching_allocator_open(struct arena *arena, bool expandable) {
    struct caching_allocator *allocator = ARENA_NEW(arena, struct caching_allocator);
    allocator->arena = arena;
    allocator->expandable = expandable;
    random_stream(&allocator->random, 0, "allocator", 0);
    return allocator;
}

int64_t caching_allocator_reserved(const struct caching_allocator *allocator) {
    return allocator->reserved;
}

int64_t caching_allocator_segments(const struct caching_allocator *allocator) {
    return allocator->segments;
}

static int64_t round_up(int64_t size, int64_t unit) {
    return (size + unit - 1) / unit * unit;
}

static bool is_less(const struct memory_block *a, const struct memory_block *b) {
    return a->size != b->size ? a->size < b->size : a->address < b->address;
}

static struct memory_block *tree_join(struct memory_block *less, struct memory_block *more) {
    if (less == NULL || more == NULL) {
        return less == NULL ? more : less;
    }
    if (less->priority > more->priority) {
        less->right = tree_join(less->right, more);
        return less;
    }
    more->left = tree_join(less, more->left);
    return more;
}

/* Parts the tree into what is less than the block and the rest. */
static void tree_part(struct memory_block *root, const struct memory_block *at, struct memory_block **less,
                      struct memory_block **more) {
    while (root != NULL) {
        if (is_less(root, at)) {
            *less = root;
            less = &root->right;
            root = root->right;
        } else {
            *more = root;
            more = &root->left;
            root = root->left;
        }
    }
    *less = *more = NULL;
}

static struct pool *pool_of(struct caching_allocator *allocator, bool small) {
    return &allocator->pools[small ? 1 : 0];
}

static void pool_put(struct caching_allocator *allocator, struct memory_block *block) {
    struct memory_block **place = &pool_of(allocator, block->small)->root;
    while (*place != NULL && (*place)->priority >= block->priority) {
        place = is_less(*place, block) ? &(*place)->right : &(*place)->left;
    }
    tree_part(*place, block, &block->left, &block->right);
    *place = block;
    block->free = true;
}

static void pool_remove(struct caching_allocator *allocator, struct memory_block *block) {
    struct memory_block **place = &pool_of(allocator, block->small)->root;
    while (*place != block) {
        place = is_less(*place, block) ? &(*place)->right : &(*place)->left;
    }
    *place = tree_join(block->left, block->right);
    block->free = false;
}

/* The least free block that is not less than (size, address), NULL. */
static struct memory_block *pool_find(const struct pool *pool, int64_t size, int64_t address) {
    const struct memory_block at = {.size = size, .address = address};
    struct memory_block *found = NULL;
    for (struct memory_block *block = pool->root; block != NULL;) {
        bool less = is_less(block, &at);
        found = less ? found : block;
        block = less ? block->right : block->left;
    }
    return found;
}

static struct memory_block *block_new(struct caching_allocator *allocator, bool small, int64_t address, int64_t size) {
    struct memory_block *block = allocator->dead;
    if (block != NULL) {
        allocator->dead = block->left;
    } else {
        block = ARENA_NEW(allocator->arena, struct memory_block);
    }
    *block = (struct memory_block){
        .address = address, .size = size, .small = small, .priority = random_next(&allocator->random)};
    return block;
}

/* Address space of a segment that grows: more than any device has. */
static const int64_t SPACE = INT64_C(1) << 50;

/* The growing segment of a pool, longer by whole pages so that its last block is free and has `size`. */
static struct memory_block *segment_grow(struct caching_allocator *allocator, bool small, int64_t size) {
    struct pool *pool = pool_of(allocator, small);
    struct memory_block *end = pool->end;
    if (end != NULL && end->free) {
        pool_remove(allocator, end);
    } else {
        int64_t address = end != NULL ? end->address + end->size : small ? SPACE : 0;
        struct memory_block *block = block_new(allocator, small, address, 0);
        block->before = end;
        if (end != NULL) {
            end->behind = block;
        } else {
            allocator->segments++;
        }
        pool->end = end = block;
    }
    int64_t more = round_up(size - end->size, small ? 2 * MIB : 20 * MIB);
    end->size += more;
    allocator->reserved += more;
    return end;
}

static struct memory_block *segment_new(struct caching_allocator *allocator, bool small, int64_t size) {
    int64_t bytes = small ? 2 * MIB : size < 10 * MIB ? 20 * MIB : round_up(size, 2 * MIB);
    struct memory_block *block = block_new(allocator, small, allocator->next_address, bytes);
    allocator->next_address += bytes;
    allocator->reserved += bytes;
    allocator->segments++;
    return block;
}

/* A free block of at least `size`, out of its pool. */
static struct memory_block *find_block(struct caching_allocator *allocator, bool small, int64_t size) {
    struct pool *pool = pool_of(allocator, small);
    struct memory_block *block = pool_find(pool, size, 0);
    if (block != NULL && allocator->expandable && block == pool->end) {
        struct memory_block *next = pool_find(pool, block->size, block->address + 1);
        block = next != NULL ? next : block;
    }
    if (block != NULL) {
        pool_remove(allocator, block);
        return block;
    }
    return allocator->expandable ? segment_grow(allocator, small, size) : segment_new(allocator, small, size);
}

static void split(struct caching_allocator *allocator, struct memory_block *block, int64_t size) {
    struct memory_block *rest =
        block_new(allocator, block->small, block->address + size, block->size - size);
    rest->before = block;
    rest->behind = block->behind;
    if (rest->behind != NULL) {
        rest->behind->before = rest;
    }
    block->behind = rest;
    block->size = size;
    struct pool *pool = pool_of(allocator, block->small);
    pool->end = pool->end == block ? rest : pool->end;
    pool_put(allocator, rest);
}

struct memory_block *caching_allocator_take(struct caching_allocator *allocator, int64_t bytes) {
    int64_t size = round_up(bytes, BLOCK_UNIT);
    bool small = size <= MIB;
    struct memory_block *block = find_block(allocator, small, size);
    int64_t left = block->size - size;
    if (small || allocator->expandable ? left >= BLOCK_UNIT : left > MIB) {
        split(allocator, block, size);
    }
    return block;
}

/* `block` takes over its free neighbour behind it. */
static void merge(struct caching_allocator *allocator, struct memory_block *block) {
    struct memory_block *behind = block->behind;
    struct pool *pool = pool_of(allocator, block->small);
    block->size += behind->size;
    block->behind = behind->behind;
    if (block->behind != NULL) {
        block->behind->before = block;
    }
    pool->end = pool->end == behind ? block : pool->end;
    behind->left = allocator->dead;
    allocator->dead = behind;
}

void caching_allocator_return(struct caching_allocator *allocator, struct memory_block *block) {
    if (block->behind != NULL && block->behind->free) {
        pool_remove(allocator, block->behind);
        merge(allocator, block);
    }
    if (block->before != NULL && block->before->free) {
        block = block->before;
        pool_remove(allocator, block);
        merge(allocator, block);
    }
    pool_put(allocator, block);
}
