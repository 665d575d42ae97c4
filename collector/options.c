#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "trace/nearest.h"
#include "util/memory.h"

/* Long options are told apart by FIRST_LONG + index of their row; letters are below. */
enum { FIRST_LONG = 256, HELP = 255, MAX_ROWS = 48 };

const struct kp_note kp_notes_exit[] = {
    {"0", "fine"},
    {"1", "the input is damaged, or a check failed"},
    {"2", "the command line is wrong"},
    {NULL, NULL},
};

const struct kp_note kp_notes_environment[] = {
    {"NO_COLOR", "when set and not empty, --color auto means never"},
    {"TERM", "dumb: --color auto means never"},
    {"COLUMNS", "width of the help, when it goes to a terminal"},
    {NULL, NULL},
};

int kp_usage_error(const struct kp_command *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "kprobe%s%s: ", command ? " " : "", command ? command->name : "");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nTry 'kprobe%s%s --help'.\n", command ? " " : "", command ? command->name : "");
    return KP_EXIT_USAGE;
}

const struct kp_command *kp_command_find(const char *name)
{
    for (const struct kp_command *const *row = kp_commands; *row; row++)
        if (!strcmp((*row)->name, name))
            return *row;
    return NULL;
}

const struct kp_command *kp_command_suggest(const char *name)
{
    const struct kp_command *meant = NULL;
    unsigned nearest = ~0u;
    for (const struct kp_command *const *row = kp_commands; *row; row++) {
        unsigned distance = kp_nearest_distance(name, (*row)->name);
        if (distance < nearest && kp_nearest_plausible((*row)->name, distance)) {
            nearest = distance;
            meant = *row;
        }
    }
    return meant;
}

bool kp_command_starts_program(const struct kp_command *command)
{
    return command->stops_at_operand;
}

/* What getopt_long wants, made from the rows. */
struct table {
    struct option longs[MAX_ROWS + 2];
    char letters[2 * MAX_ROWS + 5];
    size_t count;
};

static void build_table(const struct kp_command *command, struct table *table)
{
    char *letter = table->letters;
    /* '+' stops at the first operand, ':' tells a missing value from an unknown option. */
    if (command->stops_at_operand)
        *letter++ = '+';
    *letter++ = ':';
    *letter++ = 'h';
    table->count = 0;
    for (const struct kp_option_row *row = command->options; row && row->name && table->count < MAX_ROWS;
         row++) {
        int has_argument = row->argument == KP_ARGUMENT_NONE ? no_argument : required_argument;
        table->longs[table->count] =
            (struct option){row->name, has_argument, NULL, FIRST_LONG + (int)table->count};
        table->count++;
        if (row->letter) {
            *letter++ = row->letter;
            if (has_argument == required_argument)
                *letter++ = ':';
        }
    }
    table->longs[table->count] = (struct option){"help", no_argument, NULL, HELP};
    table->longs[table->count + 1] = (struct option){0};
    *letter = 0;
}

static const struct kp_option_row *row_of(const struct kp_command *command, int found)
{
    if (found >= FIRST_LONG)
        return &command->options[found - FIRST_LONG];
    for (const struct kp_option_row *row = command->options; row && row->name; row++)
        if (row->letter == found)
            return row;
    return NULL;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t bytes = strlen(value);
    for (const char *at = choices; *at; at += strcspn(at, "|") + (at[strcspn(at, "|")] != 0))
        if (strcspn(at, "|") == bytes && !memcmp(at, value, bytes))
            return true;
    return false;
}

static int bad_choice(const struct kp_command *command, const struct kp_option_row *row, const char *value)
{
    char word[KP_NEAREST_MAX_BYTES + 1], meant[KP_NEAREST_MAX_BYTES + 1] = "", allowed[512] = "";
    unsigned nearest = ~0u;
    for (const char *at = row->choices; *at; at += strcspn(at, "|") + (at[strcspn(at, "|")] != 0)) {
        size_t used = strlen(allowed);
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at, "|"), at);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", word);
        unsigned distance = kp_nearest_distance(value, word);
        if (distance < nearest && kp_nearest_plausible(word, distance)) {
            nearest = distance;
            strcpy(meant, word);
        }
    }
    return kp_usage_error(command, "--%s='%s': no such %s%s%s%s; allowed: %s", row->name, value, row->metavar,
                          *meant ? " (did you mean " : "", meant, *meant ? "?)" : "", allowed);
}

static int set_number(const struct kp_command *command, const struct kp_option_row *row, const char *value)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9')
        end = (char *)value;
    if (*end || end == value)
        return kp_usage_error(command,
                              "--%s='%s': '%s' at position %td is no number; allowed: a whole number from 0",
                              row->name, value, end, end - value + 1);
    if (errno)
        return kp_usage_error(command, "--%s='%s': too big; allowed: up to %llu", row->name, value, ~0ull);
    *(unsigned long long *)row->value = number;
    return KP_PARSED;
}

/* Values made here live until the command ends, as argv does. */
static struct kept {
    struct kept *next;
    char text[];
} * kept;

static const char *join(const char *before, const char *value)
{
    if (!before || !*before)
        return value;
    size_t bytes = strlen(before) + strlen(value) + 2;
    struct kept *joined = kp_allocate(sizeof *joined + bytes);
    snprintf(joined->text, bytes, "%s\n%s", before, value);
    joined->next = kept;
    kept = joined;
    return joined->text;
}

static int set_value(const struct kp_command *command, const struct kp_option_row *row, const char *value)
{
    switch (row->argument) {
    case KP_ARGUMENT_NONE:
        *(bool *)row->value = true;
        return KP_PARSED;
    case KP_ARGUMENT_NUMBER:
        return set_number(command, row, value);
    case KP_ARGUMENT_CHOICE:
        if (!is_choice(row->choices, value))
            return bad_choice(command, row, value);
        break;
    case KP_ARGUMENT_LIST:
        value = join(*(const char **)row->value, value);
        break;
    case KP_ARGUMENT_STRING:
        break;
    }
    *(const char **)row->value = value;
    return KP_PARSED;
}

static const char *suggest_option(const struct table *table, const char *name)
{
    const char *meant = NULL;
    unsigned nearest = ~0u;
    for (size_t i = 0; table->longs[i].name; i++) {
        unsigned distance = kp_nearest_distance(name, table->longs[i].name);
        if (distance < nearest && kp_nearest_plausible(table->longs[i].name, distance)) {
            nearest = distance;
            meant = table->longs[i].name;
        }
    }
    return meant;
}

/* "--output or --only", for an abbreviation that fits several options; false when it fits fewer than two. */
static bool ambiguous(const struct table *table, const char *name, char *list, size_t list_bytes)
{
    size_t used = 0, fitting = 0;
    for (size_t i = 0; table->longs[i].name; i++) {
        if (strncmp(table->longs[i].name, name, strlen(name)) || used >= list_bytes)
            continue;
        used += (size_t)snprintf(list + used, list_bytes - used, "%s--%s", fitting ? " or " : "",
                                 table->longs[i].name);
        fitting++;
    }
    return fitting > 1;
}

static int bad_long_option(const struct kp_command *command, const struct table *table, const char *word)
{
    char name[KP_NEAREST_MAX_BYTES + 1], list[256];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *meant = suggest_option(table, name);
    if (ambiguous(table, name, list, sizeof list))
        return kp_usage_error(command, "option '--%s' may mean %s", name, list);
    if (meant)
        return kp_usage_error(command, "there is no option '--%s'; did you mean '--%s'?", name, meant);
    return kp_usage_error(command, "there is no option '--%s'", name);
}

/* getopt returned '?' or ':' for the word before optind. */
static int bad_option(const struct kp_command *command, const struct table *table, int found,
                      const char *word)
{
    const struct kp_option_row *row = optopt ? row_of(command, optopt) : NULL;
    if (found == ':' && row)
        return kp_usage_error(command, "option '--%s' needs a value: --%s=%s", row->name, row->name,
                              row->metavar);
    if (optopt >= HELP)
        return kp_usage_error(command, "option '--%s' takes no value", row ? row->name : "help");
    if (optopt)
        return kp_usage_error(command, "there is no option '-%c'", optopt);
    return bad_long_option(command, table, word + strspn(word, "-"));
}

int kp_options_parse(const struct kp_command *command, int argc, char **argv, int *first_operand)
{
    struct table table;
    build_table(command, &table);
    opterr = 0;
    optind = 0; /* glibc: start afresh, with the flags of this table */
    for (;;) {
        optopt = 0;
        int found = getopt_long(argc, argv, table.letters, table.longs, NULL);
        if (found == -1)
            break;
        if (found == 'h' || found == HELP) {
            kp_help_print(command, stdout);
            return KP_EXIT_FINE;
        }
        if (found == '?' || found == ':')
            return bad_option(command, &table, found, argv[optind - 1]);
        int status = set_value(command, row_of(command, found), optarg);
        if (status != KP_PARSED)
            return status;
    }
    *first_operand = optind;
    return KP_PARSED;
}
