/* The conversion table of layouts, and that backward is the conjugate of forward. */
#include "setup.h"

#include "plan/layout.h"

enum { NONE = -1, NEVER = -2 };

static const struct layout replicated = {LAYOUT_REPLICATED, DIM_NONE}, partial = {LAYOUT_PARTIAL, DIM_NONE},
                           sequence = {LAYOUT_SPLIT, DIM_SEQUENCE}, head = {LAYOUT_SPLIT, DIM_HEAD};

static int kind_of(struct layout from, struct layout to) {
    struct conversion conversion;
    if (!layout_convert(from, to, &conversion)) {
        return NEVER;
    }
    return conversion.needed ? (int)conversion.kind : NONE;
}

Test(layout, conversions) {
    const struct {
        struct layout from, to;
        int kind;
    } rows[] = {
        {replicated, replicated, NONE},
        {replicated, sequence, NONE},
        {replicated, partial, NONE},
        {sequence, replicated, COLLECTIVE_ALL_GATHER},
        {sequence, sequence, NONE},
        {sequence, head, COLLECTIVE_ALL_TO_ALL},
        {head, sequence, COLLECTIVE_ALL_TO_ALL},
        {sequence, partial, NEVER},
        {partial, replicated, COLLECTIVE_ALL_REDUCE},
        {partial, sequence, COLLECTIVE_REDUCE_SCATTER},
        {partial, partial, NONE},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int kind = kind_of(rows[i].from, rows[i].to);
        cr_expect_eq(kind, rows[i].kind, "%s to %s: %d, expected %d", layout_text(rows[i].from),
                     layout_text(rows[i].to), kind, rows[i].kind);
    }
}

/* Megatron's f and g and their sequence-parallel forms (arXiv:1909.08053, 2205.05198): the residual stream's gradient
 * lies as the stream does; a column's input gradient is the conjugate of its input, a row's output gradient that of its
 * output. */
Test(layout, backward_is_the_conjugate) {
    const struct {
        struct layout region;
        int into_column, out_of_row, column_gradient, row_gradient;
    } rows[] = {
        {replicated, NONE, COLLECTIVE_ALL_REDUCE, COLLECTIVE_ALL_REDUCE, NONE},
        {sequence, COLLECTIVE_ALL_GATHER, COLLECTIVE_REDUCE_SCATTER, COLLECTIVE_REDUCE_SCATTER, COLLECTIVE_ALL_GATHER},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *name = layout_text(rows[i].region);
        cr_expect_eq(kind_of(rows[i].region, replicated), rows[i].into_column, "%s", name);
        cr_expect_eq(kind_of(partial, rows[i].region), rows[i].out_of_row, "%s", name);
        cr_expect_eq(kind_of(layout_gradient(replicated), rows[i].region), rows[i].column_gradient, "%s", name);
        cr_expect_eq(kind_of(rows[i].region, layout_gradient(partial)), rows[i].row_gradient, "%s", name);
    }
    const struct layout all[] = {replicated, partial, sequence, head};
    for (size_t i = 0; i < ROWS(all); i++) {
        struct layout twice = layout_gradient(layout_gradient(all[i]));
        cr_expect(twice.kind == all[i].kind && twice.dim == all[i].dim, "%s", layout_text(all[i]));
        /* An exchange of splits is undone by an exchange of splits. */
        cr_expect_eq(kind_of(layout_gradient(all[i]), layout_gradient(all[i])), NONE, "%s", layout_text(all[i]));
    }
    cr_expect_eq(kind_of(layout_gradient(head), layout_gradient(sequence)), kind_of(sequence, head));
}

Test(layout, texts) {
    const char *names[] = {"split",         "split(sequence)",  "split(head)",      "split(feature)",
                           "split(expert)", "split(parameter)", "split(vocabulary)"};
    cr_expect_str_eq(layout_text(replicated), "replicated");
    cr_expect_str_eq(layout_text(partial), "partial");
    for (int dim = DIM_NONE; dim <= DIM_VOCABULARY; dim++) {
        cr_expect_str_eq(layout_text((struct layout){LAYOUT_SPLIT, (enum tensor_dim)dim}), names[dim]);
    }
}
