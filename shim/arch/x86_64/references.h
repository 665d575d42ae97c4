/* Who refers to words of a table (a GOT) from code, relative to the instruction pointer. */
#ifndef KP_SHIM_ARCH_REFERENCES_H
#define KP_SHIM_ARCH_REFERENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Report every place in [text, text + bytes) that can be an operand relative to the instruction pointer for
 * one of the 8-byte words in [low, high). `displacement` is where its 32-bit displacement is, `call` that the
 * instruction is a call or a jump through the word; anything else reads it or takes its address. No call or
 * jump is missed and none is reported that is not there, but for bytes that look like one by a chance of
 * 2^-32 each.
 */
void kp_references_find(const uint8_t *text, size_t bytes, uintptr_t low, uintptr_t high,
                        void (*found)(void *user, uintptr_t word, const uint8_t *displacement, bool call),
                        void *user);

#endif
