/*
 * Sinks: where chunks go. One row each of trace/output.def, found by the scheme of KPROBE_OUTPUT; the slots
 * of row NAME are kp_sink_NAME. All slots are called in the writer thread only, except `place`.
 */
#ifndef KP_SHIM_SINK_H
#define KP_SHIM_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/shm.h"
#include "trace/status.h"

struct kp_sink {
    bool converts; /* takes chunks apart: to compress them is in vain */
    /*
     * The file that has, or gets, what is not elsewhere when the process dies (absolute); false: none. NULL:
     * none. `rest` is what follows the scheme.
     */
    bool (*place)(const struct kp_shm_control *shm, const char *rest, char *out, size_t room);
    /* Open the destination. `place` as above. `resume`: go on behind what this process wrote there. */
    enum kp_status (*open)(const char *rest, const char *place, bool resume);
    /* All bytes or none. KP_OK: they outlive the process. KP_ERROR_FULL: no room now, try again later. */
    enum kp_status (*write)(const void *data, size_t bytes);
    /* Go on with what goes on in the background, without waiting. Returns how long it may be left alone, in
     * ns. NULL: nothing does. */
    uint64_t (*turn)(void);
    /* The trace is complete: may wait until `end_ns` (CLOCK_MONOTONIC). NULL: nothing to wait for. */
    void (*finish)(uint64_t end_ns);
    /* The complete trace of a dead child is in this file, which becomes the sink's. `streamed` as in its
     * shm.h. NULL: it stays there. */
    void (*adopt)(const char *path, uint64_t streamed);
    /* The descriptors are gone after this; `open` may come again. */
    void (*close)(void);
};

/* The row for an output, and what follows its scheme. A text without a scheme is a file. Never NULL. */
const struct kp_sink *kp_sink_find(const char *output, const char **rest);

#define KP_OUTPUT(name, scheme, place, written) extern const struct kp_sink kp_sink_##name;
#include "trace/output.def"
#undef KP_OUTPUT

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
