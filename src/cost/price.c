/* Puts a configuration together: the schedule's makespan, what data parallelism and the optimizer add, and the peak. */
#include "cost/price.h"

#include <math.h>

/* Seconds before the end of the last backward at which a rank may begin to reduce. With one chunk: its last backward.
 * With v chunks the last chunk's gradients are complete first; p micro-batches of every other chunk follow (parallel
 * order of interleaved schedules). A rank further down the pipeline ends earlier, by a chunk's backward for each rank
 * before it. */
static double reduction_window(const struct stage_map *map, const struct class_load *load, int64_t class,
                               int64_t micro_batches) {
    bool linear = map->placement == PLACEMENT_LINEAR;
    double held = (double)placement_held(map->placement, map->chunks);
    double backward = load->backward + load->weight;
    double layers = fmax(1, (double)map->classes[class].total);
    double own = backward * (layers - 1) / layers;
    double group = linear ? (double)(map->ranks < micro_batches ? map->ranks : micro_batches) : 1;
    double others = group * backward * (held - 1) / held;
    double slack = linear ? (double)map->classes[class].first_rank * backward / held : 0;
    return fmax(own, others) + slack;
}

/* Seconds of gradient reduction of a class that nothing hides; its last bucket never is hidden. */
static double visible_reduction(const struct cost_context *c, const struct stage_map *map,
                                const struct state_cost *state, const struct class_load *load, int64_t class,
                                int64_t micro_batches) {
    if (!c->job->overlap.gradients) {
        return state->reduce_seconds;
    }
    double window = reduction_window(map, load, class, micro_batches);
    double hidden = fmin(window, fmax(0, state->reduce_seconds - state->bucket_seconds));
    return state->reduce_seconds - hidden * (1 - c->topology->runtime.overlap_slowdown);
}

/* Updated parameters are gathered beside the next step's first forward passes (of interleaved chunks: those of as many
 * micro-batches as the pipeline has ranks); the first layer's wait is visible. */
static double visible_gather(const struct cost_context *c, const struct stage_map *map, const struct state_cost *state,
                             const struct class_load *load, int64_t micro_batches) {
    if (!c->job->overlap.parameters) {
        return state->gather_seconds;
    }
    bool linear = map->placement == PLACEMENT_LINEAR;
    double held = (double)placement_held(map->placement, map->chunks);
    double group = linear ? (double)(map->ranks < micro_batches ? map->ranks : micro_batches) : 1;
    double window = fmax(load->forward, group * load->forward * (held - 1) / held);
    double hidden = fmin(window, fmax(0, state->gather_seconds - state->first_gather_seconds));
    return state->gather_seconds - hidden * (1 - c->topology->runtime.overlap_slowdown);
}

/* What follows the last backward on the rank that takes longest: gradients and weights of data parallelism, gradients
 * that tensor-parallel ranks or the two ends of the pipeline share. */
struct tail {
    double data, tensor, table, update;
};

static struct tail price_tail(const struct cost_context *c, const struct stage_map *map,
                              const struct state_cost states[], const struct stage_load *load, int64_t zero,
                              int64_t micro_batches) {
    struct tail worst = {0};
    double update = 0;
    for (int64_t i = 0; i < map->class_count; i++) {
        struct tail tail = {.tensor = states[i].replicated_seconds, .table = states[i].table_seconds};
        if (zero < 2) {
            tail.data = visible_reduction(c, map, &states[i], &load->classes[i], i, micro_batches);
        }
        if (zero == 1 || zero == 2) {
            tail.data += visible_gather(c, map, &states[i], &load->classes[i], micro_batches);
        }
        update = fmax(update, states[i].update_seconds);
        if (tail.data + tail.tensor + tail.table > worst.data + worst.tensor + worst.table) {
            worst = tail;
        }
    }
    worst.update = update;
    return worst;
}

static struct schedule_shape shape_of(const struct stage_map *map, int64_t micro_batches) {
    return (struct schedule_shape){.ranks = map->ranks, .micro_batches = micro_batches, .chunks = map->chunks};
}

/* Passes of one rank in a step, in units of all its chunks. */
static double rank_passes(const struct stage_map *map, int64_t micro_batches) {
    return (double)micro_batches / (map->placement == PLACEMENT_TWO_WAY ? 2 : 1);
}

double cost_jitter(const struct cost_context *context) {
    return context->nodes > 1 ? context->topology->runtime.jitter * log2((double)context->nodes) : 0;
}

static void price_time(const struct cost_context *c, const struct cut *cut, const struct stage_map *map,
                       const struct state_cost states[], const struct stage_load *load,
                       const struct schedule *schedule, int64_t micro_batches, struct price *ret) {
    struct schedule_shape shape = shape_of(map, micro_batches);
    const struct class_load *heaviest = &load->classes[load->heaviest];
    double passes = rank_passes(map, micro_batches);
    double makespan = schedule_price(schedule, &shape, &load->pipeline);
    double without = schedule_price(schedule, &shape, &load->pipeline_without_hop);
    struct time_parts *time = &ret->time;
    *time = (struct time_parts){0};
    struct tail tail = price_tail(c, map, states, load, cut->parallel.zero, micro_batches);
    double busy = passes * (heaviest->forward + heaviest->backward + heaviest->weight);
    time->compute = passes * heaviest->compute;
    time->tp_exposed = passes * heaviest->exposed.tp;
    time->optimizer = tail.update;
    time->cp_exposed = passes * heaviest->exposed.cp;
    time->ep_exposed = passes * heaviest->exposed.ep;
    double sharded = passes * heaviest->dp_exposed, vocabulary = passes * heaviest->pp_exposed;
    time->overhead = busy - time->compute - sharded - vocabulary;
    time->overhead -= time->tp_exposed + time->cp_exposed + time->ep_exposed;
    double host = 2 * c->topology->runtime.micro_batch_overhead * (double)(micro_batches * map->chunks);
    time->overhead += host;
    time->bubble = without - busy - host;
    if (fabs(time->bubble) < 1e-12 * without) { /* rounding */
        time->bubble = 0;
    }
    if (time->bubble < 0) { /* overlapped pairs take less than their parts: they hide the experts' exchanges */
        double hidden = fmin(-time->bubble, time->ep_exposed);
        time->ep_exposed -= hidden;
        time->bubble += hidden;
        time->compute += fmin(0, time->bubble);
        time->bubble = fmax(0, time->bubble);
    }
    time->tp_exposed += tail.tensor;
    time->pp_exposed = makespan - without + vocabulary + tail.table;
    time->dp_exposed = sharded + tail.data;
    double jitter = cost_jitter(c);
    double sum = makespan + tail.data + tail.tensor + tail.table + tail.update;
    time->overhead += c->topology->runtime.step_overhead + jitter * sum;
    ret->step = sum + c->topology->runtime.step_overhead + jitter * sum;
    ret->busiest_flops = passes * heaviest->flops;
}

/* Groups of more than one rank, each with a communicator of its own. */
static int64_t communicators(const struct cut *cut) {
    const struct parallel *p = &cut->parallel;
    bool fold = p->ep * p->etp > 1;
    return 1 + (p->tp > 1) + (p->cp > 1) + (p->dp * p->cp > 1) + 2 * (p->pp > 1) + (p->ep > 1) + (p->etp > 1) + fold;
}

double cost_library_bytes(const struct cost_context *context, const struct cut *cut) {
    const struct library *library = &context->topology->library;
    double each = library->communicator + (double)library->channels * library->buffer;
    return context->world == 1 ? 0 : (double)communicators(cut) * each;
}

int64_t cost_fullest_rank(const struct stage_map *map, int64_t class, const struct schedule *schedule,
                          int64_t micro_batches) {
    struct schedule_shape shape = shape_of(map, micro_batches);
    int64_t fullest = map->classes[class].first_rank;
    double most = schedule->in_flight_to_weight(&shape, fullest);
    for (int64_t rank = fullest + 1; !schedule->tapers && rank <= map->classes[class].last_rank; rank++) {
        if (map->rank_class[rank] == class) {
            double held = schedule->in_flight_to_weight(&shape, rank);
            fullest = held > most ? rank : fullest;
            most = fmax(most, held);
        }
    }
    return fullest;
}

double cost_peak(const struct cost_context *context, const struct cut *cut, const struct stage_map *map,
                 const struct state_cost *state, const struct class_load *load, const struct schedule *schedule,
                 int64_t micro_batches, int64_t class, struct memory_parts *ret_parts, double *ret_nccl) {
    struct schedule_shape shape = shape_of(map, micro_batches);
    double held = (double)placement_held(map->placement, map->chunks);
    double chunks = schedule->in_flight_to_weight(&shape, cost_fullest_rank(map, class, schedule, micro_batches));
    if (context->job->vocab_parallel) { /* two micro-batches wait for the vocabulary's passes (arXiv:2411.05288) */
        chunks = fmin(chunks + 2 * held, (double)micro_batches * held);
    }
    struct memory_parts m = {.weights = state->weights, .gradients = state->gradients, .optimizer = state->optimizer};
    m.logits = load->logits;
    m.activations = chunks / held * load->saved + fmax(0, load->extra - load->logits);
    double buffers = state->gathered + (map->ranks > 1 ? 2 * load->message : 0); /* one message each way under way */
    double allocated = m.weights + m.gradients + m.optimizer + m.logits + m.activations + buffers;
    *ret_nccl = cost_library_bytes(context, cut);
    m.communication = buffers + *ret_nccl;
    m.runtime = context->device->context + context->device->workspace;
    m.allocator = context->topology->runtime.allocator_overhead * allocated;
    *ret_parts = m;
    return m.weights + m.gradients + m.optimizer + m.activations + m.logits + m.communication + m.runtime + m.allocator;
}

void cost_price(const struct cost_context *context, const struct cut *cut, const struct stage_map *map,
                const struct state_cost states[], const struct stage_load *load, const struct schedule *schedule,
                int64_t micro_batches, struct price *ret) {
    price_time(context, cut, map, states, load, schedule, micro_batches, ret);
    ret->peak = -1;
    for (int64_t i = 0; i < map->class_count; i++) {
        struct memory_parts parts;
        double nccl;
        double peak = cost_peak(context, cut, map, &states[i], &load->classes[i], schedule, micro_batches, i, &parts,
                                &nccl);
        if (peak > ret->peak) {
            ret->peak = peak;
            ret->memory = parts;
            ret->nccl_bytes = nccl;
            ret->peak_class = i;
        }
    }
    ret->peak_rank = cost_fullest_rank(map, ret->peak_class, schedule, micro_batches);
}
