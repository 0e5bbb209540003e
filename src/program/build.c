/* Roles follow one another, so one flat array of each kind serves them all; arrays double in the arena. Waits and
 * effects may come in any order within a role and are sorted by counting when the program is closed:
 *
 *   builder_wait(7, 3)  builder_wait(4, 2)  builder_wait(7, 5)      ─►      waits  2 │ 3 5
 *                                                                 first_wait of 4 ┘ │ └ of 7
 *
 * Works are found again by a hash table with open addressing (Knuth, The Art of Computer Programming 3, section
 * 6.4). */
#include "program/build.h"

#include <string.h>

#include "base/arena.h"
#include "program/growing.h"

struct waiting {
    int32_t instruction, before;
};

struct builder {
    struct arena *arena;
    enum detail detail;
    struct parallel parallel;
    int64_t micro_batches;
    struct growing roles, instructions, works, stages, meetings, tensors, effects;
    struct growing waiting;       /* struct waiting, role by role */
    struct growing first_waiting; /* int64_t: of each role */
    int32_t *slots;               /* hash table: index of a work + 1, 0 = free */
    int64_t slot_count;           /* a power of two, at least twice the works */
};

struct builder *builder_open(struct arena *arena, enum detail detail, const struct parallel *parallel,
                             int64_t micro_batches) {
    struct builder *builder = ARENA_NEW(arena, struct builder);
    builder->arena = arena;
    builder->detail = detail;
    builder->parallel = *parallel;
    builder->micro_batches = micro_batches;
    growing_open(arena, &builder->roles, sizeof(struct role));
    growing_open(arena, &builder->instructions, sizeof(struct instruction));
    growing_open(arena, &builder->works, sizeof(struct work));
    growing_open(arena, &builder->stages, sizeof(struct stage));
    growing_open(arena, &builder->meetings, sizeof(struct meeting));
    growing_open(arena, &builder->tensors, sizeof(struct tensor));
    growing_open(arena, &builder->effects, sizeof(struct effect));
    growing_open(arena, &builder->waiting, sizeof(struct waiting));
    growing_open(arena, &builder->first_waiting, sizeof(int64_t));
    return builder;
}

static struct role *role_now(const struct builder *builder) {
    return growing_at(&builder->roles, builder->roles.count - 1);
}

void builder_role(struct builder *builder, int64_t pipeline_rank) {
    struct role *role = growing_add(builder->arena, &builder->roles);
    *role = (struct role){
        .pipeline_rank = pipeline_rank,
        .first = builder->instructions.count,
        .first_tensor = builder->tensors.count,
        .first_effect = builder->effects.count,
    };
    *(int64_t *)growing_add(builder->arena, &builder->first_waiting) = builder->waiting.count;
}

int32_t builder_add(struct builder *builder, const struct instruction *instruction) {
    struct instruction *added = growing_add(builder->arena, &builder->instructions);
    *added = *instruction;
    return (int32_t)role_now(builder)->count++;
}

struct instruction *builder_at(struct builder *builder, int64_t role, int32_t instruction) {
    const struct role *of = growing_at(&builder->roles, role);
    return growing_at(&builder->instructions, of->first + instruction);
}

void builder_wait(struct builder *builder, int32_t instruction, int32_t before) {
    const struct role *role = role_now(builder);
    if (before == NOTHING) {
        return;
    }
    const struct instruction *of_role = growing_at(&builder->instructions, role->first);
    if (before < instruction && of_role[before].stream == of_role[instruction].stream) {
        return;
    }
    struct waiting *waiting = growing_add(builder->arena, &builder->waiting);
    *waiting = (struct waiting){instruction, before};
}

enum { WORK_WORDS = 14 };

/* What makes works equal, without the padding of the struct. */
static void work_words(const struct work *work, uint64_t words[WORK_WORDS]) {
    const int64_t numbers[] = {work->kind,   work->action,     work->block,     work->layer_kind, work->stage,
                               work->other,  work->item,       work->pieces,    work->collective, work->axis,
                               work->size,   work->step};
    const double amounts[] = {work->bytes + 0.0, work->parameters + 0.0}; /* + 0.0: -0 is 0 */
    memcpy(words, numbers, sizeof numbers);
    memcpy(words + sizeof numbers / sizeof *words, amounts, sizeof amounts);
}

/* FNV-1a by words, its high bits mixed into the low ones that choose a slot. */
static uint64_t words_hash(const uint64_t words[WORK_WORDS]) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < WORK_WORDS; i++) {
        hash = (hash ^ words[i]) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    return hash ^ hash >> 32;
}

/* The slot of an equal work, or the free one where it belongs. */
static int32_t *work_slot(const struct builder *builder, const uint64_t words[WORK_WORDS]) {
    uint64_t mask = (uint64_t)builder->slot_count - 1;
    for (uint64_t at = words_hash(words) & mask;; at = (at + 1) & mask) {
        int32_t *slot = &builder->slots[at];
        if (*slot == 0) {
            return slot;
        }
        uint64_t others[WORK_WORDS];
        work_words(growing_at(&builder->works, *slot - 1), others);
        if (memcmp(words, others, sizeof others) == 0) {
            return slot;
        }
    }
}

static void slots_grow(struct builder *builder) {
    builder->slot_count = builder->slot_count ? 2 * builder->slot_count : 128;
    builder->slots = ARENA_ARRAY(builder->arena, int32_t, (size_t)builder->slot_count);
    for (int32_t i = 0; i < (int32_t)builder->works.count; i++) {
        uint64_t words[WORK_WORDS];
        work_words(growing_at(&builder->works, i), words);
        *work_slot(builder, words) = i + 1;
    }
}

int32_t builder_work(struct builder *builder, const struct work *work) {
    if (2 * (builder->works.count + 1) > builder->slot_count) {
        slots_grow(builder);
    }
    uint64_t words[WORK_WORDS];
    work_words(work, words);
    int32_t *slot = work_slot(builder, words);
    if (*slot == 0) {
        *(struct work *)growing_add(builder->arena, &builder->works) = *work;
        *slot = (int32_t)builder->works.count;
    }
    return *slot - 1;
}

int32_t builder_stage(struct builder *builder, const struct stage *stage) {
    *(struct stage *)growing_add(builder->arena, &builder->stages) = *stage;
    return (int32_t)(builder->stages.count - 1);
}

int32_t builder_meeting(struct builder *builder, const struct meeting *meeting) {
    *(struct meeting *)growing_add(builder->arena, &builder->meetings) = *meeting;
    return (int32_t)(builder->meetings.count - 1);
}

static void add_effect(struct builder *builder, int32_t instruction, int32_t tensor, bool frees) {
    if (instruction == NOTHING) {
        return;
    }
    struct effect *effect = growing_add(builder->arena, &builder->effects);
    *effect = (struct effect){instruction, tensor, frees};
    role_now(builder)->effect_count++;
}

int32_t builder_tensor(struct builder *builder, const struct tensor *tensor, int32_t allocates, int32_t frees) {
    *(struct tensor *)growing_add(builder->arena, &builder->tensors) = *tensor;
    int32_t index = (int32_t)role_now(builder)->tensor_count++;
    add_effect(builder, allocates, index, false);
    add_effect(builder, frees, index, true);
    return index;
}

void builder_free(struct builder *builder, int32_t tensor, int32_t frees) {
    add_effect(builder, frees, tensor, true);
}

void builder_link(struct builder *builder, int64_t from_role, int32_t send, int64_t to_role, int32_t receive) {
    struct instruction *from = builder_at(builder, from_role, send), *to = builder_at(builder, to_role, receive);
    from->peer = (uint16_t)to_role;
    from->partner = receive;
    to->peer = (uint16_t)from_role;
    to->partner = send;
}

/* Where each key's elements begin once sorted: first[key] up to before first[key + 1]. */
static int64_t *count_keys(struct arena *arena, int64_t keys) {
    return ARENA_ARRAY(arena, int64_t, (size_t)keys + 2);
}

static void sum_keys(int64_t *first, int64_t keys) {
    for (int64_t key = 0; key < keys; key++) {
        first[key + 1] += first[key];
    }
}

/* What an instruction waits for; of several on a stream only the last, which ends behind the others. Returns how many
 * are kept. */
static int64_t keep_waits(const struct instruction *of_role, int64_t count, const int32_t *befores, int64_t found,
                          int32_t *ret) {
    int32_t latest[STREAM_COUNT];
    int64_t kept = 0;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        latest[stream] = NOTHING;
    }
    for (int64_t i = 0; i < found; i++) {
        if (befores[i] < count && befores[i] > latest[of_role[befores[i]].stream]) {
            latest[of_role[befores[i]].stream] = befores[i];
        }
    }
    for (int64_t i = 0; i < found; i++) {
        int32_t *last = befores[i] < count ? &latest[of_role[befores[i]].stream] : NULL;
        if (!last || befores[i] == *last) {
            ret[kept++] = befores[i];
        }
        if (last && befores[i] == *last) {
            *last = NOTHING;
        }
    }
    return kept;
}

/* Sorts the waits of one role by instruction, in the order in which they were given, into `waits` from `used` on;
 * returns where they end. */
static int64_t close_waits(struct builder *builder, int64_t index, int32_t *waits, int64_t used) {
    const struct role *role = growing_at(&builder->roles, index);
    const int64_t *begins = growing_at(&builder->first_waiting, 0);
    int64_t end = index + 1 < builder->roles.count ? begins[index + 1] : builder->waiting.count;
    const struct waiting *waiting = growing_at(&builder->waiting, 0);
    struct instruction *of_role = growing_at(&builder->instructions, role->first);
    struct arena_place begin = arena_mark(builder->arena);
    int64_t *first = count_keys(builder->arena, role->count);
    int32_t *sorted = ARENA_ARRAY(builder->arena, int32_t, (size_t)(end - begins[index]));
    for (int64_t i = begins[index]; i < end; i++) {
        first[waiting[i].instruction + 2]++;
    }
    sum_keys(first, role->count + 1);
    for (int64_t i = begins[index]; i < end; i++) {
        sorted[first[waiting[i].instruction + 1]++] = waiting[i].before;
    }
    for (int64_t i = 0; i < role->count; i++) {
        of_role[i].first_wait = (int32_t)used;
        used += keep_waits(of_role, role->count, &sorted[first[i]], first[i + 1] - first[i], &waits[used]);
    }
    arena_rewind(builder->arena, begin);
    return used;
}

static void close_all_waits(struct builder *builder, struct program *ret) {
    int32_t *waits = ARENA_ARRAY(builder->arena, int32_t, (size_t)builder->waiting.count);
    int64_t used = 0;
    for (int64_t role = 0; role < builder->roles.count; role++) {
        used = close_waits(builder, role, waits, used);
    }
    ret->count = builder->instructions.count;
    struct instruction *end = growing_add(builder->arena, &builder->instructions);
    *end = (struct instruction){.work = NOTHING, .micro_batch = NOTHING, .stage = NOTHING, .layer = NOTHING,
                                .first_wait = (int32_t)used, .partner = NOTHING, .meeting = NOTHING};
    ret->waits = waits;
    ret->wait_count = used;
}

/* By instruction, allocations before frees, else in the order in which they were given. */
static void close_effects(struct builder *builder, const struct role *role) {
    struct effect *effects = growing_at(&builder->effects, role->first_effect);
    struct arena_place begin = arena_mark(builder->arena);
    int64_t *first = count_keys(builder->arena, 2 * role->count);
    struct effect *sorted = ARENA_ARRAY(builder->arena, struct effect, (size_t)role->effect_count);
    for (int64_t i = 0; i < role->effect_count; i++) {
        first[2 * (int64_t)effects[i].instruction + effects[i].frees + 1]++;
    }
    sum_keys(first, 2 * role->count);
    for (int64_t i = 0; i < role->effect_count; i++) {
        sorted[first[2 * (int64_t)effects[i].instruction + effects[i].frees]++] = effects[i];
    }
    if (role->effect_count > 0) {
        memcpy(effects, sorted, (size_t)role->effect_count * sizeof *effects);
    }
    arena_rewind(builder->arena, begin);
}

static void close_meetings(struct builder *builder) {
    struct meeting *meetings = growing_at(&builder->meetings, 0);
    const struct instruction *instructions = growing_at(&builder->instructions, 0);
    for (int64_t i = 0; i < builder->instructions.count; i++) {
        if (instructions[i].meeting != NOTHING) {
            meetings[instructions[i].meeting].members++;
        }
    }
}

static int64_t greatest_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* How many neighbours of a pipeline rank, counted tp fastest, then cp, then dp, are bound together by the collectives
 * within passes: all of tp and cp, and the data-parallel ranks that a group of experts reaches. Experts are numbered in
 * the mesh's order, where a data-parallel coordinate comes every `stride` ranks: groups of etp x ep and runs of
 * `stride` fall together every least common multiple of both. */
static int64_t lockstep_of(const struct parallel *parallel) {
    struct mesh mesh = mesh_make(parallel->tp, parallel->cp, parallel->dp, 1, parallel->ep, parallel->etp,
                                 (enum mesh_order)parallel->order);
    int64_t stride = mesh.axes[AXIS_DP].stride, experts = parallel->etp * parallel->ep;
    int64_t reach = experts / greatest_divisor(experts, stride);
    int64_t bound = parallel->dp % reach == 0 ? reach : parallel->dp;
    return parallel->tp * parallel->cp * bound;
}

void builder_close(struct builder *builder, struct program *ret) {
    const struct parallel *parallel = &builder->parallel;
    *ret = (struct program){
        .detail = builder->detail,
        .parallel = *parallel,
        .micro_batches = builder->micro_batches,
        .replicas = parallel->tp * parallel->cp * parallel->dp,
        .lockstep = builder->detail == DETAIL_OPERATION ? 1 : lockstep_of(parallel),
    };
    close_all_waits(builder, ret);
    for (int64_t role = 0; role < builder->roles.count; role++) {
        close_effects(builder, growing_at(&builder->roles, role));
    }
    close_meetings(builder);
    ret->roles = growing_at(&builder->roles, 0);
    ret->instructions = growing_at(&builder->instructions, 0);
    ret->works = growing_at(&builder->works, 0);
    ret->stages = growing_at(&builder->stages, 0);
    ret->meetings = growing_at(&builder->meetings, 0);
    ret->tensors = growing_at(&builder->tensors, 0);
    ret->effects = growing_at(&builder->effects, 0);
    ret->role_count = builder->roles.count;
    ret->work_count = builder->works.count;
    ret->stage_count = builder->stages.count;
    ret->meeting_count = builder->meetings.count;
    ret->tensor_count = builder->tensors.count;
    ret->effect_count = builder->effects.count;
}
