/* The outcome of an operation, which is also the exit status of the program (parplan(1), EXIT STATUS). */
#ifndef PARPLAN_BASE_STATUS_H
#define PARPLAN_BASE_STATUS_H

enum status {
    OK = 0,
    STATUS_NEGATIVE = 1,     /* a negative answer: a check failed, outputs differ */
    STATUS_INVALID = 2,      /* wrong usage or invalid input; the diag says where */
    STATUS_INFEASIBLE = 3,   /* nothing feasible */
    STATUS_ENVIRONMENT = 4,  /* missing file, I/O error, missing MPI or CUDA, out of memory */
    STATUS_MISMATCH = 5,     /* a run's numbers differ from the reference */
    STATUS_BUG = 70,         /* a broken invariant inside parplan */
    STATUS_INTERRUPTED = 130 /* interrupted; the best result so far is valid */
};

#define MUST_CHECK __attribute__((warn_unused_result))

#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        enum status try_status_ = (expression);                                                                        \
        if (try_status_ != OK) {                                                                                       \
            return try_status_;                                                                                        \
        }                                                                                                              \
    } while (0)

#endif
