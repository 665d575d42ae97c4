/* A file that chunks are appended to, whole or not at all. Mode 0600; never one that was there before. */
#ifndef KP_COLLECTOR_SERVER_TRACE_FILE_H
#define KP_COLLECTOR_SERVER_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/status.h"

struct kp_trace_file {
    int fd; /* -1: closed */
    char *path;
    uint64_t bytes;
};

/* Makes FOLDER/NAME, or FOLDER/NAME with ".2", ".3" ... before the ending when that exists. */
enum kp_status kp_trace_file_create(struct kp_trace_file *file, const char *folder, const char *name);
/* Makes or empties a file that will get its name later. */
enum kp_status kp_trace_file_prepare(struct kp_trace_file *file, const char *path);
/* The name, ".2" ... as above. KP_OK: file->path is the new one. */
enum kp_status kp_trace_file_publish(struct kp_trace_file *file, const char *folder, const char *name);
/* Opens one that is there, and cuts it to `bytes`. */
enum kp_status kp_trace_file_open(struct kp_trace_file *file, const char *path, uint64_t bytes);
/* KP_ERROR_FULL: no room, the file is as it was. */
enum kp_status kp_trace_file_append(struct kp_trace_file *file, const void *bytes, size_t count);
/* Behind it, all of another one. */
enum kp_status kp_trace_file_join(struct kp_trace_file *file, const char *path);
void kp_trace_file_close(struct kp_trace_file *file);
/* The same, and frees the path. */
void kp_trace_file_free(struct kp_trace_file *file);

#endif
