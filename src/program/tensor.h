/* What a rank's memory holds while a program runs. */
#ifndef PARPLAN_PROGRAM_TENSOR_H
#define PARPLAN_PROGRAM_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

enum tensor_class {
    TENSOR_WEIGHTS,
    TENSOR_GRADIENTS,
    TENSOR_OPTIMIZER,
    TENSOR_ACTIVATIONS,
    TENSOR_WORKING, /* alive within one pass */
    TENSOR_LOGITS,
    TENSOR_COMMUNICATION,
    TENSOR_CLASSES
};
extern const char *const tensor_class_names[]; /* NULL-terminated */

struct tensor {
    double bytes;
    int32_t class; /* enum tensor_class */
    int32_t micro_batch, stage; /* whose; NOTHING */
};

/* A tensor is allocated when an instruction begins and freed when one ends. Tensors that live through the step are
 * allocated by no instruction: before the first and to the end. Sorted by instruction. */
struct effect {
    int32_t instruction, tensor;
    bool frees;
};

#endif
