/* Stages: cut by rule, written as a layout and read back; and layouts edited by hand into nonsense. */
#include "setup.h"

#include "base/random.h"
#include "plan/plan.h"
#include "plan/stages.h"
#include "schedule/schedule.h"

static const struct model *layered(struct arena *arena, int64_t layers, int64_t mtp) {
    return setup_model(arena, arena_format(arena, SMALL "num_hidden_layers: %lld\nmtp_layers: %lld\n",
                                           (long long)layers, (long long)mtp));
}

static struct plan plan_of(struct arena *arena, int schedule, int64_t pp, int64_t vpp) {
    struct plan plan = {.job = *setup_job(arena, "")};
    plan.decision = (struct decision){.parallel = {.tp = 1, .pp = pp, .vpp = vpp, .dp = 1, .cp = 1, .ep = 1, .etp = 1},
                                      .schedule = schedule,
                                      .stages = STAGES_EVEN};
    return plan;
}

static bool same_stage(const struct stage *a, const struct stage *b) {
    return a->rank == b->rank && a->chunk == b->chunk && a->index == b->index && a->way == b->way &&
           a->first == b->first && a->layers == b->layers && a->embedding == b->embedding && a->head == b->head &&
           a->mtp == b->mtp;
}

/* By rule: every layer once each way, in the order of the stages; and the same from the layout that is written. */
Test(stages, layouts_read_back) {
    struct arena *arena = support_arena();
    struct random random;
    random_stream(&random, 1, "layouts", 0);
    int checked = 0;
    for (int round = 0; round < 400; round++) {
        int schedule = (int)random_below(&random, SCHEDULE_COUNT);
        const struct schedule *s = schedules[schedule];
        int64_t pp = 1 + random_below(&random, 12), vpp = s->fixed_chunks > 0 ? s->fixed_chunks : 2;
        struct plan plan = plan_of(arena, schedule, pp, vpp);
        const struct model *model = layered(arena, 1 + random_below(&random, 60), round % 3 == 0 ? 1 : 0);
        plan.decision.stages = random_below(&random, 4) == 0 ? STAGES_ENDS : STAGES_EVEN;
        struct stages rule, again;
        struct diag diag;
        diag_init(&diag, arena);
        if (plan_stages(arena, &plan, model, NULL, &rule, &diag) != OK) {
            cr_assert(strstr(first_of(&diag), "cannot be cut into stages: ") != NULL, "%s", first_of(&diag));
            continue;
        }
        checked++;
        plan_lay_out(arena, &rule, &plan);
        cr_assert_eq(plan_stages(arena, &plan, model, NULL, &again, &diag), OK, "%s", first_of(&diag));
        cr_assert(again.count == rule.count && again.ranks == pp && again.held == rule.held);
        int64_t layers = 0, embeddings = 0, heads = 0, mtp = 0;
        for (int64_t i = 0; i < rule.count; i++) {
            cr_assert(same_stage(&rule.items[i], &again.items[i]), "%s stage %lld", s->name, (long long)i);
            cr_assert_eq(rule.items[i].rank * rule.held + rule.items[i].chunk, i);
            layers += rule.items[i].layers;
            embeddings += rule.items[i].embedding;
            heads += rule.items[i].head;
            mtp += rule.items[i].mtp;
        }
        cr_expect(layers == s->ways * model->layer_count && embeddings == s->ways && heads == s->ways);
        cr_expect_eq(mtp, s->ways * model->mtp_layers);
    }
    cr_expect(checked > 150, "%d cut", checked);
    arena_close(arena);
}

/* A person moves a layer from one stage to its neighbour. */
Test(stages, layouts_may_be_uneven) {
    struct arena *arena = support_arena();
    const struct model *model = layered(arena, 8, 0);
    struct plan plan = plan_of(arena, SCHEDULE_1F1B, 4, 1);
    struct plan_stage rows[] = {
        {3, 0, 5, 3, "head"}, {0, 0, 0, 1, "embedding"}, {1, 0, 1, 4, NULL}, {2, 0, 5, 0, NULL}};
    struct stages stages;
    struct diag diag;
    diag_init(&diag, arena);
    plan.layout = (struct list){rows, ROWS(rows)};
    cr_expect_eq(plan_stages(arena, &plan, model, NULL, &stages, &diag), STATUS_INVALID);
    cr_expect_str_eq(first_of(&diag), "rank 2 chunk 0 holds nothing");
    rows[2].layers = 3;
    rows[3] = (struct plan_stage){2, 0, 4, 1, NULL};
    diag_init(&diag, arena);
    cr_assert_eq(plan_stages(arena, &plan, model, NULL, &stages, &diag), OK, "%s", first_of(&diag));
    cr_expect(stages.items[0].layers == 1 && stages.items[1].layers == 3 && stages.items[2].first == 4);
    cr_expect(stages.items[3].head && stages.items[3].layers == 3 && stages.items[0].embedding);
    arena_close(arena);
}

#define HEAD "schema: parplan/plan/v1\nmodel: m\ntopology: t\ndevices: 2\nparallel: {pp: 2}\nschedule: 1f1b\n" \
             "job: {train_mtp: true}\nlayout:\n"
#define ROW0 "  - {rank: 0, chunk: 0, first: 0, layers: 4, extra: embedding}\n"
#define ROW1 "  - {rank: 1, chunk: 0, first: 4, layers: 4, extra: \"head, mtp\"}\n"

/* Rows stand on lines 9 and 10. */
Test(stages, nonsense_is_refused) {
    static const struct {
        const char *rows;
        unsigned line, column; /* of the first error */
        const char *text, *help;
    } cases[] = {
        {ROW0 ROW1, 0, 0, NULL, NULL},
        {ROW0, 8, 1, "layout: rank 1 chunk 0 is not listed", NULL},
        {ROW0 ROW1 ROW0, 11, 12, "rank 0 chunk 0 is listed twice", NULL},
        {ROW0 "  - {rank: 2, chunk: 0, first: 4, layers: 4, extra: head}\n", 10, 12,
         "rank: 2, but there are 2 pipeline ranks (parallel.pp)", NULL},
        {ROW0 "  - {rank: 1, chunk: 1, first: 4, layers: 4, extra: head}\n", 10, 22,
         "chunk: 1, but a rank holds 1 under schedule 1f1b", NULL},
        {ROW0 "  - {rank: 1, chunk: 0, first: 3, layers: 5, extra: \"head, mtp\"}\n", 10, 32,
         "layer 3 is twice: rank 0 chunk 0 has it, and rank 1 chunk 0", "first: 4"},
        {ROW0 "  - {rank: 1, chunk: 0, first: 5, layers: 3, extra: \"head, mtp\"}\n", 10, 32,
         "layer 4 is missing: rank 1 chunk 0 begins with layer 5", "first: 4"},
        {"  - {rank: 0, chunk: 0, first: 4, layers: 4, extra: embedding}\n"
         "  - {rank: 1, chunk: 0, first: 0, layers: 4, extra: \"head, mtp\"}\n",
         9, 32, "rank 0 chunk 0 is out of order: layer 0 comes next, which rank 1 chunk 0 has", "first: 0"},
        {ROW0 "  - {rank: 1, chunk: 0, first: 4, layers: 3, extra: \"head, mtp\"}\n", 10, 43,
         "layer 7 is missing: rank 1 chunk 0 is the last stage and ends before it", NULL},
        {ROW0 "  - {rank: 1, chunk: 0, first: 4, layers: 5, extra: \"head, mtp\"}\n", 10, 43,
         "rank 1 chunk 0 ends with layer 8, the model with layer 7", NULL},
        {ROW0 "  - {rank: 1, chunk: 0, first: 4, layers: 4, extra: \"haed, mtp\"}\n", 10, 53,
         "extra: 'haed' is nothing that a stage can hold", "did you mean head?"},
        {ROW0 "  - {rank: 1, chunk: 0, first: 4, layers: 4, extra: \"head, head, mtp\"}\n", 10, 53,
         "extra: head is there twice", NULL},
        {ROW0 "  - {rank: 1, chunk: 0, first: 4, layers: 4, extra: mtp}\n", 10, 53,
         "head is missing: it belongs to rank 1 chunk 0", NULL},
        {ROW0 "  - {rank: 1, chunk: 0, first: 4, layers: 4, extra: head}\n", 10, 53,
         "mtp is missing: it belongs to rank 1 chunk 0", NULL},
        {"  - {rank: 0, chunk: 0, first: 0, layers: 4, extra: \"embedding, head\"}\n" ROW1, 9, 53,
         "rank 0 chunk 0 cannot hold head: it belongs to the last stage", NULL},
        {"  - {rank: 0, chunk: 0, first: 0, layers: 4}\n" ROW1, 9, 5,
         "embedding is missing: it belongs to rank 0 chunk 0", NULL},
    };
    struct arena *arena = support_arena();
    const struct model *model = layered(arena, 8, 1);
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct diag diag;
        struct plan plan;
        struct stages stages;
        struct node *root = parse(arena, arena_format(arena, "%s%s", HEAD, cases[i].rows), &diag);
        cr_assert_eq(plan_load(arena, root, &plan, &diag), OK, "%s", first_of(&diag));
        enum status status = plan_stages(arena, &plan, model, root, &stages, &diag);
        if (cases[i].text == NULL) {
            cr_expect_eq(status, OK, "%s", first_of(&diag));
            continue;
        }
        cr_assert_eq(status, STATUS_INVALID, "taken:\n%s", cases[i].rows);
        const struct diag_entry *e = &diag.entries[0];
        cr_expect_str_eq(e->text, cases[i].text);
        cr_expect(cases[i].help == NULL || text_equal(e->help, cases[i].help), "%s: %s", e->text, e->help);
        cr_expect(e->mark.line == cases[i].line && e->mark.column == cases[i].column, "%s: at %u:%u", e->text,
                  e->mark.line, e->mark.column);
    }
    arena_close(arena);
}

/* Two-way: both ways hold every layer, each by its own rows. */
Test(stages, both_ways_are_checked) {
    struct arena *arena = support_arena();
    const struct model *model = layered(arena, 8, 0);
    struct plan plan = plan_of(arena, SCHEDULE_DUALPIPE, 2, schedules[SCHEDULE_DUALPIPE]->fixed_chunks);
    struct stages stages;
    struct diag diag;
    diag_init(&diag, arena);
    cr_assert_eq(plan_stages(arena, &plan, model, NULL, &stages, &diag), OK);
    plan_lay_out(arena, &stages, &plan);
    struct plan_stage *rows = plan.layout.items;
    cr_assert(rows[1].rank == 0 && rows[1].chunk == 1 && rows[1].first == 4 && text_equal(rows[1].extra, "head"));
    rows[1].first = 3;
    rows[1].layers = 5;
    cr_assert_eq(plan_stages(arena, &plan, model, NULL, &stages, &diag), STATUS_INVALID);
    cr_expect_str_eq(first_of(&diag), "layer 3 is twice: rank 1 chunk 1 has it, and rank 0 chunk 1");
    arena_close(arena);
}
