/* A JSON writer (RFC 8259). It keeps no stack: a container that was closed is itself an item of the one around it. */
#include "base/json.h"

#include <math.h>

void json_init(struct json *json, struct text *out, bool compact) {
    *json = (struct json){.out = out, .compact = compact};
}

static void json_line(struct json *json) {
    if (!json->compact) {
        text_add_char(json->out, '\n');
        for (int i = 0; i < json->depth; i++) {
            text_add(json->out, "  ");
        }
    }
}

/* What stands between the items of a container. */
static void json_separate(struct json *json) {
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->has_items) {
        text_add(json->out, json->compact ? ", " : ",");
    }
    if (json->depth > 0) {
        json_line(json);
    }
    json->has_items = true;
}

static void json_open(struct json *json, char bracket) {
    json_separate(json);
    text_add_char(json->out, bracket);
    json->depth++;
    json->has_items = false;
}

static void json_close(struct json *json, char bracket) {
    json->depth--;
    if (json->has_items) {
        json_line(json);
    }
    text_add_char(json->out, bracket);
    json->has_items = true;
}

void json_open_object(struct json *json) {
    json_open(json, '{');
}

void json_close_object(struct json *json) {
    json_close(json, '}');
}

void json_open_array(struct json *json) {
    json_open(json, '[');
}

void json_close_array(struct json *json) {
    json_close(json, ']');
}

static void json_quoted(struct text *out, const char *text) {
    static const char SHORT[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter of its escape */
    text_add_char(out, '"');
    while (*text != '\0') {
        size_t size = text_character(text);
        const char *pair = SHORT;
        while (*pair != '\0' && *pair != *text) {
            pair += 2;
        }
        if (*pair != '\0') {
            text_add_format(out, "\\%c", pair[1]);
        } else if (size == 1 && (unsigned char)*text < 0x20) {
            text_add_format(out, "\\u%04x", (unsigned)*text);
        } else if (size == 0) {
            text_add(out, "\\ufffd");
        } else {
            text_add_bytes(out, text, size);
        }
        text += size == 0 ? 1 : size;
    }
    text_add_char(out, '"');
}

void json_key(struct json *json, const char *key) {
    json_separate(json);
    json_quoted(json->out, key);
    text_add(json->out, ": ");
    json->after_key = true;
}

void json_string(struct json *json, const char *text) {
    if (text == NULL) {
        json_null(json);
        return;
    }
    json_separate(json);
    json_quoted(json->out, text);
}

void json_number(struct json *json, double value) {
    char buffer[32];
    if (!isfinite(value)) {
        json_null(json);
        return;
    }
    json_separate(json);
    text_shortest(value, buffer);
    text_add(json->out, buffer);
}

void json_integer(struct json *json, int64_t value) {
    json_separate(json);
    text_add_format(json->out, "%lld", (long long)value);
}

void json_bool(struct json *json, bool value) {
    json_separate(json);
    text_add(json->out, value ? "true" : "false");
}

void json_null(struct json *json) {
    json_separate(json);
    text_add(json->out, "null");
}
