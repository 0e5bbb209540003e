/* A report as one HTML file that loads nothing: the page report.html with its places filled.
 *
 *   {{title}} {{summary}} {{facts}}      texts, escaped
 *   {{parts}} {{critical}}               a stacked bar and a table each
 *   {{inputs}}                           documents in full, folded
 *   {{style}} {{script}} {{data}}        report.css, report_*.js, the packed timeline
 *
 * All but the timeline is there without its script. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "timeline/pack.h"
#include "timeline/report.h"
#include "timeline/view.h"
#include "timeline/write.h"

/* Bounds of what is packed, so that a report stays below 2 MB and a browser draws it smoothly; far beyond 64 ranks with
 * 64 micro-batches. */
enum { SLICES_MOST = 600000, PACKED_MOST = 1700000, PART_COLORS = 10 };

static void add_title(const struct report *report, struct text *out) {
    text_add_markup(out, report->title == NULL ? "" : report->title);
}

static void add_summary(const struct report *report, struct text *out) {
    if (report->summary != NULL && *report->summary != '\0') {
        text_add(out, "<p class=\"summary\">");
        text_add_markup(out, report->summary);
        text_add(out, "</p>\n");
    }
}

static void add_facts(const struct report *report, struct text *out) {
    if (report->fact_count == 0) {
        return;
    }
    text_add(out, "<dl class=\"facts\">\n");
    for (int64_t i = 0; i < report->fact_count; i++) {
        text_add(out, "<div><dt>");
        text_add_markup(out, report->facts[i].name);
        text_add(out, "</dt><dd>");
        text_add_markup(out, report->facts[i].value);
        text_add(out, "</dd></div>\n");
    }
    text_add(out, "</dl>\n");
}

static double percent(double seconds, double sum) {
    return sum > 0 ? 100 * seconds / sum : 0;
}

/* Segments of a bar, as wide as their share. */
static void add_stack(struct text *out, const struct report_part *parts, int64_t count, double sum) {
    text_add(out, "<div class=\"stack\" aria-hidden=\"true\">");
    for (int64_t i = 0; i < count; i++) {
        if (parts[i].seconds > 0) {
            text_add_format(out, "<i style=\"width:%s%%;background:var(--p%d)\"></i>",
                            text_fixed(out->arena, percent(parts[i].seconds, sum), 3), (int)(i % PART_COLORS));
        }
    }
    text_add(out, "</div>\n");
}

static void add_part(struct text *out, const struct report_part *part, int color, double sum) {
    text_add_format(out, "<tr><td><i style=\"background:var(--p%d)\"></i>", color);
    text_add_markup(out, part->name);
    text_add_format(out, "</td><td class=\"n\">%s</td><td class=\"n\">%s %%</td></tr>\n",
                    units_human(out->arena, part->seconds, UNIT_SECONDS, 4),
                    text_fixed(out->arena, percent(part->seconds, sum), 1));
}

static void add_bars(struct text *out, const char *title, const char *id, const struct report_part *parts,
                     int64_t count) {
    double sum = 0;
    if (count == 0) {
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        sum += parts[i].seconds;
    }
    text_add_format(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
    add_stack(out, parts, count, sum);
    text_add(out, "<table><tbody>\n");
    for (int64_t i = 0; i < count; i++) {
        add_part(out, &parts[i], (int)(i % PART_COLORS), sum);
    }
    text_add_format(out, "</tbody></table>\n</section>\n");
}

static void add_parts(const struct report *report, struct text *out) {
    add_bars(out, "Where the step goes", "parts", report->parts, report->part_count);
}

static void add_critical(const struct report *report, struct text *out) {
    add_bars(out, "The critical path", "path", report->critical, report->critical_count);
}

static void add_inputs(const struct report *report, struct text *out) {
    for (int64_t i = 0; i < report->input_count; i++) {
        text_add(out, "<details class=\"input\">\n<summary>");
        text_add_markup(out, report->inputs[i].name);
        text_add(out, "</summary>\n<pre>");
        text_add_markup(out, report->inputs[i].text);
        text_add(out, "</pre>\n</details>\n");
    }
}

static void add_style(const struct report *report, struct text *out) {
    (void)report;
    text_add(out, report_css);
}

static void add_script(const struct report *report, struct text *out) {
    const char *const files[] = {report_inflate_js, report_data_js, report_layout_js,
                                 report_draw_js,    report_tell_js, report_input_js};
    (void)report;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        text_add(out, files[i]);
    }
}

static void add_data(const struct report *report, struct text *out) {
    pack_timeline(report->timeline, SLICES_MOST, PACKED_MOST, out);
}

static const struct {
    const char *name;
    void (*add)(const struct report *report, struct text *out);
} PLACES[] = {{"title", add_title},   {"summary", add_summary},   {"facts", add_facts},
              {"parts", add_parts},   {"critical", add_critical}, {"inputs", add_inputs},
              {"style", add_style},   {"script", add_script},     {"data", add_data}};

void timeline_html(const struct report *report, struct text *out) {
    const char *rest = report_html;
    for (const char *open = strstr(rest, "{{"); open != NULL; open = strstr(rest, "{{")) {
        size_t size = strcspn(open + 2, "}");
        text_add_bytes(out, rest, (size_t)(open - rest));
        for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
            if (strlen(PLACES[i].name) == size && strncmp(open + 2, PLACES[i].name, size) == 0) {
                PLACES[i].add(report, out);
            }
        }
        rest = open + 2 + size + 2;
    }
    text_add(out, rest);
}
