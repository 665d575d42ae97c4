/*
 * The wire: how a shim (or a forwarding `kprobe serve`) hands a section to a collector over TCP or a Unix
 * socket. docs/format.md, section 11, tells the same in prose. Little-endian.
 *
 *     sender                          collector
 *     kp_wire_hello, token      ->
 *                               <-    kp_wire_reply: number of the chunk to go on with
 *     chunks, as in a file      ->
 *                               <-    kp_wire_ack, now and then
 *     END chunk                 ->
 *                               <-    kp_wire_ack of it; both close
 *
 * One connection carries one section. Its preamble does not travel: the collector writes it. A sender keeps
 * every chunk until it is acknowledged; after a broken connection it says hello with the same uuid, and the
 * reply says which chunks are safe. So nothing is lost and nothing is there twice. An acknowledged chunk is
 * in the collector's output (handed to the kernel).
 *
 * A sender forgets the events that were acknowledged and keeps the PROCESS chunk and definitions. So a
 * collector that knows less than the one before it (`next_chunk` smaller than `first` of the hello) gets
 * chunks whose numbers grow and jump below `first`; from there on none is missing. Its trace of the section
 * tells that the chunks in between are elsewhere, and has every name.
 *
 * The first byte of a hello, 0x89, can start no stream of Kieker's, whose first int is -1 or a small number.
 */
#ifndef KP_TRACE_WIRE_H
#define KP_TRACE_WIRE_H

#include <stdint.h>

#define KP_WIRE_MAGIC     "\x89KPW\r\n\x1a\n"
#define KP_WIRE_VERSION   1
#define KP_WIRE_TOKEN_MAX 4096u
#define KP_WIRE_PORT      4712 /* where `kprobe serve` listens, and tcp:// and kieker-tcp:// go, by default */

struct kp_wire_hello {
    uint8_t magic[8];
    uint16_t version;
    uint16_t major, minor; /* of the section's preamble */
    uint16_t token_bytes;  /* they follow; 0: none */
    uint8_t uuid[16];      /* of the section */
    uint64_t chunks;       /* that the sender has made so far: a collector that knows more is the wrong one */
    uint64_t first;        /* all chunks from this number on are still there; of those before it, some */
    uint64_t reserved[2];  /* 0 */
};
_Static_assert(sizeof(struct kp_wire_hello) == 64, "protocol");

enum kp_wire_status {
    KP_WIRE_GOOD = 0,
    KP_WIRE_REFUSED = 1, /* no such token, or too many peers: do not come again soon */
    KP_WIRE_VERSION_BAD = 2,
    KP_WIRE_FULL = 3,    /* no room: keep your chunks and come again */
    KP_WIRE_DAMAGED = 4, /* that was no chunk */
    KP_WIRE_STOPPING = 5 /* the collector ends: come again */
};

struct kp_wire_reply {
    uint8_t magic[8];
    uint16_t version;
    uint16_t status; /* enum kp_wire_status; not GOOD: the connection is closed */
    uint32_t reserved;
    uint64_t next_chunk; /* chunks before this number are safe */
    uint64_t reserved2;
};
_Static_assert(sizeof(struct kp_wire_reply) == 32, "protocol");

#define KP_WIRE_ACK_MAGIC 0x4b41504bu /* "KPAK" */

struct kp_wire_ack {
    uint32_t magic;
    uint32_t status;     /* enum kp_wire_status; not GOOD: the connection is closed */
    uint64_t next_chunk; /* chunks before this number are safe */
};
_Static_assert(sizeof(struct kp_wire_ack) == 16, "protocol");

#endif
