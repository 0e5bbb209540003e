/* The program of a plan: text that parplan reads again, or JSON. */
#include "cli/show.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/simulating.h"
#include "program/check.h"
#include "program/lower.h"
#include "program/text.h"

static enum status check_role(struct context *context, const struct program *program, int64_t role) {
    if (role < program->role_count) {
        return OK;
    }
    return diag_error(context->diag, options_mark(context, "role"),
                      "--role: %lld, but the plan has %lld pipeline ranks",
                      (long long)role, (long long)program->role_count);
}

enum status show_program(struct context *context, const struct word *word) {
    const struct show_options *options = context->options;
    struct simulating plan;
    struct program program;
    TRY(simulating_load(context, word, &plan));
    TRY(lower(context->arena, plan.planning.model, plan.planning.topology, plan.plan, plan.root,
              (enum detail)options->detail, &program, context->diag));
    TRY(program_check(context->arena, &program, plan.planning.model, context->diag));
    TRY(check_role(context, &program, options->role));
    struct text text;
    text_init(&text, context->arena);
    if (context->globals.format == FORMAT_JSON) {
        struct json json;
        json_init(&json, &text, false);
        program_json(&program, options->role, &json);
        text_add_char(&text, '\n');
    } else {
        program_write(&program, options->role, &text);
    }
    return output_result(context, &text);
}
