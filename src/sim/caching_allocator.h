/* The caching allocator of PyTorch (c10/cuda/CUDACachingAllocator.cpp) without a device: where blocks lie, what is
 * reserved. One stream. */
#ifndef PARPLAN_SIM_CACHING_ALLOCATOR_H
#define PARPLAN_SIM_CACHING_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct caching_allocator;

/* A part of a segment; in use, or free and in its pool's tree. */
struct memory_block {
    int64_t address, size;
    struct memory_block *before, *behind; /* neighbours in the segment */
    struct memory_block *left, *right;    /* the tree of free blocks; left: of dead ones */
    uint32_t priority;
    bool free, small;
};

struct caching_allocator *caching_allocator_open(struct arena *arena, bool expandable);
/* `bytes` > 0. */
struct memory_block *caching_allocator_take(struct caching_allocator *allocator, int64_t bytes);
void caching_allocator_return(struct caching_allocator *allocator, struct memory_block *block);
int64_t caching_allocator_reserved(const struct caching_allocator *allocator);
int64_t caching_allocator_segments(const struct caching_allocator *allocator);

#endif
