/* Man pages: the rows as roff. */
#include "options.h"

#include <string.h>

#include "trace/options.h"

/* Text as roff shows it: backslashes, hyphens of options, and no line that begins like a request. */
static void print_text(FILE *file, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", file);
        line_start = *text == '\n';
        if (*text == '\\')
            fputs("\\(rs", file);
        else if (*text == '-')
            fputs("\\-", file);
        else if (*text == '\'')
            fputs("\\(aq", file);
        else if (*text == '~' || *text == '^' || *text == '`')
            fprintf(file, "\\(%s", *text == '~' ? "ti" : *text == '^' ? "ha" : "ga");
        else
            fputc(*text, file);
    }
}

/* Paragraphs: an empty line begins a new one, an indented line stands as it is. */
static void print_paragraphs(FILE *file, const char *text)
{
    while (*text) {
        int bytes = (int)strcspn(text, "\n");
        char line[1024];
        snprintf(line, sizeof line, "%.*s", bytes, text);
        if (!*line)
            fputs(".PP", file);
        else if (*line == ' ')
            fputs(".br\n\\&", file);
        print_text(file, line);
        fputc('\n', file);
        text += bytes + (text[bytes] == '\n');
    }
}

static void print_entry(FILE *file, const char *name, const char *meaning)
{
    fputs(".TP\n\\fB", file);
    print_text(file, name);
    fputs("\\fR\n", file);
    print_text(file, meaning);
    fputc('\n', file);
}

static void print_notes(FILE *file, const char *title, const struct kp_note *notes)
{
    fprintf(file, ".SH %s\n", title);
    for (; notes->name; notes++)
        print_entry(file, notes->name, notes->meaning);
}

static void print_option(FILE *file, const struct kp_option_row *row)
{
    fputs(".TP\n", file);
    if (row->letter)
        fprintf(file, "\\fB\\-%c\\fR, ", row->letter);
    fputs("\\fB\\-\\-", file);
    print_text(file, row->name);
    fputs("\\fR", file);
    if (row->metavar) {
        fputs(" \\fI", file);
        print_text(file, row->metavar);
        fputs("\\fR", file);
    }
    fputc('\n', file);
    print_text(file, row->help);
    if (row->argument == KP_ARGUMENT_CHOICE) {
        fputs(": ", file);
        print_text(file, row->choices);
    }
    fputc('\n', file);
}

static void print_process_environment(FILE *file)
{
    fputs(".SH ENVIRONMENT\nOf the traced program; each one is an option of \\fBkprobe record\\fR, too.\n",
          file);
    for (size_t i = 0; kp_option_row(i); i++) {
        char meaning[1024];
        const struct kp_option_info *row = kp_option_row(i);
        snprintf(meaning, sizeof meaning, "%s. Allowed: %s. Default: %s.", row->help, row->allowed,
                 *row->fallback ? row->fallback : "none");
        print_entry(file, row->variable, meaning);
    }
}

static void print_header(FILE *file, const char *page, const char *summary)
{
    fprintf(file, ".TH %s 1 \"\" \"kprobe %s\" \"User Commands\"\n.SH NAME\n", page, KP_VERSION);
    print_text(file, page);
    fputs(" \\- ", file);
    print_text(file, summary);
    fputs("\n.SH SYNOPSIS\n", file);
}

static void print_see_also(FILE *file, const struct kp_command *self)
{
    fputs(".SH SEE ALSO\n", file);
    const char *separator = "";
    if (self) {
        fputs("\\fBkprobe\\fR(1)", file);
        separator = ",\n";
    }
    for (const struct kp_command *const *row = kp_commands; *row; row++) {
        if (*row == self)
            continue;
        fprintf(file, "%s\\fBkprobe\\-%s\\fR(1)", separator, (*row)->name);
        separator = ",\n";
    }
    fputc('\n', file);
}

static void print_examples(FILE *file, const struct kp_example *examples)
{
    if (!examples || !examples->command)
        return;
    fputs(".SH EXAMPLES\n", file);
    for (; examples->command; examples++)
        print_entry(file, examples->command, examples->meaning);
}

static void print_command(const struct kp_command *command, FILE *file)
{
    char page[64];
    snprintf(page, sizeof page, "kprobe-%s", command->name);
    print_header(file, page, command->summary);
    fprintf(file, "\\fBkprobe %s\\fR [\\fIOPTION\\fR...] ", command->name);
    print_text(file, command->arguments);
    fputs("\n.SH DESCRIPTION\n", file);
    print_paragraphs(file,
                     command->description && *command->description ? command->description : command->summary);
    fputs(".SH OPTIONS\n", file);
    for (const struct kp_option_row *row = command->options; row && row->name; row++)
        print_option(file, row);
    print_entry(file, "-h, --help", "a summary of this page");
    print_examples(file, command->examples);
    if (kp_command_starts_program(command))
        print_process_environment(file);
    print_notes(file, "EXIT STATUS", kp_notes_exit);
    print_see_also(file, command);
}

static void print_main(FILE *file)
{
    print_header(file, "kprobe", "records which functions a program called, when, and how each call ended");
    fputs("\\fBkprobe\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.br\n"
          "\\fBLD_PRELOAD=libkprobe.so\\fR \\fIPROGRAM\\fR [\\fIARGUMENT\\fR...]\n.SH DESCRIPTION\n"
          "The program is neither changed nor rebuilt. Its trace is written while it runs, survives its "
          "sudden\n"
          "death, and is read by the commands below, each with a page of its own.\n.SH COMMANDS\n",
          file);
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        print_entry(file, (*row)->name, (*row)->summary);
    fputs(".SH OPTIONS\n", file);
    print_entry(file, "-h, --help", "the commands, or with a command its options");
    print_entry(file, "-V, --version", "the version");
    print_entry(file, "--completion SHELL", "a completion script for bash, zsh or fish");
    print_process_environment(file);
    print_notes(file, "ENVIRONMENT OF THE COMMANDS", kp_notes_environment);
    print_notes(file, "EXIT STATUS", kp_notes_exit);
    print_see_also(file, NULL);
}

void kp_man_print(const struct kp_command *command, FILE *file)
{
    if (command)
        print_command(command, file);
    else
        print_main(file);
}

static bool write_page(const struct kp_command *command, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/kprobe%s%s.1", folder, command ? "-" : "", command ? command->name : "");
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    kp_man_print(command, file);
    return !ferror(file) & !fclose(file);
}

bool kp_man_write_all(const char *folder)
{
    bool good = write_page(NULL, folder);
    for (const struct kp_command *const *row = kp_commands; *row && good; row++)
        good = write_page(*row, folder);
    return good;
}
