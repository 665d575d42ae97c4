/*
 * Thunks for calls of C functions, and the trampoline behind them. See call.h for the C side.
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
 * What is frequent is done right here. Then comes C code that uses general registers only (call.c), because the
 * vector registers hold arguments or results; what needs more goes through with_vectors, which keeps them.
 */
#include "call_offsets.h"
#include "stack.inc"

/* rbx is the shadow frame from here on. */
.macro CFI_RBX_IN_FRAME
        .cfi_escape 0x10, 3, 2, 0x73, F_RBX     /* rbx: expression, breg3 + 8 */
.endm

/* As above, while rbx is under way and rax is the frame. */
.macro CFI_RBX_IN_RAX_FRAME
        .cfi_escape 0x10, 3, 2, 0x70, F_RBX
.endm

.macro CFI_RETURN_ADDRESS_IN_FRAME
        .cfi_escape 0x10, 16, 2, 0x73, F_RETURN_ADDRESS
.endm

        .section .text.call_thunks, "ax", @progbits
        .balign 4096
        .globl  kp_call_thunks
        .hidden kp_call_thunks, kp_call_enter, kp_local, kp_native_functions, kp_call_enter_slow, kp_call_leave_slow
        .hidden kp_call_personality, kp_state_vector_mask, kp_state_vector_bytes, kp_call_resume
/*
 * Number i: endbr64; lea kp_native_functions + 16 * i, %r11; jmp kp_call_common. r11 belongs to nobody between caller and
 * callee of different objects.
 */
kp_call_thunks:
        .cfi_startproc
        PART    dispatch
        .set    number, 0
        .rept   KP_CALL_THUNKS
        .byte   0xf3, 0x0f, 0x1e, 0xfa, 0x4c, 0x8d, 0x1d
        .long   kp_native_functions + N_BYTES * number - . - 4
        .byte   0xe9
        .long   kp_call_common - . - 4
        .set    number, number + 1
        .endr
        .cfi_endproc
        PART    other

        .text

/*
 * A probe begins: rcx is the thread's state. Jump to `off` unless tracing is on and the state up to date and no probe is
 * under way; to `full`, with the probe begun, unless three slots are free (a signal handler may use them up until it has).
 */
.macro BEGIN off, full, scratch, scratch32
        mov     T_LIVE(%rcx), \scratch
        mov     (\scratch), \scratch32
        cmp     T_EPOCH(%rcx), \scratch32
        jne     \off
        cmpl    $0, T_BUSY(%rcx)
        jne     \off
        movl    $1, T_BUSY(%rcx)
        mov     T_HEAD(%rcx), \scratch
        cmp     T_LIMIT(%rcx), \scratch
        jae     \full
.endm

/*
 * A call, in the way that is frequent: a function that is followed to its end, at once. r11: the function's entry in
 * kp_native_functions.
 *
 * `all` 0: calls between objects. What a function may be given is kept: rdi, rsi, rdx, rcx, r8, r9, rax (number of vector
 * registers of a variadic call), r10 (static chain). After a call, only results and callee-saved registers count.
 *
 * `all` 8: calls inside an object, whose compiler may know what the callee leaves alone (-fipa-ra): every register is kept
 * but the results. The stub (inside.c) has pushed r11: 8 bytes more below the return address.
 */
.macro TRAMPOLINE name, all, return_name, slow_return_name
        .balign 64
        .globl  \name, \return_name, \slow_return_name
        .hidden \name, \return_name, \slow_return_name
        .type   \name, @function
\name:
        .cfi_startproc
        .cfi_personality 0x1b, kp_call_personality
        .cfi_def_cfa %rsp, 8 + \all
        PART    registers
        SAVE    %rax
        SAVE    %rcx
        SAVE    %rdx
        SAVE    %rsi
        .cfi_remember_state
        PART    lookup
        mov     N_ID(%r11), %rdx        /* with class and captures above it */
        mov     kp_local@gottpoff(%rip), %rcx
        lea     -1(%rdx), %rsi
        mov     %fs:L_SELF(%rcx), %rcx
        cmp     $N_PLAIN_MAX, %rsi
        jae     8801f
        PART    checks
        lea     \return_name(%rip), %rsi
        cmp     %rsi, 32 + \all(%rsp)   /* a tail call of a function whose frame is in rbx */
        je      8801f
        BEGIN   8801f, 8802f, %rsi, %esi
        mov     kp_local@gottpoff(%rip), %rsi
        mov     %fs:L_LIMIT(%rsi), %rax
        cmp     %fs:L_TOP(%rsi), %rax
        jbe     8802f
        PART    stack
        mov     T_CALL_FRAMES(%rcx), %rax
        test    %rax, %rax
        je      8802f
        mov     %rbx, F_RBX(%rax)
        mov     32 + \all(%rsp), %rbx
        CFI_RBX_IN_RAX_FRAME
        mov     %rbx, F_RETURN_ADDRESS(%rax)
        mov     %rax, %rbx
        CFI_RBX_IN_FRAME
        mov     N_TARGET(%r11), %r11
        mov     F_NEXT(%rbx), %rax
        mov     %r11, F_TARGET(%rbx)
        mov     %rax, T_CALL_FRAMES(%rcx)
        lea     40 + \all(%rsp), %r11
        mov     %fs:L_TOP(%rsi), %rax
        mov     %r11, F_CFA(%rbx)
        lea     1(%rbx), %r11           /* the tag */
        mov     %r11, A_BYTES + A_FRAME(%rax)
        mov     %edx, A_BYTES + A_ID(%rax)
        add     $A_BYTES, %rax
        mov     %r11, %fs:L_TOP_FRAME(%rsi)
        mov     %rax, %fs:L_TOP(%rsi)
        PART    ring
        mov     T_CALLS(%rcx), %rax
        mov     T_RING(%rcx), %r11
        mov     T_HEAD(%rcx), %rsi
        inc     %rax
        mov     %rax, T_CALLS(%rcx)
        mov     %rax, R_CALLS(%r11)
        and     T_MASK(%rcx), %rsi
        shl     $4, %rsi
        add     T_SLOTS(%rcx), %rsi
        prefetchw PREFETCH_BYTES(%rsi)
        PART    stack
        mov     T_DEPTH(%rcx), %eax
        PART    ring
        mov     %edx, S_ID(%rsi)
        PART    stack
        lea     1(%rax), %edx
        mov     %edx, T_DEPTH(%rcx)
        PART    ring
        shl     $S_DEPTH_SHIFT, %eax
        or      $S_ENTER, %eax
        mov     %eax, S_KIND_DEPTH(%rsi)
        PART    clock
        rdtsc
        PART    ring
        mov     %eax, S_TIME(%rsi)
        mov     %edx, S_TIME + 4(%rsi)
        mov     T_HEAD(%rcx), %rax
        inc     %rax
        mov     %rax, T_HEAD(%rcx)
        mov     %rax, R_HEAD(%r11)      /* a store is a release on x86; pairs with kp_drain_thread */
        PART    checks
        movl    $0, T_BUSY(%rcx)
        PART    registers
        RESTORE %rsi
        RESTORE %rdx
        RESTORE %rcx
        RESTORE %rax
        .if     \all
        RESTORE %r11
        .endif
        CFI_RETURN_ADDRESS_IN_FRAME
        lea     8(%rsp), %rsp
        .cfi_def_cfa_offset 0
8800:
        PART    dispatch
        call    *F_TARGET(%rbx)
\return_name:
        FRAME_BACK \all
        PART    checks
        mov     kp_local@gottpoff(%rip), %r9
        mov     %fs:L_SELF(%r9), %rcx
        BEGIN   8804f, 8803f, %rsi, %esi
        lea     1(%rdi), %r8
        cmp     %r8, %fs:L_TOP_FRAME(%r9)
        jne     8803f                   /* calls above it ended unseen, or it is of another stack */
        PART    clock
        rdtsc                           /* in the probe: a handler before it may write events */
        PART    stack
        mov     %fs:L_TOP(%r9), %r10
        PART    ring
        lea     1(%rsi), %r8            /* rsi: the head */
        and     T_MASK(%rcx), %rsi
        shl     $4, %rsi
        add     T_SLOTS(%rcx), %rsi
        prefetchw PREFETCH_BYTES(%rsi)
        mov     A_ID(%r10), %r11d
        mov     %eax, S_TIME(%rsi)
        mov     %edx, S_TIME + 4(%rsi)
        PART    stack
        mov     A_FRAME - A_BYTES(%r10), %rax
        PART    ring
        mov     %r11d, S_ID(%rsi)
        PART    stack
        sub     $A_BYTES, %r10
        mov     %rax, %fs:L_TOP_FRAME(%r9)
        mov     %r10, %fs:L_TOP(%r9)
        mov     T_DEPTH(%rcx), %edx
        PART    ring
        mov     T_RING(%rcx), %r11
        PART    stack
        dec     %edx
        mov     %edx, T_DEPTH(%rcx)
        PART    ring
        shl     $S_DEPTH_SHIFT, %edx
        or      $S_EXIT, %edx
        mov     %edx, S_KIND_DEPTH(%rsi)
        PART    stack
        mov     T_CALL_FRAMES(%rcx), %rax
        PART    ring
        mov     %r8, T_HEAD(%rcx)
        PART    stack
        mov     %rax, F_NEXT(%rdi)
        mov     %rdi, T_CALL_FRAMES(%rcx)
        PART    ring
        mov     %r8, R_HEAD(%r11)       /* release, as above */
        PART    checks
        movl    $0, T_BUSY(%rcx)
        .cfi_remember_state
        GO_BACK \all
        .cfi_restore_state
8803:
        PART    other
        movl    $0, T_BUSY(%rcx)
8804:
        END_SLOWLY \all
        .cfi_restore_state

8802:
        movl    $0, T_BUSY(%rcx)

8801:                                   /* the rest of the registers, and C */
        RESTORE %rsi
        SAVE    %rsi
        SAVE    %rdi
        SAVE    %r8
        SAVE    %r9
        SAVE    %r10
        SAVE    %r11
        mov     %r11, %rdi
        lea     PUSHED_BYTES + 8 + \all(%rsp), %rsi
        mov     %rbx, %rdx
        call    kp_call_enter           /* rax: target; 0: the slow path */
        test    %rax, %rax
        je      8806f
8805:                                   /* no frame: on to the target, as if we had not been there */
        .if     \all
        mov     PUSHED_BYTES(%rsp), %rcx
        mov     %rcx, (%rsp)
        mov     %rax, PUSHED_BYTES(%rsp)
        .else
        mov     %rax, (%rsp)            /* in place of r11 */
        .endif
        .cfi_remember_state
        RESTORE_ALL
        .if     \all
        lea     8(%rsp), %rsp
        .cfi_def_cfa_offset 8
        notrack jmp *-8(%rsp)           /* the red zone keeps it from signal handlers */
        .else
        notrack jmp *%r11
        .endif
        .cfi_restore_state
8806:
        mov     %rsp, %rdi
        mov     %rbx, %rsi
        lea     PUSHED_BYTES + 8 + \all(%rsp), %rcx
        lea     kp_call_enter_slow(%rip), %r11
        call    with_vectors            /* rax: target, rdx: frame or 0 */
        test    %rdx, %rdx
        je      8805b
        mov     PUSHED_BYTES + \all(%rsp), %rcx
        mov     %rbx, F_RBX(%rdx)
        mov     %rcx, F_RETURN_ADDRESS(%rdx)
        mov     %rdx, %rbx
        CFI_RBX_IN_FRAME
        test    %rax, %rax
        RESTORE_ALL
        .if     \all
        RESTORE %r11
        .endif
        CFI_RETURN_ADDRESS_IN_FRAME
        lea     8(%rsp), %rsp
        .cfi_def_cfa_offset 0
        jne     8800b                   /* of the test: nothing since has changed the flags */
        call    *F_TARGET(%rbx)
\slow_return_name:                      /* values are wanted, or the clock is another */
        FRAME_BACK \all
        END_SLOWLY \all
        .cfi_endproc
        .size   \name, . - \name
.endm

/* The callee is back: the caller's return address and rbx, results saved, rdi the shadow frame. */
.macro FRAME_BACK all
        PART    registers
        pushq   F_RETURN_ADDRESS(%rbx)
        .cfi_def_cfa_offset 8
        .if     \all
        SAVE    %r11
        SAVE    %r10
        SAVE    %r9
        SAVE    %r8
        SAVE    %rdi
        SAVE    %rsi
        SAVE    %rcx
        .endif
        SAVE    %rax
        SAVE    %rdx
        mov     %rbx, %rdi
        mov     F_RBX(%rbx), %rbx
        .cfi_same_value %rbx
        .cfi_offset %rip, -8
.endm

.macro GO_BACK all
        PART    registers
        RESTORE %rdx
        RESTORE %rax
        .if     \all
        RESTORE %rcx
        RESTORE %rsi
        RESTORE %rdi
        RESTORE %r8
        RESTORE %r9
        RESTORE %r10
        RESTORE %r11
        .endif
        PART    dispatch
        ret
        PART    other
.endm

.macro END_SLOWLY all
        PART    other
        mov     %rsp, %rsi              /* rdx, rax */
        lea     kp_call_leave_slow(%rip), %r11
        call    with_vectors
        GO_BACK \all
.endm

        TRAMPOLINE kp_call_common, 0, kp_call_return, kp_call_return_slow
        TRAMPOLINE kp_call_inside, 8, kp_call_return_inside, kp_call_return_inside_slow

/*
 * Call r11(rdi, rsi, saved vectors, rcx) with the vector and x87 state kept: XSAVE of what the CPU has (without the
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
        sub     kp_state_vector_bytes(%rip), %rsp
        and     $-64, %rsp
        mov     kp_state_vector_mask(%rip), %eax
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
        mov     kp_state_vector_mask(%rip), %eax
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
