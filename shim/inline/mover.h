/*
 * What libkprobe-inline.so, an object of its own that is loaded only when asked for, gives to the shim: what
 * needs a decoder (Zydis). No memory, no locks.
 */
#ifndef KP_SHIM_INLINE_MOVER_H
#define KP_SHIM_INLINE_MOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KP_MOVER_LIBRARY    "libkprobe-inline.so"
#define KP_MOVER_SYMBOL     "kprobe_mover_1" /* the number grows with the structs */
#define KP_MOVED_BYTES_MAX  96
#define KP_MOVER_JUMP_BYTES 5

/* The first instructions of a function, to be moved elsewhere. */
struct kp_move {
    const uint8_t *code; /* at least 5 bytes are to be freed here */
    size_t code_bytes;   /* readable */
    const uint8_t *new_place;
    uint8_t out[KP_MOVED_BYTES_MAX]; /* what is to stand there: the instructions, then a jump back */
    size_t out_bytes;
    size_t taken_bytes; /* of `code`, whole instructions */
};

struct kp_mover {
    /* NULL: moved; else why it cannot be, a constant text. */
    const char *(*move)(struct kp_move *move);
    /*
     * Tell of every direct branch and call in [from, to), decoded one instruction after the other; bytes that
     * are none are skipped one by one.
     */
    void (*branches)(const uint8_t *from, const uint8_t *to,
                     void (*found)(void *user, uintptr_t source, uintptr_t target, bool call), void *user);
};

#endif
