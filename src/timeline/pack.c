/* What most slices have in common is written once: a shape is everything of a slice but its time and micro-batch.
 * Numbers are differences, so that the steady part of a step repeats itself and gzip makes little of it. Where that is
 * still too long, slices are joined (timeline/blocks.h) by ever longer quanta. */
#include "timeline/pack.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "timeline/blocks.h"
#include "timeline/varints.h"
#include "timeline/write.h"

enum { SHAPE_PARTS = 5, POINTS_MOST = 2048 };

struct shape {
    uint64_t parts[SHAPE_PARTS];
};

/* Shapes met so far, found by open addressing. */
struct shapes {
    struct shape *items;
    int64_t *table; /* index + 1; 0: empty */
    uint64_t count, room; /* room: of the table, a power of two */
};

struct packing {
    struct view view;
    struct arena *arena;
    struct block *blocks; /* of all lanes */
    int32_t *places;      /* of slices: their block's; -1: it joins others */
    struct shapes shapes;
    struct text numbers;  /* varints */
    struct text zipped;
    int64_t quantum;
    double *scales;       /* of counters */
};

static void shapes_open(struct shapes *shapes, struct arena *arena, int64_t most) {
    shapes->count = 0;
    for (shapes->room = 16; shapes->room < 2 * (uint64_t)most; shapes->room *= 2) {
    }
    shapes->table = ARENA_ARRAY(arena, int64_t, shapes->room);
    shapes->items = ARENA_ARRAY(arena, struct shape, (size_t)most);
}

static uint64_t shapes_find(struct shapes *shapes, const struct shape *shape) {
    uint64_t place = text_digest(shape->parts, sizeof shape->parts) & (shapes->room - 1);
    for (; shapes->table[place] != 0; place = (place + 1) & (shapes->room - 1)) {
        uint64_t index = (uint64_t)shapes->table[place] - 1;
        if (memcmp(&shapes->items[index], shape, sizeof *shape) == 0) {
            return index;
        }
    }
    shapes->items[shapes->count++] = *shape;
    shapes->table[place] = (int64_t)shapes->count;
    return shapes->count - 1;
}

/* A number that a page may round: whole, and not beyond what a double holds exactly. */
static uint64_t whole(double value) {
    return value >= 1 && value <= 9e15 ? (uint64_t)rint(value) : value > 9e15 ? UINT64_C(9000000000000000) : 0;
}

static uint64_t shape_of(struct packing *packing, const struct block *block) {
    const struct slice *slice = &packing->view.timeline->slices[block->slice];
    struct shape shape = {{(uint64_t)slice->name, (uint64_t)slice->sort}};
    if (block->count == 1) {
        shape.parts[2] = (uint64_t)((int64_t)slice->stage + 1);
        shape.parts[3] = (uint64_t)((int64_t)slice->layer + 1);
        shape.parts[4] = whole(slice->bytes);
    }
    return shapes_find(&packing->shapes, &shape);
}

/* One lane's blocks, whose first is at `place` of all. */
static void pack_lane(struct packing *packing, int64_t lane, int64_t place, int64_t count, struct text *out) {
    int64_t before = 0, batch = 0, slice = packing->view.first[lane];
    varint_add(out, (uint64_t)count);
    for (int64_t i = 0; i < count; i++) {
        const struct block *block = &packing->blocks[place + i];
        bool joined = block->count > 1;
        int64_t own = joined ? batch : packing->view.timeline->slices[block->slice].micro_batch;
        varint_add(out, (uint64_t)(block->start - before));
        varint_add(out, 2 * shape_of(packing, block) + joined);
        varint_add(out, (uint64_t)(block->end - block->start));
        varint_add(out, 2 * varint_signed(own - batch) + block->critical);
        if (joined) {
            varint_add(out, (uint64_t)block->count);
            varint_add(out, (uint64_t)(block->end - block->start - block->busy));
        }
        for (int64_t last = slice + block->count; slice < last; slice++) {
            packing->places[slice] = joined ? -1 : (int32_t)(place + i);
        }
        before = block->end;
        batch = own;
    }
}

/* Arrows whose ends are both still slices of their own. */
static void pack_arrows(struct packing *packing) {
    const struct timeline *timeline = packing->view.timeline;
    struct text arrows;
    int64_t before = 0;
    uint64_t count = 0;
    text_init(&arrows, packing->arena);
    for (int64_t i = 0; i < timeline->arrow_count; i++) {
        int64_t from = packing->places[timeline->arrows[i].from], to = packing->places[timeline->arrows[i].to];
        if (from >= 0 && to >= 0) {
            varint_add(&arrows, varint_signed(from - before));
            varint_add(&arrows, varint_signed(to - from));
            before = from;
            count++;
        }
    }
    varint_add(&packing->numbers, count);
    text_add_bytes(&packing->numbers, arrows.data, arrows.size);
}

/* At most two points in each of so many parts of the time: the highest, and the last. */
static int64_t thin_out(const struct counter *counter, int64_t end, struct counter_point *ret) {
    int64_t count = 0, parts = counter->count > POINTS_MOST ? POINTS_MOST / 2 : 0;
    double length = (double)end / (double)(parts > 0 ? parts : 1);
    for (int64_t first = 0, last; first < counter->count; first = last) {
        const struct counter_point *points = counter->points;
        int64_t highest = first;
        double part = floor((double)points[first].time / length);
        for (last = first + 1; parts > 0 && last < counter->count; last++) {
            if (floor((double)points[last].time / length) > part) {
                break;
            }
            highest = points[last].value > points[highest].value ? last : highest;
        }
        ret[count++] = points[highest];
        if (highest < last - 1) {
            ret[count++] = points[last - 1];
        }
    }
    return count;
}

/* The counter's points, in steps that are whole for bytes and fine for what is small. */
static void pack_counter(struct packing *packing, int64_t number) {
    const struct counter *counter = &packing->view.timeline->counters[number];
    struct counter_point *points = ARENA_ARRAY(packing->arena, struct counter_point, (size_t)counter->count);
    int64_t count = thin_out(counter, packing->view.end, points), time = 0, value = 0;
    double highest = 0;
    for (int64_t i = 0; i < count; i++) {
        highest = fabs(points[i].value) > highest ? fabs(points[i].value) : highest;
    }
    double scale = packing->scales[number] = highest >= 1e6 ? 1 : 1e-6;
    varint_add(&packing->numbers, (uint64_t)count);
    for (int64_t i = 0; i < count; i++) {
        double steps = points[i].value / scale;
        int64_t next = steps < 0 ? -(int64_t)whole(-steps) : (int64_t)whole(steps);
        varint_add(&packing->numbers, (uint64_t)(points[i].time - time));
        varint_add(&packing->numbers, varint_signed(next - value));
        time = points[i].time;
        value = next;
    }
}

static int64_t make_blocks(struct packing *packing, int64_t *counts) {
    int64_t count = 0;
    for (int64_t lane = 0; lane < packing->view.timeline->lane_count; lane++) {
        counts[lane] = blocks_make(&packing->view, lane, packing->quantum, packing->blocks + count);
        count += counts[lane];
    }
    return count;
}

/* All numbers of one attempt. Shapes go first but are known last. */
static void pack_numbers(struct packing *packing, const int64_t *counts) {
    const struct timeline *timeline = packing->view.timeline;
    struct text lanes;
    int64_t place = 0;
    text_init(&lanes, packing->arena);
    text_init(&packing->numbers, packing->arena);
    text_init(&packing->zipped, packing->arena);
    shapes_open(&packing->shapes, packing->arena, timeline->slice_count + 1);
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        pack_lane(packing, lane, place, counts[lane], &lanes);
        place += counts[lane];
    }
    varint_add(&packing->numbers, packing->shapes.count);
    for (uint64_t i = 0; i < packing->shapes.count; i++) {
        for (int part = 0; part < SHAPE_PARTS; part++) {
            varint_add(&packing->numbers, packing->shapes.items[i].parts[part]);
        }
    }
    text_add_bytes(&packing->numbers, lanes.data, lanes.size);
    pack_arrows(packing);
    for (int64_t i = 0; i < timeline->counter_count; i++) {
        pack_counter(packing, i);
    }
}

/* Whether an attempt keeps within the bounds; base64 makes four bytes of three. */
static bool pack_attempt(struct packing *packing, int64_t most, size_t limit) {
    int64_t *counts = ARENA_ARRAY(packing->arena, int64_t, (size_t)packing->view.timeline->lane_count);
    bool last = packing->quantum >= packing->view.end;
    if (make_blocks(packing, counts) > most && !last) {
        return false;
    }
    pack_numbers(packing, counts);
    return timeline_gzip(packing->numbers.data, packing->numbers.size, &packing->zipped) &&
           (packing->zipped.size / 3 * 4 <= limit || last);
}

static void pack_within(struct packing *packing, int64_t most, size_t limit) {
    struct arena_place start = arena_mark(packing->arena);
    while (!pack_attempt(packing, most, limit)) {
        int64_t end = packing->view.end;
        int64_t longer = packing->quantum == 0 ? end / (1 << 20) + 1 : packing->quantum;
        packing->quantum = longer > end / 2 ? end : 2 * longer;
        arena_rewind(packing->arena, start);
    }
}

static void add_sorts(struct json *json) {
    json_key(json, "sorts");
    json_open_array(json);
    for (int sort = 0; sort < SORT_COUNT; sort++) {
        const struct sort_look *look = &sort_looks[sort];
        const char *const texts[] = {look->name, look->letter, look->light, look->dark};
        json_open_array(json);
        for (int i = 0; i < 4; i++) {
            json_string(json, texts[i]);
        }
        json_close_array(json);
    }
    json_close_array(json);
}

/* Names of groups and slices, and the lanes: group, name, picoseconds of work, slices. */
static void add_names(struct packing *packing, struct json *json) {
    const struct timeline *timeline = packing->view.timeline;
    json_key(json, "groups");
    json_open_array(json);
    for (int64_t i = 0; i < timeline->group_count; i++) {
        json_string(json, view_label(packing->arena, &timeline->groups[i], false));
    }
    json_close_array(json);
    json_key(json, "lanes");
    json_open_array(json);
    for (int64_t i = 0; i < timeline->lane_count; i++) {
        json_open_array(json);
        json_integer(json, timeline->lanes[i].group);
        json_integer(json, timeline->lanes[i].stream);
        json_string(json, timeline->lanes[i].name);
        json_integer(json, view_busy(&packing->view, i));
        json_integer(json, packing->view.first[i + 1] - packing->view.first[i]);
        json_close_array(json);
    }
    json_close_array(json);
    json_key(json, "names");
    json_open_array(json);
    for (int64_t i = 0; i < timeline->name_count; i++) {
        json_string(json, timeline->names[i]);
    }
    json_close_array(json);
}

static void add_counters(const struct packing *packing, struct json *json) {
    const struct timeline *timeline = packing->view.timeline;
    json_key(json, "counters");
    json_open_array(json);
    for (int64_t i = 0; i < timeline->counter_count; i++) {
        json_open_array(json);
        json_integer(json, timeline->counters[i].group);
        json_string(json, timeline->counters[i].name);
        json_string(json, timeline->counters[i].unit);
        json_number(json, packing->scales[i]);
        json_close_array(json);
    }
    json_close_array(json);
}

static void add_all(struct packing *packing, struct json *json) {
    struct text base64;
    text_init(&base64, packing->arena);
    base64_add(&base64, packing->zipped.data, packing->zipped.size);
    json_open_object(json);
    json_key(json, "end");
    json_integer(json, packing->view.end);
    json_key(json, "quantum");
    json_integer(json, packing->quantum);
    add_sorts(json);
    add_names(packing, json);
    add_counters(packing, json);
    json_key(json, "numbers");
    json_string(json, base64.data);
    json_close_object(json);
}

void pack_timeline(const struct timeline *timeline, int64_t most, size_t limit, struct text *out) {
    struct arena *arena = out->arena;
    struct packing packing = {.view = view_make(arena, timeline), .arena = arena};
    struct text text;
    struct json json;
    packing.blocks = ARENA_ARRAY(arena, struct block, (size_t)timeline->slice_count);
    packing.places = ARENA_ARRAY(arena, int32_t, (size_t)timeline->slice_count);
    packing.scales = ARENA_ARRAY(arena, double, (size_t)timeline->counter_count);
    pack_within(&packing, most, limit);
    text_init(&text, arena);
    json_init(&json, &text, true);
    add_all(&packing, &json);
    for (const char *rest = text.data; *rest != '\0';) {
        size_t plain = strcspn(rest, "<");
        text_add_bytes(out, rest, plain);
        rest += plain;
        if (*rest == '<') {
            text_add(out, "\\u003c");
            rest++;
        }
    }
}
