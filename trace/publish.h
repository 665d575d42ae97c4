/* A finished file gets its name; somebody else's file of that name stays. */
#ifndef KP_TRACE_PUBLISH_H
#define KP_TRACE_PUBLISH_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* 0, or -1 with errno. */
static inline int kp_publish(const char *temporary, const char *path)
{
    int result = renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);

    /* Not every file system can do that. */
    if (result < 0 && (errno == EINVAL || errno == ENOSYS) && (result = link(temporary, path)) == 0)
        unlink(temporary);
    return result;
}

#endif
