/* Shell completion: the rows as scripts for bash, zsh and fish. */
#include "options.h"

#include <string.h>

#include "trace/options.h"

/* The words of "a|b|c" with `separator` between them. */
static void print_words(FILE *file, const char *choices, char separator)
{
    for (; *choices; choices++)
        fputc(*choices == '|' ? separator : *choices, file);
}

/* Words before the commands' own: everything that may follow `kprobe`. */
static void print_command_names(FILE *file)
{
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        fprintf(file, "%s ", (*row)->name);
    fputs("help --help --version --completion", file);
}

/* Values that are paths are those whose name in the help says so. */
static bool takes_path(const struct kp_option_row *row)
{
    static const char *const metavars[] = {"FILE", "DEST", "PATH", "DIR", "OUT"};
    for (size_t i = 0; i < sizeof metavars / sizeof *metavars; i++)
        if (row->metavar && !strcmp(row->metavar, metavars[i]))
            return true;
    return false;
}

static void bash_option_value(FILE *file, const struct kp_option_row *row)
{
    if (row->argument == KP_ARGUMENT_NONE)
        return;
    fputs("        ", file);
    if (row->letter)
        fprintf(file, "-%c | ", row->letter);
    fprintf(file, "--%s)\n", row->name);
    if (row->choices) {
        fputs("            COMPREPLY=($(compgen -W '", file);
        print_words(file, row->choices, ' ');
        fputs("' -- \"$cur\"))\n", file);
    }
    fputs("            return ;;\n", file);
}

static void bash_command(FILE *file, const struct kp_command *command)
{
    fprintf(file, "    %s)\n        case $prev in\n", command->name);
    for (const struct kp_option_row *row = command->options; row && row->name; row++)
        bash_option_value(file, row);
    fputs("        esac\n        words='--help", file);
    for (const struct kp_option_row *row = command->options; row && row->name; row++)
        fprintf(file, " --%s", row->name);
    fputs("'\n", file);
    if (kp_command_starts_program(command))
        fputs("        program=1\n", file);
    fputs("        ;;\n", file);
}

static void print_bash(FILE *file)
{
    fputs("# bash completion for kprobe\n_kprobe()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words= program=\n"
          "    COMPREPLY=()\n"
          "    # bash splits --name=value at the '='\n"
          "    if [[ $cur == = ]]; then\n        cur=\n"
          "    elif [[ $prev == = ]]; then\n        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
          "    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '",
          file);
    print_command_names(file);
    fputs("' -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n", file);
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        bash_command(file, *row);
    fputs("    help)\n        COMPREPLY=($(compgen -W '", file);
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        fprintf(file, "%s%s", row == kp_commands ? "" : " ", (*row)->name);
    fputs("' -- \"$cur\"))\n        return ;;\n"
          "    --completion)\n        COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\"))\n        return "
          ";;\n"
          "    esac\n"
          "    if [[ $cur == -* ]]; then\n        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    elif [[ $program ]]; then\n        COMPREPLY=($(compgen -c -- \"$cur\"))\n    fi\n"
          "}\ncomplete -o bashdefault -o default -F _kprobe kprobe\n",
          file);
}

/* Text inside '...' of zsh and fish; in zsh, [...] and : of an _arguments entry are escaped as well. */
static void print_quoted(FILE *file, const char *text, const char *escaped, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, file);
        else if (strchr(escaped, *text))
            fprintf(file, "\\%c", *text);
        else
            fputc(*text, file);
    }
}

static void zsh_option(FILE *file, const struct kp_option_row *row)
{
    bool value = row->argument != KP_ARGUMENT_NONE;
    if (row->letter)
        fprintf(file, "            '(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name, row->letter,
                value ? "+" : "", row->name, value ? "=" : "");
    else
        fprintf(file, "            '--%s%s[", row->name, value ? "=" : "");
    print_quoted(file, row->help, "[]:\\", "'\\''");
    fputc(']', file);
    if (value) {
        fprintf(file, ":%s:", row->metavar);
        if (row->choices) {
            fputc('(', file);
            print_words(file, row->choices, ' ');
            fputc(')', file);
        } else if (takes_path(row)) {
            fputs("_files", file);
        }
    }
    fputs("' \\\n", file);
}

static void zsh_command(FILE *file, const struct kp_command *command)
{
    fprintf(file, "        %s)\n            _arguments -s %s'(-h --help)'{-h,--help}'[help]' \\\n",
            command->name, kp_command_starts_program(command) ? "-A '-*' " : "");
    for (const struct kp_option_row *row = command->options; row && row->name; row++)
        zsh_option(file, row);
    fputs(kp_command_starts_program(command)
              ? "            '(-)1:program:_command_names -e' '*::arguments:_normal'\n"
              : "            '*:trace:_files'\n",
          file);
    fputs("            ;;\n", file);
}

static void print_zsh(FILE *file)
{
    fputs("#compdef kprobe\n_kprobe()\n{\n    local curcontext=$curcontext state line\n    typeset -A "
          "opt_args\n"
          "    _arguments -C '(- *)'{-h,--help}'[help]' '(- *)'{-V,--version}'[version]' \\\n"
          "        '(- *)--completion[completion script]:shell:(bash zsh fish)' '1:command:->command' "
          "'*::argument:->argument'\n"
          "    case $state in\n    command)\n        local -a commands=(\n",
          file);
    for (const struct kp_command *const *row = kp_commands; *row; row++) {
        fprintf(file, "            '%s:", (*row)->name);
        print_quoted(file, (*row)->summary, ":\\", "'\\''");
        fputs("'\n", file);
    }
    fputs("            'help:help of a command'\n        )\n        _describe command commands\n        ;;\n"
          "    argument)\n        case $words[1] in\n",
          file);
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        zsh_command(file, *row);
    fputs("        help)\n            _values command", file);
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        fprintf(file, " %s", (*row)->name);
    fputs(
        "\n            ;;\n        esac\n        ;;\n    esac\n}\n"
        "if [[ $funcstack[1] == _kprobe ]]; then\n    _kprobe \"$@\"\nelse\n    compdef _kprobe kprobe\nfi\n",
        file);
}

static void fish_option(FILE *file, const struct kp_command *command, const struct kp_option_row *row)
{
    fprintf(file, "complete -c kprobe -n '__fish_seen_subcommand_from %s' -l %s", command->name, row->name);
    if (row->letter)
        fprintf(file, " -s %c", row->letter);
    if (row->choices) {
        fputs(" -x -a '", file);
        print_words(file, row->choices, ' ');
        fputc('\'', file);
    } else if (row->argument == KP_ARGUMENT_NUMBER) {
        fputs(" -x", file);
    } else if (row->argument != KP_ARGUMENT_NONE) {
        fputs(" -r", file);
    }
    fputs(" -d '", file);
    print_quoted(file, row->help, "\\", "\\'");
    fputs("'\n", file);
}

static void print_fish(FILE *file)
{
    fputs("# fish completion for kprobe\n"
          "complete -c kprobe -n __fish_use_subcommand -s h -l help -d 'help'\n"
          "complete -c kprobe -n __fish_use_subcommand -s V -l version -d 'version'\n"
          "complete -c kprobe -n __fish_use_subcommand -l completion -x -a 'bash zsh fish' -d 'completion "
          "script'\n"
          "complete -c kprobe -n __fish_use_subcommand -f -a help -d 'help of a command'\n",
          file);
    for (const struct kp_command *const *row = kp_commands; *row; row++) {
        fprintf(file, "complete -c kprobe -n __fish_use_subcommand -f -a %s -d '", (*row)->name);
        print_quoted(file, (*row)->summary, "\\", "\\'");
        fprintf(file, "'\ncomplete -c kprobe -n '__fish_seen_subcommand_from help' -f -a %s\n", (*row)->name);
        fprintf(file, "complete -c kprobe -n '__fish_seen_subcommand_from %s' -s h -l help -d 'help'\n",
                (*row)->name);
        for (const struct kp_option_row *option = (*row)->options; option && option->name; option++)
            fish_option(file, *row, option);
    }
}

static const struct {
    const char *name;
    void (*print)(FILE *file);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

bool kp_completion_print(const char *shell, FILE *file)
{
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, shell))
            continue;
        shells[i].print(file);
        return true;
    }
    return false;
}
