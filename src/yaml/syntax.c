/* libyaml's reasons in words that say what to do. */
#include <stdbool.h>
#include <string.h>

#include <yaml.h>

#include "base/diag.h"
#include "yaml/place.h"
#include "yaml/reader.h"

struct reason {
    const char *problem; /* libyaml's text begins so */
    const char *text, *help;
    bool context; /* what is wrong began at the context's mark */
};

static const struct reason reasons[] = {
    {"did not find expected key", "a key is expected here",
     "check the indentation, and quote values that contain ': ' or ' #'", false},
    {"did not find expected '-' indicator", "a list item is expected here", "check the indentation", false},
    {"did not find expected ',' or '}'", "',' or '}' is expected here", NULL, false},
    {"did not find expected ',' or ']'", "',' or ']' is expected here", NULL, false},
    {"did not find expected node content", "a value is expected here", NULL, false},
    {"did not find expected <document start>", "this does not belong to the value before it",
     "check the indentation, and quote values that contain ': ' or ' #'", false},
    {"did not find expected <stream-start>", "a document is expected here", NULL, false},
    {"mapping values are not allowed in this context", "': ' is not allowed here",
     "check the indentation, or quote the value", false},
    {"mapping keys are not allowed in this context", "'? ' is not allowed here", NULL, false},
    {"block sequence entries are not allowed in this context", "'- ' is not allowed here", "check the indentation",
     false},
    {"could not find expected ':'", "':' is missing behind this key", "check the indentation", true},
    {"found unexpected end of stream", "these quotes are not closed", NULL, true},
    {"found unexpected document indicator", "these quotes are not closed before the next document marker", NULL, true},
    {"found character that cannot start any token", "no value begins with this character", "quote the value", false},
    {"found a tab character", "a tab cannot indent", "indent with blanks", false},
    {"found invalid Unicode character escape code", "this \\u escape is half of a surrogate pair or no character",
     "write the character itself", false},
    {"found unknown escape character", "unknown escape in quotes", "write '\\\\' for a backslash", false},
    {"did not find expected alphabetic", "a name is expected behind '&' or '*'", "quote the value", false},
    {"did not find expected hexdecimal", "a hexadecimal digit is missing in this escape", NULL, false},
    {"did not find expected comment or line break", "nothing else may stand in a line behind '|' or '>'",
     "quote the value", false},
    {"found undefined tag handle", "tags such as !int are not read", "quote the value", false},
    {"did not find expected tag URI", "tags such as !int are not read", "quote the value", false},
    {"found unknown directive name", "a line that begins with '%' is a directive", "quote the value", false},
    {"could not find expected directive name", "a line that begins with '%' is a directive", "quote the value", false},
    {"found duplicate %YAML directive", "a second %YAML line", NULL, false},
    {"found incompatible YAML document", "this version of YAML is not read", NULL, false},
};

static const struct reason *reason_find(const char *problem) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strncmp(problem, reasons[i].problem, strlen(reasons[i].problem)) == 0) {
            return &reasons[i];
        }
    }
    return NULL;
}

static const struct reason *reason_at(const char *problem, const struct source *source, const struct place *place) {
    static const struct reason tab = {NULL, "a tab cannot indent", "indent with blanks", false};
    if (place->offset < source->size && source->text[place->offset] == '\t') {
        return &tab;
    }
    return reason_find(problem);
}

enum status reader_syntax(const struct yaml_parser_s *parser, const struct source *source, const char *read,
                          struct diag *diag) {
    if (parser->error == YAML_MEMORY_ERROR) {
        return diag_trouble(diag, NO_MARK, "out of memory");
    }
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        return diag_error(diag, place_of_byte(source, parser->problem_offset), "%s", problem);
    }
    struct place place = place_start(source, read);
    place_move(&place, parser->problem_mark.index);
    const struct reason *reason = reason_at(problem, source, &place);
    size_t began = parser->context_mark.line + 1;
    if (reason != NULL && reason->context && parser->context != NULL) {
        place = place_start(source, read);
        place_move(&place, parser->context_mark.index);
    }
    struct mark mark = place_mark(&place, place.index + 1);
    const char *text = reason == NULL ? problem : reason->text;
    if (parser->context != NULL && began > 1 && began < mark.line) {
        diag_error(diag, mark, "%s (in what begins in line %zu)", text, began);
    } else {
        diag_error(diag, mark, "%s", text);
    }
    if (reason != NULL && reason->help != NULL) {
        diag_help(diag, "%s", reason->help);
    }
    return STATUS_INVALID;
}
