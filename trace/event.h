/*
 * Events: what a probe writes and what a reader gives back.
 *
 * In the ring an event is one or two 16-byte slots (struct kp_slot); decoded it is a struct kp_event.
 * Both sides, and the tables of docs/format.md, come from the rows of event.def.
 */
#ifndef KP_TRACE_EVENT_H
#define KP_TRACE_EVENT_H

#include <stdint.h>

enum kp_event_kind {
    KP_EVENT_NONE = 0,
#define KP_EVENT(number, name, text, slots, meaning) KP_EVENT_##name = number,
#include "event.def"
#undef KP_EVENT
    KP_EVENT_KIND_LIMIT = 16 /* four bits in the slot */
};

/*
 * One slot of a ring. `time` is in raw clock ticks. `kind_depth` holds the kind in its low four bits and the
 * depth (open traced calls of this thread below this one) in the other 28. In a payload slot, the
 * second of a two-slot event, the two 64-bit words are value and value2.
 */
struct kp_slot {
    union {
        uint64_t time;
        uint64_t value;
    };
    union {
        struct {
            uint32_t id;
            uint32_t kind_depth;
        };
        uint64_t value2;
    };
};
_Static_assert(sizeof(struct kp_slot) == 16, "the slot is the contract of ring, writer and recovery");

#define KP_SLOT_KIND(kind_depth)  ((kind_depth)&15u)
#define KP_SLOT_DEPTH(kind_depth) ((kind_depth) >> 4)
#define KP_SLOT_PACK(kind, depth) (((uint32_t)(depth) << 4) | (uint32_t)(kind))
#define KP_DEPTH_MAX              ((1u << 28) - 1)

/*
 * Which words a VALUES event carries (its id): registers behind the ENTER of their call, results before its
 * EXIT, and from KP_VALUES_TEXT on, behind the ENTER, 16 bytes each of a stream of copied strings: for each
 * its argument's number (u8), its bytes (u16, little endian), and those.
 */
enum kp_values {
    KP_VALUES_RDI_RSI,
    KP_VALUES_RDX_RCX,
    KP_VALUES_R8_R9,
    KP_VALUES_XMM0_XMM1, /* the low 64 bits of each */
    KP_VALUES_XMM2_XMM3,
    KP_VALUES_XMM4_XMM5,
    KP_VALUES_XMM6_XMM7,
    KP_VALUES_RAX_RDX = 8,
    KP_VALUES_XMM0_XMM1_RESULT,
    KP_VALUES_ST0, /* 80 bits in the two words */
    KP_VALUES_EXCEPTION =
        11, /* before an UNWIND: value is the id of the exception's type (KP_FUNCTION_EXCEPTION) */
    KP_VALUES_RECORD =
        12, /* a custom record: value is its class (KP_FUNCTION_RECORD), value2 the payload's bytes */
    KP_VALUES_RECORD_BYTES = 13, /* right behind it: the payload, 16 bytes each, zeros fill the last */
    KP_VALUES_TEXT = 16
};

/* A decoded event. `time` is ticks inside trace/ encode and decode, nanoseconds once the reader gave it out.
 */
struct kp_event {
    uint64_t time;
    uint64_t value;
    uint64_t value2;
    uint32_t id;
    uint32_t depth;
    uint8_t kind;
};

/* The dump text of a kind ("enter"), or NULL when no row has that number. */
const char *kp_event_kind_text(unsigned kind);

/* Slots that an event of this kind takes in a ring: 1 or 2; 0 when no row has that number. */
static inline unsigned kp_event_kind_slots(unsigned kind)
{
#define KP_EVENT(number, name, text, slots, meaning) | (uint32_t)(slots) << 2 * (number)
    const uint32_t all = 0
#include "event.def"
        ;
#undef KP_EVENT
    return kind < KP_EVENT_KIND_LIMIT ? all >> 2 * kind & 3 : 0;
}

#endif
