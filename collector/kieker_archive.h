/*
 * Kieker logs as inputs of every reading command: a log directory, a directory with several of them, or one
 * data file with its map beside it becomes a trace in an unlinked temporary file. Data files may be
 * compressed: told by their content, since Java's own writer gives them misleading names.
 */
#ifndef KP_COLLECTOR_KIEKER_ARCHIVE_H
#define KP_COLLECTOR_KIEKER_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "trace/source.h"

/* For a kp_source_opener; `progress` is a struct kp_progress that was started, or NULL. What is no Kieker log
 * is opened as the trace it may be. */
enum kp_status kp_kieker_archive_open(void *progress, struct kp_source *source, const char *path, char *error,
                                      size_t error_bytes);

/* A log that nothing was written to yet, as a process leaves it that ends or executes another at once. */
bool kp_kieker_archive_is_bare(const char *path);

#endif
