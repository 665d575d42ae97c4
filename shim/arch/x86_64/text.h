/* Writing to code and constants that are mapped read-only, our own or somebody else's. */
#ifndef KP_SHIM_ARCH_TEXT_H
#define KP_SHIM_ARCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Through /proc/self/mem, which leaves the protection as it is (the kernel makes a private copy of the page);
 * where that is forbidden, through mprotect. Keeps errno. False: neither works.
 */
bool kp_text_write(void *address, const void *bytes, size_t count);

/* Whether the program may write there anyway. False as well where /proc is not mounted. */
bool kp_text_is_writable(void *place);

/*
 * Change a pointer in data that the program may write to, or that the linker has made read-only (RELRO); its
 * page keeps its protection. `writable_page` remembers, over calls in quick succession, a page that was found
 * writable; NULL at first. False, with nothing changed: not possible.
 */
bool kp_text_set_pointer(void **place, void *value, const void **writable_page);

/* A page of code and a page of data behind it, within 2 GiB of `address`, for jumps with 32 bits. NULL: none.
 */
uint8_t *kp_text_pages_near(const void *address);

/* The same, `bytes` of pages that can be written, for code and data. */
uint8_t *kp_text_area_near(const void *address, size_t bytes);

/*
 * How many bytes the first instruction takes if it means the same at any other address, else 0. Knows what
 * compilers put at the start of functions: endbr64, push, moves and tests between registers, stores to the
 * stack, sub from the stack pointer.
 */
size_t kp_text_movable(const uint8_t *code);

#endif
