/*
 * Input: one trace file (or pipe, or leftover) as sections of chunks, found by headers alone.
 *
 * Opening hops from header to header, resynchronises behind damage, and completes sections of dead processes
 * from their leftovers. What is kept takes 32 bytes for each chunk.
 */
#ifndef KP_TRACE_INPUT_H
#define KP_TRACE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "source.h"
#include "status.h"
#include "time_map.h"
#include "zstd.h"

/* What stands in the list besides enum kp_chunk_type. */
#define KP_CHUNK_DAMAGE 0xffffu

enum kp_damage {
    KP_DAMAGE_SKIPPED,   /* value: bytes that make no sense */
    KP_DAMAGE_TRUNCATED, /* value: bytes of a chunk whose end is missing */
    KP_DAMAGE_MISSING,   /* value: chunks missing according to their numbers */
    KP_DAMAGE_NEWER,     /* value: bytes of a section of a newer major version */
    KP_DAMAGE_LEFTOVER, /* value: enum kp_status; what the process left behind could not be read completely */
};

struct kp_input_chunk {
    uint64_t offset; /* of the header in its source */
    uint64_t value;  /* EVENTS: time of the first event in ticks; damage: see enum kp_damage */
    uint32_t thread; /* EVENTS: its number; damage: enum kp_damage */
    uint32_t next;   /* for the caller: list position of the thread's next chunk */
    uint32_t payload_bytes;
    uint16_t type;    /* enum kp_chunk_type or KP_CHUNK_DAMAGE */
    uint8_t leftover; /* the source: false the file, true what leftovers gave */
};
_Static_assert(sizeof(struct kp_input_chunk) == 32, "one for each chunk of a trace of any length");

/* One process. */
struct kp_section {
    uint64_t offset;      /* of its preamble in the file */
    uint32_t first, end;  /* its chunks in the list */
    uint32_t next_number; /* that the next chunk should have */
    char *text;           /* payload of its PROCESS chunk, NULL when that is lost; not terminated */
    size_t text_bytes;
    uint32_t pid;
    char uuid[33];
    struct kp_clock_sync first_sync, last_sync;
    uint32_t syncs;
    uint64_t end_ticks;
    uint32_t part;        /* of a section in parts: from 0 */
    uint32_t first_chunk; /* chunks with lower numbers are in earlier parts */
    uint32_t next_part;   /* it goes on there; 0: it does not */
    bool complete, recovered, alive;
    char leftover_path[128]; /* it was completed from there; else empty */
};

struct kp_input {
    const char *path; /* as given; the caller's */
    struct kp_source file, leftover;
    struct kp_input_chunk *chunks;
    uint32_t chunk_count, chunk_room;
    struct kp_section *sections;
    uint32_t section_count, section_room;
    const struct kp_zstd *zstd;
    bool no_leftover;
};

/*
 * Open and scan. On failure `error` holds a sentence that names the path, and the input is closed. `path` and
 * `zstd` must outlive the input. `opener`: NULL for traces only. no_leftover: only what is in the file.
 */
enum kp_status kp_input_open(struct kp_input *input, const char *path, const struct kp_zstd *zstd,
                             const struct kp_source_opener *opener, bool no_leftover, char *error,
                             size_t error_bytes);

static inline const struct kp_source *kp_input_source(const struct kp_input *input,
                                                      const struct kp_input_chunk *chunk)
{
    return chunk->leftover ? &input->leftover : &input->file;
}

/* A sentence about an entry of type KP_CHUNK_DAMAGE. */
void kp_input_damage_text(const struct kp_input_chunk *chunk, char *text, size_t bytes);

/* A number of the section's PROCESS text; 0 when it is not there. */
double kp_section_number(const struct kp_section *section, const char *key);
uint64_t kp_section_integer(const struct kp_section *section, const char *key);

/* Its clock. */
struct kp_time_map kp_section_clock(const struct kp_section *section);

void kp_input_close(struct kp_input *input);

#endif
