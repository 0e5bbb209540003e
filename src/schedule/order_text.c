/* Words to passes; what stages and paths there are follows from them. */
#include "schedule/order_text.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

static const char BLANKS[] = " \t\r";

/* More cannot be meant, and would not fit. */
enum { LARGEST_STAGE = 100000, LARGEST_MICRO_BATCH = 10000000, LARGEST_GRID = 50000000 };

struct extent {
    int64_t stages, micro_batches, ways;
    bool shards;
};

static int64_t above(int64_t count, int64_t index) {
    return index >= count ? index + 1 : count;
}

static void extend(struct extent *extent, const struct visit *visit) {
    extent->stages = above(extent->stages, visit->stage);
    extent->micro_batches = above(extent->micro_batches, visit->micro_batch);
    extent->ways = above(extent->ways, visit->way);
}

static const char *word_fault(struct arena *arena, const char *word, size_t size, struct pass *ret_pass) {
    if (!pass_parse(word, size, ret_pass)) {
        return arena_format(arena, "'%.*s' is not a pass such as F0.3, BW1.2, F2.0&B1.1", (int)(size < 40 ? size : 40),
                            word);
    }
    const struct visit *visits[] = {&ret_pass->visit, &ret_pass->backward};
    for (int i = 0; i < 2; i++) {
        if (visits[i]->stage > LARGEST_STAGE || visits[i]->micro_batch > LARGEST_MICRO_BATCH) {
            return arena_format(arena, "'%.*s': so many stages or micro-batches cannot be meant",
                                (int)(size < 40 ? size : 40), word);
        }
    }
    return NULL;
}

static int64_t count_words(const char *line) {
    int64_t count = 0;
    for (const char *at = line + strspn(line, BLANKS); *at != '\0'; at += strspn(at, BLANKS)) {
        at += strcspn(at, BLANKS);
        count++;
    }
    return count;
}

static bool read_line(struct arena *arena, const char *line, struct pass *passes, int64_t *ret_count,
                      struct extent *extent, struct order_fault *fault) {
    for (const char *at = line + strspn(line, BLANKS); *at != '\0'; at += strspn(at, BLANKS)) {
        size_t size = strcspn(at, BLANKS);
        struct pass *pass = &passes[*ret_count];
        fault->reason = word_fault(arena, at, size, pass);
        if (fault->reason != NULL) {
            fault->column = at - line;
            fault->length = (int64_t)size;
            return false;
        }
        bool shard = pass->kind == PASS_SHARD || pass->kind == PASS_SHARD_END;
        extent->shards = extent->shards || shard;
        if (!shard) { /* theirs is a rank */
            extend(extent, &pass->visit);
        }
        if (pass->kind == PASS_PAIR) {
            extend(extent, &pass->backward);
        }
        (*ret_count)++;
        at += size;
    }
    return true;
}

/* Stages that the forwards of each micro-batch visit, in ascending order, as paths; none are set when all visit all. */
static void find_paths(struct arena *arena, struct order *order) {
    size_t cells = (size_t)(order->stages * order->micro_batches);
    int32_t *before = ARENA_ARRAY(arena, int32_t, cells), *behind = ARENA_ARRAY(arena, int32_t, cells);
    int64_t visited = 0;
    memset(before, 0, cells * sizeof *before);
    for (int64_t i = 0; i < order->first[order->ranks]; i++) {
        const struct pass *pass = &order->passes[i];
        if (pass->kind == PASS_FORWARD || pass->kind == PASS_PAIR) {
            int32_t *seen = &before[pass->visit.micro_batch * order->stages + pass->visit.stage];
            visited += *seen == 0;
            *seen = 1;
        }
    }
    for (int64_t j = 0; j < order->micro_batches; j++) {
        int32_t last = -1;
        for (int32_t stage = 0; stage < order->stages; stage++) {
            int64_t at = j * order->stages + stage;
            bool left_out = before[at] == 0;
            before[at] = left_out ? ORDER_SKIPPED : last;
            behind[at] = left_out ? ORDER_SKIPPED : -1;
            if (!left_out && last >= 0) {
                behind[j * order->stages + last] = stage;
            }
            last = left_out ? last : stage;
        }
    }
    if (visited < order->stages * order->micro_batches) {
        order->before = before;
        order->behind = behind;
    }
}

void order_read(struct arena *arena, const char *const *lines, int64_t count, struct order *ret,
                struct order_fault *ret_fault) {
    int64_t words = 0, read = 0;
    int64_t *first = ARENA_ARRAY(arena, int64_t, (size_t)count + 1);
    struct extent extent = {.ways = 1};
    *ret_fault = (struct order_fault){0};
    for (int64_t rank = 0; rank < count; rank++) {
        words += count_words(lines[rank]);
    }
    struct pass *passes = ARENA_ARRAY(arena, struct pass, (size_t)words + 1);
    for (int64_t rank = 0; rank < count; rank++) {
        ret_fault->line = rank;
        if (!read_line(arena, lines[rank], passes, &read, &extent, ret_fault)) {
            return;
        }
        first[rank + 1] = read;
    }
    *ret = (struct order){.passes = passes, .first = first, .ranks = count};
    ret->stages = extent.stages;
    ret->micro_batches = extent.micro_batches;
    ret->ways = extent.ways;
    ret->barriers = extent.shards ? 1 : 0;
    if (words == 0 || extent.stages == 0) {
        ret_fault->line = 0;
        ret_fault->reason = "no passes";
    } else if (extent.stages * extent.micro_batches > LARGEST_GRID) {
        ret_fault->reason = "so many stages and micro-batches cannot be meant";
    } else if (extent.ways == 1) {
        find_paths(arena, ret);
    }
}

int64_t order_lines(struct arena *arena, const char *text, const char *const **ret_lines,
                    const int64_t **ret_numbers) {
    size_t most = 1;
    for (const char *at = text; *at != '\0'; at++) {
        most += *at == '\n';
    }
    const char **lines = ARENA_ARRAY(arena, const char *, most);
    int64_t *numbers = ARENA_ARRAY(arena, int64_t, most);
    int64_t count = 0, number = 1;
    for (const char *at = text; *at != '\0'; number++) {
        size_t size = strcspn(at, "\n"), used = strcspn(at, "#\n");
        if (strspn(at, BLANKS) < used) {
            numbers[count] = number;
            lines[count++] = arena_copy(arena, at, used);
        }
        at += size + (at[size] == '\n');
    }
    *ret_lines = lines;
    *ret_numbers = numbers;
    return count;
}

const char *order_line(struct arena *arena, const struct order *order, int64_t rank) {
    struct text text;
    text_init(&text, arena);
    for (int64_t i = order->first[rank]; i < order->first[rank + 1]; i++) {
        char word[PASS_TEXT_SIZE];
        pass_text(&order->passes[i], word);
        text_add(&text, i > order->first[rank] ? " " : "");
        text_add(&text, word);
    }
    return text.data;
}
