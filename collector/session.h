/*
 * A session of a reading command: opens the traces, reads item by item, says on standard error what is
 * damaged, shows progress on a terminal, and knows the exit status in the end.
 */
#ifndef KP_COLLECTOR_SESSION_H
#define KP_COLLECTOR_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "c_functions.h"
#include "command.h"
#include "trace/reader.h"
#include "util/progress.h"

struct kp_session {
    const struct kp_command *command;
    struct kp_reader *reader;
    struct kp_progress progress;
    struct kp_process **processes; /* seen so far */
    size_t process_count, process_capacity;
    struct kp_thread **threads;
    size_t thread_count, thread_capacity;
    uint64_t function_count;
    uint64_t damages;
    bool failed;                        /* reading ended before the end */
    char *newest;                       /* the trace taken when none was named */
    struct kp_c_functions *c_functions; /* NULL: they stay as the trace has them */
};

/* The option of commands that demangle. */
#define KP_OPTION_NO_DEMANGLE(variable)                                                                      \
    {                                                                                                        \
        0, "no-demangle", KP_ARGUMENT_NONE, NULL,                                                            \
            "names of C++ and Rust functions as their objects have them", NULL, &(variable)                  \
    }

/*
 * Opens `count` traces; without any, the newest kprobe.*.kpt of the working directory. `flags`: enum
 * kp_reader_flags. Returns KP_EXIT_FINE, or prints a message and returns the exit status.
 */
int kp_session_open(struct kp_session *session, const struct kp_command *command, int count, char **operands,
                    unsigned flags);

/* From now on C functions are described as c_functions.h says; before the first item. */
void kp_session_describe(struct kp_session *session, bool sources, bool demangle);

/* The next item, damage included (told already). False at the end. */
bool kp_session_next(struct kp_session *session, struct kp_item *item);

/* The sum of calls read by all threads so far. */
uint64_t kp_session_calls(const struct kp_session *session);

/*
 * Frees the session, flushes `out` (NULL for standard output, which main looks after) and returns the exit
 * status: KP_EXIT_DAMAGED when the input was damaged or the output could not be written.
 */
int kp_session_close(struct kp_session *session, FILE *out);

#endif
