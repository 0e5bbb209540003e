/* Walks the field tables over the struct they filled. In SI units all that a cluster is made of lies well inside the
 * bounds (1e-9s for a hop, 1e-3 for a ratio, 1e18FLOP/s, 1e18B); outside, a slip of the exponent or of the unit is
 * certain, and quotients of such numbers would not be finite. */
#include "topology/plausible.h"

#include <math.h>

#include "base/arena.h"
#include "topology/place.h"

#define LEAST 1e-15
#define MOST 1e24

struct walk {
    struct arena *arena;
    const struct node *root;
    struct diag *diag;
};

static void check_number(const struct walk *walk, const char *path, const struct field *field, const void *object) {
    double value = fabs(*(const double *)field_member(field, object));
    if (value > 0 && (value < LEAST || value > MOST)) {
        (void)diag_error(walk->diag, topology_mark(walk->root, "%s", path), "%s: %s is too %s to be meant", field->key,
                         field_text(walk->arena, field, object), value > 1 ? "large" : "small");
    }
}

static void check_fields(const struct walk *walk, const char *prefix, const struct field *fields, const void *object) {
    for (const struct field *field = fields; field->key != NULL; field++) {
        const char *path = arena_format(walk->arena, "%s%s", prefix, field->key);
        if (field->kind == FIELD_QUANTITY || field->kind == FIELD_RATIO || field->kind == FIELD_NUMBER) {
            check_number(walk, path, field, object);
        } else if (field->kind == FIELD_STRUCT) {
            check_fields(walk, arena_format(walk->arena, "%s.", path), field->fields, field_member(field, object));
        } else if (field->kind == FIELD_STRUCTS) {
            const struct list *list = field_member(field, object);
            for (size_t i = 0; i < list->count; i++) {
                check_fields(walk, arena_format(walk->arena, "%s.%zu.", path, i), field->fields,
                             (const char *)list->items + i * field->size);
            }
        }
    }
}

enum status topology_plausible(struct arena *arena, const struct topology *topology, const struct node *root,
                               struct diag *diag) {
    size_t errors = diag->errors;
    check_fields(&(struct walk){arena, root, diag}, "", topology_fields, topology);
    return diag->errors == errors ? OK : STATUS_INVALID;
}
