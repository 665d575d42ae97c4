/* --help: the rows as plain text. */
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "trace/options.h"

enum { DEFAULT_COLUMNS = 80, MIN_COLUMNS = 40, MAX_COLUMNS = 120, NAME_COLUMNS = 28 };

static int columns_of(FILE *file)
{
    struct winsize size;
    const char *text = getenv("COLUMNS");
    int columns = text && isatty(fileno(file)) ? atoi(text) : 0;
    if (columns <= 0 && !ioctl(fileno(file), TIOCGWINSZ, &size))
        columns = size.ws_col;
    if (columns <= 0)
        columns = DEFAULT_COLUMNS;
    return columns < MIN_COLUMNS ? MIN_COLUMNS : columns > MAX_COLUMNS ? MAX_COLUMNS : columns;
}

/* Words of `text` filled into lines from column `indent` on; `column` is where the cursor is. Newlines stay.
 */
static void fill(FILE *file, const char *text, int indent, int column)
{
    int columns = columns_of(file);
    while (*text) {
        int bytes = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + bytes > columns) {
            fputc('\n', file);
            column = 0;
        }
        if (column < indent)
            column += fprintf(file, "%*s", indent - column, "");
        else if (column > indent && bytes)
            column += fprintf(file, " ");
        column += fprintf(file, "%.*s", bytes, text);
        text += bytes;
        if (*text == '\n') {
            fputc('\n', file);
            column = 0;
        }
        text += *text != 0;
    }
    fputc('\n', file);
}

/* "  NAME      meaning", the meaning on a line of its own when the name is long. */
static void print_pair(FILE *file, const char *name, const char *meaning)
{
    int column = fprintf(file, "  %s", name);
    if (column > NAME_COLUMNS - 2) {
        fputc('\n', file);
        column = 0;
    }
    fill(file, meaning, NAME_COLUMNS, column);
}

static void print_notes(FILE *file, const char *title, const struct kp_note *notes)
{
    fprintf(file, "\n%s:\n", title);
    for (; notes->name; notes++)
        print_pair(file, notes->name, notes->meaning);
}

static void print_option(FILE *file, const struct kp_option_row *row)
{
    char name[128], meaning[1024];
    snprintf(name, sizeof name, "%c%c%s--%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
             row->letter ? ", " : "  ", row->name, row->metavar ? " " : "", row->metavar ? row->metavar : "");
    bool list = row->argument == KP_ARGUMENT_CHOICE && row->choices;
    snprintf(meaning, sizeof meaning, "%s%s%s", row->help, list ? ": " : "", list ? row->choices : "");
    print_pair(file, name, meaning);
}

static void print_options(FILE *file, const struct kp_option_row *rows)
{
    static const struct kp_option_row help = {'h', "help", KP_ARGUMENT_NONE, NULL, "this text", NULL, NULL};
    fprintf(file, "\nOptions:\n");
    for (; rows && rows->name; rows++)
        print_option(file, rows);
    print_option(file, &help);
}

static void print_process_environment(FILE *file)
{
    fprintf(file, "\nEnvironment of the traced program:\n");
    for (size_t i = 0; kp_option_row(i); i++) {
        char meaning[1024];
        const struct kp_option_info *row = kp_option_row(i);
        snprintf(meaning, sizeof meaning, "%s: %s (default: %s)", row->help, row->allowed,
                 *row->fallback ? row->fallback : "none");
        print_pair(file, row->variable, meaning);
    }
}

static void print_examples(FILE *file, const struct kp_example *examples)
{
    if (!examples || !examples->command)
        return;
    fprintf(file, "\nExamples:\n");
    for (; examples->command; examples++) {
        fprintf(file, "  %s\n", examples->command);
        fill(file, examples->meaning, 6, 0);
    }
}

static void print_command(const struct kp_command *command, FILE *file)
{
    fprintf(file, "Usage: kprobe %s [OPTION...]%s%s\n\n", command->name, *command->arguments ? " " : "",
            command->arguments);
    fill(file, command->summary, 0, 0);
    if (command->description && *command->description) {
        fputc('\n', file);
        fill(file, command->description, 0, 0);
    }
    print_options(file, command->options);
    print_examples(file, command->examples);
    if (kp_command_starts_program(command))
        print_process_environment(file);
    print_notes(file, "Exit status", kp_notes_exit);
}

static void print_main(FILE *file)
{
    fprintf(file, "Usage: kprobe COMMAND [OPTION...] [ARGUMENT...]\n"
                  "       kprobe help COMMAND\n"
                  "       LD_PRELOAD=libkprobe.so PROGRAM [ARGUMENT...]\n\n");
    fill(file,
         "Records which functions a program called, when, and how each call ended, without changing it.", 0,
         0);
    fprintf(file, "\nCommands:\n");
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        print_pair(file, (*row)->name, (*row)->summary);
    fprintf(file, "\nOptions:\n");
    print_pair(file, "-h, --help", "this text; 'kprobe COMMAND --help' explains a command");
    print_pair(file, "-V, --version", "the version");
    print_pair(file, "    --completion SHELL", "completion script for bash, zsh or fish");
    print_process_environment(file);
    print_notes(file, "Environment of the commands", kp_notes_environment);
    print_notes(file, "Exit status", kp_notes_exit);
}

void kp_help_print(const struct kp_command *command, FILE *file)
{
    if (command)
        print_command(command, file);
    else
        print_main(file);
}
