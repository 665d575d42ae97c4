/*
 * Source: the bytes of one input. A regular file is read where it is asked for; a pipe is spooled to an
 * unlinked temporary file first, so that every input can be hopped through. Not safe for use by two threads
 * at once.
 */
#ifndef KP_TRACE_SOURCE_H
#define KP_TRACE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct kp_source {
    int fd;         /* -1: closed */
    uint64_t bytes; /* when it was opened, and what was appended since; a file may have grown */
};

/*
 * Open a path, "-" for standard input. An empty input is fine here. On failure `error` holds a sentence that
 * names the path; KP_ERROR_SYSTEM with errno ENOENT when there is no such file.
 */
enum kp_status kp_source_open(struct kp_source *source, const char *path, char *error, size_t error_bytes);

/*
 * In place of kp_source_open, for inputs that are no trace but can be made one: gives the trace in a source,
 * or passes the path on to kp_source_open.
 */
struct kp_source_opener {
    enum kp_status (*open)(void *user, struct kp_source *source, const char *path, char *error,
                           size_t error_bytes);
    void *user;
};

/* An empty source without a name, to be appended to: in $TMPDIR or /tmp, in memory where neither can be
 * written. */
enum kp_status kp_source_temporary(struct kp_source *source);

/* Append all bytes or none. */
enum kp_status kp_source_append(struct kp_source *source, const void *data, size_t bytes);

/* Read at `offset`; returns the bytes read, less than asked only at the end (or when the system refuses). */
size_t kp_source_read(const struct kp_source *source, uint64_t offset, void *out, size_t bytes);

/* Offset of the first preamble or undamaged chunk header at or behind `from` and before `end`; `end` when
 * none. */
uint64_t kp_source_find(const struct kp_source *source, uint64_t from, uint64_t end);

/* Whether the file grew since it was opened: somebody is writing to it. */
bool kp_source_grew(const struct kp_source *source);

void kp_source_close(struct kp_source *source);

#endif
