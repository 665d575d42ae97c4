/* The processor's state: where saved vector registers lie, how large they are, what a jmp_buf holds. */
#ifndef KP_SHIM_ARCH_STATE_H
#define KP_SHIM_ARCH_STATE_H

#include <stdint.h>

/*
 * What call_thunks.S saves around C code that may use vector registers: the mask for XSAVE (0: there is none,
 * FXSAVE it is) and the bytes of the area. kp_state_setup sets them; until then they mean FXSAVE.
 */
extern uint32_t kp_state_vector_mask;
extern uint64_t kp_state_vector_bytes;

void kp_state_setup(void);

/* Of a saved area: the low half of a vector register (0 to 15), and the top of the x87 stack, 80 bits in two
 * words. */
uint64_t kp_state_vector_low(const uint8_t *area, unsigned number);
void kp_state_x87_top(const uint8_t *area, uint64_t words[2]);

/* The stack pointer in a jmp_buf of glibc. */
uintptr_t kp_state_jump_stack(const void *jump_buffer);

#endif
