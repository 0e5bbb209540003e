/* What the surroundings are like: terminal or not, its width, colours, character set. Machine formats never ask. */
#ifndef PARPLAN_CLI_TERMINAL_H
#define PARPLAN_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Columns of stdout: COLUMNS, else the terminal's, else 80. */
size_t terminal_width(void);
/* Colour on file descriptor `fd`: `choice` if it decides; else NO_COLOR, CLICOLOR_FORCE, a terminal not dumb. */
bool terminal_color(enum color_choice choice, int fd);
/* Whether the locale's character set is UTF-8 (LC_CTYPE must have been set). */
bool terminal_utf8(void);

#endif
