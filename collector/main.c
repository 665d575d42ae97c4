/* kprobe COMMAND: finds the row, parses, runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

static int command_missing(const char *name)
{
    const struct kp_command *meant = kp_command_suggest(name);
    if (meant)
        return kp_usage_error(NULL, "there is no command '%s'; did you mean '%s'?", name, meant->name);
    return kp_usage_error(NULL, "there is no command '%s'", name);
}

static int run_command(const struct kp_command *command, int argc, char **argv)
{
    int first_operand;
    int status = kp_options_parse(command, argc, argv, &first_operand);
    if (status != KP_PARSED)
        return status;
    return command->run(command, argc - first_operand, argv + first_operand);
}

/* Pages of one command or, without a name, of kprobe: `kprobe help NAME`, `kprobe --man NAME`. */
static int print_page(void (*print)(const struct kp_command *, FILE *), const char *name)
{
    const struct kp_command *command = name ? kp_command_find(name) : NULL;
    if (name && !command)
        return command_missing(name);
    print(command, stdout);
    return KP_EXIT_FINE;
}

static int print_version(void)
{
    printf("kprobe %s\n", KP_VERSION);
    return KP_EXIT_FINE;
}

static int print_completion(const char *shell)
{
    if (!shell)
        return kp_usage_error(NULL, "--completion needs a shell; allowed: bash, zsh, fish");
    if (!kp_completion_print(shell, stdout))
        return kp_usage_error(NULL, "--completion '%s': no such shell; allowed: bash, zsh, fish", shell);
    return KP_EXIT_FINE;
}

/* For the build: all pages into a folder. */
static int write_man_pages(const char *folder)
{
    if (!folder)
        return kp_usage_error(NULL, "--man-pages needs a folder");
    if (kp_man_write_all(folder))
        return KP_EXIT_FINE;
    fprintf(stderr, "kprobe: cannot write the man pages to '%s': %s\n", folder, strerror(errno));
    return KP_EXIT_DAMAGED;
}

/* What may stand in the place of a command. */
static int run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL, *next = argc > 2 ? argv[2] : NULL;
    if (!word) {
        kp_help_print(NULL, stderr);
        return KP_EXIT_USAGE;
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
        return print_page(kp_help_print, next);
    if (!strcmp(word, "--version") || !strcmp(word, "-V") || !strcmp(word, "version"))
        return print_version();
    if (!strcmp(word, "--man"))
        return print_page(kp_man_print, next);
    if (!strcmp(word, "--man-pages"))
        return write_man_pages(next);
    if (!strcmp(word, "--completion"))
        return print_completion(next);
    if (*word == '-')
        return kp_usage_error(NULL, "there is no option '%s' before the command", word);
    const struct kp_command *command = kp_command_find(word);
    return command ? run_command(command, argc - 1, argv + 1) : command_missing(word);
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    /* A full disk behind standard output must not look like success. */
    if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE) {
        fprintf(stderr, "kprobe: cannot write to standard output: %s\n", strerror(errno));
        return status ? status : KP_EXIT_DAMAGED;
    }
    return status;
}
