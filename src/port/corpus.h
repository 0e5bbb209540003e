/* Published measurements of training runs as cases to predict: one row of a CSV file each (parplan-score(1), COLUMNS).
 *
 * The model comes from a shipped one (model_ref) with the row's shape over it, or from the shape alone; the topology
 * from the shipped one of the device, with the row's node size, scale-up domain and NICs over it. What the row does not
 * state is filled with the usual choice of its framework and said. */
#ifndef PARPLAN_PORT_CORPUS_H
#define PARPLAN_PORT_CORPUS_H

#include <stdbool.h>

#include "model/count.h"
#include "model/model.h"
#include "plan/plan.h"
#include "port/csv.h"
#include "topology/topology.h"

enum memory_kind { MEMORY_ALLOCATED, MEMORY_RESERVED, MEMORY_DEVICE, MEMORY_KINDS };
extern const char *const memory_kind_names[];

struct corpus_case {
    const char *id, *source;
    const char *refusal;    /* why it cannot be priced, or NULL */
    const char *filled;     /* what was not stated and how it was filled; "" if nothing */
    bool specified;         /* nothing that matters was filled */
    bool times;             /* counts for time, not for memory alone */
    struct model model;
    struct topology topology;
    struct job job;
    struct decision decision;
    double measured_s;      /* seconds of a step; 0 = not given by time */
    double measured_tflops; /* per device, when time is not given; 0 = not given */
    bool hardware_flops;    /* of measured_tflops: recomputation counted */
    enum flops_convention flops;
    double measured_mfu;
    double measured_bytes;  /* peak memory; 0 = not given */
    enum memory_kind memory_kind;
    bool last_stage;        /* the measured rank is of the last stage */
};

/* How the reader reaches shipped documents: each fills *ret and returns OK, or an error that refuses the row. */
struct corpus_loader {
    void *context;
    enum status (*model)(void *context, const char *name, struct model *ret);
    enum status (*topology)(void *context, const char *name, struct topology *ret);
};

/* Builds the case of one row; never fails: what cannot be expressed becomes its refusal. */
void corpus_case_make(struct arena *arena, const struct csv *csv, size_t row, const struct corpus_loader *loader,
                      struct corpus_case *ret);

/* Required columns that the file lacks are errors, and so are more rows than any corpus has. */
enum status corpus_check(const struct csv *csv, struct diag *diag) MUST_CHECK;

#endif
