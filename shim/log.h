/*
 * Messages of the shim: one line each, written with one write(2), also kept for the trace's metadata
 * ("message.N"). Safe in any thread of the program: no stdio streams, no allocation; errno is kept.
 */
#ifndef KP_SHIM_LOG_H
#define KP_SHIM_LOG_H

#include <stddef.h>

#include "trace/options.h"

#define KP_LOG_KEPT       16
#define KP_LOG_LINE_BYTES 1024 /* longer ones are cut */

/* Which levels pass, and where to; `file` (borrowed) NULL or "" is standard error. */
void kp_log_configure(unsigned level, const char *file);

/* This thread has file descriptors of its own: standard error is to be reached through /proc. */
void kp_log_detach_thread(void);

void kp_log(enum kp_level_choice level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The n-th kept message (errors, warnings and infos, whatever the level shown), or NULL. */
const char *kp_log_kept(unsigned n);

#endif
