/* Templates: the steps of a pass of a block, and the lives of its tensors. */
#include "base/arena.h"
#include "program/operations_draft.h"

static void write_steps(struct draft *d) {
    int count = d->sort->lists.work.operation_count;
    for (int position = 0; d->pass == ACTION_FORWARD && position < count; position++) {
        draft_forward(d, position, ACTION_FORWARD);
    }
    for (int position = count - 1; d->pass != ACTION_FORWARD && position >= 0; position--) {
        if (d->pass == ACTION_WEIGHT) {
            draft_weight(d, position);
        } else {
            draft_backward(d, position);
        }
    }
    draft_flush(d, d->away);
}

/* The block's output is whole at the end of its last kernel, or of an exchange behind it. */
static void set_output(struct draft *d) {
    struct template *t = d->template;
    t->last = t->output = d->last == ENTRY ? NOTHING : d->last;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        t->output = d->pending[stream] > t->output ? d->pending[stream] : t->output;
    }
}

static int32_t later(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* The step that ends what `held` is kept for, as far as it is in this pass; NOTHING. */
static int32_t end_of(const struct draft *d, const struct held *held) {
    if (held->kind == HELD_INPUT) {
        return d->again[held->made].last;
    }
    int32_t used = held->used != NOTHING ? d->backward[held->used].last : NOTHING;
    return later(used, held->weight != NOTHING ? d->weight[held->weight].last : NOTHING);
}

static int32_t begin_of(const struct draft *d, const struct held *held) {
    if (d->pass == ACTION_FORWARD) {
        return d->forward[held->made].first;
    }
    int32_t again = held->kind == HELD_AGAIN ? d->again[held->made].first : NOTHING;
    return again != NOTHING ? again : d->backward[held->made].first;
}

static bool is_kept(const struct held *held) {
    return held->kind == HELD_KEPT || held->kind == HELD_INPUT;
}

/* Whether the pass leaves the tensor to another one: forward all that it makes, an input gradient alone what weight
 * gradients need. */
static bool is_left(const struct draft *d, const struct held *held) {
    return d->pass == ACTION_FORWARD || (d->pass == ACTION_BACKWARD && held->weight != NOTHING);
}

static bool is_made(const struct draft *d, const struct held *held) {
    return d->pass == ACTION_FORWARD ? is_kept(held) : d->pass != ACTION_WEIGHT && !is_kept(held);
}

static void add_life(struct draft *d, const struct held *held, bool left) {
    enum tensor_class class = held->class;
    if (left && class == TENSOR_WORKING) {
        class = TENSOR_ACTIVATIONS;
    }
    d->template->lives[d->template->life_count++] =
        (struct life){held->bytes, class, begin_of(d, held), left ? NOTHING : end_of(d, held)};
}

/* Those that another pass frees first: they are remembered by their place. */
static void write_lives(struct draft *d) {
    const struct sort *s = d->sort;
    struct template *t = d->template;
    t->lives = ARENA_ARRAY(d->arena, struct life, (size_t)s->held_count);
    t->keep = d->pass == ACTION_FORWARD ? KEEP_FORWARD : KEEP_BACKWARD;
    for (int left = 1; left >= 0; left--) {
        for (int i = 0; i < s->held_count; i++) {
            const struct held *held = &s->held[i];
            if (is_made(d, held) && is_left(d, held) == (left == 1)) {
                add_life(d, held, left == 1);
            }
        }
        t->kept_count = left == 1 ? t->life_count : t->kept_count;
    }
}

static void add_release(struct draft *d, enum keep keep, int32_t index, int32_t step) {
    d->template->releases[d->template->release_count++] = (struct release){keep, index, step};
}

/* What earlier passes left and this one is the last to need, by its place among what they left. */
static void write_releases(struct draft *d) {
    const struct sort *s = d->sort;
    int32_t places[KEEP_COUNT] = {0, 0};
    d->template->releases = ARENA_ARRAY(d->arena, struct release, (size_t)s->held_count);
    for (int i = 0; i < s->held_count && d->pass != ACTION_FORWARD; i++) {
        const struct held *held = &s->held[i];
        if (is_kept(held)) {
            int32_t place = places[KEEP_FORWARD]++;
            bool weight = held->weight != NOTHING;
            if (d->pass == ACTION_FULL || (d->pass == ACTION_WEIGHT) == weight) {
                add_release(d, KEEP_FORWARD, place, end_of(d, held));
            }
        } else if (held->weight != NOTHING) {
            int32_t place = places[KEEP_BACKWARD]++;
            if (d->pass == ACTION_WEIGHT) {
                add_release(d, KEEP_BACKWARD, place, end_of(d, held));
            }
        }
    }
}

struct template *template_make(struct arena *arena, struct builder *builder, const struct sort *sort,
                               enum block block, int layer_kind, enum action action) {
    struct draft *d = ARENA_NEW(arena, struct draft);
    draft_open(arena, builder, sort, block, layer_kind, action, d);
    write_steps(d);
    set_output(d);
    write_lives(d);
    write_releases(d);
    return d->template;
}
