/* The entry of a function that is changed to lead elsewhere, and the stub where it leads. */
#ifndef KP_SHIM_ARCH_ENTRY_H
#define KP_SHIM_ARCH_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stub: what leads on to the trampoline, at its start; where the trampoline calls the function, a landing
 * pad; and behind that the function's first instructions, moved. */
#define KP_ENTRY_STUB_BYTES 128
#define KP_ENTRY_TARGET_AT  24
#define KP_ENTRY_MOVED_AT   28

/* What is written over a function's entry. */
#define KP_ENTRY_JUMP_BYTES 5

/* The first instruction that may be changed: behind the landing pad (endbr64), if there is one. */
uintptr_t kp_entry_window(uintptr_t function);

/* Writes a stub that has `value` in a register (the one that trampolines expect it in) and jumps to where the
 * word at `way` leads; that lies within 2 GiB. What is at KP_ENTRY_MOVED_AT and behind stays. */
void kp_entry_put_stub(uint8_t *stub, const void *value, const uint8_t *way);

/* The jump from `window` to `stub`, which lies within 2 GiB. */
void kp_entry_put_jump(uint8_t jump[KP_ENTRY_JUMP_BYTES], uintptr_t window, const uint8_t *stub);

/* Where the jump at a place leads, if there is one. */
bool kp_entry_jump_target(uintptr_t window, uintptr_t *target);

/* Reports every branch of 32 bits that the bytes in [low, high) can be taken for, aligned or not. */
void kp_entry_find_branches(const uint8_t *low, const uint8_t *high,
                            void (*found)(void *user, uintptr_t source, uintptr_t target, bool call),
                            void *user);

#endif
