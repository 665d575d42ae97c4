#include "file_io.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

/* Whether the call is to be made again; otherwise errno says why not. */
static bool goes_on(ssize_t taken)
{
    if (taken == 0)
        errno = ENOSPC;
    return taken > 0 || (taken < 0 && errno == EINTR);
}

size_t kp_file_write(int fd, const void *data, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t taken = write(fd, (const char *)data + done, bytes - done);

        if (!goes_on(taken))
            break;
        done += taken > 0 ? (size_t)taken : 0;
    }
    return done;
}

size_t kp_file_write_at(int fd, uint64_t offset, const void *data, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t taken = pwrite(fd, (const char *)data + done, bytes - done, (off_t)(offset + done));

        if (!goes_on(taken))
            break;
        done += taken > 0 ? (size_t)taken : 0;
    }
    return done;
}

size_t kp_file_read_at(int fd, uint64_t offset, void *out, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t n = pread(fd, (char *)out + done, bytes - done, (off_t)(offset + done));

        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return done;
}

enum kp_status kp_file_status(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? KP_ERROR_FULL : KP_ERROR_SYSTEM;
}
