#include "cli/kinds.h"

#include <stddef.h>

#include "base/text.h"
#include "model/model.h"
#include "plan/job.h"
#include "plan/plan.h"
#include "sim/scenario.h"
#include "topology/topology.h"

const struct document_kind document_kinds[] = {
    {"model", "The architecture of a network, in Hugging Face key names", "models", model_fields},
    {"topology", "Devices, nodes, scale-up domains, NICs and the fabric between them", "topologies", topology_fields},
    {"job", "What is to be trained, what the search may choose, what bounds it and what is best", NULL, job_fields},
    {"plan", "The decision, the rank map and what is expected of it", "plans", plan_fields},
    {"scenario", "What disturbs a simulated step: slow ranks and links, jitter, pauses, failures", NULL,
     scenario_fields},
    {.name = NULL},
};

const char *const document_kind_names[] = {"model", "topology", "job", "plan", "scenario", NULL};

const struct document_kind *document_kind_find(const char *name) {
    for (const struct document_kind *kind = document_kinds; kind->name; kind++) {
        if (text_equal(kind->name, name)) {
            return kind;
        }
    }
    return NULL;
}
