/* Numbers for people: durations, counts, sizes, dates. All write a NUL-terminated string and return `text`.
 */
#ifndef KP_COLLECTOR_UTIL_FORMAT_H
#define KP_COLLECTOR_UTIL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KP_FORMAT_BYTES = 40 }; /* enough for each of them */

/* Four significant digits and a unit: "456 ns", "1.234 ms", "12.50 s", "2 h 05 m". */
char *kp_format_duration(char text[KP_FORMAT_BYTES], uint64_t ns);

/* "1,234,567". */
char *kp_format_count(char text[KP_FORMAT_BYTES], uint64_t count);

/* "512 B", "1.5 KiB", "20.3 MiB". */
char *kp_format_size(char text[KP_FORMAT_BYTES], uint64_t bytes);

/* UTC: "2026-11-21 03:42:16.123456 UTC". */
char *kp_format_time(char text[KP_FORMAT_BYTES], uint64_t epoch_ns);

/* Reads "10", "10ns", "5us", "1.5ms", "2s", "1m" (no unit: ns) into *ns; false when it is not a duration. */
bool kp_parse_duration(const char *text, uint64_t *ns);

#endif
