/* What model documents are refused for, where and in which words. */
#include "load.h"

/* One wrong document each: the first error's place and words, and a piece of its help. */
static const struct {
    const char *text;
    unsigned line, column;
    const char *error, *help;
} refused[] = {
    /* bounds of single keys */
    {HEAD "hidden_size: 512\nnum_hidden_layers: 4\nnum_attention_heads: 0\nvocab_size: 10\n", 5, 22,
     "num_attention_heads", NULL},
    {HEAD "hidden_size: 512\nnum_hidden_layers: 10000000000000000000\nnum_attention_heads: 8\nvocab_size: 10\n", 4, 20,
     "num_hidden_layers", NULL},
    {HEAD "hidden_size: nan\nnum_hidden_layers: 4\nnum_attention_heads: 8\nvocab_size: 10\n", 3, 14, "hidden_size",
     NULL},
    {HEAD "hidden_size: -8\nnum_hidden_layers: 4\nnum_attention_heads: 8\nvocab_size: 10\n", 3, 14, "hidden_size",
     NULL},
    {BASE "dropout: 1.5\n", 8, 10, "dropout", NULL},
    {BASE "vocab_pad_multiple: 0\n", 8, 21, "vocab_pad_multiple", NULL},
    {BASE "mlp: swigloo\n", 8, 6, "swiglu", NULL},
    {BASE "norms_per_layr: 4\n", 8, 1, "unknown key 'norms_per_layr'", "norms_per_layer"},
    {BASE "moe: {num_experts: 8, experts_per_token: 2, layer_freq: 0}\n", 8, 57, "layer_freq", NULL},
    {HEAD SIZES "intermediate_size: 1024\n", 1, 1, "vocab_size is missing", "image"},
    {HEAD "num_hidden_layers: 4\nnum_attention_heads: 8\nvocab_size: 10\n", 1, 1, "hidden_size", NULL},
    {"schema: parplan/topology/v1\nname: t\n" SIZES, 1, 9, "model", NULL},
    {BASE "extra_blocks:\n  - params: 5\n", 9, 5, "name", NULL},
    /* rules of heads */
    {HEAD "hidden_size: 5000\nnum_hidden_layers: 4\nnum_attention_heads: 48\nvocab_size: 10\nintermediate_size: 64\n",
     5, 22, "num_attention_heads: 48 does not divide hidden_size 5000", "head_dim"},
    {BASE "num_key_value_heads: 3\n", 8, 22, "num_key_value_heads: 3 does not divide num_attention_heads 8", NULL},
    {BASE "num_key_value_heads: 16\n", 8, 22, "num_key_value_heads: 16 exceeds num_attention_heads 8", NULL},
    {BASE "num_key_value_heads: 2\n" MLA, 8, 22, "contradicts mla", "leave num_key_value_heads out"},
    /* feed-forward and experts */
    {TEXT, 1, 1, "intermediate_size is missing", "gated"},
    {TEXT "encoder: {num_hidden_layers: 2}\n" MOE "layer_pattern: [full/moe]\n", 1, 1, "intermediate_size is missing",
     "encoder's"},
    {BASE "moe: {num_experts: 8, experts_per_token: 9, expert_intermediate_size: 64}\n", 8, 42,
     "experts_per_token: 9 exceeds num_experts 8", NULL},
    {TEXT "moe: {num_experts: 8, experts_per_token: 2}\n", 7, 1, "expert_intermediate_size is missing",
     "moe_intermediate_size"},
    {TEXT "moe: {num_experts: 8, experts_per_token: 2, expert_intermediate_size: 64, router_bias: 7}\n", 7, 88,
     "router_bias: 7 entries for num_experts 8", NULL},
    {TEXT "moe: {num_experts: 8, experts_per_token: 2, expert_intermediate_size: 64, shared_expert_gate: true}\n", 7,
     95, "there are no shared experts", NULL},
    {BASE "moe: {num_experts: 8, experts_per_token: 2, first_dense_layers: 4}\n", 8, 65,
     "none of the 4 layers has experts", NULL},
    {BASE MOE "layer_pattern: [full/dense]\n", 8, 1, "none of the 4 layers has experts", NULL},
    {BASE "layer_pattern: [full/moe]\n", 8, 1, "moe layers need the key moe", NULL},
    {TEXT "moe: {num_experts: 8, experts_per_token: 2, expert_intermediate_size: 64, layer_freq: 2}\n"
          "intermediate_size: 64\nlayer_pattern: [full/moe]\n",
     7, 87, "layer_pattern names the feed-forwards", "layer_freq"},
    /* blocks and the layers they describe */
    {BASE "attention: mla\n", 8, 12, "mla layers need the key mla", "add mla"},
    {BASE "attention: sliding\n", 8, 12, "sliding layers need the key sliding_window", NULL},
    {BASE "attention: linear\n", 8, 12, "linear layers need the key linear", NULL},
    {BASE "layer_pattern: [full, sliding]\n", 8, 1, "sliding layers need the key sliding_window", NULL},
    {BASE "attention: full\nsliding_window: 64\n", 9, 17, "sliding_window is given but no layer is sliding", "remove"},
    {BASE MLA "sliding_window: 64\n", 9, 17, "sliding_window is given but no layer is sliding", NULL},
    {BASE LINEAR "layer_pattern: [full]\n", 8, 1, "linear is given but no layer is linear", NULL},
    {BASE "linear: {key_heads: 3, value_heads: 8}\n", 8, 21, "key_heads: 3 does not divide value_heads 8", NULL},
    /* words of layer_pattern */
    {BASE "layer_pattern: [full, slidng]\n", 8, 23, "'slidng' is no kind of attention", "did you mean sliding?"},
    {BASE "layer_pattern: [moe]\n", 8, 17, "'moe' is no kind of attention", "such as full/moe"},
    {BASE "layer_pattern: [full/mo]\n", 8, 17, "'mo' is no kind of feed-forward", "did you mean moe?"},
    {BASE "layer_pattern: [full/xyzzy]\n", 8, 17, "'xyzzy' is no kind of feed-forward", "attention[/ffn][*count]"},
    {BASE "layer_pattern: [\"full*0\"]\n", 8, 17, "the count after '*' in 'full*0'", "full*N"},
    {BASE "layer_pattern: [\"full*\"]\n", 8, 17, "the count after '*'", NULL},
    {BASE "layer_pattern: [\"full*2/dense\"]\n", 8, 17, "the count after '*'", NULL},
    {BASE "layer_pattern: [\"full*9223372036854775808\"]\n", 8, 17, "the count after '*'", NULL},
    {BASE "layer_pattern: [\"\"]\n", 8, 17, "'' is no kind of attention", NULL},
    {BASE "layer_pattern: [\"full*5\"]\n", 8, 1, "names 5 layers, more than num_hidden_layers 4", NULL},
    {BASE "layer_pattern: [\"full*3\", \"full*2\"]\n", 8, 1, "names 5 layers, more than num_hidden_layers 4", NULL},
    {BASE "moe: {num_experts: 8, first_dense_layers: 4}\nlayer_pattern: [full]\n", 8, 1, "none of the 4 layers", NULL},
    {BASE "moe: {first_dense_layers: 1}\nlayer_pattern: [full, full/moe]\n", 8, 27,
     "first_dense_layers: layer_pattern names the feed-forwards", NULL},
    {BASE "layer_pattern: [full, none/none]\n", 8, 1, "none/none", NULL},
    /* vocabulary and positions */
    {BASE "padded_vocab_size: 999\n", 8, 20, "padded_vocab_size: 999 is less than vocab_size 1000", NULL},
    {BASE "position: learned\n", 8, 11, "learned needs max_position_embeddings", "n_positions"},
    {BASE "encoder: {num_hidden_layers: 2}\nmtp_layers: 1\n", 9, 13, "mtp_layers contradicts encoder", NULL},
    /* images */
    {BASE "image: {patch_size: 16}\n", 6, 13, "vocab_size contradicts image", "patches"},
    {HEAD SIZES "intermediate_size: 64\nimage: {image_size: 224, patch_size: 15}\n", 7, 38,
     "patch_size: 15 does not divide image_size 224", NULL},
    {HEAD SIZES "intermediate_size: 64\ntie_word_embeddings: true\nimage: {patch_size: 16}\n", 7, 22,
     "tie_word_embeddings contradicts image", NULL},
    {HEAD SIZES "intermediate_size: 64\nimage: {adaln: true, class_token: true}\n", 7, 35,
     "class_token contradicts adaln", NULL},
    {BASE "layer_pattern: [dense]\n", 8, 17, "'dense' is no kind of attention", "such as full/dense"},
    {BASE "layer_pattern: [ful/dens]\n", 8, 17, "'ful' is no kind of attention", "did you mean full?"},
    {BASE "sliding_window: 8\nhead_dim: 65537\n", 9, 11, "head_dim", NULL},
    {HEAD "hidden_size: 5000\nnum_hidden_layers: 4\nnum_attention_heads: 48\nvocab_size: 10\nintermediate_size: 64\n"
          "sliding_window: 8\n",
     5, 22, "num_attention_heads: 48 does not divide hidden_size 5000", NULL},
    {HEAD "hidden_size: 5000\nnum_hidden_layers: 4\nnum_attention_heads: 48\nvocab_size: 10\nintermediate_size: 64\n"
          "encoder: {num_hidden_layers: 1}\nlinear: {key_heads: 1}\n",
     5, 22, "num_attention_heads: 48 does not divide hidden_size 5000", NULL},
    /* sizes that fit one by one and not together */
    {HEAD "hidden_size: 1048576\nnum_hidden_layers: 2\nnum_attention_heads: 1\ncausal: false\nmlp: gelu\n"
          "image: {image_size: 65536, patch_size: 4096, channels: 4096, out_channels: 4096, classes: 268435456}\n",
     4, 20, "more than 1e+17", NULL},
    {HEAD "hidden_size: 1048576\nnum_hidden_layers: 4\nnum_attention_heads: 1048576\nhead_dim: 65536\n"
          "vocab_size: 1\nintermediate_size: 1\n",
     4, 20, "more than 1e+17", NULL},
    {HEAD "hidden_size: 1048576\nnum_hidden_layers: 10000\nnum_attention_heads: 1\nhead_dim: 1\n"
          "vocab_size: 1\nintermediate_size: 16777216\n",
     4, 20, "more than 1e+17", NULL},
    {HEAD "hidden_size: 1048576\nnum_hidden_layers: 10000\nnum_attention_heads: 1048576\nhead_dim: 65536\n"
          "vocab_size: 268435456\nintermediate_size: 16777216\nmoe: {num_experts: 65536, experts_per_token: 65536,\n"
          " expert_intermediate_size: 16777216, shared_experts: 1024}\n",
     4, 20, "more than 1e+17", "misplaced digits"},
};

Test(check, wrong_documents_are_refused_with_place_and_help) {
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct arena *arena = arena_open(NULL, NULL);
        struct model model;
        struct diag diag;
        enum status status = load_text(arena, refused[i].text, &model, &diag);
        cr_expect_eq(status, STATUS_INVALID, "%zu: accepted:\n%s", i, refused[i].text);
        if (status == STATUS_INVALID && diag.count > 0) {
            const struct diag_entry *entry = &diag.entries[0];
            const char *help = entry->help != NULL ? entry->help : "";
            cr_expect(strstr(entry->text, refused[i].error) != NULL, "%zu: '%s' lacks '%s'", i, entry->text,
                      refused[i].error);
            cr_expect(refused[i].help == NULL || strstr(help, refused[i].help) != NULL, "%zu: help '%s' lacks '%s'", i,
                      help, refused[i].help == NULL ? "" : refused[i].help);
            cr_expect(entry->mark.line == refused[i].line && entry->mark.column == refused[i].column,
                      "%zu: at %u:%u, expected %u:%u: %s", i, entry->mark.line, entry->mark.column, refused[i].line,
                      refused[i].column, entry->text);
        }
        arena_close(arena);
    }
}

/* One pass reports every broken rule, in any order of the document. */
Test(check, all_errors_come_in_one_pass) {
    static const char text[] = BASE "num_key_value_heads: 3\npadded_vocab_size: 1\nposition: learned\n"
                                    "moe: {num_experts: 2, experts_per_token: 3, first_dense_layers: 9}\n"
                                    "linear: {key_heads: 3, value_heads: 8}\nlayer_pattern: [full, sliding]\n";
    static const char *const expected[] = {"num_key_value_heads: 3", "padded_vocab_size: 1", "position: learned",
                                           "experts_per_token: 3",   "key_heads: 3",         "linear is given",
                                           "sliding layers need",    "moe is given"};
    struct arena *arena = arena_open(NULL, NULL);
    struct model model;
    struct diag diag;
    cr_assert_eq(load_text(arena, text, &model, &diag), STATUS_INVALID);
    cr_expect_eq(diag.errors, sizeof expected / sizeof expected[0], "%zu errors", diag.errors);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        bool found = false;
        for (size_t j = 0; j < diag.count; j++) {
            found = found || strstr(diag.entries[j].text, expected[i]) != NULL;
        }
        cr_expect(found, "'%s' is not reported", expected[i]);
    }
    arena_close(arena);
}
