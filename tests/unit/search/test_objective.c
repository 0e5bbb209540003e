/* Values of objectives and bounds below them. */
#include <math.h>

#include <criterion/criterion.h>

#include "../plan/setup.h"
#include "search/objective.h"

Test(objective, values_and_bounds) {
    static const struct {
        double price, idle, busy; /* of all devices: USD an hour, W */
        enum objective objective;
        double step, bytes, compute;      /* of a price */
        double floor_step, floor_compute; /* below it */
        double value, bound;
    } rows[] = {
        {2, 100, 700, OBJECTIVE_STEP_TIME, 10, 5, 6, 9, 4, 10, 9},
        {2, 100, 700, OBJECTIVE_TOKENS, 10, 5, 6, 9, 4, 10, 9},
        {2, 100, 700, OBJECTIVE_MEMORY, 10, 5, 6, 9, 4, 5, 5},
        {2, 100, 700, OBJECTIVE_COST, 10, 5, 6, 9, 4, 20, 18},
        {0, 100, 700, OBJECTIVE_COST, 10, 5, 6, 9, 4, 10, 9}, /* price unknown */
        {2, 100, 700, OBJECTIVE_ENERGY, 10, 5, 6, 9, 4, 4600, 3300},
        {2, 0, 0, OBJECTIVE_ENERGY, 10, 5, 6, 9, 4, 10, 9},                 /* power unknown */
        {2, 900, 300, OBJECTIVE_ENERGY, 10, 5, 9, 9.9, 0, 3600, 300 * 9.9}, /* waits are dearer than work */
        {2, 100, 700, OBJECTIVE_ENERGY, 10, 5, 12, 9, 12, 7000, 6300},      /* busy all the time */
    };
    struct arena *arena = support_arena();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct cost_context c = cost_context_make(setup_model(arena, "llama3-8b"), setup_topology(arena, "h100-sxm", 8),
                                                  setup_job(arena, ""));
        c.price = rows[i].price;
        c.power = (struct power){rows[i].idle, rows[i].busy};
        struct price price = {.step = rows[i].step, .peak = rows[i].bytes, .time = {.compute = rows[i].compute}};
        struct measure floor = {rows[i].floor_step, rows[i].bytes, rows[i].floor_compute};
        double value = objective_value(&c, rows[i].objective, &price);
        double bound = objective_bound(&c, rows[i].objective, &floor);
        cr_expect(fabs(value - rows[i].value) < 1e-9 * value, "row %zu: value %g", i, value);
        cr_expect(fabs(bound - rows[i].bound) < 1e-9 * bound, "row %zu: bound %g", i, bound);
        cr_expect(bound <= value, "row %zu: bound %g above value %g", i, bound, value);
    }
    arena_close(arena);
}

Test(objective, names) {
    cr_expect(objective_named("time") == OBJECTIVE_STEP_TIME && objective_named("tokens") == OBJECTIVE_TOKENS &&
              objective_named("cost") == OBJECTIVE_COST && objective_named("energy") == OBJECTIVE_ENERGY &&
              objective_named("memory") == OBJECTIVE_MEMORY);
}
