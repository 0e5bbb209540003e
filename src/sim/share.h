/* Fair sharing: weighted max-min rates of flows over links. All rates rise together, x_f = w_f theta, until a link is
 * full (sum of a_lf x_f = C_l) or a flow reaches its cap; those are frozen and the rest rise on (Bertsekas & Gallager
 * 1992, "Data Networks", section 6.5.2). The solution is unique. */
#ifndef PARPLAN_SIM_SHARE_H
#define PARPLAN_SIM_SHARE_H

#include <stdint.h>

struct share_use { int32_t link; double coefficient; }; /* of one unit of the flow's rate */
struct share_flow {
    const struct share_use *uses;
    int32_t use_count;
    double weight, cap; /* cap 0 = none */
    double rate;        /* the result */
};

enum { SHARE_LINKS = 64 }; /* more need `scratch` */
/* Sets the rates. `scratch`: room for 3 doubles a link, NULL up to SHARE_LINKS links. Symmetric flows get bitwise equal
 * rates. A flow without links and cap has infinite rate. */
void share_solve(struct share_flow *flows, int64_t flow_count, const double *capacities, int64_t link_count,
                 double *scratch);

#endif
