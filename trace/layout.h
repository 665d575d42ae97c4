/*
 * The bytes of a trace, on disk and on the wire. docs/format.md tells the same in prose.
 *
 * All integers are little-endian; this code runs on little-endian machines only. What may change without a
 * new major version: new chunk types, new definition types, new keys, new event kinds of one slot, new fields
 * at the end of a payload or definition. Readers skip what they do not know. Everything else is a new major
 * version, and readers refuse a major version newer than their own.
 */
#ifndef KP_TRACE_LAYOUT_H
#define KP_TRACE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define KP_FORMAT_MAJOR 1
#define KP_FORMAT_MINOR 2

/* Not valid UTF-8, and damaged by every text-mode transfer: the idea of PNG's signature. */
#define KP_PREAMBLE_MAGIC "\x89KPT\r\n\x1a\n"

/* A section (one process) starts with this; a trace is one section or several behind one another. */
struct kp_preamble {
    uint8_t magic[8];
    uint16_t major;
    uint16_t minor;
    uint32_t reserved;
};
_Static_assert(sizeof(struct kp_preamble) == 16, "format");

#define KP_CHUNK_MAGIC 0x4b43504bu /* "KPCK" */

enum kp_chunk_type {
    KP_CHUNK_PROCESS = 1, /* first of a section: "key=value\n" lines, values percent-encoded */
    KP_CHUNK_DEFS = 2,    /* a blob of definition records */
    KP_CHUNK_EVENTS = 3,  /* events of one thread */
    KP_CHUNK_CLOCK = 4,   /* struct kp_clock_sync: clock against CLOCK_MONOTONIC and CLOCK_REALTIME */
    KP_CHUNK_INDEX = 5,   /* where the event chunks are */
    KP_CHUNK_END = 6,     /* last of a section: the process ended in order */
    KP_CHUNK_NEXT = 7,    /* last of a part of a section: u32 number of the part that follows */
};

struct kp_chunk_header {
    uint32_t magic;
    uint16_t type;
    uint16_t flags; /* 0 */
    uint32_t payload_bytes;
    uint32_t number;        /* position in the section, from 0; a hole is a missing chunk */
    uint64_t header_check;  /* XXH64, seed 0, of this header with this field 0 */
    uint64_t payload_check; /* XXH64, seed 0, of the payload */
};
_Static_assert(sizeof(struct kp_chunk_header) == 32, "format");

#define KP_CHUNK_PAYLOAD_MAX (64u << 20)

struct kp_clock_sync {
    uint64_t ticks;
    uint64_t monotonic_ns;
    uint64_t realtime_ns;
};

struct kp_end {
    uint64_t
        index_offset; /* of the INDEX chunk that holds the last part, from the section's preamble; 0: none */
    uint64_t ticks;
};

/* Definition records: u32 bytes of the whole record, u8 type, then fields (varints; strings as varint length
 * + bytes). */
enum kp_def_type {
    KP_DEF_FUNCTION = 1,   /* id, kind, line, name, file; since minor version 2 maybe flags, parameters */
    KP_DEF_THREAD = 2,     /* number, tid, base depth, start ticks, name */
    KP_DEF_THREAD_END = 3, /* number, end ticks, calls made, calls lost, other events lost, name */
    KP_DEF_META = 4,       /* key, value */
    KP_DEF_OBJECT = 5,     /* path, build id (hex): a loaded object that traced C functions are in */
};

#define KP_DEF_HEADER_BYTES 5

/* Codecs of a blob: u8 codec, varint raw bytes, varint stored bytes, data. */
enum kp_blob_codec { KP_BLOB_RAW = 0, KP_BLOB_ZSTD = 1 };

/*
 * EVENTS payload: varint thread number, first slot (of the thread, from 0), slots, events; u8 shift; varint
 * base time (ticks >> shift), base depth; then four blobs: tags, ids, times, extras.
 *
 * One tag a byte for each event: the kind in the low four bits, and what deviates from the prediction:
 */
#define KP_TAG_ID       0x10u /* an end whose id is not that of the open call at its depth: id in `ids` */
#define KP_TAG_DEPTH    0x20u /* depth (varint in `extras`) is not the predicted one */
#define KP_TAG_BACKWARD 0x40u /* the time delta is to be subtracted */

enum kp_column { KP_COLUMN_TAGS, KP_COLUMN_IDS, KP_COLUMN_TIMES, KP_COLUMN_EXTRAS, KP_COLUMN_COUNT };

#endif
