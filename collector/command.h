/*
 * Commands: one row each in commands.c, found by name; one file cmd_<name>.c each.
 * Parsing, --help, man pages and shell completion walk these rows and the option rows in them.
 */
#ifndef KP_COLLECTOR_COMMAND_H
#define KP_COLLECTOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum kp_exit { KP_EXIT_FINE = 0, KP_EXIT_DAMAGED = 1, KP_EXIT_USAGE = 2 };

/* What an option takes. */
enum kp_argument {
    KP_ARGUMENT_NONE,
    KP_ARGUMENT_STRING,
    KP_ARGUMENT_NUMBER,
    KP_ARGUMENT_CHOICE,
    KP_ARGUMENT_LIST /* a string; given again, it is joined to those before with a newline */
};

/* One option of a command. `value` points to the variable to set: bool, const char * or unsigned long long.
 */
struct kp_option_row {
    char letter;      /* 0: none */
    const char *name; /* long name without -- */
    enum kp_argument argument;
    const char *metavar; /* "FILE"; NULL for KP_ARGUMENT_NONE */
    const char *help;    /* one sentence without a full stop */
    const char
        *choices; /* "total|self|calls": KP_ARGUMENT_CHOICE takes no other, strings are completed with them */
    void *value;
};

struct kp_example {
    const char *command;
    const char *meaning;
};

struct kp_command {
    const char *name;
    const char *arguments;               /* "[FILE...]" */
    const char *summary;                 /* one line */
    const char *description;             /* paragraphs for help and man page */
    const struct kp_option_row *options; /* ends with a row without a name */
    const struct kp_example *examples;   /* ends with a row without a command */
    bool stops_at_operand;               /* options end at the first operand (record: the program follows) */
    /* Runs with the operands; returns the exit status. */
    int (*run)(const struct kp_command *command, int count, char **operands);
};

extern const struct kp_command *const kp_commands[]; /* ends with NULL */

/* A usage error: "kprobe NAME: <message>", a pointer to --help; returns KP_EXIT_USAGE. */
int kp_usage_error(const struct kp_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
