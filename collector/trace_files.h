/* Which traces a run left behind: the files, and what dead processes left in shared memory for them. */
#ifndef KP_COLLECTOR_TRACE_FILES_H
#define KP_COLLECTOR_TRACE_FILES_H

#include <stddef.h>
#include <time.h>

struct kp_trace_files {
    char **paths; /* sorted; free with kp_trace_files_fini */
    size_t count;
};

/*
 * A destination (KPROBE_OUTPUT) as a pattern for glob and fnmatch: placeholders become '*', and what the shim
 * inserts before the suffix when a name is taken fits as well. `pattern` is "" for "null:".
 */
void kp_trace_files_pattern(const char *output, char *pattern, size_t bytes);

/* Finds the traces of `output` that were written since `start`. */
void kp_trace_files_find(struct kp_trace_files *files, const char *output, struct timespec start);

void kp_trace_files_fini(struct kp_trace_files *files);

#endif
