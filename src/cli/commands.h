/* The commands' structs, one a file cmd_<name>.c; named in the table of command.c. */
#ifndef PARPLAN_CLI_COMMANDS_H
#define PARPLAN_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command command_completion;
extern const struct command command_estimate;
extern const struct command command_explain;
extern const struct command command_help;
extern const struct command command_manual;
extern const struct command command_schema;
extern const struct command command_score;
extern const struct command command_search;
extern const struct command command_show;
extern const struct command command_simulate;
extern const struct command command_version;

#endif
