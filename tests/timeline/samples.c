/* samples FOLDER: all that is written of timelines by hand, and beside it a JSON of what must be in it. */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/timeline/edges.h"
#include "base/json.h"
#include "timeline/write.h"

static void save(const char *folder, const char *name, const char *suffix, const struct text *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text->data, 1, text->size, file) != text->size || fclose(file) != 0) {
        perror(path);
        exit(4);
    }
}

/* Totals by the plainest counting. */
static void save_expected(const char *folder, const char *name, const struct timeline *timeline, struct arena *arena) {
    struct text text;
    struct json json;
    int64_t *busy = ARENA_ARRAY(arena, int64_t, (size_t)timeline->lane_count + 1);
    double peak = 0;
    text_init(&text, arena);
    json_init(&json, &text, true);
    for (int64_t i = 0; i < timeline->slice_count; i++) {
        busy[timeline->slices[i].lane] += timeline->slices[i].end - timeline->slices[i].start;
    }
    for (int64_t i = 0; i < timeline->counter_count; i++) {
        for (int64_t k = 0; k < timeline->counters[i].count; k++) {
            double value = timeline->counters[i].points[k].value;
            peak = value > peak ? value : peak;
        }
    }
    const struct { const char *key; int64_t value; } numbers[] = {
        {"groups", timeline->group_count}, {"lanes", timeline->lane_count}, {"slices", timeline->slice_count},
        {"arrows", timeline->arrow_count}, {"end", timeline->end}, {"peak", (int64_t)peak}};
    json_open_object(&json);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        json_key(&json, numbers[i].key);
        json_integer(&json, numbers[i].value);
    }
    json_key(&json, "busy");
    json_open_array(&json);
    for (int64_t lane = 0; lane < timeline->lane_count; lane++) {
        json_integer(&json, busy[lane]);
    }
    json_close_array(&json);
    json_close_object(&json);
    save(folder, name, "expected.json", &text);
}

static void save_trace(const char *folder, const char *name, const struct timeline *timeline, struct arena *arena) {
    struct text trace, zipped;
    text_init(&trace, arena);
    text_init(&zipped, arena);
    timeline_trace(timeline, &trace);
    if (!timeline_gzip(trace.data, trace.size, &zipped)) {
        exit(70);
    }
    save(folder, name, "trace.json", &trace);
    save(folder, name, "trace.json.gz", &zipped);
}

static void save_all(const char *folder, const char *name, const struct timeline *timeline, struct arena *arena) {
    static const struct report_fact facts[] = {
        {"Step", "368.6 ms"}, {"Model FLOPs utilisation", "41.2 %"}, {"Peak memory", "12.0 GiB"},
        {"Ranks", "32 in 4 roles"}, {"Tokens per second", "341 K"}};
    static const struct report_part parts[] = {{"compute", 0.25}, {"bubble", 0.08}, {"tp exposed", 0.02},
                                               {"pp exposed", 0.0066}, {"optimizer", 0.01}, {"overhead", 0.002}};
    static const struct report_part critical[] = {{"forward", 0.0416}, {"backward", 0.28}, {"messages", 0.037},
                                                  {"optimizer", 0.01}};
    static const struct report_input inputs[] = {
        {"plan.yaml", "schema: parplan/plan/v1\nparallel: {tp: 8, pp: 4} # <&>\"'\n"},
        {"</pre></details><b>model", "schema: parplan/model/v1\n</pre><script>document.title = 'broken'</script>\n"}};
    struct report report = {.timeline = timeline, .title = timeline->title,
                            .summary = "A pipeline by hand: passes, collectives, messages, an optimizer step.",
                            .facts = facts, .parts = parts, .critical = critical, .inputs = inputs, .fact_count = 5,
                            .part_count = 6, .critical_count = 4, .input_count = 2};
    struct text html, svg, compute;
    text_init(&html, arena);
    text_init(&svg, arena);
    text_init(&compute, arena);
    timeline_html(&report, &html);
    timeline_svg(timeline, 0, false, &svg);
    timeline_svg(timeline, 900, true, &compute);
    save(folder, name, "html", &html);
    save(folder, name, "svg", &svg);
    save(folder, name, "compute.svg", &compute);
    save_expected(folder, name, timeline, arena);
}

int main(int count, char **arguments) {
    if (count != 2) {
        return 2;
    }
    struct arena *arena = arena_open(NULL, NULL);
    struct timeline small = sample_1f1b(arena, 4, 8), large = sample_1f1b(arena, 64, 64);
    struct timeline huge = sample_1f1b(arena, 64, 1024), hostile = sample_hostile(arena), empty = {.title = "nothing"};
    struct timeline instant = sample_short(arena), longest = sample_long(arena);
    const struct { const char *name; const struct timeline *timeline; } samples[] = {
        {"small", &small}, {"large", &large}, {"hostile", &hostile}, {"empty", &empty}, {"instant", &instant},
        {"longest", &longest}, {"huge", &huge}};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        save_all(arguments[1], samples[i].name, samples[i].timeline, arena);
        if (samples[i].timeline != &huge) { /* its trace would be 90 MB */
            save_trace(arguments[1], samples[i].name, samples[i].timeline, arena);
        }
    }
    arena_close(arena);
    return 0;
}
