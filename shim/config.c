#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "trace/file_stat.h"

#define FILTER_FILE_BYTES_MAX (4u << 20)

static bool read_variable(struct kp_options *options, char *variable)
{
    char name[64], error[512];
    const char *equals = strchr(variable, '=');

    if (!equals || (size_t)(equals - variable) >= sizeof name)
        return true;
    memcpy(name, variable, (size_t)(equals - variable));
    name[equals - variable] = '\0';
    if (!kp_option_known(name)) {
        kp_option_unknown(name, error, sizeof error);
        kp_log(KP_LEVEL_WARN, "%s", error);
        return true;
    }
    if (kp_option_set(options, name, equals + 1, error, sizeof error) == KP_OK)
        return true;
    kp_log(KP_LEVEL_ERROR, "%s: tracing is off", error);
    return false;
}

/* All variables with the prefix, the settings of messages (KPROBE_LOG...) or the others. */
static bool read_variables(struct kp_options *options, bool of_messages)
{
    bool good = true;

    for (char **variable = environ; variable && *variable; variable++)
        if (strncmp(*variable, "KPROBE_", 7) == 0 &&
            (strncmp(*variable, "KPROBE_LOG", 10) == 0) == of_messages)
            good = read_variable(options, *variable) && good;
    return good;
}

bool kp_config_read(struct kp_options *options, struct kp_rules *rules)
{
    bool good;

    kp_options_init(options);
    /* First, so that what is wrong with the others is told where messages go. */
    good = read_variables(options, true);
    kp_log_configure(options->log, options->log_file);
    good = read_variables(options, false) && good;
    return good && kp_config_rules(options, rules);
}

/* The whole file as text, malloc'ed; NULL and a message when it cannot be read. */
static char *read_filter_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : malloc(FILTER_FILE_BYTES_MAX + 1);
    size_t used = 0;
    ssize_t n = -1;

    while (text && (n = read(fd, text + used, FILTER_FILE_BYTES_MAX - used)) > 0)
        used += (size_t)n;
    if (n < 0) {
        kp_log(KP_LEVEL_ERROR, "KPROBE_FILTER_FILE='%s': %s", path, strerror(errno));
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        close(fd);
    if (text)
        text[used] = '\0';
    return text;
}

static bool add(struct kp_rules *rules, const char *text, const char *origin)
{
    char error[512];

    if (kp_rules_append(rules, text, origin, error, sizeof error) == KP_OK)
        return true;
    kp_log(KP_LEVEL_ERROR, "%s", error);
    return false;
}

bool kp_config_rules(const struct kp_options *options, struct kp_rules *rules)
{
    struct kp_rules fresh;
    bool good = true;

    memset(&fresh, 0, sizeof fresh);
    if (*options->filter_file) {
        char *text = read_filter_file(options->filter_file);

        good = text && add(&fresh, text, options->filter_file);
        free(text);
    }
    if (good && *options->filter)
        good = add(&fresh, options->filter, "KPROBE_FILTER");
    if (!good) {
        kp_rules_fini(&fresh);
        return false;
    }
    *rules = fresh;
    return true;
}

unsigned long long kp_config_filter_time(const struct kp_options *options)
{
    struct stat st;

    if (!*options->filter_file || kp_file_stat(options->filter_file, &st) < 0)
        return 0;
    return (unsigned long long)st.st_mtim.tv_sec * 1000000000u + (unsigned long long)st.st_mtim.tv_nsec;
}
