/* Chrome's trace event format ("Trace Event Format", Google, 2016): an array of events, here one a line.
 *
 *   M  metadata: names and order of processes (groups) and threads (lanes)
 *   X  a slice          i  one without length         C  a counter's new value
 *
 * A message is drawn by `bind_id` on its two slices (flow_out, flow_in). A slice holds one of these; where it has more
 * messages, or begins before its message does, the pair of events s and f says the same. Readers want the events of a
 * flow in order, so slices and counters, each sorted already, are merged by time with a heap.
 *
 * Times are microseconds with three decimals. Picoseconds are rounded to nanoseconds at both ends of a slice, so that
 * neighbours still touch and never overlap. */
#include <inttypes.h>
#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "timeline/view.h"
#include "timeline/write.h"

/* Between two events; none before the first. */
static const char *separator(const struct text *out) {
    return out->data[out->size - 1] == '[' ? "" : ",";
}

/* Something sorted by time: a lane's slices or a counter's points. */
struct stream {
    int64_t time, next, last; /* of the next event; its index; behind the last */
    int64_t number;           /* lane, or lane_count + counter */
};

struct trace {
    const struct timeline *timeline;
    struct text *out;
    const char **names;   /* of slices, quoted */
    const char **places;  /* of lanes, then counters: what every event of theirs says alike */
    int64_t *bound;       /* of each slice: its bound arrow + 1, negative where it arrives; 0 none */
    int64_t *leaving;     /* of each slice: 1 + its first arrow that is not bound; of each arrow the next one */
    int64_t *next_leaving;
    int64_t *arriving, *next_arriving;
    struct stream *heap;
    int64_t heap_size;
};

static int64_t nanoseconds(int64_t picoseconds) {
    return picoseconds / 1000 + (picoseconds % 1000 >= 500);
}

static const char *quoted(struct arena *arena, const char *name) {
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text, true);
    json_string(&json, name);
    return text.data;
}

/* Earlier first; at one time lanes before counters, in their order. */
static bool is_before(const struct stream *a, const struct stream *b) {
    return a->time != b->time ? a->time < b->time : a->number < b->number;
}

static void heap_sink(struct trace *trace, int64_t place) {
    struct stream sinking = trace->heap[place];
    for (int64_t child = 2 * place + 1; child < trace->heap_size; child = 2 * place + 1) {
        child += child + 1 < trace->heap_size && is_before(&trace->heap[child + 1], &trace->heap[child]);
        if (!is_before(&trace->heap[child], &sinking)) {
            break;
        }
        trace->heap[place] = trace->heap[child];
        place = child;
    }
    trace->heap[place] = sinking;
}

/* Event `index` of a lane or a counter comes next. */
static int64_t stream_time(const struct timeline *timeline, const struct stream *stream) {
    return stream->number < timeline->lane_count
               ? timeline->slices[stream->next].start
               : timeline->counters[stream->number - timeline->lane_count].points[stream->next].time;
}

static void heap_add(struct trace *trace, struct stream stream) {
    if (stream.next < stream.last) {
        stream.time = stream_time(trace->timeline, &stream);
        trace->heap[trace->heap_size++] = stream;
    }
}

static void heap_fill(struct trace *trace, const struct view *view) {
    const struct timeline *timeline = trace->timeline;
    int64_t most = timeline->lane_count + timeline->counter_count;
    trace->heap = ARENA_ARRAY(trace->out->arena, struct stream, (size_t)most);
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        heap_add(trace, (struct stream){.next = view->first[lane], .last = view->first[lane + 1], .number = lane});
    }
    for (int64_t i = 0; i < timeline->counter_count; i++) {
        heap_add(trace, (struct stream){.last = timeline->counters[i].count, .number = timeline->lane_count + i});
    }
    for (int64_t place = trace->heap_size / 2 - 1; place >= 0; place--) {
        heap_sink(trace, place);
    }
}

static bool has_length(const struct slice *slice) {
    return nanoseconds(slice->end) > nanoseconds(slice->start);
}

/* Whether the event of slice `a` is written before that of `b`. */
static bool is_written_before(const struct slice *a, const struct slice *b) {
    return a->start != b->start ? a->start < b->start : a->lane < b->lane;
}

/* Chains an arrow that could not be bound: both its ends follow the sender's event, or each its own slice's. */
static void chain_arrow(struct trace *trace, int64_t arrow) {
    int32_t from = trace->timeline->arrows[arrow].from, to = trace->timeline->arrows[arrow].to;
    trace->next_leaving[arrow] = trace->leaving[from];
    trace->leaving[from] = arrow + 1;
    if (is_written_before(&trace->timeline->slices[from], &trace->timeline->slices[to])) {
        trace->next_arriving[arrow] = trace->arriving[to];
        trace->arriving[to] = arrow + 1;
    }
}

/* Arrows onto slices. An arrow from or to something without length, or back in time, has nowhere to be drawn. */
static void bind_arrows(struct trace *trace) {
    const struct timeline *timeline = trace->timeline;
    struct arena *arena = trace->out->arena;
    trace->bound = ARENA_ARRAY(arena, int64_t, (size_t)timeline->slice_count);
    trace->leaving = ARENA_ARRAY(arena, int64_t, (size_t)timeline->slice_count);
    trace->arriving = ARENA_ARRAY(arena, int64_t, (size_t)timeline->slice_count);
    trace->next_leaving = ARENA_ARRAY(arena, int64_t, (size_t)timeline->arrow_count);
    trace->next_arriving = ARENA_ARRAY(arena, int64_t, (size_t)timeline->arrow_count);
    for (int64_t i = 0; i < timeline->arrow_count; i++) {
        int32_t from = timeline->arrows[i].from, to = timeline->arrows[i].to;
        const struct slice *sender = &timeline->slices[from], *receiver = &timeline->slices[to];
        if (!has_length(sender) || !has_length(receiver) || receiver->end <= sender->start) {
            continue;
        }
        if (is_written_before(sender, receiver) && trace->bound[from] == 0 && trace->bound[to] == 0) {
            trace->bound[from] = i + 1;
            trace->bound[to] = -i - 1;
        } else {
            chain_arrow(trace, i);
        }
    }
}

/* Most of a trace is whole numbers; printf would take twice the time of the rest together. */
static void add_integer(struct text *out, int64_t value) {
    char digits[24];
    size_t place = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        digits[--place] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        digits[--place] = '-';
    }
    text_add_bytes(out, digits + place, sizeof digits - place);
}

/* Nanoseconds as microseconds: 1234567 is 1234.567. */
static void add_time(struct text *out, const char *key, int64_t time) {
    char decimals[] = {'.', (char)('0' + time % 1000 / 100), (char)('0' + time % 100 / 10), (char)('0' + time % 10)};
    text_add(out, key);
    add_integer(out, time / 1000);
    text_add_bytes(out, decimals, sizeof decimals);
}

/* A number that readers take as a double, whole ones without a point. */
static void add_number(struct text *out, double value) {
    char digits[32];
    if (!isfinite(value)) {
        text_add(out, "null");
    } else if (fabs(value) < 9e15 && rint(value) >= value && rint(value) <= value) {
        add_integer(out, (int64_t)value);
    } else {
        text_shortest(value, digits);
        text_add(out, digits);
    }
}

static void begin_event(struct trace *trace, const char *kind, int64_t place) {
    text_add(trace->out, separator(trace->out));
    text_add(trace->out, "\n{\"ph\":\"");
    text_add(trace->out, kind);
    text_add(trace->out, trace->places[place]);
}

/* One end of an arrow, at a time within its slice. */
static void add_arrow_end(struct trace *trace, const char *kind, int64_t arrow, int32_t slice, int64_t time) {
    begin_event(trace, kind, trace->timeline->slices[slice].lane);
    text_add_format(trace->out, "\"name\":\"message\",\"cat\":\"message\",\"id\":\"0x%" PRIx64 "\"", (uint64_t)arrow);
    add_time(trace->out, ",\"ts\":", time);
    text_add(trace->out, *kind == 'f' ? ",\"bp\":\"e\"}" : "}");
}

static void add_arrows(struct trace *trace, int64_t slice) {
    const struct timeline *timeline = trace->timeline;
    int64_t now = nanoseconds(timeline->slices[slice].start);
    for (int64_t next = trace->arriving[slice]; next > 0; next = trace->next_arriving[next - 1]) {
        add_arrow_end(trace, "f", next, timeline->arrows[next - 1].to, now);
    }
    for (int64_t next = trace->leaving[slice]; next > 0; next = trace->next_leaving[next - 1]) {
        int32_t to = timeline->arrows[next - 1].to;
        add_arrow_end(trace, "s", next, timeline->arrows[next - 1].from, now);
        if (!is_written_before(&timeline->slices[slice], &timeline->slices[to])) {
            add_arrow_end(trace, "f", next, to, now);
        }
    }
}

static void add_arguments(struct text *out, const struct slice *slice) {
    text_add(out, "\"args\":{");
    size_t begin = out->size;
    const struct { const char *key; int32_t value; } numbers[] = {
        {"\"mb\":", slice->micro_batch}, {"\"stage\":", slice->stage}, {"\"layer\":", slice->layer}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].value >= 0) {
            text_add(out, numbers[i].key);
            add_integer(out, numbers[i].value);
            text_add_char(out, ',');
        }
    }
    if (slice->bytes > 0) {
        text_add(out, "\"bytes\":");
        add_number(out, slice->bytes);
        text_add_char(out, ',');
    }
    if (slice->critical) {
        text_add(out, "\"critical\":true,");
    }
    out->size -= out->size > begin; /* the last comma */
    text_add(out, "}}");
}

/* What follows the time of a slice. */
static void add_nature(struct trace *trace, const struct slice *slice, int64_t bound) {
    struct text *out = trace->out;
    text_add(out, ",\"name\":");
    text_add(out, trace->names[slice->name]);
    text_add(out, ",\"cat\":\"");
    text_add(out, sort_looks[slice->sort].name);
    text_add(out, "\",");
    if (bound != 0) {
        text_add_format(out, "\"bind_id\":\"0x%" PRIx64 "\",\"flow_%s\":true,",
                        (uint64_t)(bound > 0 ? bound : -bound), bound > 0 ? "out" : "in");
    }
    add_arguments(out, slice);
}

static void add_slice(struct trace *trace, int64_t index) {
    const struct slice *slice = &trace->timeline->slices[index];
    int64_t start = nanoseconds(slice->start), length = nanoseconds(slice->end) - start;
    begin_event(trace, length > 0 ? "X" : "i", slice->lane);
    add_time(trace->out, "\"ts\":", start);
    if (length > 0) {
        add_time(trace->out, ",\"dur\":", length);
    } else {
        text_add(trace->out, ",\"s\":\"t\"");
    }
    add_nature(trace, slice, trace->bound[index]);
    add_arrows(trace, index);
}

static void add_point(struct trace *trace, const struct stream *stream) {
    const struct counter *counter = &trace->timeline->counters[stream->number - trace->timeline->lane_count];
    const struct counter_point *point = &counter->points[stream->next];
    begin_event(trace, "C", stream->number);
    add_number(trace->out, point->value);
    add_time(trace->out, "},\"ts\":", nanoseconds(point->time));
    text_add_char(trace->out, '}');
}

static void add_events(struct trace *trace) {
    while (trace->heap_size > 0) {
        struct stream *stream = &trace->heap[0];
        if (stream->number < trace->timeline->lane_count) {
            add_slice(trace, stream->next);
        } else {
            add_point(trace, stream);
        }
        stream->next++;
        if (stream->next < stream->last) {
            stream->time = stream_time(trace->timeline, stream);
        } else {
            trace->heap[0] = trace->heap[--trace->heap_size];
        }
        heap_sink(trace, 0);
    }
}

/* Names and order of what is drawn. */
static void add_metadata(struct text *out, const char *key, int64_t process, int64_t thread, const char *value) {
    text_add_format(out, "%s\n{\"ph\":\"M\",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"name\":\"%s\",\"args\":{%s}}",
                    separator(out), process, thread, key, value);
}

static void add_names(struct trace *trace) {
    const struct timeline *timeline = trace->timeline;
    struct arena *arena = trace->out->arena;
    for (int64_t i = 0; i < timeline->group_count; i++) {
        const struct timeline_group *group = &timeline->groups[i];
        const char *name = quoted(arena, view_label(arena, group, false));
        add_metadata(trace->out, "process_name", group->rank, 0, arena_format(arena, "\"name\":%s", name));
        add_metadata(trace->out, "process_sort_index", group->rank, 0,
                     arena_format(arena, "\"sort_index\":%" PRId64, i));
    }
    for (int64_t i = 0; i < timeline->lane_count; i++) {
        const struct timeline_lane *lane = &timeline->lanes[i];
        int64_t rank = timeline->groups[lane->group].rank;
        const char *name = quoted(arena, lane->name);
        add_metadata(trace->out, "thread_name", rank, lane->stream, arena_format(arena, "\"name\":%s", name));
        add_metadata(trace->out, "thread_sort_index", rank, lane->stream,
                     arena_format(arena, "\"sort_index\":%" PRId32, lane->stream));
    }
}

static void prepare(struct trace *trace) {
    const struct timeline *timeline = trace->timeline;
    struct arena *arena = trace->out->arena;
    trace->names = ARENA_ARRAY(arena, const char *, (size_t)timeline->name_count);
    for (int64_t i = 0; i < timeline->name_count; i++) {
        trace->names[i] = quoted(arena, timeline->names[i]);
    }
    trace->places = ARENA_ARRAY(arena, const char *, (size_t)(timeline->lane_count + timeline->counter_count));
    for (int64_t i = 0; i < timeline->lane_count; i++) {
        const struct timeline_lane *lane = &timeline->lanes[i];
        trace->places[i] = arena_format(arena, "\",\"pid\":%" PRId64 ",\"tid\":%" PRId32 ",",
                                        timeline->groups[lane->group].rank, lane->stream);
    }
    for (int64_t i = 0; i < timeline->counter_count; i++) {
        const struct counter *counter = &timeline->counters[i];
        trace->places[timeline->lane_count + i] =
            arena_format(arena, "\",\"pid\":%" PRId64 ",\"name\":%s,\"args\":{%s:",
                         timeline->groups[counter->group].rank, quoted(arena, counter->name),
                         quoted(arena, counter->unit));
    }
}

void timeline_trace(const struct timeline *timeline, struct text *out) {
    struct arena *arena = out->arena;
    struct view view = view_make(arena, timeline);
    struct trace trace = {.timeline = timeline, .out = out};
    prepare(&trace);
    bind_arrows(&trace);
    heap_fill(&trace, &view);
    text_add_format(out, "{\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"producer\":\"parplan\",\"title\":%s,",
                    quoted(arena, timeline->title));
    add_time(out, "\"step_us\":", nanoseconds(timeline->end));
    text_add_format(out, ",\"slices\":%" PRId64 ",\"messages\":%" PRId64 "},\n\"traceEvents\":[",
                    timeline->slice_count, timeline->arrow_count);
    add_names(&trace);
    add_events(&trace);
    text_add(out, "\n]}\n");
}
