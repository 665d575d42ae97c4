/*
 * The sections that an output folder holds, by uuid: where, and up to which chunk; of one in parts, where the
 * newest part is. Read from the files
 * themselves when a server starts, so that a peer goes on where it was after any end of the server.
 */
#ifndef KP_COLLECTOR_SERVER_SECTIONS_H
#define KP_COLLECTOR_SERVER_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_file.h"

struct kp_peer;

struct kp_known_section {
    struct kp_known_section *next; /* of the same bucket */
    uint8_t uuid[16];
    uint64_t chunks;     /* that are in the file, or in earlier parts */
    uint32_t part;       /* that the file is, from 0 */
    uint64_t head_bytes; /* of a later part: up to its own first chunk */
    uint64_t began_ms;   /* when the file was opened */
    uint64_t tried_ms;   /* when no next part could be made */
    bool ended;
    bool turned;               /* the file says that another part follows, and that one is not there */
    struct kp_peer *peer;      /* that sends it now; NULL: none */
    struct kp_trace_file file; /* closed without a peer; no path: nothing was written yet, or merged */
};

enum { KP_SECTION_BUCKETS = 4096 };

struct kp_sections {
    struct kp_known_section *buckets[KP_SECTION_BUCKETS];
    uint64_t count;
};

struct kp_known_section *kp_sections_find(const struct kp_sections *sections, const uint8_t uuid[16]);
struct kp_known_section *kp_sections_add(struct kp_sections *sections, const uint8_t uuid[16]);
void kp_sections_remove(struct kp_sections *sections, struct kp_known_section *section);
void kp_sections_free(struct kp_sections *sections);

struct kp_sections_found {
    uint64_t whole_bytes; /* up to the end of its last whole chunk; 0: that is no trace */
    uint64_t ended_bytes; /* up to the end of its last section that is complete */
    bool cut_short;       /* nothing but the begin of a section or a chunk is behind whole_bytes */
    bool repeated;        /* a section is in another file already: reading ended before it */
};

/* The uuid that a PROCESS chunk's text names. */
bool kp_sections_uuid(const char *text, size_t bytes, uint8_t uuid[16]);

/* Adds what a file holds. */
struct kp_sections_found kp_sections_read(struct kp_sections *sections, const char *path);

#endif
