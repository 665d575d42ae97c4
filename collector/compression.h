/*
 * Compression of files that are written: one row each, found by name. The bytes are those that Kieker's
 * readers expect behind the suffix (kieker-formats 2.7).
 */
#ifndef KP_COLLECTOR_COMPRESSION_H
#define KP_COLLECTOR_COMPRESSION_H

#include <stdbool.h>
#include <stddef.h>

struct kp_compression {
    const char *name;   /* "gz" */
    const char *suffix; /* ".gz" */
    /* To an open file, which stays the caller's. NULL and false: errno says why. */
    void *(*open)(int fd);
    bool (*write)(void *filter, const void *bytes, size_t count);
    bool (*close)(void *filter);
};

/* The names of all rows, for the choices of an option, "none" with them. */
#define KP_COMPRESSION_CHOICES "none|gz|xz|bz2|zip|df"

/* The row with that name; NULL for "none" and for unknown ones. */
const struct kp_compression *kp_compression_find(const char *name);

#endif
