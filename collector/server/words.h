/* Sizes and times as people write them on the command line. */
#ifndef KP_COLLECTOR_SERVER_WORDS_H
#define KP_COLLECTOR_SERVER_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* "4096", "64K", "16M", "2G", "1T" */
bool kp_parse_size(const char *text, uint64_t *bytes);

/* "500ms", "10s", "5m", "2h", "7d"; without a unit seconds. */
bool kp_parse_time(const char *text, uint64_t *ms);

#endif
