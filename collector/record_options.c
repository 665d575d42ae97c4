#include "record_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The whole text up to a NUL, which rules cannot have. NULL with errno. */
static char *read_text(const char *path)
{
    char *text = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    errno = 0;
    ssize_t bytes = getdelim(&text, &capacity, 0, file);
    if (bytes < 0 && !errno && (text || (text = malloc(1))))
        *text = 0;
    if (bytes < 0 && errno) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

/* What an option is called where it came from. */
static const char *name_of(const char *const *given, size_t index, char name[64])
{
    const struct kp_option_info *row = kp_option_row(index);
    bool option = given && given[index];
    snprintf(name, 64, "%s%s", option ? "--" : "", option ? row->option : row->variable);
    return name;
}

bool kp_record_rules_load(struct kp_rules *rules, const struct kp_options *options, const char *const *given,
                          char *error, size_t error_bytes)
{
    char name[64];
    enum kp_status status = KP_OK;
    *rules = (struct kp_rules){0};
    if (*options->filter_file) {
        char *text = read_text(options->filter_file);
        if (!text) {
            snprintf(error, error_bytes, "%s='%s': cannot read it: %s; allowed: %s",
                     name_of(given, KP_OPTION_FILTER_FILE, name), options->filter_file, strerror(errno),
                     kp_option_row(KP_OPTION_FILTER_FILE)->allowed);
            return false;
        }
        status = kp_rules_append(rules, text, options->filter_file, error, error_bytes);
        free(text);
    }
    if (status == KP_OK)
        status = kp_rules_append(rules, options->filter, name_of(given, KP_OPTION_FILTER, name), error,
                                 error_bytes);
    return status == KP_OK;
}

bool kp_record_rules_check(const struct kp_options *options, const char *const *given, char *error,
                           size_t error_bytes)
{
    struct kp_rules rules;
    bool fine = kp_record_rules_load(&rules, options, given, error, error_bytes);
    kp_rules_fini(&rules);
    return fine;
}

bool kp_record_environment_check(struct kp_options *options, char *error, size_t error_bytes)
{
    kp_options_init(options);
    for (size_t i = 0; i < KP_OPTION_COUNT; i++) {
        const char *variable = kp_option_row(i)->variable, *value = getenv(variable);
        if (value && kp_option_set(options, variable, value, error, error_bytes) != KP_OK)
            return false;
    }
    return true;
}

void kp_record_environment_unknown(void (*unknown)(void *user, const char *variable), void *user)
{
    for (char **entry = environ; *entry; entry++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        if (!strncmp(name, "KPROBE_", 7) && !kp_option_known(name))
            unknown(user, name);
    }
}

static void warn_unknown(void *user, const char *variable)
{
    (void)user;
    char error[512];
    kp_option_unknown(variable, error, sizeof error);
    fprintf(stderr, "kprobe record: %s\n", error);
}

/* Absolute, so that all processes of the recording mean the same file, wherever they go. */
static bool make_absolute(char *path, size_t bytes, const char *given, bool placeholders)
{
    char folder[PATH_MAX], *end = path + bytes - 1;
    if (*given != '/' && !getcwd(folder, sizeof folder))
        return false;
    for (const char *at = folder; *given != '/' && *at && path < end; at++) {
        if (placeholders && *at == '%')
            *path++ = '%';
        if (path < end)
            *path++ = *at;
    }
    return snprintf(path, (size_t)(end - path) + 1, "%s%s", *given == '/' ? "" : "/", given) <= end - path;
}

/* A destination without a scheme is a path; "flie:x" has one, a wrong one. */
static bool has_scheme(const char *output)
{
    size_t letters = strspn(output, "abcdefghijklmnopqrstuvwxyz-");
    return letters > 1 && output[letters] == ':';
}

static bool set_output(struct kp_record_options *record, const char *name, const char *value, char *error,
                       size_t error_bytes)
{
    char with_scheme[PATH_MAX + 8];
    snprintf(with_scheme, sizeof with_scheme, "%s%s", has_scheme(value) ? "" : "file:", value);
    if (kp_option_set(&record->options, name, with_scheme, error, error_bytes) != KP_OK)
        return false;
    const char *rest;
    const struct kp_output_info *output = kp_output_find(with_scheme, &rest);
    size_t scheme = (size_t)(rest - with_scheme);
    strcpy(record->output, with_scheme);
    if (output->place != KP_OUTPUT_PLACE_NOTHING && output->place != KP_OUTPUT_PLACE_ADDRESS &&
        !make_absolute(record->output + scheme, sizeof record->output - scheme, rest, true)) {
        snprintf(error, error_bytes, "%s='%s': the absolute path is too long", name, value);
        return false;
    }
    record->options.output = record->output;
    return true;
}

static bool set_path(char *path, const char **option, const char *name, char *error, size_t error_bytes)
{
    if (**option && !make_absolute(path, PATH_MAX, *option, false)) {
        snprintf(error, error_bytes, "%s='%s': the absolute path is too long", name, *option);
        return false;
    }
    if (**option)
        *option = path;
    return true;
}

static bool set_given(struct kp_record_options *record, size_t index, char *error, size_t error_bytes)
{
    char name[64];
    const char *value = record->given[index];
    name_of(record->given, index, name);
    if (index == KP_OPTION_OUTPUT && *value)
        return set_output(record, name, value, error, error_bytes);
    return kp_option_set(&record->options, name, value, error, error_bytes) == KP_OK;
}

bool kp_record_options_check(struct kp_record_options *record, const char *const *given, char *error,
                             size_t error_bytes)
{
    struct kp_options *options = &record->options;
    record->given = given;
    kp_record_environment_unknown(warn_unknown, NULL);
    if (!kp_record_environment_check(options, error, error_bytes) ||
        !set_output(record, "KPROBE_OUTPUT", options->output, error, error_bytes))
        return false;
    for (size_t i = 0; i < KP_OPTION_COUNT; i++)
        if (given[i] && !set_given(record, i, error, error_bytes))
            return false;
    return kp_record_rules_check(options, given, error, error_bytes) &&
           set_path(record->filter_file, &options->filter_file, "KPROBE_FILTER_FILE", error, error_bytes) &&
           set_path(record->log_file, &options->log_file, "KPROBE_LOG_FILE", error, error_bytes) &&
           set_path(record->token_file, &options->token_file, "KPROBE_TOKEN_FILE", error, error_bytes) &&
           set_path(record->spool, &options->spool, "KPROBE_SPOOL", error, error_bytes);
}

int kp_record_options_export(const struct kp_record_options *record)
{
    static const bool always[KP_OPTION_COUNT] = {[KP_OPTION_OUTPUT] = true};
    for (size_t i = 0; i < KP_OPTION_COUNT; i++) {
        char text[2 * PATH_MAX];
        const char *value = record->given[i];
        bool path =
            kp_option_row(i)->type == KP_OPTION_TYPE_PATH && (value || getenv(kp_option_row(i)->variable));
        if (always[i] || path) {
            kp_option_print(&record->options, i, text, sizeof text);
            value = text;
        }
        if (value && setenv(kp_option_row(i)->variable, value, 1))
            return -1;
    }
    return 0;
}
