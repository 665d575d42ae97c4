/*
 * The text of a PROCESS chunk: "key=value\n" lines; '%', control characters, '\n' and '=' in values
 * percent-encoded. Known keys are the rows of process.def; readers ignore others.
 */
#ifndef KP_TRACE_PROCESS_TEXT_H
#define KP_TRACE_PROCESS_TEXT_H

#include <stddef.h>

/* Append a line to `text` (NUL-terminated, `room` bytes in all); a value that does not fit is cut. Libc-free,
 * safe in the shim. */
void kp_process_text_put(char *text, size_t room, const char *key, const char *value, size_t value_bytes);

/*
 * Find a key in text[0..bytes); writes the decoded value (NUL-terminated, cut at `room`) and returns its
 * length, or -1 when the key is not there.
 */
long kp_process_text_get(const char *text, size_t bytes, const char *key, char *value, size_t room);

#endif
