/*
 * What the assembly knows of C structures and of encodings. opcode_fast.c asserts that it is true; included
 * by both.
 */
#ifndef KP_SHIM_ARCH_X86_64_OFFSETS_H
#define KP_SHIM_ARCH_X86_64_OFFSETS_H

/* struct kp_thread_state */
#define T_EPOCH 0
#define T_DEPTH 4
#define T_LIVE  8
#define T_HEAD  16
#define T_LIMIT 24
#define T_MASK  32
#define T_SLOTS 40
#define T_RING  48
#define T_CALLS 56
#define T_BUSY  64

/* struct kp_ring */
#define R_HEAD  0
#define R_CALLS 8

/* struct kp_slot, KP_SLOT_PACK and enum kp_event_kind */
#define S_TIME        0
#define S_ID          8
#define S_KIND_DEPTH  12
#define S_DEPTH_SHIFT 4
#define S_ENTER       1
#define S_EXIT        2
#define S_YIELD       4
#define S_VALUE       0
#define S_VALUE2      8
#define S_BYTES       16

/* How far ahead of a slot its thread asks for the ring's lines. */
#define PREFETCH_BYTES 512

/* struct kp_cache_entry and kp_cache_set: the key's bits 6.. as an offset into entries of 16 bytes */
#define C_KEY      0
#define C_ID       8
#define C_SHIFT    2
#define C_SET_MASK 0x7ff0

/* struct kp_activation */
#define A_FRAME 0
#define A_ID    8
#define A_BYTES 16

/* struct kp_local, in thread-local memory */
#define L_TSTATE    0
#define L_TOP_FRAME 8
#define L_TOP       16
#define L_CHUNK     24
#define L_CACHE     32

/* enum kp_opcode_kind */
#define K_START   0
#define K_RETURN  1
#define K_YIELD   2
#define K_HANDLER 3
#define K_KINDS   4
#define K_SLOTS   4

/* The stubs of method_thunks.S. */
#define METHOD_STUBS      32768
#define METHOD_STUB_BYTES 16

/*
 * Kinds of sites: 4-byte fields of instructions that are filled in before the code is used, with what is
 * known only in the process. A LOCAL gets the thread-local offset added to what stands there.
 */
#define SITE_LOCAL   0
#define SITE_SELF    1
#define SITE_CFRAME  2
#define SITE_CURRENT 3
#define SITE_CODE    4
#define SITE_OWNER   5
#define SITE_CHUNK   6
#define SITE_TRACING 7
#define SITE_KINDS   8

/* Stands in a site until it is filled in: far from 0, so that the assembler uses four bytes. */
#define SITE_EMPTY 0x1000000

#endif
