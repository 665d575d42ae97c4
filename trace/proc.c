#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t read_stat(char *out, size_t room, uint32_t pid)
{
    char path[64] = "/proc/self/stat";
    size_t used = 0;
    ssize_t n;
    int fd;

    if (pid)
        snprintf(path, sizeof path, "/proc/%u/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while (used < room - 1 && (n = read(fd, out + used, room - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    out[used] = '\0';
    return used;
}

/* The start of a field; `p` stands on the blank before field 3. */
static const char *field(const char *p, int number)
{
    for (int i = 3; i < number && p; i++)
        p = strchr(p + 1, ' ');
    return p ? p + 1 : NULL;
}

bool kp_proc_read(struct kp_proc *proc, uint32_t pid)
{
    char text[1024];
    const char *name_end, *threads, *start;

    if (!read_stat(text, sizeof text, pid))
        return false;
    /* The name in parentheses may hold anything, blanks and parentheses too. */
    name_end = strrchr(text, ')');
    if (!name_end || name_end[1] != ' ')
        return false;
    threads = field(name_end + 1, 20);
    start = field(name_end + 1, 22);
    if (!threads || !start)
        return false;
    proc->state = name_end[2];
    proc->threads = (unsigned)strtoul(threads, NULL, 10);
    proc->start = strtoull(start, NULL, 10);
    return true;
}
