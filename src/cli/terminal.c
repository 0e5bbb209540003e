#include "cli/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { DEFAULT_WIDTH = 80, NARROWEST = 40, WIDEST = 1000 };

static size_t clamp_width(long long width) {
    return (size_t)(width < NARROWEST ? NARROWEST : width > WIDEST ? WIDEST : width);
}

size_t terminal_width(void) {
    const char *columns = getenv("COLUMNS");
    long long width = 0;
    size_t size = 0;
    while (columns && columns[size]) {
        size++;
    }
    if (size && text_integer(columns, size, &width) && width > 0) {
        return clamp_width(width);
    }
    struct winsize window;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
        return clamp_width(window.ws_col);
    }
    return DEFAULT_WIDTH;
}

/* Set and not empty (https://no-color.org). */
static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

/* Set and not "0" (https://bixense.com/clicolors). */
static bool is_on(const char *name) {
    const char *value = getenv(name);
    return value && *value && !text_equal(value, "0");
}

bool terminal_color(enum color_choice choice, int fd) {
    if (choice != COLOR_AUTO) {
        return choice == COLOR_ALWAYS;
    }
    if (is_set("NO_COLOR")) {
        return false;
    }
    if (is_on("CLICOLOR_FORCE") || is_on("FORCE_COLOR")) {
        return true;
    }
    const char *term = getenv("TERM");
    return isatty(fd) && term && *term && !text_equal(term, "dumb") && !text_equal(getenv("CLICOLOR"), "0");
}

bool terminal_utf8(void) {
    return text_equal(nl_langinfo(CODESET), "UTF-8");
}
