/*
 * Stubs for functions that Python code calls, all alike: a number into the register of the sixth integer
 * argument, which none of them takes, and on to the common part in C. See python/method_thunk.h.
 */
#include "offsets.h"

        .text
        .balign 64
        .globl  kp_method_stubs
        .hidden kp_method_stubs
        .hidden kp_method_call
        .type   kp_method_stubs, @function
kp_method_stubs:
        .cfi_startproc
        .set    number, 0
        .rept   METHOD_STUBS
        .balign METHOD_STUB_BYTES
        endbr64
        mov     $number, %r9d
        jmp     kp_method_call
        .set    number, number + 1
        .endr
        .balign METHOD_STUB_BYTES
        .cfi_endproc
        .size   kp_method_stubs, . - kp_method_stubs

        .section .note.GNU-stack, "", @progbits
