/*
 * From option rows to variables, help, man pages and shell completion. One command's rows are the only
 * place where its options are written down.
 */
#ifndef KP_COLLECTOR_OPTIONS_H
#define KP_COLLECTOR_OPTIONS_H

#include <stdio.h>

#include "command.h"

/* Returned by kp_options_parse: the command is to run. */
#define KP_PARSED (-1)

/*
 * Sets the variables of the rows from argv (argv[0] is the command's name) and stores the index of the first
 * operand; operands are moved to the end unless the command stops at the first one. Returns KP_PARSED, or the
 * exit status when nothing is left to do: --help was printed, or the error.
 */
int kp_options_parse(const struct kp_command *command, int argc, char **argv, int *first_operand);

/* The row of a name in kp_commands; NULL when there is none. */
const struct kp_command *kp_command_find(const char *name);

/* The command that a misspelt name probably means, or NULL. */
const struct kp_command *kp_command_suggest(const char *name);

/* Does the command start a program, so that the environment rows of trace/options.def matter to it? */
bool kp_command_starts_program(const struct kp_command *command);

/* --help of a command, or of kprobe itself (NULL). Wrapped to the terminal's width, 80 columns elsewhere. */
void kp_help_print(const struct kp_command *command, FILE *file);

/* The man page kprobe-<command>.1, or kprobe.1 (NULL), as roff for man. */
void kp_man_print(const struct kp_command *command, FILE *file);

/* Writes all man pages into an existing folder; false with errno. */
bool kp_man_write_all(const char *folder);

/* The completion script for a shell ("bash", "zsh", "fish"); false when it is none of these. */
bool kp_completion_print(const char *shell, FILE *file);

/* One environment variable or exit status, as help and man page show it. */
struct kp_note {
    const char *name;
    const char *meaning;
};

/* Exit statuses and variables that all commands share; end with a row without a name. */
extern const struct kp_note kp_notes_exit[], kp_notes_environment[];

#endif
