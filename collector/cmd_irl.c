/* kprobe irl: record models to code. A thin command on irl/. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "irl/compile.h"
#include "irl_print.h"
#include "util/color.h"
#include "util/memory.h"

static const char *languages, *folders, *references, *dependencies, *header, *table;
static const char *author = KP_IRL_DEFAULT_AUTHOR, *since = KP_IRL_DEFAULT_SINCE, *color = "auto";
static bool list, check, dump_model, dot, kdb_map, without_builtin, warnings_are_errors;
static unsigned long long most_errors = 20;

static const struct kp_option_row options[] = {
    {'l', "lang", KP_ARGUMENT_LIST, "LANGUAGES", "make code in these languages, separated by commas", NULL,
     &languages},
    {'o', "output", KP_ARGUMENT_LIST, "DIR",
     "folder of the code; given as often as there are languages: one folder each, in their order", NULL,
     &folders},
    {'I', "include", KP_ARGUMENT_LIST, "PATH", "models to refer to: a file, or a folder with files", NULL,
     &references},
    {0, "check", KP_ARGUMENT_NONE, NULL, "say what is wrong with the models, and no more", NULL, &check},
    {0, "list", KP_ARGUMENT_NONE, NULL,
     "a line per record: class, serialVersionUID, SIZE, fields as serialised", NULL, &list},
    {0, "dump-model", KP_ARGUMENT_NONE, NULL, "the models as JSON", NULL, &dump_model},
    {0, "dot", KP_ARGUMENT_NONE, NULL, "who inherits from whom, for Graphviz", NULL, &dot},
    {0, "kdb-map", KP_ARGUMENT_NONE, NULL, "lines id=class for the classic Kieker Data Bridge", NULL,
     &kdb_map},
    {'M', "dependencies", KP_ARGUMENT_STRING, "FILE",
     "write a rule for make and ninja that says what the code was made from; -MD: to DIR/irl.d", NULL,
     &dependencies},
    {0, "index", KP_ARGUMENT_STRING, "NAME", "C: also NAME.h and NAME.c, a table of all records", NULL,
     &table},
    {'a', "author", KP_ARGUMENT_STRING, "NAME", "author of declarations that name none", NULL, &author},
    {'V', "since", KP_ARGUMENT_STRING, "VERSION", "version of declarations that name none", NULL, &since},
    {'c', "header", KP_ARGUMENT_STRING, "FILE",
     "text for the head of each file; THIS-YEAR in it becomes the year", NULL, &header},
    {0, "no-builtin", KP_ARGUMENT_NONE, NULL, "do without Kieker's own models, which are known otherwise",
     NULL, &without_builtin},
    {0, "werror", KP_ARGUMENT_NONE, NULL, "warnings are errors", NULL, &warnings_are_errors},
    {0, "max-errors", KP_ARGUMENT_NUMBER, "COUNT", "errors that are shown (20); 0: all", NULL, &most_errors},
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colours", KP_COLOR_CHOICES, &color},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe irl --lang java -o generated records.irl", "Java classes and factories for Kieker"},
    {"kprobe irl --lang c,python -o out -I models/ app.irl", "C in out/c and Python in out/python"},
    {"kprobe irl --check models/", "are these models right?"},
    {"kprobe irl --list records.irl", "what is serialised, in which order"},
    {NULL, NULL},
};

/* --- what is shown instead of code: one row each --- */

static const struct view {
    const bool *wanted;
    const char *option;
    void (*print)(const struct kp_irl_model *model, FILE *file);
} views[] = {
    {&list, "--list", kp_irl_print_list},
    {&dump_model, "--dump-model", kp_irl_print_json},
    {&dot, "--dot", kp_irl_print_dot},
    {&kdb_map, "--kdb-map", kp_irl_print_map},
};

/* --- arguments --- */

struct paths {
    const char **items;
    size_t count, room;
};

/* What options give several times stands in lines. */
static void split_lines(struct kp_arena *arena, struct paths *paths, const char *lines)
{
    char *rest = lines ? kp_irl_copy(arena, lines, strlen(lines)) : NULL;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        KP_IRL_APPEND(arena, paths, line);
}

static char *read_all(struct kp_arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;
    if (!file)
        return NULL;
    ssize_t bytes = getdelim(&text, &room, 0, file);
    bool good = !ferror(file);
    fclose(file);
    char *copy = good ? kp_irl_copy(arena, text ? text : "", bytes > 0 ? (size_t)bytes : 0) : NULL;
    free(text);
    return copy;
}

/* The table's name names files and C identifiers. NULL, or what is wrong. */
static const char *check_table(struct kp_arena *arena)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_",
                      digits[] = "0123456789";
    if (!table)
        return NULL;
    const char *at = table + strspn(table, letters);
    while (at > table && *at && (strchr(letters, *at) || strchr(digits, *at)))
        at++;
    return at > table && !*at
               ? NULL
               : kp_irl_format(arena, "--index %s: letters, digits and _ are allowed, as in a name in C",
                               table);
}

/* The year of the build that says so (reproducible-builds.org), else this one. */
static int this_year(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t now = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm parts = {0};
    return gmtime_r(&now, &parts) ? parts.tm_year + 1900 : 1970;
}

static const char *with_year(struct kp_arena *arena, const char *text)
{
    static const char token[] = "THIS-YEAR";
    for (const char *place; (place = strstr(text, token));)
        text =
            kp_irl_format(arena, "%.*s%d%s", (int)(place - text), text, this_year(), place + strlen(token));
    return text;
}

/* Exactly one of code, a view or --check. NULL, or what is wrong. */
static const char *choose(struct kp_arena *arena, const struct view **view)
{
    const char *chosen = check ? "--check" : languages ? "--lang" : NULL;
    if (check && languages)
        return "--check and --lang exclude each other";
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (!*views[i].wanted)
            continue;
        if (chosen)
            return kp_irl_format(arena, "%s and %s exclude each other", chosen, views[i].option);
        chosen = views[i].option;
        *view = &views[i];
    }
    if (!chosen)
        return "say what to make: --lang, --list, --dump-model, --dot, --kdb-map or --check";
    if (languages && !folders)
        return "--output is missing: the folder for the code";
    if (!languages && folders)
        return "--output is for code: --lang is missing";
    return check_table(arena);
}

/* --- run --- */

/* Prints reports; may the model be used? */
static bool is_good(const struct kp_irl_model *model)
{
    size_t errors = kp_irl_reports_errors(model->reports), warnings = kp_irl_reports_warnings(model->reports);
    kp_irl_reports_print(model->reports, stderr, kp_color_wanted(color, stderr), most_errors);
    if (!errors && warnings && warnings_are_errors)
        fputs("kprobe irl: warnings are errors (--werror)\n", stderr);
    return !errors && !(warnings && warnings_are_errors);
}

static bool make_code(struct kp_arena *arena, const struct kp_irl_model *model,
                      const struct kp_irl_targets *targets, const char *head)
{
    struct kp_irl_wishes wishes = {
        .author = author, .since = since, .header = head ? with_year(arena, head) : NULL, .index = table};
    const char *rule = dependencies;
    if (rule && !strcmp(rule, "D"))
        rule = kp_irl_format(arena, "%.*s/irl.d", (int)strcspn(folders, "\n"), folders);
    return kp_irl_generate(model, targets, &wishes, rule, "kprobe irl");
}

static int compile(struct kp_arena *arena, const struct kp_command *command, const struct paths *files,
                   const struct view *view)
{
    struct paths wanted = {0}, more = {0};
    struct kp_irl_targets targets = {0};
    const char *head = NULL, *problem;
    split_lines(arena, &wanted, folders);
    split_lines(arena, &more, references);
    if (languages && (problem = kp_irl_targets_parse(&targets, arena, languages, wanted.items, wanted.count)))
        return kp_usage_error(command, "--lang %s: %s", languages, problem);
    if (header && !(head = read_all(arena, header)))
        return kp_usage_error(command, "--header %s: %s", header, strerror(errno));
    struct kp_irl_inputs inputs = {.files = files->items,
                                   .file_count = files->count,
                                   .references = more.items,
                                   .reference_count = more.count,
                                   .without_builtin = without_builtin,
                                   .languages = kp_irl_targets_languages(&targets)};
    struct kp_irl_model *model = kp_irl_read(&inputs);
    bool good = is_good(model);
    if (good && view)
        view->print(model, stdout);
    else if (good && languages)
        good = make_code(arena, model, &targets, head);
    kp_irl_model_destroy(model);
    return good ? KP_EXIT_FINE : KP_EXIT_DAMAGED;
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_arena arena = {0};
    struct paths files = {0};
    const struct view *view = NULL;
    const char *problem = choose(&arena, &view);
    for (int i = 0; i < count; i++)
        KP_IRL_APPEND(&arena, &files, operands[i]);
    int status =
        problem  ? kp_usage_error(command, "%s", problem)
        : !count ? kp_usage_error(command, "no model is named: FILE... is missing ('-' is standard input)")
                 : compile(&arena, command, &files, view);
    kp_arena_free(&arena);
    return status;
}

const struct kp_command kp_command_irl = {
    .name = "irl",
    .arguments = "FILE...",
    .summary = "make code for monitoring records from models in Kieker's record language",
    .description = "Compiles models of the Instrumentation Record Language (files *.irl, or folders with "
                   "such files) to records in "
                   "C, Java, Perl and Python that write and read the same bytes and the same text.\n\n"
                   "Kieker's own records are known without their models, so that a model may extend "
                   "BeforeOperationEvent. Models "
                   "in older spellings of the language (struct, pattern, grouped by with a type, ...) are "
                   "understood.\n\n"
                   "Exit status 1: a model has errors, and no file was written.",
    .options = options,
    .examples = examples,
    .run = run,
};
