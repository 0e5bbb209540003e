/* Sequence choices times orders, each asked of every rule about cuts. */
#include "search/cuts.h"

#include <assert.h>
#include <string.h>

void shape_cuts_make(const struct space_axes *axes, const struct parallel *shape, struct shape_cuts *ret) {
    ret->sequence_count = space_sequences(axes, shape->tp, shape->cp, ret->sequences, SEQUENCES_MAX);
    assert(ret->sequence_count <= SEQUENCES_MAX);
    ret->order_count = space_orders(axes, shape, ret->orders);
    memset(ret->refused, 0, sizeof ret->refused);
    ret->legal_count[0] = ret->legal_count[1] = 0;
    struct decision d = {.parallel = *shape};
    for (int64_t i = 0; i < ret->sequence_count; i++) {
        ret->legal[i] = 0;
        d.parallel.cp_kind = ret->sequences[i].cp_kind;
        d.parallel.ulysses = ret->sequences[i].ulysses;
        d.parallel.sp = ret->sequences[i].sp;
        for (int64_t j = 0; j < ret->order_count; j++) {
            d.parallel.order = ret->orders[j];
            const struct rule *rule = rule_broken(axes->context, &d, RULE_CUT);
            if (rule != NULL) {
                ret->refused[rule - rules]++;
            } else {
                ret->legal[i] = (unsigned char)(ret->legal[i] | 1U << j);
                ret->legal_count[d.parallel.sp ? 1 : 0]++;
            }
        }
    }
}
