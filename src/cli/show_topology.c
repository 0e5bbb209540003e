/* A topology drawn, or all its numbers as JSON. */
#include "cli/show.h"

#include "base/json.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "topology/draw.h"
#include "topology/topology.h"

static void write_json(const struct topology *topology, struct text *text) {
    struct json json;
    json_init(&json, text, false);
    json_open_object(&json);
    json_key(&json, "name");
    json_string(&json, topology->name);
    json_key(&json, "device_count");
    json_integer(&json, topology_devices(topology));
    json_key(&json, "node_count");
    json_integer(&json, topology_node_count(topology));
    json_key(&json, "topology");
    json_fields(&json, topology_fields, topology);
    json_close_object(&json);
    text_add_char(text, '\n');
}

enum status show_topology(struct context *context, const struct word *word) {
    const struct show_options *options = context->options;
    struct topology *topology = NULL;
    TRY(load_topology(context, word, &options->scale, &topology));
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        write_json(topology, &text);
    } else {
        draw_topology(topology, (int)terminal_width(), context->globals.ascii || !terminal_utf8(), &text);
    }
    return output_result(context, &text);
}
