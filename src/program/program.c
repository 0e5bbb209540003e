/* Names, and what follows from a program's numbers alone. */
#include "program/program.h"

#include <stddef.h>

const char *const stream_names[] = {
    [STREAM_COMPUTE] = "compute",
    [STREAM_TENSOR] = "tensor",
    [STREAM_CONTEXT] = "context",
    [STREAM_EXPERT] = "expert",
    [STREAM_DATA] = "data",
    [STREAM_VOCABULARY] = "vocabulary",
    [STREAM_SEND_NEXT] = "send-next",
    [STREAM_SEND_PREVIOUS] = "send-previous",
    [STREAM_RECEIVE_PREVIOUS] = "receive-previous",
    [STREAM_RECEIVE_NEXT] = "receive-next",
    [STREAM_COPY_IN] = "copy-in",
    [STREAM_COPY_OUT] = "copy-out",
    [STREAM_COUNT] = NULL,
};

const char *const action_names[] = {
    [ACTION_FORWARD] = "forward",       [ACTION_BACKWARD] = "backward",   [ACTION_WEIGHT] = "weight",
    [ACTION_FULL] = "full",             [ACTION_PAIR] = "pair",           [ACTION_RECOMPUTE] = "recompute",
    [ACTION_SHARD] = "shard",           [ACTION_SHARD_END] = "shard-end", [ACTION_COLLECTIVE] = "collective",
    [ACTION_SEND] = "send",             [ACTION_RECEIVE] = "receive",     [ACTION_OPTIMIZER] = "optimizer",
    [ACTION_LOAD] = "load",             [ACTION_STORE] = "store",         [ACTION_HOST] = "host",
    [ACTION_COUNT] = NULL,
};

const char *const tensor_class_names[] = {
    [TENSOR_WEIGHTS] = "weights",         [TENSOR_GRADIENTS] = "gradients", [TENSOR_OPTIMIZER] = "optimizer",
    [TENSOR_ACTIVATIONS] = "activations", [TENSOR_WORKING] = "working",     [TENSOR_LOGITS] = "logits",
    [TENSOR_COMMUNICATION] = "communication", [TENSOR_CLASSES] = NULL,
};

const char *const detail_names[] = {
    [DETAIL_PASS] = "pass",
    [DETAIL_LAYER] = "layer",
    [DETAIL_OPERATION] = "operation",
    [DETAIL_COUNT] = NULL,
};

/* Half the way round or less, counted forwards. */
static bool is_behind(int64_t ranks, int64_t from, int64_t to) {
    return 2 * ((to - from + ranks) % ranks) <= ranks;
}

enum stream program_send_stream(int64_t ranks, int64_t from, int64_t to) {
    return is_behind(ranks, from, to) ? STREAM_SEND_NEXT : STREAM_SEND_PREVIOUS;
}

enum stream program_receive_stream(int64_t ranks, int64_t from, int64_t to) {
    return is_behind(ranks, from, to) ? STREAM_RECEIVE_PREVIOUS : STREAM_RECEIVE_NEXT;
}
