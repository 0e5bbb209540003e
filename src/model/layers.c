/* The sequence of layers: which sort stands where.
 *
 *   encoder layers │ pattern words, repeated until num_hidden_layers are named
 *                  │   "linear*3", "full"  ─►  linear linear linear full linear linear linear full ...
 *                  │ a word without feed-forward takes it from moe: layer i has experts
 *                  │   iff i >= first_dense_layers and (i - first_dense_layers + 1) % layer_freq == 0
 */
#include "model/internal.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

static const char *const attention_words[] = {"full", "sliding", "mla", "linear", "none"};
static const char *const ffn_words[] = {"dense", "moe", "none"};
enum { ATTENTION_WORDS = 5, FFN_WORDS = 3, FFN_BY_RULE = -1, UNKNOWN_WORD = -2 };

/* One word of layer_pattern; ffn FFN_BY_RULE when the word names none. */
struct word {
    int attention, ffn;
    int64_t count;
};

static int word_index(const char *piece, const char *const *words, int count) {
    for (int i = 0; i < count; i++) {
        if (text_equal(piece, words[i])) {
            return i;
        }
    }
    return UNKNOWN_WORD;
}

static void unknown_piece(struct diag *diag, struct mark mark, const char *piece, const char *what,
                          const char *const *words, size_t count) {
    diag_error(diag, mark, "layer_pattern: '%s' is no kind of %s", piece, what);
    const char *nearest = text_nearest(piece, words, count);
    if (word_index(piece, ffn_words, FFN_WORDS) >= 0) {
        diag_help(diag, "name the attention first, such as full/%s", piece);
    } else if (nearest != NULL) {
        diag_help(diag, "did you mean %s?", nearest);
    } else {
        diag_help(diag, "a word is attention[/ffn][*count]: full, sliding, mla, linear or none; dense, moe or none");
    }
}

/* Reads "<attention>[/<ffn>][*count]". */
static bool word_parse(struct arena *arena, const char *text, struct mark mark, struct diag *diag, struct word *ret) {
    char *copy = arena_text(arena, text);
    char *star = strchr(copy, '*');
    *ret = (struct word){.ffn = FFN_BY_RULE, .count = 1};
    if (star != NULL) {
        long long count = 0;
        *star = '\0';
        if (!text_integer(star + 1, strlen(star + 1), &count) || count < 1 || count > 10000) {
            diag_error(diag, mark, "layer_pattern: the count after '*' in '%s' is not a whole number of layers", text);
            diag_help(diag, "write %s*N with N from 1 to num_hidden_layers", copy);
            return false;
        }
        ret->count = count;
    }
    char *slash = strchr(copy, '/');
    if (slash != NULL) {
        *slash = '\0';
        ret->ffn = word_index(slash + 1, ffn_words, FFN_WORDS);
    }
    ret->attention = word_index(copy, attention_words, ATTENTION_WORDS);
    if (ret->attention == UNKNOWN_WORD) {
        unknown_piece(diag, mark, copy, "attention", attention_words, ATTENTION_WORDS);
    }
    if (ret->ffn == UNKNOWN_WORD) {
        unknown_piece(diag, mark, slash + 1, "feed-forward", ffn_words, FFN_WORDS);
    }
    return ret->attention != UNKNOWN_WORD && ret->ffn != UNKNOWN_WORD;
}

static bool kind_equal(const struct layer_kind *a, const struct layer_kind *b) {
    return a->attention == b->attention && a->ffn == b->ffn && a->window == b->window && a->causal == b->causal &&
           a->cross == b->cross && a->encoder == b->encoder && a->intermediate_size == b->intermediate_size;
}

/* The index of a kind, which is added if it is new. At most 4 x 3 + 1 sorts can arise of one document (the attentions
 * times the feed-forwards and the encoder's layer), so MODEL_KINDS is never exceeded. */
static unsigned char kind_index(struct model *model, struct layer_kind kind) {
    int64_t i = 0;
    while (i < model->kind_count && !kind_equal(&model->kinds[i], &kind)) {
        i++;
    }
    if (i == model->kind_count && i < MODEL_KINDS) {
        model->kinds[model->kind_count++] = kind;
    }
    return (unsigned char)i;
}

static bool rule_is_moe(const struct model *model, int64_t layer) {
    int64_t after = model->moe == NULL ? -1 : layer - model->moe->first_dense_layers;
    return after >= 0 && (after + 1) % model->moe->layer_freq == 0;
}

static struct layer_kind decoder_kind(const struct model *model, int64_t layer, const struct word *word) {
    struct layer_kind kind = {
        .attention = (enum attention_kind)word->attention,
        .ffn = (enum ffn_kind)word->ffn,
        .causal = model->causal,
        .cross = model->encoder != NULL,
    };
    if (word->ffn == FFN_BY_RULE) {
        kind.ffn = rule_is_moe(model, layer) ? FFN_MOE : FFN_DENSE;
    }
    kind.window = kind.attention == ATTENTION_SLIDING ? model->sliding_window : 0;
    kind.intermediate_size = kind.ffn == FFN_DENSE ? model->intermediate_size : 0;
    return kind;
}

/* The encoder attends in both directions; its layers are dense. */
static struct layer_kind encoder_kind(const struct model *model) {
    int64_t own = model->encoder->intermediate_size;
    return (struct layer_kind){
        .attention = ATTENTION_FULL,
        .ffn = FFN_DENSE,
        .encoder = true,
        .intermediate_size = own > 0 ? own : model->intermediate_size,
    };
}

/* The words of layer_pattern, or the one word that `attention` is. False after an error. */
static bool read_pattern(struct arena *arena, const struct model *model, const struct node *root, struct diag *diag,
                         struct word **ret_words, size_t *ret_count) {
    const char *const *texts = model->layer_pattern.items;
    size_t count = model->layer_pattern.count;
    bool valid = true;
    int64_t named = 0;
    struct word *words = ARENA_ARRAY(arena, struct word, count > 0 ? count : 1);
    words[0] = (struct word){.attention = model->attention, .ffn = FFN_BY_RULE, .count = 1};
    for (size_t i = 0; i < count; i++) {
        struct mark mark = model_mark(root, arena_format(arena, "layer_pattern.%zu", i));
        valid = word_parse(arena, texts[i], mark, diag, &words[i]) && valid;
        named += words[i].count;
    }
    if (valid && count > 0 && named > model->num_hidden_layers) {
        diag_error(diag, model_mark(root, "layer_pattern"),
                   "layer_pattern: names %lld layers, more than num_hidden_layers %lld", (long long)named,
                   (long long)model->num_hidden_layers);
        valid = false;
    }
    *ret_words = words;
    *ret_count = count > 0 ? count : 1;
    return valid;
}

void model_build_layers(struct arena *arena, struct model *model, const struct node *root, struct diag *diag) {
    int64_t encoders = model->encoder == NULL ? 0 : model->encoder->num_hidden_layers;
    int64_t total = encoders + model->num_hidden_layers;
    unsigned char *layers = ARENA_ARRAY(arena, unsigned char, (size_t)total);
    struct word *words = NULL;
    size_t word_count = 0;
    model->kind_count = 0;
    model->layer_count = 0;
    model->layers = layers;
    if (!read_pattern(arena, model, root, diag, &words, &word_count)) {
        return;
    }
    while (model->layer_count < encoders) {
        layers[model->layer_count++] = kind_index(model, encoder_kind(model));
    }
    size_t at = 0;
    int64_t used = 0;
    for (int64_t i = 0; i < model->num_hidden_layers; i++) {
        layers[model->layer_count++] = kind_index(model, decoder_kind(model, i, &words[at]));
        if (++used == words[at].count) {
            used = 0;
            at = (at + 1) % word_count;
        }
    }
    model->mtp_kind = layers[total - 1];
}

bool model_uses_attention(const struct model *model, enum attention_kind attention) {
    for (int64_t i = 0; i < model->kind_count; i++) {
        if (model->kinds[i].attention == attention) {
            return true;
        }
    }
    return false;
}

bool model_uses_ffn(const struct model *model, enum ffn_kind ffn) {
    for (int64_t i = 0; i < model->kind_count; i++) {
        if (model->kinds[i].ffn == ffn) {
            return true;
        }
    }
    return false;
}
