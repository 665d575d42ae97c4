/*
 * What stands in for the functions of the loader (native/dynamic.h): ask which function is to be jumped to. The
 * return address stays where it is, so that the function sees its caller.
 */
        .text

.macro DL_CALL name, number
        .globl  \name
        .hidden \name
        .type   \name, @function
        .balign 16
\name:
        .cfi_startproc
        endbr64
        mov     $\number, %r8d
        push    %rdi
        .cfi_adjust_cfa_offset 8
        push    %rsi
        .cfi_adjust_cfa_offset 8
        push    %rdx
        .cfi_adjust_cfa_offset 8
        mov     24(%rsp), %rcx
        call    kp_dl_look
        pop     %rdx
        .cfi_adjust_cfa_offset -8
        pop     %rsi
        .cfi_adjust_cfa_offset -8
        pop     %rdi
        .cfi_adjust_cfa_offset -8
        jmp     *%rax
        .cfi_endproc
        .size   \name, . - \name
.endm

        DL_CALL kp_dl_open, 0
        DL_CALL kp_dl_mopen, 1
        DL_CALL kp_dl_sym, 2
        DL_CALL kp_dl_vsym, 3

        .section .note.GNU-stack, "", @progbits

        /* Branch targets are marked, calls and returns are paired (CET). */
        .section .note.gnu.property, "a"
        .balign 8
        .long   4, 16, 5
        .string "GNU"
        .long   0xc0000002, 4, 3, 0
