/* Stages as a plan's layout lists them. A layout is edited by people: every way to get it wrong has its own words.
 *
 *   layout:                                    stage 0   layers  0 .. 19
 *     - {rank: 0, chunk: 0, first: 0, ...}     stage 1   layers 20 .. 39    first = end of the stage before
 *     - {rank: 1, chunk: 0, first: 20, ...}    ...                          the last ends with the model */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "model/model.h"
#include "plan/plan.h"
#include "plan/stages_internal.h"
#include "schedule/schedule.h"
#include "yaml/bind.h"
#include "yaml/document.h"

static const char *const extra_names[] = {"embedding", "head", "mtp"};
enum { EXTRAS = sizeof extra_names / sizeof extra_names[0] };

struct reader {
    struct arena *arena;
    const struct plan *plan;
    const struct model *model;
    const struct node *root;
    struct diag *diag;
    struct stages *stages;
    struct stage *items;
    int64_t *rows; /* of each stage of `items`: its row in the layout, -1 = not listed */
};

/* The row itself where it lacks the key. */
static struct mark at_row(const struct reader *r, int64_t row, const char *key) {
    struct mark mark = bind_mark(r->root, arena_format(r->arena, "layout.%lld.%s", (long long)row, key));
    bool absent = r->root != NULL && mark.line == r->root->mark.line && mark.column == r->root->mark.column;
    return absent ? bind_mark(r->root, arena_format(r->arena, "layout.%lld", (long long)row)) : mark;
}

static const struct plan_stage *row_of(const struct reader *r, int64_t row) {
    const struct plan_stage *rows = r->plan->layout.items;
    return &rows[row];
}

/* The stage of the model's sequence `index`, of `way`. */
static int64_t item_at(const struct reader *r, int64_t index, int64_t way) {
    enum placement placement = schedules[r->plan->decision.schedule]->placement;
    int64_t rank = placement_rank(placement, r->stages->ranks, index, way);
    return rank * r->stages->held + placement_chunk(placement, r->stages->ranks, index, way);
}

static const char *place_text(const struct reader *r, int64_t item) {
    const struct stage *stage = &r->items[item];
    return arena_format(r->arena, "rank %lld chunk %lld", (long long)stage->rank, (long long)stage->chunk);
}

/* One word of `extra`; false: no such word, or it is there twice. */
static bool read_extra_word(const struct reader *r, int64_t row, const char *word, size_t size, struct stage *stage) {
    const char *text = arena_copy(r->arena, word, size);
    bool *const held[EXTRAS] = {&stage->embedding, &stage->head, NULL};
    for (size_t i = 0; i < EXTRAS; i++) {
        if (strcmp(text, extra_names[i]) == 0) {
            bool twice = held[i] != NULL ? *held[i] : stage->mtp > 0;
            if (held[i] != NULL) {
                *held[i] = true;
            } else {
                stage->mtp = r->model->mtp_layers > 0 ? r->model->mtp_layers : 1;
            }
            if (twice) {
                diag_error(r->diag, at_row(r, row, "extra"), "extra: %s is there twice", text);
            }
            return !twice;
        }
    }
    diag_error(r->diag, at_row(r, row, "extra"), "extra: '%s' is nothing that a stage can hold", text);
    const char *near = text_nearest(text, extra_names, EXTRAS);
    if (near != NULL) {
        diag_help(r->diag, "did you mean %s?", near);
    } else {
        diag_help(r->diag, "embedding, head, mtp; several with commas between");
    }
    return false;
}

static bool read_extra(const struct reader *r, int64_t row, const char *extra, struct stage *stage) {
    bool good = true;
    while (extra != NULL && *extra != '\0') {
        extra += strspn(extra, " ");
        size_t size = strcspn(extra, ",");
        const char *next = extra[size] == ',' ? extra + size + 1 : extra + size;
        while (size > 0 && extra[size - 1] == ' ') {
            size--;
        }
        good = read_extra_word(r, row, extra, size, stage) && good;
        extra = next;
    }
    return good;
}

/* Fills the stage that a row names. */
static bool read_row(const struct reader *r, int64_t row) {
    const struct plan_stage *listed = row_of(r, row);
    if (listed->rank >= r->stages->ranks) {
        diag_error(r->diag, at_row(r, row, "rank"), "rank: %lld, but there are %lld pipeline ranks (parallel.pp)",
                   (long long)listed->rank, (long long)r->stages->ranks);
        return false;
    }
    if (listed->chunk >= r->stages->held) {
        diag_error(r->diag, at_row(r, row, "chunk"), "chunk: %lld, but a rank holds %lld under schedule %s",
                   (long long)listed->chunk, (long long)r->stages->held,
                   schedule_names[r->plan->decision.schedule]);
        return false;
    }
    int64_t item = listed->rank * r->stages->held + listed->chunk;
    if (r->rows[item] >= 0) {
        diag_error(r->diag, at_row(r, row, "rank"), "%s is listed twice", place_text(r, item));
        return false;
    }
    r->rows[item] = row;
    r->items[item].first = listed->first;
    r->items[item].layers = listed->layers;
    if (!read_extra(r, row, listed->extra, &r->items[item])) {
        return false;
    }
    if (listed->layers == 0 && listed->extra == NULL) {
        diag_error(r->diag, at_row(r, row, "layers"), "%s holds nothing", place_text(r, item));
        return false;
    }
    return true;
}

/* Who of `way` holds `layer`, but for `not`; -1: nobody. */
static int64_t holder_of(const struct reader *r, int64_t layer, int64_t way, int64_t not) {
    for (int64_t i = 0; i < r->stages->count; i++) {
        const struct stage *stage = &r->items[i];
        if (i != not && stage->way == way && layer >= stage->first && layer - stage->first < stage->layers) {
            return i;
        }
    }
    return -1;
}

/* A stage that does not begin where the one before it ends. */
static void refuse_first(const struct reader *r, int64_t item, int64_t expected) {
    const struct stage *stage = &r->items[item];
    struct mark mark = at_row(r, r->rows[item], "first");
    int64_t layer = stage->first < expected ? stage->first : expected;
    int64_t other = holder_of(r, layer, stage->way, item);
    if (stage->first < expected && other >= 0) {
        diag_error(r->diag, mark, "layer %lld is twice: %s has it, and %s", (long long)layer, place_text(r, other),
                   place_text(r, item));
    } else if (other >= 0) {
        diag_error(r->diag, mark, "%s is out of order: layer %lld comes next, which %s has", place_text(r, item),
                   (long long)layer, place_text(r, other));
    } else {
        diag_error(r->diag, mark, "layer %lld is missing: %s begins with layer %lld", (long long)expected,
                   place_text(r, item), (long long)stage->first);
    }
    diag_help(r->diag, "first: %lld", (long long)expected);
}

/* The layers of one way, from stage to stage. */
static bool check_layers(const struct reader *r, int64_t way) {
    int64_t next = 0;
    for (int64_t index = 0; index < r->stages->stages; index++) {
        int64_t item = item_at(r, index, way);
        const struct stage *stage = &r->items[item];
        if (stage->first != next) {
            refuse_first(r, item, next);
            return false;
        }
        if (stage->layers > r->model->layer_count - next) {
            diag_error(r->diag, at_row(r, r->rows[item], "layers"),
                       "%s ends with layer %lld, the model with layer %lld", place_text(r, item),
                       (long long)(next + stage->layers - 1), (long long)r->model->layer_count - 1);
            return false;
        }
        next += stage->layers;
    }
    if (next < r->model->layer_count) {
        int64_t item = item_at(r, r->stages->stages - 1, way);
        diag_error(r->diag, at_row(r, r->rows[item], "layers"), "layer %lld is missing: %s is the last stage and ends "
                   "before it", (long long)next, place_text(r, item));
        return false;
    }
    return true;
}

/* Embedding, head and MTP blocks stand where the sequence begins and ends. */
static bool check_extra(const struct reader *r, int64_t item, const char *name, bool has, bool wanted) {
    if (has == wanted) {
        return true;
    }
    struct mark mark = at_row(r, r->rows[item], "extra");
    if (has) {
        diag_error(r->diag, mark, "%s cannot hold %s: %s", place_text(r, item), name,
                   strcmp(name, "embedding") == 0 ? "it belongs to the first stage"
                   : strcmp(name, "head") == 0    ? "it belongs to the last stage"
                                                  : "trained MTP blocks belong to the last stage");
    } else {
        diag_error(r->diag, mark, "%s is missing: it belongs to %s", name, place_text(r, item));
    }
    return false;
}

static bool check_extras(const struct reader *r) {
    bool good = true;
    bool mtp = r->plan->job.train_mtp && r->model->mtp_layers > 0;
    for (int64_t i = 0; i < r->stages->count; i++) {
        const struct stage *stage = &r->items[i];
        bool last = stage->index == r->stages->stages - 1;
        good = check_extra(r, i, "embedding", stage->embedding, stage->index == 0) && good;
        good = check_extra(r, i, "head", stage->head, last) && good;
        good = check_extra(r, i, "mtp", stage->mtp > 0, last && mtp) && good;
    }
    return good;
}

static enum status read_layout(struct reader *r) {
    bool good = true;
    r->items = stages_open(r->arena, &r->plan->decision, r->stages);
    r->rows = ARENA_ARRAY(r->arena, int64_t, (size_t)r->stages->count);
    for (int64_t i = 0; i < r->stages->count; i++) {
        r->rows[i] = -1;
    }
    for (size_t row = 0; row < r->plan->layout.count; row++) {
        good = read_row(r, (int64_t)row) && good;
    }
    for (int64_t i = 0; i < r->stages->count && good; i++) {
        if (r->rows[i] < 0) {
            diag_error(r->diag, bind_mark(r->root, "layout"), "layout: %s is not listed", place_text(r, i));
            good = false;
        }
    }
    for (int64_t way = 0; way < schedules[r->plan->decision.schedule]->ways && good; way++) {
        good = check_layers(r, way);
    }
    return good && check_extras(r) ? OK : STATUS_INVALID;
}

enum status plan_stages(struct arena *arena, const struct plan *plan, const struct model *model,
                        const struct node *root, struct stages *ret, struct diag *diag) {
    const struct decision *d = &plan->decision;
    enum placement placement = schedules[d->schedule]->placement;
    bool ends = d->stages == STAGES_ENDS;
    if (plan->layout.count > 0 && d->parallel.pp <= STAGE_RANKS) {
        struct reader reader = {
            .arena = arena, .plan = plan, .model = model, .root = root, .diag = diag, .stages = ret};
        return read_layout(&reader);
    }
    const char *reason = stage_refuse(model->layer_count, d->parallel.pp, d->parallel.vpp, placement, ends);
    if (reason != NULL) {
        return diag_error(diag, bind_mark(root, "parallel.pp"), "the %lld layers cannot be cut into stages: %s",
                          (long long)model->layer_count, reason);
    }
    stages_by_rule(arena, d, model, plan->job.train_mtp && model->mtp_layers > 0, ret);
    return OK;
}
