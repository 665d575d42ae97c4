#include "file_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool kp_file_name_check(const char *pattern, char *error, size_t bytes)
{
    const char *at = strchr(pattern, '%'), *why = NULL;
    for (; at && !why; at = strchr(at + 2, '%')) {
        if (!at[1] || !strchr("hpuet%", at[1]))
            why = "a '%' is followed by h, p, u, e, t or %";
        if (!at[1])
            break;
    }
    if (!*pattern || *pattern == '.' || strchr(pattern, '/'))
        why = "that is no name of a file in a folder";
    if (why)
        snprintf(error, bytes, "--name '%s': %s", pattern, why);
    return !why;
}

static size_t put(char *name, size_t used, size_t bytes, const char *value)
{
    for (; *value && used + 1 < bytes; value++) {
        unsigned char c = (unsigned char)*value;
        bool plain = c > ' ' && c < 0x7f && c != '/' && c != '\\' && !(c == '.' && !used);
        name[used++] = plain ? *value : '_';
    }
    return used;
}

static void value_of(char letter, const struct kp_file_facts *facts, char *value, size_t bytes)
{
    time_t start = (time_t)facts->start_s;
    struct tm utc;
    switch (letter) {
    case 'h':
        snprintf(value, bytes, "%s", facts->host);
        break;
    case 'e':
        snprintf(value, bytes, "%s", facts->program);
        break;
    case 'u':
        snprintf(value, bytes, "%s", facts->uuid);
        break;
    case 'p':
        snprintf(value, bytes, "%" PRIu64, facts->pid);
        break;
    case 't':
        gmtime_r(&start, &utc);
        strftime(value, bytes, "%Y%m%dT%H%M%SZ", &utc);
        break;
    default:
        snprintf(value, bytes, "%c", letter);
        break;
    }
}

void kp_file_name_expand(char *name, size_t bytes, const char *pattern, const struct kp_file_facts *facts)
{
    size_t used = 0;
    for (const char *at = pattern; *at; at++) {
        char value[130] = {*at, 0};
        if (*at == '%' && at[1])
            value_of(*++at, facts, value, sizeof value);
        used = put(name, used, bytes, value);
    }
    name[used] = 0;
}
