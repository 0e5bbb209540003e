/* Why not: the best that a part of the space can do, beside the best of all. */
#ifndef PARPLAN_CLI_WHY_NOT_H
#define PARPLAN_CLI_WHY_NOT_H

#include "cli/planning.h"
#include "search/search.h"

struct json;
struct text;

struct why_not {
    const char *question;        /* "tp=4,pp=2"; NULL: nothing was asked */
    struct job *job;             /* whose space is that part */
    struct search_result result; /* of that part of the space */
    bool feasible;
};

/* Reads a question, such as "tp=4,pp=2" or "recompute=none". */
enum status why_not_read(struct context *context, const struct planning *planning, const struct word *question,
                         struct why_not *ret) MUST_CHECK;
/* Searches the part of the job's space that the question fixes. */
enum status why_not_ask(struct context *context, const struct planning *planning, const struct search_control *control,
                        struct why_not *answer) MUST_CHECK;

/* `best`: of the whole space; NULL when nothing fits there either. */
void why_not_text(const struct why_not *answer, const struct estimate *best, struct text *out);
void why_not_json(const struct why_not *answer, struct json *json);

/* Why a search found nothing: the binding term and the distance, or the rules that refused. */
const char *why_nothing(struct arena *arena, const struct search_result *result);

#endif
