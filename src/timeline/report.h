/* The files of the HTML report, as texts (made from report*.* by embed.py): a page with places in double braces that
 * html.c fills, its looks, its scripts in the order in which they run. */
#ifndef PARPLAN_TIMELINE_REPORT_H
#define PARPLAN_TIMELINE_REPORT_H

extern const char report_html[];
extern const char report_css[];
extern const char report_inflate_js[];
extern const char report_data_js[];
extern const char report_layout_js[];
extern const char report_draw_js[];
extern const char report_tell_js[];
extern const char report_input_js[];

#endif
