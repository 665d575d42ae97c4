/*
 * The shared mapping of a traced process: what its probes and writer share, and what others find when it
 * died.
 *
 * One sparse file /dev/shm/kprobe.<pid>.<uuid>, mode 0600, mapped once: control block, thread table,
 * definitions, then rings. Pages are reserved before they are used, so a full tmpfs is an error at
 * reservation and never a SIGBUS. Offsets are from the start of the file. The file is removed when the
 * process ends in order; otherwise it is a leftover, found by its name, readable by the owner.
 *
 * Order that a reader of a leftover relies on (release stores): definition bytes before defs_head; slot
 * before ring head; ring contents before `next`; a chunk is in the file before tail and defs_tail move.
 */
#ifndef KP_TRACE_SHM_H
#define KP_TRACE_SHM_H

#include <stdatomic.h>
#include <stdint.h>

#include "event.h"
#include "layout.h"

#define KP_SHM_MAGIC   0x4d48534b50524f42u
#define KP_SHM_VERSION 1u
#define KP_SHM_FOLDER  "/dev/shm"
#define KP_SHM_PREFIX  "kprobe."

#define KP_SHM_OUTPUT_BYTES  4096
#define KP_SHM_PROCESS_BYTES 32768
#define KP_SHM_THREADS       4096u
#define KP_SHM_DEFS_BYTES    (64ull << 20)
#define KP_SHM_RINGS_BYTES   (4ull << 30)

#define KP_RING_BYTES_MIN (64u << 10)
#define KP_RING_BYTES_MAX (16u << 20)

struct kp_shm_control {
    uint64_t magic;
    uint32_t version;
    uint32_t pid;
    uint64_t pid_start; /* field 22 of /proc/PID/stat: tells a reused pid */
    uint8_t uuid[16];
    uint64_t total_bytes;
    uint64_t threads_offset;
    uint64_t defs_offset, defs_bytes;
    uint64_t rings_offset, rings_bytes;
    uint32_t time_shift;
    uint32_t file_made;            /* 1: the process made the file `output`, perhaps still empty */
    _Atomic uint64_t defs_head;    /* bytes published */
    _Atomic uint64_t defs_tail;    /* bytes that are in the file */
    _Atomic uint32_t threads_used; /* entries ever used: the table is scanned up to here */
    _Atomic uint32_t chunks;       /* written to the file: the next chunk's number */
    _Atomic uint64_t file_bytes;   /* of this section in the file that are good */
    uint64_t file_start; /* where in the file this section starts; less than 0 (wrapped) as far as the file
                            has dropped chunks that are elsewhere: the sum with file_bytes is where the good
                            part ends */
    struct kp_clock_sync first_sync, last_sync;
    char output[KP_SHM_OUTPUT_BYTES]; /* absolute path of the trace, or of what is not elsewhere; empty: none
                                       */
    char process_text[KP_SHM_PROCESS_BYTES]; /* payload of the PROCESS chunk, NUL-terminated */
    _Atomic uint64_t streamed; /* bytes of a Kieker stream, made of all chunks, that went out; 0: not known */
};

enum kp_shm_thread_state {
    KP_SHM_THREAD_FREE = 0,
    KP_SHM_THREAD_LIVE = 1,
    KP_SHM_THREAD_DONE = 2, /* the thread ended; the writer still has to take the rest */
};

struct kp_shm_thread {
    _Atomic uint32_t state;
    uint32_t number; /* unique in the process; entries are reused, numbers are not */
    uint32_t tid;
    uint32_t base_depth;
    uint64_t start_ticks;
    uint64_t end_ticks;
    _Atomic uint64_t ring; /* offset of the oldest ring that the writer has not finished */
    char name[16];
    uint64_t reserved;
};
_Static_assert(sizeof(struct kp_shm_thread) == 64, "one line each: threads must not share one");

/*
 * A ring: this header, then 1 << size_shift slots. Slot numbers count all slots the thread ever wrote; slot n
 * stands at n & mask. A thread that outgrows its ring goes on in `next`; `head` then stays where it was.
 */
struct kp_ring {
    /* Written by the thread. */
    _Atomic uint64_t head;  /* release: slots before it are complete */
    _Atomic uint64_t calls; /* calls made so far by the thread, lost ones included */
    uint64_t calls_lost;
    uint64_t events_lost;
    uint64_t line0[4];
    /* Written by the writer. */
    _Atomic uint64_t tail; /* release: slots before it are in the file and may be overwritten */
    uint64_t line1[7];
    /* Written once, by whoever makes the ring. */
    uint64_t base;          /* number of the first slot of this ring */
    uint32_t size_shift;    /* 1 << size_shift slots */
    uint32_t thread;        /* number */
    _Atomic uint64_t next;  /* offset of the ring that goes on, 0: none yet. Set before the thread moves on */
    _Atomic uint32_t moved; /* the thread writes to `next` now: head is final */
    uint32_t reserved;
    uint64_t line2[4];
    uint64_t line3[8];
};
_Static_assert(sizeof(struct kp_ring) == 256, "slots start at a line of their own");

static inline struct kp_slot *kp_ring_slots(struct kp_ring *ring)
{
    return (struct kp_slot *)(ring + 1);
}

#endif
