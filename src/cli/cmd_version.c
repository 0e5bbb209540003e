/* parplan version: the version, and which optional parts this build has. */
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"

/* What a build may have or lack; the build defines PARPLAN_WITH_... as 0 or 1. */
static const struct {
    const char *name;
    bool present;
    const char *what;
} features[] = {
    {"glpk", PARPLAN_WITH_GLPK, "integer programs of the search"},
    {"hwloc", PARPLAN_WITH_HWLOC, "detection of this machine"},
    {"mpi", PARPLAN_WITH_MPI, "runs on MPI ranks"},
    {"cuda", PARPLAN_WITH_CUDA, "runs on GPUs"},
    {"nccl", PARPLAN_WITH_NCCL, "collectives between GPUs"},
    {"nvml", PARPLAN_WITH_NVML, "detection of GPUs"},
};

static void write_json(struct text *text) {
    struct json json;
    json_init(&json, text, false);
    json_open_object(&json);
    json_key(&json, "version");
    json_string(&json, PARPLAN_VERSION);
    json_key(&json, "features");
    json_open_object(&json);
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        json_key(&json, features[i].name);
        json_bool(&json, features[i].present);
    }
    json_close_object(&json);
    json_close_object(&json);
    text_add_char(text, '\n');
}

static enum status run(struct context *context) {
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        write_json(&text);
        return output_result(context, &text);
    }
    text_add(&text, "parplan " PARPLAN_VERSION "\n");
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        text_add_format(&text, "  %c %-6s %s%s\n", features[i].present ? '+' : '-', features[i].name, features[i].what,
                        features[i].present ? "" : " (not in this build)");
    }
    return output_result(context, &text);
}

const struct command command_version = {
    .name = "version",
    .summary = "Show the version and the optional parts of this build",
    .description = "Prints the version and, for each optional part, whether this build has it (+) or lacks it (-).",
    .examples = (const struct example[]){
        {"For a bug report", "parplan version --format json"},
        {.line = NULL},
    },
    .formats = HAS_JSON,
    .run = run,
};
