/*
 * Definition records: what events refer to. The same bytes stand in shared memory and in DEFS chunks.
 */
#ifndef KP_TRACE_DEF_H
#define KP_TRACE_DEF_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "status.h"

/* Key of META records that say what is wrong with where the trace came from: "OFFSET sentence", or "-"
 * in place of the offset. Readers give them out as damage. */
#define KP_META_DAMAGE "damage"

struct kp_text {
    const char *bytes; /* not terminated */
    size_t count;
};

/* One record, decoded; texts point into the record. Which fields count follows from `type`. */
struct kp_def {
    uint8_t type; /* enum kp_def_type; others are to be skipped */
    union {
        struct {
            uint32_t id, line;
            uint8_t kind;
            struct kp_text name, file;
            uint32_t flags, parameters; /* minor version 2 on; 0 before */
        } function;
        struct {
            uint32_t number, tid, base_depth;
            uint64_t start_ticks;
            struct kp_text name;
        } thread;
        struct {
            uint32_t number;
            uint64_t end_ticks, calls_made, calls_lost, events_lost;
            struct kp_text name;
        } thread_end;
        struct {
            struct kp_text key, value;
        } meta;
        struct {
            struct kp_text path, build_id;
        } object;
    };
};

/* Room for a record with texts of `text_bytes` together. */
#define KP_DEF_ROOM(text_bytes) (KP_DEF_HEADER_BYTES + 8 * 10 + (text_bytes))

/* Write the record; returns its bytes. */
size_t kp_def_put(uint8_t *out, const struct kp_def *def);

/* Read the record at *p and move behind it; KP_END at `end`, KP_ERROR_DAMAGED when it makes no sense. */
enum kp_status kp_def_get(const uint8_t **p, const uint8_t *end, struct kp_def *def);

#endif
