#include "cli/completion.h"

#include <string.h>

#include "base/arena.h"
#include "base/field.h"
#include "base/text.h"
#include "cli/options.h"

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

/* Words that follow a flag, one blank before each; "" when anything may. */
static const char *flag_words(struct arena *arena, const struct option *option) {
    const struct field *field = option->field;
    struct text words;
    text_init(&words, arena);
    text_add(&words, "");
    bool closed = field->kind == FIELD_CHOICE || field->kind == FIELD_CHOICES;
    for (size_t i = 0; closed && field->choices && field->choices[i]; i++) {
        text_add_format(&words, " %s", field->choices[i]);
    }
    return words.data;
}

static bool is_file(const struct option *option) {
    return text_equal(option->field->value_name, "FILE");
}

/* All flags of a command, a blank before each. */
static const char *all_flags(struct arena *arena, const struct option *options, size_t count) {
    struct text flags;
    text_init(&flags, arena);
    text_add(&flags, "");
    for (size_t i = 0; i < count; i++) {
        if (options[i].field->flags & FIELD_HIDDEN) {
            continue;
        }
        text_add_format(&flags, " --%s", options[i].name);
        if (option_is_switch(options[i].field) && !text_equal(options[i].name, "help")) {
            text_add_format(&flags, " --no-%s", options[i].name);
        }
    }
    return flags.data;
}

static const char *command_names(struct arena *arena) {
    struct text names;
    text_init(&names, arena);
    text_add(&names, "");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->hidden) {
            text_add_format(&names, " %s", commands[i]->name);
        }
    }
    return names.data;
}

/* What the operands of a command may be, as the word lists and data folders a script offers. */
struct offers {
    const char *words, *folders;
    bool files;
};

static struct offers operand_offers(struct arena *arena, const struct command *command) {
    struct text words, folders;
    text_init(&words, arena);
    text_init(&folders, arena);
    text_add(&words, "");
    text_add(&folders, "");
    bool files = false;
    for (const struct operand *operand = command->operands; operand && operand->name; operand++) {
        for (size_t i = 0; operand->words && operand->words[i]; i++) {
            text_add_format(&words, " %s", operand->words[i]);
        }
        files = files || operand->kind != OPERAND_WORD;
        if (operand->kind == OPERAND_MODEL || operand->kind == OPERAND_DOCUMENT) {
            text_add(&folders, " models");
        }
        if (operand->kind == OPERAND_TOPOLOGY || operand->kind == OPERAND_DOCUMENT) {
            text_add(&folders, " topologies");
        }
    }
    if (text_equal(command->name, "help")) {
        text_add(&words, command_names(arena));
    }
    return (struct offers){words.data, folders.data, files};
}

/* Words of the line so far decide: after a flag with words, those; after '-', flags; else what the operands may be. */
void completion_bash(struct arena *arena, struct text *out) {
    text_add(out, "# bash completion of parplan, from its command table\n"
                  "_parplan() {\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                  "    local words= folders= files= folder\n"
                  "    COMPREPLY=()\n"
                  "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n");
    text_add_format(out, "        COMPREPLY=($(compgen -W '%s' -- \"$current\"))\n        return\n    fi\n",
                    command_names(arena));
    text_add(out, "    case ${COMP_WORDS[1]}:$previous in\n");
    for (size_t i = 0; commands[i]; i++) {
        struct option *options;
        size_t count = commands[i]->hidden ? 0 : options_of_command(arena, commands[i], &options);
        for (size_t j = 0; j < count; j++) {
            const char *words = flag_words(arena, &options[j]);
            if (*words) {
                text_add_format(out, "    %s:--%s) words='%s' ;;\n", commands[i]->name, options[j].name, words);
            } else if (is_file(&options[j])) {
                text_add_format(out, "    %s:--%s) files=1 ;;\n", commands[i]->name, options[j].name);
            }
        }
        if (count) {
            struct offers offers = operand_offers(arena, commands[i]);
            text_add_format(out, "    %s:*)\n        case $current in\n        -*) words='%s' ;;\n", commands[i]->name,
                            all_flags(arena, options, count));
            text_add_format(out, "        *) words='%s' folders='%s' files=%s ;;\n        esac ;;\n", offers.words,
                            offers.folders, offers.files ? "1" : "");
        }
    }
    text_add(out, "    esac\n"
                  "    for folder in $folders; do\n"
                  "        words+=\" $(\"${COMP_WORDS[0]}\" completion names \"$folder\" 2>/dev/null)\"\n"
                  "    done\n"
                  "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                  "    if [ -n \"$files\" ]; then\n"
                  "        compopt -o filenames 2>/dev/null\n"
                  "        COMPREPLY+=($(compgen -f -- \"$current\"))\n"
                  "    fi\n"
                  "}\n"
                  "complete -F _parplan parplan\n");
}

/* Text inside single quotes of a shell; zsh's specifications also give ':' and brackets a meaning. */
static const char *quoted(struct arena *arena, const char *words, bool zsh) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, "");
    for (; *words; words++) {
        if (*words == '\'') {
            text_add(&text, "'\\''");
        } else {
            text_add(&text, zsh && strchr("[]:\\", *words) ? "\\" : "");
            text_add_char(&text, *words);
        }
    }
    return text.data;
}

static void add_zsh_option(struct arena *arena, const struct option *option, struct text *out) {
    const char *doc = quoted(arena, option->field->doc ? option->field->doc : "", true);
    const char *words = flag_words(arena, option);
    if (option_is_switch(option->field)) {
        text_add_format(out, " \\\n        '--%s[%s]'", option->name, doc);
        if (!text_equal(option->name, "help")) {
            text_add_format(out, " '--no-%s[not: %s]'", option->name, doc);
        }
    } else if (*words) {
        text_add_format(out, " \\\n        '--%s=[%s]:%s:(%s)'", option->name, doc, option->name, words + 1);
    } else {
        text_add_format(out, " \\\n        '--%s=[%s]:%s:%s'", option->name, doc, option->name,
                        is_file(option) ? "_files" : "");
    }
}

static void add_zsh_operands(struct arena *arena, const struct command *command, struct text *out) {
    struct offers offers = operand_offers(arena, command);
    if (*offers.folders || offers.files) {
        text_add_format(out, " \\\n        '*: :{compadd -- %s $(_parplan_names%s); _files}'", offers.words,
                        offers.folders);
    } else if (*offers.words) {
        text_add_format(out, " \\\n        '*: :(%s)'", offers.words + 1);
    }
}

void completion_zsh(struct arena *arena, struct text *out) {
    text_add(out, "#compdef parplan\n"
                  "# zsh completion of parplan, from its command table\n"
                  "_parplan_names() {\n"
                  "    local folder\n"
                  "    for folder in \"$@\"; do parplan completion names \"$folder\" 2>/dev/null; done\n"
                  "}\n"
                  "_parplan() {\n"
                  "    if (( CURRENT == 2 )); then\n"
                  "        local -a names=(\n");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->hidden) {
            text_add_format(out, "            '%s:%s'\n", commands[i]->name, quoted(arena, commands[i]->summary, true));
        }
    }
    text_add(out, "        )\n        _describe command names\n        return\n    fi\n"
                  "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n");
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden) {
            continue;
        }
        struct option *options;
        size_t count = options_of_command(arena, commands[i], &options);
        text_add_format(out, "    %s)\n        _arguments", commands[i]->name);
        for (size_t j = 0; j < count; j++) {
            if (!(options[j].field->flags & FIELD_HIDDEN)) {
                add_zsh_option(arena, &options[j], out);
            }
        }
        add_zsh_operands(arena, commands[i], out);
        text_add(out, " ;;\n");
    }
    text_add(out, "    esac\n}\n_parplan \"$@\"\n");
}

static void add_fish_option(struct arena *arena, const struct command *command, const struct option *option,
                            struct text *out) {
    const char *doc = quoted(arena, option->field->doc ? option->field->doc : "", false);
    text_add_format(out, "complete -c parplan -n '__fish_seen_subcommand_from %s' -l %s", command->name, option->name);
    if (option->field->letter) {
        text_add_format(out, " -s %c", option->field->letter);
    }
    const char *words = flag_words(arena, option);
    if (!option_is_switch(option->field)) {
        text_add(out, *words ? " -x" : is_file(option) ? " -r -F" : " -x");
        if (*words) {
            text_add_format(out, " -a '%s'", words + 1);
        }
    }
    text_add_format(out, " -d '%s'\n", doc);
}

static void add_fish_operands(struct arena *arena, const struct command *command, struct text *out) {
    struct offers offers = operand_offers(arena, command);
    const char *condition = arena_format(arena, "complete -c parplan -n '__fish_seen_subcommand_from %s'",
                                         command->name);
    if (offers.files) {
        text_add_format(out, "%s -F\n", condition);
    }
    if (*offers.words) {
        text_add_format(out, "%s -a '%s'\n", condition, offers.words + 1);
    }
    if (*offers.folders) {
        text_add_format(out, "%s -a '(for folder in%s; parplan completion names $folder; end)'\n", condition,
                        offers.folders);
    }
}

void completion_fish(struct arena *arena, struct text *out) {
    text_add(out, "# fish completion of parplan, from its command table\ncomplete -c parplan -f\n");
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden) {
            continue;
        }
        text_add_format(out, "complete -c parplan -n __fish_use_subcommand -a %s -d '%s'\n", commands[i]->name,
                        quoted(arena, commands[i]->summary, false));
        struct option *options;
        size_t count = options_of_command(arena, commands[i], &options);
        for (size_t j = 0; j < count; j++) {
            if (!(options[j].field->flags & FIELD_HIDDEN)) {
                add_fish_option(arena, commands[i], &options[j], out);
            }
        }
        add_fish_operands(arena, commands[i], out);
    }
}
