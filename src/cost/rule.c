/* The rules. Sources: Megatron-Core's and DeepSpeed's argument checks, and what the algorithms themselves need. */
#include "cost/rule.h"

#include <stddef.h>

#include "base/arena.h"
#include "cost/stage.h"
#include "plan/mesh.h"
#include "schedule/schedule.h"

#define RULE(name) static bool name(const struct cost_context *c, const struct decision *d)

static bool divides(int64_t divisor, int64_t value) {
    return divisor > 0 && value % divisor == 0;
}

/* A product of degrees, INT64_MAX when it does not fit: users may ask for any. */
static int64_t times(int64_t a, int64_t b) {
    return b > 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

/* Ranks that share a pipeline stage. */
static int64_t stage_ranks(const struct parallel *p) {
    return times(times(p->tp, p->cp), p->dp);
}

RULE(world) {
    return times(stage_ranks(&d->parallel), d->parallel.pp) != c->world;
}

RULE(tp_heads) {
    return !divides(d->parallel.tp, c->model->num_attention_heads);
}

RULE(tp_kv_heads) {
    int64_t heads = c->model->num_key_value_heads, tp = d->parallel.tp;
    return c->model->mla == NULL && heads > 0 && heads % tp != 0 && tp % heads != 0;
}

RULE(tp_linear_heads) {
    return c->model->linear != NULL && (!divides(d->parallel.tp, c->model->linear->value_heads) ||
                                        !divides(d->parallel.tp, c->model->linear->key_heads));
}

RULE(tp_width) {
    const struct moe *moe = c->model->moe;
    for (int64_t i = 0; i < c->model->kind_count; i++) {
        if (c->model->kinds[i].ffn == FFN_DENSE && !divides(d->parallel.tp, c->model->kinds[i].intermediate_size)) {
            return true;
        }
    }
    return moe != NULL && !divides(d->parallel.tp, moe->shared_intermediate_size);
}

RULE(sp_tp) {
    (void)c;
    return d->parallel.sp && d->parallel.tp == 1;
}

RULE(sp_sequence) {
    return d->parallel.sp && !divides(times(d->parallel.tp, d->parallel.cp), c->tokens);
}

RULE(sp_experts) {
    return c->model->moe != NULL && d->parallel.tp > 1 && !d->parallel.sp;
}

RULE(cp_sequence) {
    int64_t cp = d->parallel.cp;
    int64_t pieces = cp == 1 ? 1 : d->parallel.cp_kind == CONTEXT_ULYSSES ? cp : 2 * cp;
    return !divides(pieces, c->tokens);
}

RULE(cp_heads) {
    const struct parallel *p = &d->parallel;
    if (p->cp == 1 || p->tp < 1 || p->ulysses < 1) {
        return false;
    }
    int64_t heads = c->model->num_attention_heads / p->tp, kv = c->model->num_key_value_heads / p->tp;
    kv = c->model->mla != NULL ? heads : kv > 0 ? kv : 1;
    return heads % p->ulysses != 0 || (kv % p->ulysses != 0 && p->ulysses % kv != 0);
}

RULE(cp_kernel) {
    return d->parallel.cp > 1 && !c->job->kernels.flash_attention;
}

RULE(cp_kinds) {
    const struct parallel *p = &d->parallel;
    (void)c;
    switch ((enum context_kind)p->cp_kind) {
    case CONTEXT_ULYSSES:
        return p->ulysses != p->cp;
    case CONTEXT_USP:
        return p->cp > 1 && (p->ulysses <= 1 || p->ulysses >= p->cp || p->cp % p->ulysses != 0);
    case CONTEXT_RING:
    case CONTEXT_ALL_GATHER:
    case CONTEXT_KINDS:
        break;
    }
    return p->ulysses != 1;
}

RULE(ep_experts) {
    const struct moe *moe = c->model->moe;
    return moe == NULL ? d->parallel.ep != 1 : !divides(d->parallel.ep, moe->num_experts);
}

RULE(etp_width) {
    const struct moe *moe = c->model->moe;
    return moe == NULL ? d->parallel.etp != 1 : !divides(d->parallel.etp, moe->expert_intermediate_size);
}

RULE(ep_fold) {
    const struct parallel *p = &d->parallel;
    (void)c;
    return !divides(times(p->ep, p->etp), stage_ranks(p));
}

RULE(ep_order) {
    const struct parallel *p = &d->parallel;
    if (world(c, d) || ep_fold(c, d)) {
        return false; /* no mesh to ask */
    }
    struct mesh mesh =
        mesh_make(p->tp, p->cp, p->dp, p->pp, p->ep, p->etp, (enum mesh_order)p->order);
    return mesh_refuse(&mesh) != NULL;
}

RULE(batch) {
    return !divides(times(d->parallel.dp, d->micro_batch), c->job->global_batch);
}

RULE(zero_group) {
    (void)c;
    return d->parallel.zero > 0 && d->parallel.dp == 1 && d->parallel.cp == 1;
}

RULE(zero_pipeline) {
    (void)c;
    return d->parallel.zero >= 2 && d->parallel.pp > 1;
}

RULE(pp_schedule) {
    (void)c;
    return (d->schedule == SCHEDULE_NONE) != (d->parallel.pp == 1);
}

static struct schedule_shape shape_of(const struct decision *d) {
    return (struct schedule_shape){
        .ranks = d->parallel.pp, .micro_batches = d->micro_batches, .chunks = d->parallel.vpp};
}

RULE(schedule_shape) {
    (void)c;
    struct schedule_shape shape = shape_of(d);
    return schedules[d->schedule]->refuse(&shape) != NULL;
}

RULE(stage_cut) {
    enum placement placement = schedules[d->schedule]->placement;
    return stage_refuse(c->model->layer_count, d->parallel.pp, d->parallel.vpp, placement, d->stages == STAGES_ENDS) !=
           NULL;
}

RULE(vocabulary) {
    return c->job->vocab_parallel && d->parallel.pp == 1;
}

#undef RULE

const struct rule rules[] = {
    {"world", "tp * pp * cp * dp must be the number of devices", RULE_SHAPE, world},
    {"tp-heads", "tp must divide num_attention_heads", RULE_SHAPE, tp_heads},
    {"tp-kv-heads", "tp must divide num_key_value_heads or be a multiple of it", RULE_SHAPE, tp_kv_heads},
    {"tp-linear-heads", "tp must divide the heads of linear attention", RULE_SHAPE, tp_linear_heads},
    {"tp-width", "tp must divide the width of every dense feed-forward", RULE_SHAPE, tp_width},
    {"cp-kernel", "context parallelism needs fused attention", RULE_SHAPE, cp_kernel},
    {"ep-experts", "ep must divide num_experts (and be 1 without experts)", RULE_SHAPE, ep_experts},
    {"etp-width", "etp must divide the experts' width (and be 1 without experts)", RULE_SHAPE, etp_width},
    {"ep-fold", "ep * etp must divide tp * cp * dp", RULE_SHAPE, ep_fold},
    {"vocabulary", "a vocabulary spread over stages needs pp > 1", RULE_SHAPE, vocabulary},
    {"sp-tp", "sequence parallelism needs tp > 1", RULE_CUT, sp_tp},
    {"sp-sequence", "with sequence parallelism tp * cp must divide seq_len", RULE_CUT, sp_sequence},
    {"sp-experts", "experts with tp > 1 need sequence parallelism", RULE_CUT, sp_experts},
    {"cp-kinds", "ulysses cuts heads cp ways, usp a part of cp, ring and allgather none", RULE_CUT, cp_kinds},
    {"cp-sequence", "balanced context parallelism needs seq_len to be a multiple of 2 cp (ulysses: cp)", RULE_CUT,
     cp_sequence},
    {"cp-heads", "ulysses must divide the heads of a tensor-parallel rank", RULE_CUT, cp_heads},
    {"ep-order", "with pp between the other axes, ep * etp must divide the degrees before pp", RULE_CUT, ep_order},
    {"batch", "dp * micro_batch must divide global_batch", RULE_MICRO_BATCH, batch},
    {"zero-group", "ZeRO needs dp * cp > 1", RULE_WHOLE, zero_group},
    {"zero-pipeline", "ZeRO 2 and 3 are not combined with pp > 1: every micro-batch would communicate all weights",
     RULE_WHOLE, zero_pipeline},
    {"pp-schedule", "schedule none is for pp = 1, all others are for pp > 1", RULE_WHOLE, pp_schedule},
    {"schedule-shape", "the schedule does not take this pp, vpp and number of micro-batches", RULE_WHOLE,
     schedule_shape},
    {"stage-cut", "the layers cannot be cut into pp * vpp stages this way", RULE_WHOLE, stage_cut},
    {NULL, NULL, RULE_WHOLE, NULL},
};

const struct rule *rule_broken(const struct cost_context *context, const struct decision *decision,
                               enum rule_scope scope) {
    for (const struct rule *rule = rules; rule->name != NULL; rule++) {
        if (rule->scope == scope && rule->broken(context, decision)) {
            return rule;
        }
    }
    return NULL;
}

/* The text of the rule, and where a schedule or a cut refuses, their own words. */
static const char *reason_text(struct arena *arena, const struct cost_context *c, const struct decision *d,
                               const struct rule *rule) {
    const char *detail = NULL;
    struct schedule_shape shape = shape_of(d);
    if (rule->broken == schedule_shape) {
        detail = schedules[d->schedule]->refuse(&shape);
    } else if (rule->broken == stage_cut) {
        detail = stage_refuse(c->model->layer_count, d->parallel.pp, d->parallel.vpp,
                              schedules[d->schedule]->placement, d->stages == STAGES_ENDS);
    }
    return detail != NULL ? arena_format(arena, "%s: %s (%s)", rule->name, rule->doc, detail)
                          : arena_format(arena, "%s: %s", rule->name, rule->doc);
}

struct list rule_reasons(struct arena *arena, const struct cost_context *context, const struct decision *decision) {
    size_t count = sizeof rules / sizeof rules[0];
    const char **texts = ARENA_ARRAY(arena, const char *, count);
    struct list list = {texts, 0};
    for (const struct rule *rule = rules; rule->name != NULL; rule++) {
        if (rule->broken(context, decision)) {
            texts[list.count++] = reason_text(arena, context, decision, rule);
        }
    }
    return list;
}
