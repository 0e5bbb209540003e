/* `extends`: documents over documents. Each one named is loaded and resolved by itself first, so the chain is a tree
 * that is walked from the leaves; the later document wins:
 *
 *   h100-cluster.yaml ── extends: [h100-node.yaml, fabric.yaml]      result = (h100-node < fabric) < h100-cluster
 *
 * Nodes are shared between documents and never changed; a merged map has children of its own, which keep the marks of
 * the file their values came from. */
#include "yaml/document.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/text.h"
#include "yaml/names.h"
#include "yaml/reader.h"

enum { EXTENDS_DEPTH = 16, EXTENDS_DOCUMENTS = 256 };

/* A document that is being resolved, and the one that extends it. */
struct link {
    const struct link *outer;
    const char *path;
    dev_t device; /* with `file` what the system knows a file by, whatever it is called */
    ino_t file;
    size_t depth;
};

struct merge {
    struct arena *arena;
    struct diag *diag;
    const char *folder;
    document_locate *locate;
    void *context;
    size_t documents, bytes, nodes; /* that may still be read */
    size_t copies;                  /* of nodes that may still be made */
    bool exhausted;                 /* more copies were needed */
};

static struct node *copy_node(struct arena *arena, const struct node *node) {
    struct node *copy = ARENA_NEW(arena, struct node);
    *copy = *node;
    copy->next = NULL;
    return copy;
}

/* A container like `like`, without children yet. */
struct building {
    struct node *node, **end;
};

static struct building building_start(struct arena *arena, const struct node *like) {
    struct node *node = copy_node(arena, like);
    node->first = NULL;
    node->count = 0;
    return (struct building){.node = node, .end = &node->first};
}

static void building_add(struct building *building, struct node *child) {
    *building->end = child;
    building->end = &child->next;
    building->node->count++;
}

static const char *element_name(const struct node *element) {
    const struct node *name = node_find(element, "name");
    return name != NULL && name->kind == NODE_SCALAR && !node_is_null(name) ? name->text : NULL;
}

static bool is_named_list(const struct node *list) {
    bool named = list->kind == NODE_LIST && list->count > 0;
    for (const struct node *element = list->first; named && element != NULL; element = element->next) {
        named = element_name(element) != NULL;
    }
    return named;
}

static struct node *merge_nodes(struct merge *merge, const struct node *base, const struct node *over);

/* Children of both lists or maps: those of `base` in their order, each merged with the one of the same name in `over`,
 * then what only `over` has. Of two elements with one name in `over` the second stays by itself; binding refuses it. */
static struct node *merge_children(struct merge *merge, const struct node *base, const struct node *over) {
    struct arena *arena = merge->arena;
    if (base->count + over->count > merge->copies) {
        merge->exhausted = true;
        return copy_node(arena, over);
    }
    merge->copies -= base->count + over->count;
    bool map = base->kind == NODE_MAP;
    struct names names;
    names_init(&names, arena);
    struct building merged = building_start(arena, over);
    for (const struct node *child = over->first; child != NULL; child = child->next) {
        struct name *name = names_add(&names, map ? child->key : element_name(child));
        name->value = name->value == NULL ? child : name->value;
    }
    struct names used;
    names_init(&used, arena);
    for (const struct node *child = base->first; child != NULL; child = child->next) {
        const char *text = map ? child->key : element_name(child);
        const struct name *name = names_find(&names, text);
        struct name *first = name == NULL ? NULL : names_add(&used, text);
        if (first != NULL && first->value == NULL) {
            first->value = name->value;
            building_add(&merged, merge_nodes(merge, child, name->value));
        } else {
            building_add(&merged, copy_node(arena, child));
        }
    }
    for (const struct node *child = over->first; child != NULL; child = child->next) {
        const struct name *name = names_find(&used, map ? child->key : element_name(child));
        if (name == NULL || name->value != child) {
            building_add(&merged, copy_node(arena, child));
        }
    }
    return merged.node;
}

/* No deeper than the documents, whose depth is bounded. */
static struct node *merge_nodes(struct merge *merge, const struct node *base, const struct node *over) {
    bool maps = base->kind == NODE_MAP && over->kind == NODE_MAP;
    if (maps || (is_named_list(base) && is_named_list(over))) {
        return merge_children(merge, base, over);
    }
    return copy_node(merge->arena, over);
}

static struct node *without_key(struct arena *arena, const struct node *map, const char *key) {
    struct building rest = building_start(arena, map);
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) != 0) {
            building_add(&rest, copy_node(arena, child));
        }
    }
    return rest.node;
}

/* The extending document's schema goes back to the front, before what the others brought. */
static void move_to_front(struct node *map, const char *key) {
    for (struct node **link = &map->first; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->key, key) == 0) {
            struct node *node = *link;
            *link = node->next;
            node->next = map->first;
            map->first = node;
            return;
        }
    }
}

/* Where a document that `node` names lies: beside the document that names it, or where the caller knows. */
static const char *find_document(struct merge *merge, const struct node *node) {
    const char *from = node->mark.source->name;
    const char *slash = strrchr(from, '/');
    const char *path = node->text;
    if (path[0] != '/' && slash != NULL) {
        path = arena_format(merge->arena, "%.*s/%s", (int)(slash - from), from, node->text);
    }
    struct stat about;
    if (path[0] != '\0' && stat(path, &about) == 0 && !S_ISDIR(about.st_mode)) {
        return path;
    }
    return merge->locate == NULL ? NULL : merge->locate(merge->context, node->text, merge->folder);
}

static enum status refuse_cycle(struct merge *merge, const struct node *node, const struct link *link,
                                const struct link *first) {
    struct text chain;
    text_init(&chain, merge->arena);
    text_add(&chain, first->path);
    for (; link != first; link = link->outer) {
        const char *rest = arena_text(merge->arena, chain.data + strlen(first->path));
        chain.size = strlen(first->path);
        text_add_format(&chain, " extends %s%s", link->path, rest);
    }
    return diag_error(merge->diag, node->mark, "a document extends itself: %s extends %s", chain.data, first->path);
}

static enum status resolve(struct merge *merge, const struct node *root, const struct link *link,
                           struct node **ret_root);

static enum status read_within(struct merge *merge, const struct node *node, const char *path, struct node **ret_root) {
    struct source *source = NULL;
    size_t errors = merge->diag->errors;
    enum status status = OK;
    if (merge->documents == 0) {
        return diag_error(merge->diag, node->mark, "more than %d documents by 'extends'", EXTENDS_DOCUMENTS);
    }
    merge->documents--;
    status = document_read(merge->arena, path, &source, merge->diag);
    if (status == OK && source->size > merge->bytes) {
        return diag_error(merge->diag, node->mark, "more than %d MiB of documents by 'extends'",
                          DOCUMENT_BYTES / (1024 * 1024));
    }
    if (status == OK) {
        merge->bytes -= source->size;
        status = reader_read(merge->arena, source, &merge->nodes, ret_root, merge->diag);
    }
    if (status != OK && merge->diag->errors > errors) {
        diag_context(merge->diag, "extended by %s:%u", node->mark.source->name, node->mark.line);
    }
    return status;
}

/* One document that `root` extends, with what it extends itself. */
static enum status load_base(struct merge *merge, const struct node *node, const struct link *outer,
                             struct node **ret_root) {
    if (node->kind != NODE_SCALAR || node_is_null(node) || node->text[0] == '\0') {
        return diag_error(merge->diag, node->mark, "extends: the name of a document is wanted");
    }
    const char *path = find_document(merge, node);
    if (path == NULL) {
        return diag_error(merge->diag, node->mark, "extends: there is no file '%s' here and no such document in %s",
                          reader_clip(merge->arena, node->text), merge->folder);
    }
    if (outer->depth == EXTENDS_DEPTH) {
        return diag_error(merge->diag, node->mark, "extends: a chain of more than %d documents", EXTENDS_DEPTH);
    }
    struct stat about = {0};
    bool known = stat(path, &about) == 0;
    for (const struct link *link = outer; known && link != NULL; link = link->outer) {
        if (link->path != NULL && link->device == about.st_dev && link->file == about.st_ino) {
            return refuse_cycle(merge, node, outer, link);
        }
    }
    struct node *root = NULL;
    TRY(read_within(merge, node, path, &root));
    struct link link = {
        .outer = outer, .path = path, .device = about.st_dev, .file = about.st_ino, .depth = outer->depth + 1};
    return resolve(merge, root, &link, ret_root);
}

static enum status check_schemas(struct merge *merge, const struct node *base, const struct node *root,
                                 const struct node *named) {
    const struct node *wanted = node_find(root, "schema");
    const struct node *found = node_find(base, "schema");
    bool texts = wanted != NULL && found != NULL && wanted->text != NULL && found->text != NULL;
    if (base->kind != NODE_MAP) {
        return diag_error(merge->diag, named->mark, "extends: '%s' is not a map of keys", named->text);
    }
    if (texts && strcmp(wanted->text, found->text) != 0) {
        return diag_error(merge->diag, named->mark, "extends: '%s' is of schema %s, this document of %s", named->text,
                          reader_clip(merge->arena, found->text), reader_clip(merge->arena, wanted->text));
    }
    return OK;
}

static enum status resolve(struct merge *merge, const struct node *root, const struct link *link,
                           struct node **ret_root) {
    const struct node *extends = node_find(root, "extends");
    *ret_root = copy_node(merge->arena, root);
    if (extends == NULL) {
        return OK;
    }
    struct node *own = without_key(merge->arena, root, "extends");
    struct node *merged = NULL;
    if (node_is_null(extends)) {
        *ret_root = own;
        return OK;
    }
    const struct node *named = extends->kind == NODE_LIST ? extends->first : extends;
    while (named != NULL) {
        struct node *base = NULL;
        TRY(load_base(merge, named, link, &base));
        TRY(check_schemas(merge, base, root, named));
        merged = merged == NULL ? base : merge_nodes(merge, merged, base);
        named = extends->kind == NODE_LIST ? named->next : NULL;
    }
    *ret_root = merged == NULL ? own : merge_nodes(merge, merged, own);
    if (merge->exhausted) {
        return diag_error(merge->diag, extends->mark, "extends: more than %d values to merge", DOCUMENT_NODES);
    }
    move_to_front(*ret_root, "schema");
    return OK;
}

enum status document_extend(struct arena *arena, struct node *root, const char *folder, document_locate *locate,
                            void *context, struct node **ret_root, struct diag *diag) {
    struct merge merge = {.arena = arena,
                          .diag = diag,
                          .folder = folder,
                          .locate = locate,
                          .context = context,
                          .documents = EXTENDS_DOCUMENTS,
                          .bytes = DOCUMENT_BYTES,
                          .nodes = DOCUMENT_NODES,
                          .copies = DOCUMENT_NODES};
    struct link link = {.path = root->mark.source->name};
    struct stat about;
    if (stat(link.path, &about) == 0) {
        link.device = about.st_dev;
        link.file = about.st_ino;
    } else {
        link.path = NULL; /* standard input: nothing can extend it */
    }
    struct node *resolved = NULL;
    enum status status = resolve(&merge, root, &link, &resolved);
    *ret_root = status == OK ? resolved : NULL;
    return status;
}
