#include "cli/pictures.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/kinds.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "timeline/write.h"
#include "yaml/emit.h"

static const char *const endings[] = {".json", ".json.gz", ".html", ".svg", ".txt"};
enum ending { ENDING_TRACE, ENDING_GZIP, ENDING_HTML, ENDING_SVG, ENDING_TEXT, ENDINGS };

static enum ending ending_of(const char *path) {
    size_t found = 0;
    while (found < ENDINGS && !text_ends(path, endings[found])) {
        found++;
    }
    return (enum ending)found;
}

enum status pictures_check(struct context *context, const char *path) {
    if (ending_of(path) != ENDINGS) {
        return OK;
    }
    (void)diag_error(context->diag, options_mark(context, "output"), "'%s' has no ending that says what to write",
                     path);
    diag_help(context->diag, ".json or .json.gz is a trace, .html a report, .svg a picture, .txt a chart");
    return STATUS_INVALID;
}

/* The whole number that `text` begins with, at most `most`; -1: none. */
static int64_t read_number(const char **text, int64_t most) {
    size_t size = strspn(*text, "0123456789");
    long long value = 0;
    if (size == 0 || !text_integer(*text, size, &value) || value > most) {
        return -1;
    }
    *text += size;
    return value;
}

static enum status refuse_ranks(struct context *context, const struct word *word, const char *at, int64_t devices) {
    struct mark mark = word->mark;
    mark.column += (unsigned)(at - word->text);
    mark.length = (unsigned)strcspn(at, ",");
    (void)diag_error(context->diag, mark, "'%.*s' is no rank of the plan's 0 to %lld", (int)mark.length, at,
                     (long long)(devices - 1));
    diag_help(context->diag, "such as 0-7,12");
    return STATUS_INVALID;
}

enum { RANKS_MOST = 4096 };

enum status pictures_ranks(struct context *context, const struct word *word, int64_t devices, struct list *ret) {
    bool *chosen = ARENA_ARRAY(context->arena, bool, (size_t)devices);
    int64_t count = 0;
    for (const char *at = word->text;; at++) {
        const char *begin = at;
        int64_t first = read_number(&at, devices - 1), last = first;
        if (first >= 0 && *at == '-') {
            at++;
            last = read_number(&at, devices - 1);
        }
        if (first < 0 || last < first || (*at && *at != ',')) {
            return refuse_ranks(context, word, begin, devices);
        }
        for (int64_t rank = first; rank <= last; rank++) {
            count += !chosen[rank];
            chosen[rank] = true;
        }
        if (!*at) {
            break;
        }
    }
    if (count > RANKS_MOST) {
        return diag_error(context->diag, word->mark, "%lld ranks are more than the %d that can be shown",
                          (long long)count, RANKS_MOST);
    }
    int64_t *ranks = ARENA_ARRAY(context->arena, int64_t, (size_t)count);
    *ret = (struct list){ranks, 0};
    for (int64_t rank = 0; rank < devices; rank++) {
        if (chosen[rank]) {
            ranks[ret->count++] = rank;
        }
    }
    return OK;
}

/* Parts as the report wants them. */
static const struct report_part *report_parts(struct arena *arena, const struct view_part *parts, size_t count) {
    struct report_part *copies = ARENA_ARRAY(arena, struct report_part, count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = (struct report_part){parts[i].name, parts[i].value};
    }
    return copies;
}

static const char *document(struct arena *arena, const char *kind, const void *object) {
    struct text text;
    text_init(&text, arena);
    emit_document(&text, kind, document_kind_find(kind)->fields, object, true);
    return text.data;
}

enum { FACTS_MOST = 8 };

static int64_t add_facts(struct arena *arena, const struct simulating *s, const struct simulation *simulation,
                         struct report_fact facts[FACTS_MOST]) {
    const struct cost_context *cost = &s->planning.cost;
    struct memory_report memory = simulated_memory(s, simulation);
    double tokens = (double)cost->job->global_batch * (double)cost->tokens;
    int64_t count = 0;
    facts[count++] = (struct report_fact){"step", units_human(arena, simulation->step_time, UNIT_SECONDS, 4)};
    if (s->estimate.step_time > 0) {
        const char *closed = units_human(arena, s->estimate.step_time, UNIT_SECONDS, 4);
        facts[count++] = (struct report_fact){"closed form", closed};
    }
    facts[count++] = (struct report_fact){"tokens a second", view_amount(arena, tokens / simulation->step_time)};
    facts[count++] = (struct report_fact){
        "bubble", arena_format(arena, "%s%%", text_fixed(arena, 100 * simulation->bubble, 1))};
    facts[count++] = (struct report_fact){
        "most memory", arena_format(arena, "%s of %s on rank %lld", units_human(arena, memory.peak, UNIT_BYTES, 3),
                                    units_human(arena, memory.limit, UNIT_BYTES, 3), (long long)memory.rank)};
    facts[count++] = (struct report_fact){"events", view_amount(arena, (double)simulation->result.events)};
    return count;
}

static void write_html(const struct context *context, const struct simulating *s, const struct simulation *simulation,
                       const struct timeline *timeline, struct text *out) {
    struct arena *arena = context->arena;
    struct view_part time[VIEW_TIME_PARTS], path[SIMULATED_PATH];
    struct report_fact facts[FACTS_MOST];
    view_time_parts(&simulation->parts, time);
    size_t path_count = simulated_path(arena, simulation, path);
    const struct report_input inputs[] = {
        {"plan", document(arena, "plan", s->plan)},
        {"model", document(arena, "model", s->planning.model)},
        {"topology", document(arena, "topology", s->planning.topology)},
    };
    struct text summary;
    text_init(&summary, arena);
    view_heading(&s->planning.cost, &summary);
    summary.data[--summary.size] = '\0'; /* its end of line */
    text_add(&summary, "; ");
    text_add(&summary, view_decision(arena, &s->plan->decision));
    const struct report report = {
        .timeline = timeline,
        .title = timeline->title,
        .summary = summary.data,
        .facts = facts,
        .fact_count = add_facts(arena, s, simulation, facts),
        .parts = report_parts(arena, time, VIEW_TIME_PARTS),
        .part_count = VIEW_TIME_PARTS,
        .critical = report_parts(arena, path, path_count),
        .critical_count = (int64_t)path_count,
        .inputs = inputs,
        .input_count = sizeof inputs / sizeof *inputs,
    };
    timeline_html(&report, out);
}

static enum status write_gzip(struct context *context, const struct timeline *timeline, struct text *out) {
    struct text plain;
    text_init(&plain, context->arena);
    timeline_trace(timeline, &plain);
    if (!timeline_gzip(plain.data, plain.size, out)) {
        return diag_trouble(context->diag, options_mark(context, "output"), "cannot compress the trace: out of memory");
    }
    return OK;
}

enum status pictures_save(struct context *context, const struct simulating *simulating,
                          const struct simulation *simulation, const struct timeline *timeline, const char *path) {
    struct gantt_style plain = {.columns = (int)terminal_width(), .ascii = context->globals.ascii};
    struct text text;
    text_init(&text, context->arena);
    switch (ending_of(path)) {
    case ENDING_TRACE:
        timeline_trace(timeline, &text);
        break;
    case ENDING_GZIP:
        TRY(write_gzip(context, timeline, &text));
        break;
    case ENDING_HTML:
        write_html(context, simulating, simulation, timeline, &text);
        break;
    case ENDING_SVG:
        timeline_svg(timeline, 0, false, &text);
        break;
    case ENDING_TEXT:
        timeline_gantt(timeline, &plain, &text);
        break;
    case ENDINGS:
        return pictures_check(context, path);
    }
    return output_file(context, path, &text);
}

void pictures_chart(const struct context *context, const struct timeline *timeline, struct text *out) {
    const struct gantt_style style = {
        .columns = (int)terminal_width(),
        .color = terminal_color((enum color_choice)context->globals.color, STDOUT_FILENO),
        .ascii = context->globals.ascii || !terminal_utf8(),
    };
    timeline_gantt(timeline, &style, out);
}
