/* Reports: what goes into the page, and that nothing breaks out of its place. In a browser: tests/timeline/report.py.
 * */
#include <criterion/criterion.h>
#include <string.h>

#include "../support.h"
#include "edges.h"
#include "timeline/report.h"
#include "timeline/write.h"

static struct text page(struct arena *arena, const struct report *report) {
    struct text text;
    text_init(&text, arena);
    timeline_html(report, &text);
    return text;
}

static void expect_pieces(const char *html, const char *const *pieces) {
    for (; *pieces != NULL; pieces++) {
        cr_expect(strstr(html, *pieces) != NULL, "no '%s'", *pieces);
    }
}

Test(html, shows_all_of_a_report) {
    static const struct report_fact facts[] = {{"Step", "12.3 s"}, {"Peak", "71 GiB"}};
    static const struct report_part parts[] = {{"compute", 3}, {"bubble", 1}, {"hidden", 0}};
    static const struct report_part critical[] = {{"forward", 0.0025}};
    static const struct report_input inputs[] = {{"plan.yaml", "a: 1\nb: 2\n"}};
    static const char *const pieces[] = {
        "<title>The &lt;title&gt;</title>", "<h1>The &lt;title&gt;</h1>", "<p class=\"summary\">In short.</p>",
        "<div><dt>Step</dt><dd>12.3 s</dd></div>", "<div><dt>Peak</dt><dd>71 GiB</dd></div>",
        "<i style=\"width:75.000%;background:var(--p0)\"></i><i style=\"width:25.000%;background:var(--p1)\"></i></div>",
        "compute</td><td class=\"n\">3.000 s</td><td class=\"n\">75.0 %</td>",
        "hidden</td><td class=\"n\">0 s</td><td class=\"n\">0.0 %</td>",
        "forward</td><td class=\"n\">2.500 ms</td><td class=\"n\">100.0 %</td>",
        "<summary>plan.yaml</summary>\n<pre>a: 1\nb: 2\n</pre>", "\"end\": 368600000000", NULL};
    struct arena *arena = support_arena();
    struct timeline timeline = sample_1f1b(arena, 4, 8);
    struct report report = {.timeline = &timeline, .title = "The <title>", .summary = "In short.", .facts = facts,
                            .parts = parts, .critical = critical, .inputs = inputs, .fact_count = 2, .part_count = 3,
                            .critical_count = 1, .input_count = 1};
    struct text html = page(arena, &report);
    expect_pieces(html.data, pieces);
    cr_expect(strstr(html.data, "{{") == NULL, "a place was left unfilled");
    cr_expect_eq(strlen(html.data), html.size, "a zero byte within");
    struct text again = page(arena, &report);
    cr_expect_str_eq(again.data, html.data);
    arena_close(arena);
}

Test(html, leaves_out_what_is_not_there) {
    struct arena *arena = support_arena();
    struct timeline nothing = {.title = NULL};
    struct report report = {.timeline = &nothing};
    const char *html = page(arena, &report).data;
    cr_expect(strstr(html, "<title></title>") != NULL);
    cr_expect(strstr(html, "class=\"summary\"") == NULL && strstr(html, "<dl") == NULL);
    cr_expect(strstr(html, "Where the step goes") == NULL && strstr(html, "class=\"input\"") == NULL);
    const struct report_part none[] = {{"compute", 0}};
    report.parts = none;
    report.part_count = 1;
    html = page(arena, &report).data;
    cr_expect(strstr(html, "0.0 %") != NULL && strstr(html, "<i style=\"width") == NULL);
    arena_close(arena);
}

Test(html, nothing_breaks_out) {
    static const struct report_fact facts[] = {{HOSTILE, HOSTILE}};
    static const struct report_part parts[] = {{HOSTILE, 1}};
    static const struct report_input inputs[] = {{HOSTILE, HOSTILE "</pre></details>{{data}}"}};
    struct arena *arena = support_arena();
    struct timeline hostile = sample_hostile(arena);
    struct report report = {.timeline = &hostile, .title = HOSTILE, .summary = HOSTILE, .facts = facts, .parts = parts,
                            .critical = parts, .inputs = inputs, .fact_count = 1, .part_count = 1, .critical_count = 1,
                            .input_count = 1};
    const char *html = page(arena, &report).data;
    size_t scripts = 0;
    for (const char *at = strstr(html, "</script"); at != NULL; at = strstr(at + 1, "</script")) {
        scripts++;
    }
    cr_expect_eq(scripts, 2);
    cr_expect(strstr(html, "<b a=") == NULL && strstr(html, "<!--") == NULL);
    cr_expect(strstr(html, "{{data}}") != NULL, "a place within a text is a text");
    arena_close(arena);
}

Test(html, stays_small) {
    struct arena *arena = support_arena();
    struct timeline large = sample_1f1b(arena, 64, 64);
    struct report report = {.timeline = &large, .title = "large"};
    cr_expect_leq(page(arena, &report).size, 2000000);
    /* every slice of its own length, so that nothing repeats */
    struct slice *slices = ARENA_ARRAY(arena, struct slice, (size_t)large.slice_count);
    memcpy(slices, large.slices, (size_t)large.slice_count * sizeof *slices);
    large.slices = slices;
    for (int64_t i = 0; i < large.slice_count; i++) {
        slices[i].end -= i * 7919 % 100000007;
        slices[i].start += slices[i].end - slices[i].start > 200000000 ? i * 104729 % 99999989 : 0;
    }
    size_t size = page(arena, &report).size;
    cr_expect_leq(size, 2000000, "%zu bytes", size);
    cr_expect(strstr(page(arena, &report).data, "\"quantum\": 0,") != NULL, "slices were joined");
    arena_close(arena);
}

/* Nothing in the page's own files may end it early or reach outside. */
Test(html, own_files_are_safe) {
    const char *const scripts[] = {report_inflate_js, report_data_js, report_layout_js,
                                   report_draw_js, report_tell_js, report_input_js};
    for (size_t i = 0; i < ROWS(scripts); i++) {
        cr_expect(strstr(scripts[i], "</") == NULL && strstr(scripts[i], "<!--") == NULL, "script %zu", i);
        cr_expect(strstr(scripts[i], "fetch(") == NULL && strstr(scripts[i], "XMLHttpRequest") == NULL);
        cr_expect(strstr(scripts[i], "innerHTML") == NULL, "names are other people's");
    }
    cr_expect(strstr(report_css, "</") == NULL && strstr(report_css, "url(") == NULL);
}
