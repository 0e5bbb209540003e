/* Contention on one rank. Scalar: what overlaps runs at a measured part of its rate, both sides (Galvatron,
 * arXiv:2211.13878). Resources: communication holds multiprocessors for its whole life and takes memory bandwidth and
 * ports; compute gets what is left:
 *
 *   communication   max-min shares of the ports and of the memory bandwidth           (share.h)
 *   GEMM            waves of tiles on the multiprocessors that are left
 *   memory-bound    (B - used) / its own use of B
 *
 * Nothing runs faster than alone: every rate is at most 1. */
#include "sim/contention.h"

#include <math.h>
#include <stddef.h>

#include "sim/share.h"

const char *const contention_names[] = {
    [CONTENTION_NONE] = "none",
    [CONTENTION_SCALAR] = "scalar",
    [CONTENTION_RESOURCES] = "resources",
    [CONTENTION_RESOURCES + 1] = NULL,
};

static double least(double a, double b) {
    return a < b ? a : b;
}

static bool communicates(const struct load *load) {
    return load->kind == LOAD_COLLECTIVE || load->kind == LOAD_MESSAGE || load->kind == LOAD_COPY;
}

double contention_waves(double tiles, double sms, double held) {
    double left = floor(sms - held + 1e-9); /* whole multiprocessors; a share of them was rounded to a double */
    if (left < 1) {
        return 0;
    }
    return least(1, ceil(tiles / sms) / ceil(tiles / left));
}

/* Messages of a pipeline disturb compute too little to be told apart from noise; they are not in the measurements the
 * scalar comes from. */
static void rates_scalar(const struct contention *contention, struct load *loads, int count) {
    bool compute = false, beside = false;
    for (int i = 0; i < count; i++) {
        compute = compute || (loads[i].kind == LOAD_COMPUTE && loads[i].moving);
        beside = beside || loads[i].kind == LOAD_COLLECTIVE || loads[i].kind == LOAD_COPY;
    }
    for (int i = 0; i < count; i++) {
        double rate = 1;
        if (loads[i].kind == LOAD_COMPUTE && beside) {
            rate = contention->compute;
        } else if (loads[i].kind == LOAD_COLLECTIVE && compute) {
            rate = contention->communication;
        }
        loads[i].rate = rate * loads[i].cap;
    }
}

enum { MEMORY_LINK = PORT_COUNT, LINKS };

/* Shares of ports and memory among what communicates; the multiprocessors held and the memory bandwidth taken. */
static void share_communication(struct load *loads, int count, double *ret_held, double *ret_memory) {
    static const double capacities[LINKS] = {1, 1, 1, 1, 1};
    struct share_flow flows[STREAM_COUNT];
    struct share_use uses[STREAM_COUNT][2];
    int index[STREAM_COUNT], flow_count = 0;
    for (int i = 0; i < count; i++) {
        if (!communicates(&loads[i])) {
            continue;
        }
        *ret_held += loads[i].price->sms;
        loads[i].rate = 0;
        if (loads[i].moving && loads[i].cap > 0) {
            uses[flow_count][0] = (struct share_use){loads[i].price->port, loads[i].price->use};
            uses[flow_count][1] = (struct share_use){MEMORY_LINK, loads[i].price->memory};
            flows[flow_count] = (struct share_flow){.uses = uses[flow_count], .use_count = 2, .weight = 1,
                                                    .cap = loads[i].cap};
            index[flow_count++] = i;
        }
    }
    if (flow_count == 1) {
        flows[0].rate = flows[0].cap;
    } else if (flow_count > 1) {
        share_solve(flows, flow_count, capacities, LINKS, NULL);
    }
    for (int f = 0; f < flow_count; f++) {
        loads[index[f]].rate = flows[f].rate;
        *ret_memory += flows[f].rate * loads[index[f]].price->memory;
    }
}

static double compute_rate(const struct contention *contention, const struct work_price *price, double held,
                           double memory) {
    double left = 1 - memory;
    if (price->memory > left) {
        left = left > 0 ? left / price->memory : 0;
    } else {
        left = 1;
    }
    if (price->memory_bound) {
        return left;
    }
    double multiprocessors = held < 1 ? 1 - held : 0;
    if (price->tiles > 0 && contention->sms > 0) {
        multiprocessors = contention_waves(price->tiles, contention->sms, held * contention->sms);
    }
    return least(left, multiprocessors);
}

static void rates_resources(const struct contention *contention, struct load *loads, int count) {
    double held = 0, memory = 0;
    share_communication(loads, count, &held, &memory);
    for (int i = 0; i < count; i++) {
        if (loads[i].kind == LOAD_COMPUTE && loads[i].moving) {
            bool alone = held <= 0 && memory <= 0;
            double left = alone ? 1 : compute_rate(contention, loads[i].price, held, memory);
            loads[i].rate = loads[i].cap * left;
        } else if (!communicates(&loads[i])) {
            loads[i].rate = loads[i].cap;
        }
    }
}

void contention_rates(const struct contention *contention, struct load *loads, int count) {
    if (contention->level == CONTENTION_SCALAR && count > 1) {
        rates_scalar(contention, loads, count);
    } else if (contention->level == CONTENTION_RESOURCES && count > 1) {
        rates_resources(contention, loads, count);
    } else {
        for (int i = 0; i < count; i++) {
            loads[i].rate = loads[i].cap;
        }
    }
}

/* What a role's instructions use at most, by stream. */
struct usage {
    double ports[PORT_COUNT][STREAM_COUNT], memory[STREAM_COUNT];
    bool compute, collective, holds;
};

static void usage_add(struct usage *usage, const struct instruction *instruction, const struct work_price *price) {
    bool collective = instruction->action == ACTION_COLLECTIVE;
    bool copy = instruction->action == ACTION_LOAD || instruction->action == ACTION_STORE;
    if (price->picoseconds <= 0 || instruction->action == ACTION_RECEIVE || instruction->action == ACTION_HOST) {
        return;
    }
    if (!collective && !copy && instruction->action != ACTION_SEND) {
        usage->compute = true;
        return;
    }
    usage->collective = usage->collective || collective || copy;
    usage->holds = usage->holds || price->sms > 0 || price->memory > 0;
    double *port = &usage->ports[price->port][instruction->stream];
    *port = *port > price->use ? *port : price->use;
    double *memory = &usage->memory[instruction->stream];
    *memory = *memory > price->memory ? *memory : price->memory;
}

static bool exceeds(const double uses[STREAM_COUNT]) {
    double sum = 0;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        sum += uses[stream];
    }
    return sum > 1;
}

static bool usage_matters(const struct contention *contention, const struct usage *usage) {
    if (contention->level == CONTENTION_SCALAR) {
        return usage->compute && usage->collective && (contention->compute < 1 || contention->communication < 1);
    }
    bool crowded = exceeds(usage->memory);
    for (int port = PORT_NONE + 1; port < PORT_COUNT; port++) {
        crowded = crowded || exceeds(usage->ports[port]);
    }
    return crowded || (usage->compute && usage->holds);
}

bool contention_matters(const struct engine_input *input) {
    const struct program *program = input->program;
    if (input->contention.level == CONTENTION_NONE) {
        return false;
    }
    for (int64_t role = 0; role < program->role_count; role++) {
        struct usage usage = {.compute = false};
        for (int64_t i = 0; i < program->roles[role].count; i++) {
            const struct instruction *instruction = &program->instructions[program->roles[role].first + i];
            usage_add(&usage, instruction, &input->prices[instruction->work]);
        }
        if (usage_matters(&input->contention, &usage)) {
            return true;
        }
    }
    return false;
}
