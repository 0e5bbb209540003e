/* The scenario document: its field tables and rules. */
#include "sim/scenario.h"

#include <assert.h>
#include <stddef.h>

#include "base/arena.h"
#include "yaml/bind.h"
#include "yaml/document.h"

static const char *const link_axes[] = {"tp", "cp", "dp", "pp", "ep", "etp", "edp", "dp-cp", "any", NULL};
static const char *const jitter_kinds[] = {"normal", "lognormal", "uniform", "exponential", NULL};
static const char *const jitter_subjects[] = {"compute", "communication", "all", NULL};

/* A rank alone or a range of them. */
#define RANKS(type)                                                                                                    \
    {.key = "rank", .kind = FIELD_COUNT, .offset = offsetof(struct type, rank), .fallback = "-1", .min = -1,           \
     .max = 1e9, .doc = "Rank, or the first of several; -1 is every rank"},                                            \
        {.key = "last", .kind = FIELD_COUNT, .offset = offsetof(struct type, last), .fallback = "-1", .min = -1,       \
         .max = 1e9, .doc = "Last rank of several; -1 is the first alone"}
#define SECONDS(type, member, ...)                                                                                     \
    {.key = #member, .kind = FIELD_QUANTITY, .dimension = UNIT_SECONDS, .offset = offsetof(struct type, member),       \
     __VA_ARGS__}
#define FACTOR(type, ...)                                                                                              \
    {.key = "factor", .kind = FIELD_NUMBER, .offset = offsetof(struct type, factor), .min = 1e-3, .max = 1e6,          \
     __VA_ARGS__}
#define WINDOW(type)                                                                                                   \
    SECONDS(type, from, .fallback = "0s", .doc = "When it begins, counted from the begin of the step"),                \
        SECONDS(type, until, .fallback = "0s", .doc = "When it is over; 0 is never")

static const struct field slow_fields[] = {
    RANKS(slow_rank),
    FACTOR(slow_rank, .flags = FIELD_REQUIRED, .doc = "Compute takes so many times as long"),
    WINDOW(slow_rank),
    FIELD_END};

static const struct field link_fields[] = {
    RANKS(slow_link),
    {.key = "axis", .kind = FIELD_CHOICE, .offset = offsetof(struct slow_link, axis), .fallback = "any",
     .choices = link_axes,
     .doc = "Which communication: of the groups of one axis of the mesh, pp for messages between stages, or any"},
    {.key = "down", .kind = FIELD_BOOL, .offset = offsetof(struct slow_link, down), .fallback = "false",
     .doc = "It stands still, whatever the factor"},
    FACTOR(slow_link, .fallback = "1", .doc = "It takes so many times as long"),
    WINDOW(slow_link),
    FIELD_END};

static const struct field jitter_fields[] = {
    {.key = "kind", .kind = FIELD_CHOICE, .offset = offsetof(struct jitter, kind), .fallback = "lognormal",
     .choices = jitter_kinds, .doc = "Distribution of the factor that an instruction's time is multiplied by"},
    {.key = "of", .kind = FIELD_CHOICE, .offset = offsetof(struct jitter, of), .fallback = "compute",
     .choices = jitter_subjects, .doc = "What is multiplied"},
    {.key = "mean", .kind = FIELD_NUMBER, .offset = offsetof(struct jitter, mean), .fallback = "0", .min = -0.9,
     .max = 100, .doc = "Mean of the factor, minus one"},
    {.key = "deviation", .kind = FIELD_NUMBER, .offset = offsetof(struct jitter, deviation), .min = 0, .max = 100,
     .flags = FIELD_REQUIRED, .doc = "Standard deviation of the factor"},
    FIELD_END};

static const struct field pause_fields[] = {
    RANKS(pause),
    SECONDS(pause, at, .fallback = "0s", .doc = "When it begins, counted from the begin of the step"),
    SECONDS(pause, duration, .flags = FIELD_REQUIRED | FIELD_POSITIVE,
            .doc = "How long nothing begins; what runs goes on"),
    SECONDS(pause, every, .fallback = "0s", .doc = "From the begin of one to the begin of the next; 0 is once"),
    FIELD_END};

static const struct field failure_fields[] = {
    {.key = "rank", .kind = FIELD_COUNT, .offset = offsetof(struct failure, rank), .max = 1e9,
     .flags = FIELD_REQUIRED, .doc = "Rank that fails"},
    SECONDS(failure, at, .fallback = "0s", .doc = "From when on it begins nothing"),
    FIELD_END};

#define AT(member) .offset = offsetof(struct scenario, member)
#define LIST(name, table, type, text)                                                                                  \
    {.key = #name, .kind = FIELD_STRUCTS, AT(name), .fields = table, .size = sizeof(struct type), .doc = text}
const struct field scenario_fields[] = {
    {.key = "name", .kind = FIELD_TEXT, AT(name), .doc = "Name of the scenario"},
    {.key = "source", .kind = FIELD_TEXT, AT(source), .doc = "Where the numbers come from"},
    LIST(slow, slow_fields, slow_rank, "Ranks whose compute is slow"),
    LIST(links, link_fields, slow_link, "Communication that is slow or stands still"),
    LIST(jitter, jitter_fields, jitter, "Random factors on times, drawn anew for every instruction of every rank"),
    LIST(pauses, pause_fields, pause, "Times at which ranks begin nothing"),
    LIST(failures, failure_fields, failure, "Ranks that stop"),
    FIELD_END};
#undef AT

/* The place of a key of an entry of one of the lists. */
static struct mark place(const struct node *root, struct diag *diag, const char *list, size_t index, const char *key) {
    return root == NULL ? NO_MARK : bind_mark(root, arena_format(diag->arena, "%s.%zu.%s", list, index, key));
}

static void check_range(const struct node *root, struct diag *diag, const char *list, size_t index, int64_t rank,
                        int64_t last) {
    if (last >= 0 && last < rank) {
        (void)diag_error(diag, place(root, diag, list, index, "last"), "%s: last is rank %lld, before rank %lld", list,
                         (long long)last, (long long)rank);
    } else if (last >= 0 && rank < 0) {
        (void)diag_error(diag, place(root, diag, list, index, "last"), "%s: last needs a rank to begin with", list);
    }
}

static void check_window(const struct node *root, struct diag *diag, const char *list, size_t index, double from,
                         double until) {
    if (until > 0 && until <= from) {
        (void)diag_error(diag, place(root, diag, list, index, "until"), "%s: until is not after from", list);
    }
}

static void check_slow(const struct scenario *scenario, const struct node *root, struct diag *diag) {
    const struct slow_rank *slow = scenario->slow.items;
    for (size_t i = 0; i < scenario->slow.count; i++) {
        check_range(root, diag, "slow", i, slow[i].rank, slow[i].last);
        check_window(root, diag, "slow", i, slow[i].from, slow[i].until);
    }
}

static void check_links(const struct scenario *scenario, const struct node *root, struct diag *diag) {
    const struct slow_link *links = scenario->links.items;
    for (size_t i = 0; i < scenario->links.count; i++) {
        check_range(root, diag, "links", i, links[i].rank, links[i].last);
        check_window(root, diag, "links", i, links[i].from, links[i].until);
        if (links[i].down && links[i].rank < 0 && links[i].until <= 0) {
            (void)diag_error(diag, place(root, diag, "links", i, "down"),
                             "links: down on every rank and for ever stops every step");
            diag_help(diag, "say which rank, or until when");
        }
    }
}

static void check_pauses(const struct scenario *scenario, const struct node *root, struct diag *diag) {
    const struct pause *pauses = scenario->pauses.items;
    for (size_t i = 0; i < scenario->pauses.count; i++) {
        check_range(root, diag, "pauses", i, pauses[i].rank, pauses[i].last);
        if (pauses[i].every > 0 && pauses[i].every <= pauses[i].duration) {
            (void)diag_error(diag, place(root, diag, "pauses", i, "every"),
                             "pauses: the next begins before the last is over, so nothing ever begins");
        }
    }
}

/* Every instruction asks every entry that concerns its rank. */
static void check_count(const struct list *list, const char *name, const struct node *root, struct diag *diag) {
    if (list->count > SCENARIO_ENTRIES) {
        (void)diag_error(diag, root == NULL ? NO_MARK : bind_mark(root, name), "%s: %zu entries, at most %d", name,
                         list->count, SCENARIO_ENTRIES);
    }
}

enum status scenario_load(struct arena *arena, struct node *root, struct scenario *ret, struct diag *diag) {
    TRY(bind_schema(root, "scenario", diag));
    TRY(bind_fields(arena, root, "scenario", scenario_fields, ret, diag));
    size_t errors = diag->errors;
    check_count(&ret->slow, "slow", root, diag);
    check_count(&ret->links, "links", root, diag);
    check_count(&ret->jitter, "jitter", root, diag);
    check_count(&ret->pauses, "pauses", root, diag);
    check_count(&ret->failures, "failures", root, diag);
    check_slow(ret, root, diag);
    check_links(ret, root, diag);
    check_pauses(ret, root, diag);
    return diag->errors == errors ? OK : STATUS_INVALID;
}

/* What the lists of ranks begin with. */
struct ranks { int64_t rank, last; };
static_assert(offsetof(struct slow_rank, rank) == 0 && offsetof(struct slow_rank, last) == sizeof(int64_t), "ranks");
static_assert(offsetof(struct slow_link, rank) == 0 && offsetof(struct slow_link, last) == sizeof(int64_t), "ranks");
static_assert(offsetof(struct pause, rank) == 0 && offsetof(struct pause, last) == sizeof(int64_t), "ranks");
static_assert(offsetof(struct failure, rank) == 0, "ranks");

static void check_ranks(const struct list *list, size_t size, bool ranges, const char *name, int64_t ranks,
                        const struct node *root, struct diag *diag) {
    for (size_t i = 0; i < list->count; i++) {
        const struct ranks *entry = (const void *)((const char *)list->items + i * size);
        bool last = ranges && entry->last >= ranks;
        if (entry->rank >= ranks || last) {
            const char *key = last ? "last" : "rank";
            (void)diag_error(diag, place(root, diag, name, i, key),
                             "%s: there is no rank %lld; the plan has ranks 0 to %lld",
                             name, (long long)(last ? entry->last : entry->rank), (long long)(ranks - 1));
        }
    }
}

enum status scenario_check(const struct scenario *scenario, int64_t ranks, const struct node *root,
                           struct diag *diag) {
    size_t errors = diag->errors;
    check_ranks(&scenario->slow, sizeof(struct slow_rank), true, "slow", ranks, root, diag);
    check_ranks(&scenario->links, sizeof(struct slow_link), true, "links", ranks, root, diag);
    check_ranks(&scenario->pauses, sizeof(struct pause), true, "pauses", ranks, root, diag);
    check_ranks(&scenario->failures, sizeof(struct failure), false, "failures", ranks, root, diag);
    return diag->errors == errors ? OK : STATUS_INVALID;
}

static bool names_rank(const struct list *list, size_t size) {
    for (size_t i = 0; i < list->count; i++) {
        const struct ranks *entry = (const void *)((const char *)list->items + i * size);
        if (entry->rank >= 0) {
            return true;
        }
    }
    return false;
}

bool scenario_is_uneven(const struct scenario *scenario) {
    return scenario->jitter.count > 0 || scenario->failures.count > 0 ||
           names_rank(&scenario->slow, sizeof(struct slow_rank)) ||
           names_rank(&scenario->links, sizeof(struct slow_link)) ||
           names_rank(&scenario->pauses, sizeof(struct pause));
}
