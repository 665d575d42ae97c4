/* Reading and writing until it is done: the system's calls take less, and are interrupted. For both sides. */
#ifndef KP_TRACE_FILE_IO_H
#define KP_TRACE_FILE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/*
 * How much was written: all of it, or less, and errno says why (ENOSPC as well where nothing was taken and no
 * error told, which POSIX leaves open for files). The first writes where the file stands, the second at
 * `offset`, which the file's own place does not follow. Safe in any thread; no allocation.
 */
size_t kp_file_write(int fd, const void *data, size_t bytes);
size_t kp_file_write_at(int fd, uint64_t offset, const void *data, size_t bytes);

/* How much was read: less at the end of the file, and after an error. */
size_t kp_file_read_at(int fd, uint64_t offset, void *out, size_t bytes);

/* KP_ERROR_FULL for what room and quota end (ENOSPC, EDQUOT, and EFBIG of a limit of file size), else
 * KP_ERROR_SYSTEM. */
enum kp_status kp_file_status(int error);

#endif
