/*
 * Kieker log: a directory with kieker.map and data files, as Kieker's FileWriter makes it. Takes what a
 * kp_kieker_output hands out. No stdio, no locks: used by the shim's writer thread, `convert` and `serve`.
 * Spec: kieker-formats.md 2.1 to 2.7 and 3.
 */
#ifndef KP_TRACE_KIEKER_LOG_H
#define KP_TRACE_KIEKER_LOG_H

#include <stdint.h>

#include "output.h"

struct kp_kieker_log_options {
    uint64_t records_per_file; /* 0: no limit; a record is never split */
    uint64_t bytes_per_file;   /* uncompressed; 0: no limit */
    uint64_t seconds_per_file; /* 0: no limit */
    uint64_t files_kept;       /* oldest data files are removed; 0: all are kept */
    /*
     * Compression of data files (the map never is): the suffix with its dot (".gz") or NULL, and a file's
     * filter. `open` gets the open file descriptor, which stays the log's; all return false on failure with
     * errno set.
     */
    const char *suffix;
    void *(*filter_open)(int fd);
    bool (*filter_write)(void *filter, const void *bytes, size_t count);
    bool (*filter_close)(void *filter);
};

struct kp_kieker_log;

/*
 * Make the directory (0700; parents must exist) if it is not there, files in it 0600. `form` is TEXT or
 * BINARY. A directory that has a *.map already is refused: KP_ERROR_VALUE with errno EEXIST, so that no log
 * is ever mixed with another. On failure *out is NULL and errno says why.
 */
enum kp_status kp_kieker_log_open(struct kp_kieker_log **out, const char *path, enum kp_kieker_form form,
                                  const struct kp_kieker_log_options *options);

/* For kp_kieker_output_create, with the log as `user`. KP_ERROR_FULL when the disk is: nothing is left half
 * written, and the same call may be made again later. */
extern const struct kp_kieker_output_ops kp_kieker_log_ops;

/* Look at the clock: a file whose time is over is closed. */
enum kp_status kp_kieker_log_tick(struct kp_kieker_log *log);

/*
 * Close the files and remember everything else, for a thread that takes its descriptors with it; open them
 * again. Not with compression. KP_ERROR_SYSTEM and errno.
 */
void kp_kieker_log_suspend(struct kp_kieker_log *log);
enum kp_status kp_kieker_log_resume(struct kp_kieker_log *log);

/* In a forked child: forget the files without touching them, and free. */
void kp_kieker_log_forget(struct kp_kieker_log *log);

enum kp_status kp_kieker_log_close(struct kp_kieker_log *log);

#endif
