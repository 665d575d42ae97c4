/*
 * The one escaping of names and paths for text output: what is printable UTF-8 stays, everything else
 * (tab, newline, other control characters, backslash, bytes that are not UTF-8) becomes \xNN, byte by byte.
 * So a line stays a line, a column a column, and no name can steer a terminal.
 */
#ifndef KP_COLLECTOR_UTIL_ESCAPE_H
#define KP_COLLECTOR_UTIL_ESCAPE_H

#include <stddef.h>

/* Bytes (1 to 4) of the valid UTF-8 sequence at `text` (NUL-terminated); 0 when there is none. */
size_t kp_utf8_length(const char *text);

/* Columns that `text` takes on a terminal, one per character. */
size_t kp_utf8_columns(const char *text);

/*
 * `text` escaped, in new memory that the caller frees; never NULL (aborts when there is no memory, as all of
 * the collector does for small strings).
 */
char *kp_escape(const char *text);

#endif
