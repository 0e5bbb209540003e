/* The tables that instructions point into: degrees, works, stages, meetings, tensors. */
#include <math.h>

#include "model/operation.h"
#include "program/check_parts.h"

/* More ranks than any machine has; products of degrees stay exact. */
#define RANKS_MOST 1e12

static bool is_amount(double amount) {
    return isfinite(amount) && amount >= 0;
}

static void check_degrees(struct checking *c) {
    const struct program *program = c->program;
    const struct parallel *p = &program->parallel;
    const int64_t degrees[] = {p->tp, p->pp, p->dp, p->cp, p->ep, p->etp, program->micro_batches, program->replicas,
                               program->lockstep};
    for (size_t i = 0; i < sizeof degrees / sizeof *degrees; i++) {
        if (degrees[i] < 1 || (double)degrees[i] > RANKS_MOST) {
            check_fault(c, "a degree of parallelism or the number of micro-batches is %lld", (long long)degrees[i]);
            return;
        }
    }
    double replicas = (double)p->tp * (double)p->cp * (double)p->dp;
    if (replicas < (double)program->replicas || replicas > (double)program->replicas) {
        check_fault(c, "there are %lld replicas of a role, but tp x cp x dp is %.0f", (long long)program->replicas,
                    replicas);
    } else if (program->replicas % program->lockstep != 0) {
        check_fault(c, "%lld replicas cannot run in groups of %lld", (long long)program->replicas,
                    (long long)program->lockstep);
    }
    if (program->role_count != p->pp) {
        check_fault(c, "there are %lld roles for %lld pipeline ranks", (long long)program->role_count,
                    (long long)p->pp);
    }
    if (program->micro_batches > program->count) {
        check_fault(c, "%lld micro-batches cannot pass in %lld instructions", (long long)program->micro_batches,
                    (long long)program->count);
    }
}

static bool is_of_stages(const struct checking *c, const struct work *work) {
    int64_t stages = c->program->stage_count;
    if (!check_optional(work->stage, stages) || !check_optional(work->other, stages)) {
        return false;
    }
    bool pair = work->action == ACTION_PAIR;
    return work->kind != WORK_PASS || (work->stage != NOTHING && pair == (work->other >= 0));
}

static bool is_part(const struct work *work) {
    bool counted = work->item >= NOTHING && work->pieces >= 1 && work->size >= 1 && work->step >= 1;
    return counted && (work->kind != WORK_KERNEL || check_below(work->item, OPERATIONS_MAX));
}

static const char *refuse_work(const struct checking *c, const struct work *work) {
    if (work->kind >= WORK_KINDS || work->action >= ACTION_COUNT || work->block >= BLOCK_COUNT ||
        (unsigned)work->collective >= COLLECTIVE_KINDS || (unsigned)work->axis >= AXIS_COUNT) {
        return "is of no kind that there is";
    }
    if (work->kind == WORK_BLOCK || work->kind == WORK_KERNEL || work->kind == WORK_EXCHANGE) {
        if (work->layer_kind >= c->model->kind_count) {
            return "is of a kind of layer that the model does not have";
        }
    }
    if (!is_of_stages(c, work)) {
        return "is of a stage that there is not";
    }
    if (!is_part(work)) {
        return "has a part that there is not";
    }
    return is_amount(work->bytes) && is_amount(work->parameters) ? NULL : "has no amount";
}

static const char *refuse_stage(const struct checking *c, const struct stage *stage) {
    if (!check_below(stage->rank, c->program->parallel.pp) || stage->chunk < 0 || stage->index < 0) {
        return "is nowhere";
    }
    if (stage->way != 0 && stage->way != 1) {
        return "has no direction";
    }
    int64_t layers = c->model->layer_count;
    if (stage->first < 0 || stage->layers < 0 || stage->first > layers || stage->layers > layers - stage->first) {
        return "has layers that the model does not have";
    }
    return stage->mtp < 0 || stage->mtp > INT16_MAX ? "has MTP blocks that there are not" : NULL;
}

static void check_tensor_table(struct checking *c) {
    const struct program *program = c->program;
    for (int64_t i = 0; i < program->tensor_count; i++) {
        const struct tensor *tensor = &program->tensors[i];
        if (!check_below(tensor->class, TENSOR_CLASSES) || !is_amount(tensor->bytes) ||
            !check_optional(tensor->micro_batch, program->micro_batches) ||
            !check_optional(tensor->stage, program->stage_count)) {
            check_fault(c, "tensor %lld has a class, size, micro-batch or stage that there is not", (long long)i);
        }
    }
}

void check_tables(struct checking *c) {
    const struct program *program = c->program;
    if ((unsigned)program->detail >= DETAIL_COUNT) {
        check_fault(c, "there is no level of detail %d", (int)program->detail);
    }
    check_degrees(c);
    for (int64_t i = 0; i < program->work_count; i++) {
        const char *reason = refuse_work(c, &program->works[i]);
        if (reason) {
            check_fault(c, "work %lld %s", (long long)i, reason);
        }
    }
    for (int64_t i = 0; i < program->stage_count; i++) {
        const char *reason = refuse_stage(c, &program->stages[i]);
        if (reason) {
            check_fault(c, "stage %lld %s", (long long)i, reason);
        }
    }
    for (int64_t i = 0; i < program->meeting_count; i++) {
        const struct meeting *meeting = &program->meetings[i];
        if ((unsigned)meeting->axis >= AXIS_COUNT || meeting->size < 1 || meeting->members < 0) {
            check_fault(c, "meeting %lld has no axis or no size", (long long)i);
        }
    }
    check_tensor_table(c);
}
