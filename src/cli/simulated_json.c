/* A simulated step as JSON: keys that stay, SI base units. */
#include "base/json.h"
#include "cli/simulated.h"
#include "sim/rank_report.h"

#define SECOND 1e-12 /* of a picosecond */

static void add_number(struct json *json, const char *key, double value) {
    json_key(json, key);
    json_number(json, value);
}

static void add_count(struct json *json, const char *key, int64_t value) {
    json_key(json, key);
    json_integer(json, value);
}

static void add_text(struct json *json, const char *key, const char *value) {
    json_key(json, key);
    json_string(json, value);
}

/* The parts of an estimate, by its table. */
static void add_fields(struct json *json, const char *key, const void *object) {
    json_key(json, key);
    json_fields(json, field_find(estimate_fields, key)->fields, object);
}

void simulated_path_json(const struct simulation *simulation, struct json *json) {
    struct view_part path[SIMULATED_PATH];
    size_t count = simulated_path(json->out->arena, simulation, path);
    json_key(json, "critical_path");
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        add_text(json, "what", path[i].name);
        add_number(json, "time_s", path[i].value);
        json_close_object(json);
    }
    json_close_array(json);
}

static void add_streams(const struct simulation *simulation, const struct rank_report *report, bool idle,
                        struct json *json) {
    json_open_object(json);
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        int64_t busy = report->busy[stream];
        if (busy > 0 || stream == STREAM_COMPUTE) {
            add_number(json, stream_names[stream], (double)(idle ? simulation->result.end - busy : busy) * SECOND);
        }
    }
    json_close_object(json);
}

static void add_role(const struct simulation *simulation, const struct rank_report *report, struct json *json) {
    json_open_object(json);
    add_count(json, "rank", report->rank);
    add_count(json, "ranks", report->ranks);
    add_count(json, "stage", report->pipeline_rank);
    add_number(json, "peak_bytes", report->peak);
    add_number(json, "tensors_bytes", report->memory.peak);
    add_number(json, "peak_at_s", (double)report->memory.peak_time * SECOND);
    add_number(json, "allocated_bytes", report->allocator.allocated);
    add_number(json, "reserved_bytes", report->allocator.reserved);
    add_number(json, "span_start_s", (double)report->span_start * SECOND);
    add_number(json, "span_end_s", (double)report->span_end * SECOND);
    json_key(json, "busy_s");
    add_streams(simulation, report, false, json);
    json_key(json, "idle_s");
    add_streams(simulation, report, true, json);
    json_close_object(json);
}

/* Of every rank of the cluster, by its role. */
static void add_peaks(const struct simulating *simulating, const struct simulation *simulation, struct json *json) {
    struct cut cut = cost_cut(&simulating->planning.cost, &simulating->plan->decision.parallel);
    json_key(json, "peak_bytes_per_rank");
    json_open_array(json);
    for (int64_t rank = 0; rank < simulating->plan->devices; rank++) {
        int64_t stage = mesh_coordinates(&cut.mesh, rank).pp, role = 0;
        while (role + 1 < simulation->program.role_count && simulation->ranks[role].pipeline_rank != stage) {
            role++;
        }
        json_number(json, simulation->ranks[role].peak);
    }
    json_close_array(json);
}

static void add_schedule(const struct simulating *simulating, const struct simulation *simulation,
                         struct json *json) {
    json_key(json, "schedule");
    json_open_object(json);
    add_text(json, "name", schedule_names[simulating->plan->decision.schedule]);
    add_number(json, "span_s", simulation->span);
    add_number(json, "makespan_s", simulation->makespan);
    json_key(json, "peak_in_flight");
    json_open_array(json);
    for (int64_t role = 0; role < simulation->program.role_count; role++) {
        json_integer(json, simulation->ranks[role].in_flight);
    }
    json_close_array(json);
    json_close_object(json);
}

static void add_draws(const struct simulate_options *options, const struct simulation *simulation,
                      struct json *json) {
    add_count(json, "seeds", options->seeds);
    add_number(json, "p50_s", simulation->p50);
    add_number(json, "p95_s", simulation->p95);
    add_number(json, "p99_s", simulation->p99);
    if (options->seeds > 1) {
        json_key(json, "step_times_s");
        json_open_array(json);
        for (int64_t i = 0; i < options->seeds; i++) {
            json_number(json, simulation->step_times[i]);
        }
        json_close_array(json);
    }
}

static void add_rates(const struct simulating *simulating, const struct simulation *simulation, struct json *json) {
    const struct cost_context *cost = &simulating->planning.cost;
    double rate = cost->model_flops / simulation->step_time / (double)cost->world;
    add_number(json, "tokens_per_s",
               (double)cost->job->global_batch * (double)cost->tokens / simulation->step_time);
    add_number(json, "model_tflops_per_gpu", rate / 1e12);
    add_number(json, "mfu", rate / device_peak(cost->device, cost->dtype));
}

void simulated_json(const struct simulating *simulating, const struct simulate_options *options,
                    const struct simulation *simulation, struct text *out) {
    struct json json;
    struct memory_report memory = simulated_memory(simulating, simulation);
    json_init(&json, out, false);
    json_open_object(&json);
    add_number(&json, "step_time_s", simulation->step_time);
    if (simulating->estimate.step_time > 0) {
        add_number(&json, "estimated_step_time_s", simulating->estimate.step_time);
    }
    add_rates(simulating, simulation, &json);
    add_count(&json, "events", (int64_t)simulation->result.events);
    add_number(&json, "seconds", simulation->wall);
    add_text(&json, "detail", detail_names[options->detail]);
    add_text(&json, "contention", contention_names[options->contention]);
    add_number(&json, "bubble_fraction", simulation->bubble);
    add_count(&json, "ranks", simulating->plan->devices);
    add_count(&json, "roles", simulation->program.role_count);
    add_fields(&json, "time", &simulation->parts);
    add_fields(&json, "memory", &memory);
    add_draws(options, simulation, &json);
    add_schedule(simulating, simulation, &json);
    simulated_path_json(simulation, &json);
    json_key(&json, "per_role");
    json_open_array(&json);
    for (int64_t role = 0; role < simulation->program.role_count; role++) {
        add_role(simulation, &simulation->ranks[role], &json);
    }
    json_close_array(&json);
    add_peaks(simulating, simulation, &json);
    json_close_object(&json);
    text_add_char(out, '\n');
}
