/* The table of sinks, and what they share: names of destinations. */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace/options.h"

static const struct kp_sink *const sinks[] = {
#define KP_OUTPUT(name, scheme, place, written) &kp_sink_##name,
#include "trace/output.def"
#undef KP_OUTPUT
};

const struct kp_sink *kp_sink_find(const char *output, const char **rest)
{
    const struct kp_output_info *info = kp_output_find(output, rest);

    if (info)
        return sinks[info - kp_output_row(0)];
    *rest = output;
    return &kp_sink_file;
}

/* A name inside a path: its slashes become underscores. */
static int put_name(char *out, size_t room, const char *name)
{
    int bytes = snprintf(out, room, "%s", name);

    for (char *p = out; bytes > 0 && *p; p++)
        *p = *p == '/' ? '_' : *p;
    return bytes;
}

static int put_program(char *out, size_t room)
{
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    const char *name;

    path[bytes > 0 ? bytes : 0] = '\0';
    name = strrchr(path, '/');
    return put_name(out, room, name ? name + 1 : "program");
}

static int put_host(char *out, size_t room)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    return put_name(out, room, host);
}

static int put_time(char *out, size_t room)
{
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    return (int)strftime(out, room, "%Y%m%dT%H%M%SZ", &tm);
}

static int put_placeholder(char letter, char *out, size_t room)
{
    switch (letter) {
    case 'p':
        return snprintf(out, room, "%d", (int)getpid());
    case 'e':
        return put_program(out, room);
    case 'h':
        return put_host(out, room);
    case 't':
        return put_time(out, room);
    default:
        return snprintf(out, room, "%c", letter);
    }
}

/* A path is relative to where the program started: a daemon goes away from there before its trace begins. */
static char start_folder[4096];

void kp_sink_remember_folder(void)
{
    if (!getcwd(start_folder, sizeof start_folder))
        *start_folder = '\0';
}

bool kp_sink_expand(const char *text, char *out, size_t room)
{
    size_t used = 0;

    if (*text != '/') {
        used = strlen(start_folder);
        if (used == 0 || used >= room)
            return false;
        memcpy(out, start_folder, used + 1);
        if (used + 2 > room)
            return false;
        if (used > 1)
            out[used++] = '/';
    }
    for (; *text; text++) {
        int bytes = 1;

        if (used + 2 > room)
            return false;
        if (*text == '%' && text[1])
            bytes = put_placeholder(*++text, out + used, room - used);
        else
            out[used] = *text;
        if (bytes < 0 || (size_t)bytes >= room - used)
            return false;
        used += (size_t)bytes;
    }
    out[used] = '\0';
    return true;
}

/* Where a number goes: before the suffix of the file name, or at the end. */
static size_t number_position(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');

    return dot && dot > (slash ? slash + 1 : path) ? (size_t)(dot - path) : strlen(path);
}

int kp_sink_create(char *path, size_t room)
{
    char base[4096];
    size_t position = number_position(path);

    if (strlen(path) + 12 > sizeof base || strlen(path) + 12 > room) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(base, path);
    for (int n = 0; n < 100000; n++) {
        int fd;

        if (n)
            snprintf(path, room, "%.*s.%d%s", (int)position, base, n, base + position);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}
