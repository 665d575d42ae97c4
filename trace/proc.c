#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t read_small(char *out, size_t room, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t n;

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
    char text[1024], path[64] = "/proc/self/stat";
    const char *name_end, *threads, *start;

    if (pid)
        snprintf(path, sizeof path, "/proc/%u/stat", pid);
    if (!read_small(text, sizeof text, path))
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

unsigned long kp_proc_own_pages(void)
{
    char text[256];

    return read_small(text, sizeof text, "/proc/self/statm") ? strtoul(text, NULL, 10) : 0;
}

/* The list of mappings may be long: read in pieces, the tail of one kept for a name that straddles two. */
static bool file_mentions(int fd, const char *text)
{
    char piece[8192];
    size_t kept = 0, length = strlen(text);
    ssize_t n;

    while ((n = read(fd, piece + kept, sizeof piece - kept)) > 0) {
        size_t bytes = kept + (size_t)n;

        if (memmem(piece, bytes, text, length))
            return true;
        kept = bytes < length ? bytes : length - 1;
        memmove(piece, piece + bytes - kept, kept);
    }
    return false;
}

int kp_proc_maps(uint32_t pid, const char *text)
{
    char path[64];
    bool found;
    int fd;

    snprintf(path, sizeof path, "/proc/%u/maps", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    found = file_mentions(fd, text);
    close(fd);
    return found;
}
