/* What `kprobe serve` was told, checked: sizes in bytes, times in milliseconds. */
#ifndef KP_COLLECTOR_SERVER_SETTINGS_H
#define KP_COLLECTOR_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls.h"

struct kp_serve_settings {
    const char *listen;  /* addresses, one a line */
    const char *output;  /* KIND:PLACE or a folder */
    const char *forward; /* an address instead */
    const char *name;    /* pattern of file names */
    const char *records; /* "events" or "executions": of native peers in Kieker's forms */
    bool merge, normalize, insecure;
    const char *token_file, *forward_token_file, *control, *metrics;
    struct kp_tls_files tls;
    uint64_t peer_bytes, backlog_bytes, rotate_bytes, keep_bytes;
    uint64_t rotate_ms, silence_ms, stop_ms, keep_ms;
    uint64_t keep_files, most_peers;
};

#endif
