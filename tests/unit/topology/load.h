/* Loading topologies in tests: shipped ones by name, others from a text. */
#ifndef PARPLAN_TESTS_TOPOLOGY_LOAD_H
#define PARPLAN_TESTS_TOPOLOGY_LOAD_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "../support.h"
#include "base/diag.h"
#include "topology/topology.h"
#include "yaml/document.h"

/* A device and a node for documents of tests; groups and fabric follow. */
#define DEVICE "  - {name: d, memory: 80GiB, hbm_bandwidth: 2TB/s, sms: 100, peak: {bf16: 300TFLOP/s}}\n"
#define HEAD "schema: parplan/topology/v1\nname: t\ndevices:\n" DEVICE /* 4 lines */

enum { SHIPPED_MOST = 64 };

static inline const char *locate_nothing(void *context, const char *name, const char *folder) {
    (void)context;
    (void)name;
    (void)folder;
    return NULL;
}

/* The document of a shipped topology, extended. */
static inline struct node *shipped_document(struct arena *arena, const char *name, struct diag *diag) {
    struct node *root = NULL;
    const char *path = support_path(arena, arena_format(arena, "topologies/%s.yaml", name));
    cr_assert(document_load(arena, path, &root, diag) == OK, "%s cannot be read", path);
    enum status status = document_extend(arena, root, "topologies", locate_nothing, NULL, &root, diag);
    cr_assert(status == OK, "%s: %s", name, diag->count > 0 ? diag->entries[0].text : "");
    return root;
}

/* Loads a shipped topology at `devices` devices (0 = as it is); fails the test on any diagnostic. */
static inline struct topology load_shipped(struct arena *arena, const char *name, int64_t devices) {
    struct diag diag;
    struct topology topology;
    diag_init(&diag, arena);
    enum status status = topology_load(arena, shipped_document(arena, name, &diag), &topology, &diag);
    status = status == OK ? topology_scale(arena, &topology, 0, devices, &diag) : status;
    const char *first = diag.count > 0 ? diag.entries[0].text : "no diagnostic";
    cr_assert(status == OK && diag.count == 0, "%s: status %d: %s", name, (int)status, first);
    return topology;
}

static inline enum status load_text(struct arena *arena, const char *text, struct topology *ret, struct diag *diag) {
    struct node *root = NULL;
    diag_init(diag, arena);
    enum status status = document_parse(arena, "test.yaml", text, strlen(text), &root, diag);
    return status == OK ? topology_load(arena, root, ret, diag) : status;
}

/* The same for documents that must load. */
static inline struct topology load_clean(struct arena *arena, const char *text) {
    struct diag diag;
    struct topology topology;
    enum status status = load_text(arena, text, &topology, &diag);
    cr_assert(status == OK && diag.count == 0, "status %d: %s\n%s", (int)status,
              diag.count > 0 ? diag.entries[0].text : "", text);
    return topology;
}

/* Names of all shipped topologies, sorted; returns how many. */
static inline size_t shipped_names(struct arena *arena, const char *names[SHIPPED_MOST]) {
    struct dirent **entries = NULL;
    size_t count = 0;
    int found = scandir(support_path(arena, "topologies"), &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        if (text_ends(entries[i]->d_name, ".yaml") && count < SHIPPED_MOST) {
            names[count++] = arena_copy(arena, entries[i]->d_name, strlen(entries[i]->d_name) - 5);
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

/* Whether two rates agree to 1e-9 of the larger. */
static inline bool near_to(double a, double b) {
    double difference = a > b ? a - b : b - a, larger = a > b ? a : b;
    return difference <= 1e-9 * (larger > 0 ? larger : 1);
}

#endif
