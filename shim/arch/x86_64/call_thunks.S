/*
 * Thunks for calls of C functions, and the trampoline behind them. See calls.h for the C side.
 *
 * A callee finds its stack arguments directly above its return address, so a trampoline cannot simply have a
 * frame between caller and callee. This one takes the caller's return address away first (into a shadow frame);
 * its own call then pushes a return address into exactly that place. Calls and returns stay paired: the caller's
 * call with our ret, our call with the callee's ret, so neither return predictor nor shadow stack sees anything
 * odd, and the callee sees its stack as without us.
 *
 * While the callee runs, rbx, which it has to preserve, holds the shadow frame; the caller's rbx lies in it. So the
 * way back needs no look-up, and plain unwind information names the caller:
 * CFA = rsp, return address = *(rbx), rbx = *(rbx + 8).
 *
 * C code called from here uses general registers only (call.c), because the vector registers hold arguments or
 * results; what needs more goes through with_vectors, which keeps them.
 */
#include "call_offsets.h"

.macro SAVE register
        push    \register
        .cfi_adjust_cfa_offset 8
.endm

.macro RESTORE register
        pop     \register
        .cfi_adjust_cfa_offset -8
.endm

/* rbx is the shadow frame from here on. */
.macro CFI_RBX_IN_FRAME
        .cfi_escape 0x10, 3, 2, 0x73, F_RBX     /* rbx: expression, breg3 + 8 */
.endm

.macro CFI_RETURN_ADDRESS_IN_FRAME
        .cfi_escape 0x10, 16, 2, 0x73, F_RETURN_ADDRESS
.endm

        .section .text.call_thunks, "ax", @progbits
        .balign 4096
        .globl  kp_call_thunks
        .hidden kp_call_thunks, kp_call_enter, kp_call_leave, kp_call_enter_slow, kp_call_leave_slow
        .hidden kp_call_personality, kp_call_vector_mask, kp_call_vector_bytes, kp_call_resume
/*
 * Number i: endbr64; push $i; jmp kp_call_common. The unwind information is that of a PLT: one word more is on
 * the stack from byte 9 of each thunk on. CFA = rsp + 8 + ((rip & 15) >= 9 ? 8 : 0).
 */
kp_call_thunks:
        .cfi_startproc
        .cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x39, 0x2a, 0x33, 0x24, 0x22
        .set    number, 0
        .rept   KP_CALL_THUNKS
        .byte   0xf3, 0x0f, 0x1e, 0xfa, 0x68
        .long   number
        .byte   0xe9
        .long   kp_call_common - . - 4
        .byte   0xcc, 0xcc
        .set    number, number + 1
        .endr
        .cfi_endproc

        .text
/*
 * What a function may be given: rdi, rsi, rdx, rcx, r8, r9, rax (number of vector registers of a variadic call),
 * r10 (static chain). r11 belongs to nobody between caller and callee of different objects.
 *
 * On the stack from rsp: r10, r9, r8, rdi, rsi, rdx, rcx, rax; the thunk's number; the return address.
 */
        .balign 64
        .globl  kp_call_common
        .hidden kp_call_common
        .type   kp_call_common, @function
kp_call_common:
        .cfi_startproc
        .cfi_personality 0x1b, kp_call_personality
        .cfi_def_cfa %rsp, 16
        SAVE    %rax
        SAVE    %rcx
        SAVE    %rdx
        SAVE    %rsi
        SAVE    %rdi
        SAVE    %r8
        SAVE    %r9
        SAVE    %r10
        mov     PUSHED_BYTES(%rsp), %edi
        lea     PUSHED_BYTES + 16(%rsp), %rsi
        mov     %rbx, %rdx
        call    kp_call_enter           /* rax: shadow frame or 0, rdx: target; both 0: the slow path */
        test    %rax, %rax
        je      2f
1:
        mov     PUSHED_BYTES + 8(%rsp), %rcx
        mov     %rbx, F_RBX(%rax)
        mov     %rcx, F_RETURN_ADDRESS(%rax)
        .cfi_remember_state
        mov     %rax, %rbx
        CFI_RBX_IN_FRAME
        RESTORE %r10
        RESTORE %r9
        RESTORE %r8
        RESTORE %rdi
        RESTORE %rsi
        RESTORE %rdx
        RESTORE %rcx
        RESTORE %rax
        CFI_RETURN_ADDRESS_IN_FRAME
        lea     16(%rsp), %rsp
        .cfi_def_cfa_offset 0
        call    *F_TARGET(%rbx)
        .globl  kp_call_return
        .hidden kp_call_return
kp_call_return:
        pushq   F_RETURN_ADDRESS(%rbx)
        .cfi_def_cfa_offset 8
        SAVE    %rax
        SAVE    %rdx
        mov     %rbx, %rdi
        mov     F_RBX(%rbx), %rbx
        .cfi_same_value %rbx
        .cfi_offset %rip, -8
        call    kp_call_leave
        test    %al, %al
        je      4f
3:
        .cfi_remember_state
        RESTORE %rdx
        RESTORE %rax
        ret
        .cfi_restore_state
4:                                      /* rdi is lost; the frame is what kp_call_leave left in rdx */
        mov     %rdx, %rdi
        mov     %rsp, %rsi              /* rdx, rax */
        lea     kp_call_leave_slow(%rip), %r11
        call    with_vectors
        jmp     3b
        .cfi_restore_state
2:                                      /* no frame: on to the target, as if we had not been there */
        test    %rdx, %rdx
        je      5f
6:
        mov     %rdx, PUSHED_BYTES(%rsp)
        .cfi_remember_state
        RESTORE %r10
        RESTORE %r9
        RESTORE %r8
        RESTORE %rdi
        RESTORE %rsi
        RESTORE %rdx
        RESTORE %rcx
        RESTORE %rax
        lea     8(%rsp), %rsp
        .cfi_def_cfa_offset 8
        notrack jmp *-8(%rsp)           /* the red zone keeps it from signal handlers */
        .cfi_restore_state
5:
        mov     %rsp, %rdi
        mov     %rbx, %rsi
        lea     kp_call_enter_slow(%rip), %r11
        call    with_vectors
        test    %rax, %rax
        jne     1b
        jmp     6b
        .cfi_endproc
        .size   kp_call_common, . - kp_call_common

/*
 * Call r11(rdi, rsi, saved vectors) with the vector and x87 state kept: XSAVE of what the CPU has (without the
 * tiles of AMX, which no call passes), FXSAVE where there is none.
 */
        .balign 16
        .type   with_vectors, @function
with_vectors:
        .cfi_startproc
        push    %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        sub     kp_call_vector_bytes(%rip), %rsp
        and     $-64, %rsp
        mov     kp_call_vector_mask(%rip), %eax
        xor     %edx, %edx
        test    %eax, %eax
        je      1f
        /* The header must be zero where XSAVE does not write it, or XRSTOR faults. */
        mov     %rdx, 512(%rsp)
        mov     %rdx, 520(%rsp)
        mov     %rdx, 528(%rsp)
        mov     %rdx, 536(%rsp)
        mov     %rdx, 544(%rsp)
        mov     %rdx, 552(%rsp)
        mov     %rdx, 560(%rsp)
        mov     %rdx, 568(%rsp)
        xsave64 (%rsp)
        mov     %rsp, %rdx
        cld
        call    *%r11
        mov     %rax, %r8
        mov     %rdx, %r9
        mov     kp_call_vector_mask(%rip), %eax
        xor     %edx, %edx
        xrstor64 (%rsp)
        mov     %r8, %rax
        mov     %r9, %rdx
        jmp     2f
1:
        fxsave64 (%rsp)
        mov     %rsp, %rdx
        cld
        call    *%r11
        fxrstor64 (%rsp)
2:
        mov     %rbp, %rsp
        pop     %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   with_vectors, . - with_vectors

/*
 * Where the unwinder comes out when it took our frame for the handler's (see kp_call_personality): rax is the
 * exception, rbx the shadow frame, rsp as it was before the call. Goes on as if the caller had called
 * _Unwind_Resume in the callee's place.
 */
        .balign 16
        .globl  kp_call_landing
        .hidden kp_call_landing
        .type   kp_call_landing, @function
kp_call_landing:
        .cfi_startproc
        .cfi_def_cfa %rsp, 0
        CFI_RETURN_ADDRESS_IN_FRAME
        CFI_RBX_IN_FRAME
        endbr64
        mov     %rax, %rdi
        pushq   F_RETURN_ADDRESS(%rbx)
        .cfi_def_cfa_offset 8
        mov     F_RBX(%rbx), %rbx
        .cfi_same_value %rbx
        .cfi_offset %rip, -8
        jmp     *kp_call_resume(%rip)
        .cfi_endproc
        .size   kp_call_landing, . - kp_call_landing

        .section .note.GNU-stack, "", @progbits

/* IBT and SHSTK: the linker marks the library so only if every object says it. */
        .section .note.gnu.property, "a"
        .balign 8
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000002, 4, 3, 0
