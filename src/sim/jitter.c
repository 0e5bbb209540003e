/* Draws of a given mean mu = 1 + mean and standard deviation sigma:
 *
 *   normal        mu + sigma z                                    z by Box and Muller 1958
 *   lognormal     exp(m + s z), s^2 = ln(1 + (sigma / mu)^2), m = ln mu - s^2 / 2
 *   uniform       mu + sigma sqrt(3) (2 u - 1)
 *   exponential   mu - sigma - sigma ln u                         shifted: never below mu - sigma */
#include "sim/jitter.h"

#include <math.h>
#include <stddef.h>

#include "base/random.h"
#include "sim/scenario.h"

/* Uniform in (0, 1): a logarithm may be taken. */
static double draw_unit(struct random *random) {
    return random_unit(random) + 0x1p-33;
}

static double draw_normal(struct random *random) {
    static const double FULL_TURN = 6.283185307179586;
    double radius = sqrt(-2 * log(draw_unit(random)));
    return radius * cos(FULL_TURN * draw_unit(random));
}

static double draw(const struct jitter *jitter, struct random *random) {
    double mean = 1 + jitter->mean, deviation = jitter->deviation;
    double value = mean;
    if (jitter->kind == JITTER_NORMAL) {
        value = mean + deviation * draw_normal(random);
    } else if (jitter->kind == JITTER_LOGNORMAL) {
        double square = log1p(deviation * deviation / (mean * mean));
        value = exp(log(mean) - square / 2 + sqrt(square) * draw_normal(random));
    } else if (jitter->kind == JITTER_UNIFORM) {
        value = mean + deviation * sqrt(3) * (2 * draw_unit(random) - 1);
    } else {
        value = mean - deviation - deviation * log(draw_unit(random));
    }
    return value > 0 ? value : 0;
}

double jitter_factor(const struct scenario *scenario, uint64_t seed, uint64_t key, bool communicates) {
    const struct jitter *jitter = scenario->jitter.items;
    struct random random;
    double factor = 1;
    random_stream(&random, seed, "jitter", key);
    for (size_t i = 0; i < scenario->jitter.count; i++) {
        bool concerns = jitter[i].of == JITTER_ALL || (jitter[i].of == JITTER_COMMUNICATION) == communicates;
        factor *= concerns ? draw(&jitter[i], &random) : 1;
    }
    return factor;
}
