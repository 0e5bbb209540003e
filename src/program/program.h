/* The program of a plan: what every rank does in a step, operation by operation, with what each waits for and which
 * tensors come and go. The simulator plays it, the runner executes it, both write the same timeline.
 *
 *   role      ranks that do the same (one pipeline rank, all its tensor-, context- and data-parallel copies) share one
 *             span of instructions
 *   stream    instructions of a stream run one after another, in the order of the span; streams run side by side
 *   wait      an instruction begins after the one before it on its stream and after those it waits for (same span)
 *   partner   a receive ends when what its partner in another role sent has arrived
 *   meeting   a collective begins when all its members have come to it
 *   work      what an instruction takes, described without seconds; many instructions share one
 *
 * Flat arrays and indices throughout. Indices of instructions are counted within their role unless said otherwise. */
#ifndef PARPLAN_PROGRAM_PROGRAM_H
#define PARPLAN_PROGRAM_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "collective/collective.h"
#include "plan/mesh.h"
#include "plan/plan.h"
#include "plan/stages.h"
#include "program/tensor.h"
#include "program/work.h"

enum stream {
    STREAM_COMPUTE,
    STREAM_TENSOR,  /* tensor-parallel collectives */
    STREAM_CONTEXT,
    STREAM_EXPERT,
    STREAM_DATA,    /* gradients and parameters of data-parallel ranks */
    STREAM_VOCABULARY, /* collectives of a vocabulary spread over stages: they wait for other stages */
    STREAM_SEND_NEXT, /* to the pipeline rank behind (the last: to the first); beyond half way round it is ahead */
    STREAM_SEND_PREVIOUS,
    STREAM_RECEIVE_PREVIOUS,
    STREAM_RECEIVE_NEXT,
    STREAM_COPY_IN, /* host to device */
    STREAM_COPY_OUT,
    STREAM_COUNT
};
extern const char *const stream_names[]; /* NULL-terminated */

enum action {
    ACTION_FORWARD,
    ACTION_BACKWARD, /* input gradient */
    ACTION_WEIGHT,   /* weight gradient */
    ACTION_FULL,     /* both */
    ACTION_PAIR,     /* a forward beside another micro-batch's full backward */
    ACTION_RECOMPUTE,
    ACTION_SHARD,    /* a rank's part of a vocabulary spread over stages: logits and statistics */
    ACTION_SHARD_END,
    ACTION_COLLECTIVE,
    ACTION_SEND,
    ACTION_RECEIVE,
    ACTION_OPTIMIZER,
    ACTION_LOAD,     /* host to device */
    ACTION_STORE,
    ACTION_HOST,     /* the training software's own time */
    ACTION_COUNT
};
extern const char *const action_names[]; /* NULL-terminated */

enum { NOTHING = -1 };

struct instruction {
    int32_t work;        /* program->works */
    int32_t micro_batch; /* 0 .. of the whole step, way 1 counted after way 0; NOTHING */
    int32_t stage;       /* program->stages, by rank and chunk; NOTHING outside stages */
    int32_t layer;       /* of the model, the first of several; NOTHING */
    int32_t first_wait;  /* waits[first_wait] up to before the next instruction's first_wait */
    int32_t partner;     /* send, receive: the other end, in role `peer`; pair: the micro-batch whose backward it runs
                            (of stage works[work].other); else NOTHING */
    int32_t meeting;     /* collective: program->meetings; else NOTHING */
    uint16_t peer;
    uint8_t action, stream;
};

/* What the members of a collective agree on. */
struct meeting {
    enum axis axis;  /* of the mesh; its groups meet */
    int64_t size;    /* ranks in one group */
    int32_t members; /* instructions of this program that belong to it: one of each role in the group */
};

struct role {
    int64_t pipeline_rank;
    int64_t first, count;                /* instructions */
    int64_t first_tensor, tensor_count;  /* tensors; an effect's tensor is counted from the first */
    int64_t first_effect, effect_count;
};

enum detail { DETAIL_PASS, DETAIL_LAYER, DETAIL_OPERATION, DETAIL_COUNT };
extern const char *const detail_names[]; /* "pass", "layer", "operation"; NULL-terminated */

struct program {
    enum detail detail;
    struct parallel parallel;
    int64_t micro_batches;     /* of a step and replica, of both ways together */
    int64_t replicas;          /* ranks that share a role: tp x cp x dp */
    int64_t lockstep;          /* of them, so many neighbours run a pass together: their collectives are inside it; 1 at
                                  operation detail */
    bool skips;                /* micro-batches may leave out stages */
    const struct role *roles;
    const struct instruction *instructions; /* by role, then in order; one more behind the last ends the waits */
    const int32_t *waits;
    const struct work *works;
    const struct stage *stages;
    const struct meeting *meetings;
    const struct tensor *tensors;
    const struct effect *effects;
    int64_t role_count, count, wait_count, work_count, stage_count, meeting_count, tensor_count, effect_count;
};

/* The stream by which pipeline rank `from` sends to `to`, and by which `to` receives. */
enum stream program_send_stream(int64_t ranks, int64_t from, int64_t to);
enum stream program_receive_stream(int64_t ranks, int64_t from, int64_t to);

/* "forward layer 3 micro-batch 2", "all-gather parameters": what an instruction is, for people. In the arena. */
const char *program_describe(struct arena *arena, const struct program *program, int64_t role, int64_t instruction);

#endif
