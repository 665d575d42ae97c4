/*
 * Sinks: where chunks go. One row each in sinks.c, found by the scheme of KPROBE_OUTPUT; one file
 * sink_<kind>.c each. All slots are called in the writer thread only.
 */
#ifndef KP_SHIM_SINK_H
#define KP_SHIM_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "trace/status.h"

struct kp_sink {
    const char *scheme; /* "file:" */
    bool keeps;         /* writes a trace that a reader can find */
    /* Open the destination (placeholders replaced). `resume`: go on behind what this process wrote there. */
    enum kp_status (*open)(const char *destination, bool resume);
    /* All bytes or none. KP_ERROR_FULL: no room now, try again later. */
    enum kp_status (*write)(const void *data, size_t bytes);
    void (*close)(void);
};

/* The row for an output, and what follows its scheme. A text without a scheme is a file. Never NULL. */
const struct kp_sink *kp_sink_find(const char *output, const char **rest);

extern const struct kp_sink kp_sink_file, kp_sink_null;

/* Before the program runs: relative paths are relative to the working directory of now. */
void kp_sink_remember_folder(void);

/*
 * Replace %p pid, %e program, %h host, %t start time, %% and make the path absolute against the working
 * directory at start. Returns false when it does not fit.
 */
bool kp_sink_expand(const char *text, char *out, size_t room);

/* A path that does not exist yet: `path`, or with .1, .2 … before its suffix. Creates it 0600. -1 and errno,
 * or the fd. */
int kp_sink_create(char *path, size_t room);

#endif
