/* Traces: every byte of small ones. tests/timeline/outputs.py reads large ones with another reader. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "../support.h"
#include "edges.h"
#include "timeline/write.h"

static const struct timeline_group groups[] = {{4, 1, "rank 4"}, {8, 16, "rank \"8\""}};
static const struct timeline_lane lanes[] = {{0, 0, "compute"}, {1, 0, "compute"}, {1, 3, "receive"}};
static const char *const names[] = {"F", "send\n"};

static const char *trace(struct arena *arena, const struct timeline *timeline) {
    struct text text;
    text_init(&text, arena);
    timeline_trace(timeline, &text);
    return text.data;
}

/* The events behind the metadata of two groups and three lanes: one a line. */
static const char *events(struct arena *arena, const struct slice *slices, int64_t count, const struct arrow *arrows,
                          int64_t arrow_count) {
    struct timeline timeline = {.title = "t", .groups = groups, .lanes = lanes, .slices = slices, .arrows = arrows,
                                .names = names, .group_count = 2, .lane_count = 3, .slice_count = count,
                                .arrow_count = arrow_count, .name_count = 2, .end = 4000000};
    const char *rest = strstr(trace(arena, &timeline), "\"sort_index\":3}}");
    return rest == NULL ? "no metadata" : rest + strlen("\"sort_index\":3}}");
}

static struct slice at(int64_t start, int64_t end, int lane) {
    return (struct slice){.start = start, .end = end, .lane = lane, .micro_batch = -1, .stage = -1, .layer = -1};
}

Test(trace, names_what_is_drawn) {
    static const char expected[] =
        "{\"displayTimeUnit\":\"ms\",\n"
        "\"otherData\":{\"producer\":\"parplan\",\"title\":\"a \\\"b\\\"\",\"step_us\":1234567890.123,\"slices\":0,"
        "\"messages\":0},\n"
        "\"traceEvents\":[\n"
        "{\"ph\":\"M\",\"pid\":4,\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":\"rank 4\"}},\n"
        "{\"ph\":\"M\",\"pid\":4,\"tid\":0,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":0}},\n"
        "{\"ph\":\"M\",\"pid\":8,\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":\"rank \\\"8\\\" ×16\"}},\n"
        "{\"ph\":\"M\",\"pid\":8,\"tid\":0,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":1}},\n"
        "{\"ph\":\"M\",\"pid\":4,\"tid\":0,\"name\":\"thread_name\",\"args\":{\"name\":\"compute\"}},\n"
        "{\"ph\":\"M\",\"pid\":4,\"tid\":0,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":0}},\n"
        "{\"ph\":\"M\",\"pid\":8,\"tid\":0,\"name\":\"thread_name\",\"args\":{\"name\":\"compute\"}},\n"
        "{\"ph\":\"M\",\"pid\":8,\"tid\":0,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":0}},\n"
        "{\"ph\":\"M\",\"pid\":8,\"tid\":3,\"name\":\"thread_name\",\"args\":{\"name\":\"receive\"}},\n"
        "{\"ph\":\"M\",\"pid\":8,\"tid\":3,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":3}}\n"
        "]}\n";
    struct arena *arena = support_arena();
    struct timeline timeline = {.title = "a \"b\"", .groups = groups, .lanes = lanes, .group_count = 2,
                                .lane_count = 3, .end = INT64_C(1234567890123456)};
    cr_expect_str_eq(trace(arena, &timeline), expected);
    struct timeline nothing = {.end = 0};
    cr_expect_str_eq(trace(arena, &nothing),
                     "{\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"producer\":\"parplan\",\"title\":null,"
                     "\"step_us\":0.000,\"slices\":0,\"messages\":0},\n\"traceEvents\":[\n]}\n");
    arena_close(arena);
}

Test(trace, writes_slices_by_time) {
    struct slice slices[] = {at(0, 1999499, 0), at(1999499, 1999501, 0), at(1999501, 1999502, 0), at(500, 500, 1),
                             at(999999, INT64_MAX, 2)};
    slices[0].micro_batch = 3;
    slices[0].stage = 0;
    slices[0].layer = 17;
    slices[0].bytes = 1e15 + 1;
    slices[0].sort = SORT_COLLECTIVE;
    slices[1].critical = true;
    slices[2].name = 1;
    slices[4].bytes = 0.5;
    struct arena *arena = support_arena();
    cr_expect_str_eq(
        events(arena, slices, 5, NULL, 0),
        ",\n{\"ph\":\"X\",\"pid\":4,\"tid\":0,\"ts\":0.000,\"dur\":1.999,\"name\":\"F\",\"cat\":\"collective\","
        "\"args\":{\"mb\":3,\"stage\":0,\"layer\":17,\"bytes\":1000000000000001}},\n"
        "{\"ph\":\"i\",\"pid\":8,\"tid\":0,\"ts\":0.001,\"s\":\"t\",\"name\":\"F\",\"cat\":\"forward\",\"args\":{}},\n"
        "{\"ph\":\"X\",\"pid\":8,\"tid\":3,\"ts\":1.000,\"dur\":9223372036853.776,\"name\":\"F\",\"cat\":\"forward\","
        "\"args\":{\"bytes\":0.5}},\n"
        "{\"ph\":\"X\",\"pid\":4,\"tid\":0,\"ts\":1.999,\"dur\":0.001,\"name\":\"F\",\"cat\":\"forward\","
        "\"args\":{\"critical\":true}},\n"
        "{\"ph\":\"i\",\"pid\":4,\"tid\":0,\"ts\":2.000,\"s\":\"t\",\"name\":\"send\\n\",\"cat\":\"forward\",\"args\":{}}\n"
        "]}\n");
    arena_close(arena);
}

#define X(pid, tid, ts, dur, bound)                                                                                    \
    "{\"ph\":\"X\",\"pid\":" pid ",\"tid\":" tid ",\"ts\":" ts ",\"dur\":" dur ",\"name\":\"F\",\"cat\":\"forward\"," bound  \
    "\"args\":{}}"
#define FLOW(kind, id, pid, tid, ts, tail)                                                                             \
    "{\"ph\":\"" kind "\",\"pid\":" pid ",\"tid\":" tid ",\"name\":\"message\",\"cat\":\"message\",\"id\":\"" id "\",\"ts\":" ts tail \
    "}"

Test(trace, binds_arrows_to_slices) {
    const struct slice slices[] = {at(0, 1000000, 0), at(2000000, 3000000, 2)};
    struct arena *arena = support_arena();
    cr_expect_str_eq(events(arena, slices, 2, &(struct arrow){0, 1}, 1),
                     ",\n" X("4", "0", "0.000", "1.000", "\"bind_id\":\"0x1\",\"flow_out\":true,") ",\n"
                     X("8", "3", "2.000", "1.000", "\"bind_id\":\"0x1\",\"flow_in\":true,") "\n]}\n");
    cr_expect_str_eq(events(arena, slices, 2, &(struct arrow){1, 0}, 1),
                     ",\n" X("4", "0", "0.000", "1.000", "") ",\n" X("8", "3", "2.000", "1.000", "") "\n]}\n",
                     "back in time there is nothing to draw");
    arena_close(arena);
}

/* A slice with two messages; a receive that waits already when it is sent. */
Test(trace, tells_other_arrows_by_events) {
    const struct slice slices[] = {at(1000000, 2000000, 0), at(0, 1500000, 1), at(1000000, 3000000, 2)};
    const struct arrow arrows[] = {{0, 2}, {0, 1}};
    struct arena *arena = support_arena();
    cr_expect_str_eq(events(arena, slices, 3, arrows, 2),
                     ",\n" X("8", "0", "0.000", "1.500", "") ",\n"
                     X("4", "0", "1.000", "1.000", "\"bind_id\":\"0x1\",\"flow_out\":true,") ",\n"
                     FLOW("s", "0x2", "4", "0", "1.000", "") ",\n" FLOW("f", "0x2", "8", "0", "1.000", ",\"bp\":\"e\"") ",\n"
                     X("8", "3", "1.000", "2.000", "\"bind_id\":\"0x1\",\"flow_in\":true,") "\n]}\n");
    const struct arrow twice[] = {{0, 2}, {0, 2}};
    cr_expect_str_eq(events(arena, slices, 3, twice, 2),
                     ",\n" X("8", "0", "0.000", "1.500", "") ",\n"
                     X("4", "0", "1.000", "1.000", "\"bind_id\":\"0x1\",\"flow_out\":true,") ",\n"
                     FLOW("s", "0x2", "4", "0", "1.000", "") ",\n"
                     X("8", "3", "1.000", "2.000", "\"bind_id\":\"0x1\",\"flow_in\":true,") ",\n"
                     FLOW("f", "0x2", "8", "3", "1.000", ",\"bp\":\"e\"") "\n]}\n");
    arena_close(arena);
}

/* One slice tells of one arrow only, whichever end it is at; an arrow that arrives where it leaves has no length. */
Test(trace, binds_a_slice_once) {
    const struct slice slices[] = {at(0, 1000000, 0), at(1000000, 2000000, 1), at(2000000, 3000000, 2)};
    struct arena *arena = support_arena();
    const struct arrow leaving[] = {{0, 1}, {0, 2}}, arriving[] = {{0, 2}, {1, 2}}, none = {1, 0};
    cr_expect_str_eq(events(arena, slices, 3, leaving, 2),
                     ",\n" X("4", "0", "0.000", "1.000", "\"bind_id\":\"0x1\",\"flow_out\":true,") ",\n"
                     FLOW("s", "0x2", "4", "0", "0.000", "") ",\n"
                     X("8", "0", "1.000", "1.000", "\"bind_id\":\"0x1\",\"flow_in\":true,") ",\n"
                     X("8", "3", "2.000", "1.000", "") ",\n" FLOW("f", "0x2", "8", "3", "2.000", ",\"bp\":\"e\"") "\n]}\n");
    cr_expect_str_eq(events(arena, slices, 3, arriving, 2),
                     ",\n" X("4", "0", "0.000", "1.000", "\"bind_id\":\"0x1\",\"flow_out\":true,") ",\n"
                     X("8", "0", "1.000", "1.000", "") ",\n" FLOW("s", "0x2", "8", "0", "1.000", "") ",\n"
                     X("8", "3", "2.000", "1.000", "\"bind_id\":\"0x1\",\"flow_in\":true,") ",\n"
                     FLOW("f", "0x2", "8", "3", "2.000", ",\"bp\":\"e\"") "\n]}\n");
    cr_expect_str_eq(events(arena, slices, 2, &none, 1),
                     ",\n" X("4", "0", "0.000", "1.000", "") ",\n" X("8", "0", "1.000", "1.000", "") "\n]}\n");
    arena_close(arena);
}

Test(trace, writes_counters) {
    static const struct counter_point points[] = {{0, 85899345920.0}, {1500, 0.25}, {2000, (double)INFINITY}};
    static const struct counter counter = {1, "memory", "B", points, 3};
    struct arena *arena = support_arena();
    struct timeline timeline = {.title = "t", .groups = groups, .group_count = 2, .counters = &counter,
                                .counter_count = 1, .end = 1};
    const char *rest = strstr(trace(arena, &timeline), "{\"ph\":\"C\"");
    cr_assert(rest != NULL);
    cr_expect_str_eq(rest, "{\"ph\":\"C\",\"pid\":8,\"name\":\"memory\",\"args\":{\"B\":85899345920},\"ts\":0.000},\n"
                           "{\"ph\":\"C\",\"pid\":8,\"name\":\"memory\",\"args\":{\"B\":0.25},\"ts\":0.002},\n"
                           "{\"ph\":\"C\",\"pid\":8,\"name\":\"memory\",\"args\":{\"B\":null},\"ts\":0.002}\n]}\n");
    arena_close(arena);
}
