/*
 * Thunks: where the interpreter's dispatch table points instead of at the opcode's own code. A thunk records
 * the event and jumps on to that code. See thunks.h for the C side.
 *
 * What holds at a dispatch: the interpreter jumps (it does not call), any general register may be live, flags
 * are not. A function that calls others has no red zone (System V ABI 3.2.2: it is for leaf functions, and
 * GCC and LLVM use it only there); the functions of a tail-call interpreter that call nothing have left their
 * frame when they jump. So a thunk may push.
 *
 * Unwinding: to an unwinder the thunk looks like a signal handler that interrupted the interpreter at the
 * opcode's own code, before the first instruction. All that the unwinder needs of the interpreter's frame is
 * valid at that place. The address is not on the stack, since to put it there and take it away again costs more
 * than all else but the clock: a thunk is the start of an aligned block, at whose end stands how far from there
 * the word is that holds the address. So the unwind information finds that word from any place in the thunk.
 *
 * Paths: a short one in assembly for a function that is not traced, and for plain calls, returns and yields of one
 * that is. It has no side effect before it is sure. Else C code that uses general registers only (opcode_fast.c), else
 * C code without limits, with the vector state saved.
 *
 * Written once for all versions: fields marked as sites are filled in by kp_thunks_prepare.
 */
#include "offsets.h"
#include "stack.inc"

/* The four bytes before the end of the instruction just assembled (and before `tail` bytes more). */
.macro SITE kind, tail=0
        .pushsection kp_sites, "a", @progbits
        .long   7771f - (4 + \tail) - .
        .long   \kind
        .popsection
7771:
.endm

.macro LOCAL instruction:vararg
        \instruction
        SITE    SITE_LOCAL
.endm

.macro LOAD_LOCAL field, register
        mov     %fs:SITE_EMPTY + \field, \register
        SITE    SITE_LOCAL
.endm

.macro STORE_LOCAL register, field
        mov     \register, %fs:SITE_EMPTY + \field
        SITE    SITE_LOCAL
.endm

.macro COMPARE_LOCAL register, field
        cmp     \register, %fs:SITE_EMPTY + \field
        SITE    SITE_LOCAL
.endm

.macro LOAD_SELF register
        mov     %fs:SITE_EMPTY, \register
        SITE    SITE_SELF
.endm

.macro LOAD_FIELD kind, base, register
        mov     SITE_EMPTY(\base), \register
        SITE    \kind
.endm

/* The running frame, through tstate->cframe (3.11, 3.12) or straight from the thread state. */
.macro LOAD_FRAME cframe, register
        LOAD_LOCAL L_TSTATE, \register
        .if \cframe
        LOAD_FIELD SITE_CFRAME, \register, \register
        .endif
        LOAD_FIELD SITE_CURRENT, \register, \register
.endm

/* Bytes of a block; BLOCK_END is where the distance stands. */
#define SHORT_BLOCK   512
#define GENERAL_BLOCK 128
#define BLOCK_END(block) (block - 8)

/*
 * DW_CFA_expression, rip is saved at: breg16 0 (rip), const2s -block, and, plus_uconst end, dup, deref, plus.
 */
.macro CFI_TARGET block
        .cfi_escape 0x10, 16, 12, 0x80, 0, 0x0b, -\block & 0xff, -\block >> 8 & 0xff, 0x1a
        .cfi_escape 0x23, BLOCK_END(\block) & 0x7f | 0x80, BLOCK_END(\block) >> 7, 0x12, 0x06, 0x22
.endm

.macro THUNK_START name, block
        .balign \block
\name:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa %rsp, 0
        CFI_TARGET \block
        PART    dispatch
        endbr64
.endm

.macro THUNK_END name, block, kind, slot
        .cfi_endproc
        .org    \name + BLOCK_END(\block), 0xcc
        .quad   kp_thunk_targets + 8 * (K_SLOTS * \kind + \slot) - .
.endm

/* What comes after it in the code is another path. */
.macro GO_ON kind, slot
        PART    dispatch
        jmp     *kp_thunk_targets + 8 * (K_SLOTS * \kind + \slot)(%rip)
        PART    other
.endm

/* Any kind: C code in two stages. */
.macro GENERAL kind, slot
        PART    other
        SAVE    %rax
        SAVE    %rcx
        SAVE    %rdx
        SAVE    %rsi
        SAVE    %rdi
        SAVE    %r8
        SAVE    %r9
        SAVE    %r10
        SAVE    %r11
        .if \kind == K_START
        call    kp_opcode_fast_start
        .elseif \kind == K_RETURN
        call    kp_opcode_fast_return
        .elseif \kind == K_YIELD
        call    kp_opcode_fast_yield
        .else
        call    kp_opcode_fast_handler
        .endif
        test    %al, %al
        jne     8801f
        mov     $\kind, %edi
        call    full
8801:
        RESTORE_ALL
        GO_ON   \kind, \slot
.endm

        .section kp_thunks, "ax", @progbits
        .hidden kp_thunk_targets
        .hidden kp_opcode_fast_start, kp_opcode_fast_return, kp_opcode_fast_yield, kp_opcode_fast_handler
        .hidden kp_opcode_event

/*
 * C code without limits: the vector and x87 state, which the interpreter may have values in, is kept; the
 * stack is aligned as the ABI wants it.
 */
        .balign 16
full:
        .cfi_startproc
        push    %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        sub     $512, %rsp
        and     $-64, %rsp
        fxsave64 (%rsp)
        call    kp_opcode_event
        fxrstor64 (%rsp)
        mov     %rbp, %rsp
        pop     %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc

.macro GENERAL_THUNK kind, slot
THUNK_START general_\kind\()_\slot, GENERAL_BLOCK
        GENERAL \kind, \slot
        THUNK_END general_\kind\()_\slot, GENERAL_BLOCK, \kind, \slot
.endm

/*
 * The next slot of the ring, rsi: its number. Its line is wanted for writing long before the stores get there: the
 * writer, on another CPU, was the last to have it.
 */
.macro GET_SLOT
        and     T_MASK(%rcx), %rsi
        shl     $4, %rsi
        add     T_SLOTS(%rcx), %rsi
        prefetchw PREFETCH_BYTES(%rsi)
.endm

/* The event is complete. */
.macro PUBLISH slots
        PART    ring
        mov     T_HEAD(%rcx), %rax
        mov     T_RING(%rcx), %rsi
        add     $\slots, %rax
        mov     %rax, T_HEAD(%rcx)
        mov     %rax, R_HEAD(%rsi)      /* a store is a release on x86; pairs with kp_drain_thread */
        PART    checks
        movl    $0, T_BUSY(%rcx)
.endm

/* RESUME: a call starts, or a generator goes on. rax: frame, rcx: code, rdx: cache entry. */
.macro START_THUNK cframe, slot
THUNK_START start_\cframe\()_\slot, SHORT_BLOCK
        PART    registers
        SAVE    %rax
        SAVE    %rcx
        SAVE    %rdx
        PART    lookup
        LOAD_FRAME \cframe, %rax
        LOAD_FIELD SITE_CODE, %rax, %rcx
        .if !\cframe
        and     $-4, %rcx               /* 3.14: the low bits are a tag */
        .endif
        mov     %ecx, %edx
        shr     $C_SHIFT, %edx
        and     $C_SET_MASK, %edx
        LOCAL   add %fs:SITE_EMPTY + L_CACHE, %rdx
        cmp     %rcx, C_KEY(%rdx)
        jne     8803f
        mov     C_ID(%rdx), %edx
        test    %edx, %edx
        je      8802f                   /* not traced */
        .cfi_remember_state
        PART    registers
        SAVE    %rsi
        PART    checks
        LOAD_LOCAL L_TSTATE, %rsi
        mov     SITE_EMPTY(%rsi), %ecx  /* called by somebody's trace function */
        SITE    SITE_TRACING
        orb     SITE_EMPTY(%rax), %cl   /* FRAME_OWNED_BY_THREAD is 0: no generator */
        SITE    SITE_OWNER
        LOAD_FIELD SITE_CHUNK, %rsi, %rsi
        LOCAL   sub %fs:SITE_EMPTY + L_CHUNK, %rsi
        or      %rcx, %rsi              /* not 0: another stack, or a new piece of it */
        jne     8804f
        LOAD_SELF %rcx
        mov     T_LIVE(%rcx), %rsi
        mov     (%rsi), %esi
        cmp     T_EPOCH(%rcx), %esi
        jne     8804f
        COMPARE_LOCAL %rax, L_TOP_FRAME
        je      8805f                   /* dispatched again after instrumentation */
        movl    $1, T_BUSY(%rcx)        /* a signal handler must not touch ring and stack now */
        mov     T_HEAD(%rcx), %rsi
        cmp     T_LIMIT(%rcx), %rsi
        jae     8806f
        PART    stack
        LOAD_LOCAL L_TOP, %rsi
        add     $A_BYTES, %rsi
        mov     %rax, A_FRAME(%rsi)
        mov     %edx, A_ID(%rsi)
        STORE_LOCAL %rsi, L_TOP
        STORE_LOCAL %rax, L_TOP_FRAME
        PART    ring
        mov     T_CALLS(%rcx), %rax
        mov     T_RING(%rcx), %rsi
        inc     %rax
        mov     %rax, T_CALLS(%rcx)
        mov     %rax, R_CALLS(%rsi)
        mov     T_HEAD(%rcx), %rsi
        GET_SLOT
        mov     %edx, S_ID(%rsi)
        PART    stack
        mov     T_DEPTH(%rcx), %eax
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
        PUBLISH 1
8805:
        PART    registers
        RESTORE %rsi
8802:
        .cfi_restore_state
        .cfi_remember_state
        RESTORE %rdx
        RESTORE %rcx
        RESTORE %rax
        GO_ON   K_START, \slot
        .cfi_restore_state
        .cfi_remember_state
        .cfi_adjust_cfa_offset 8
8806:
        movl    $0, T_BUSY(%rcx)
8804:
        RESTORE %rsi
8803:
        .cfi_restore_state
        RESTORE %rdx
        RESTORE %rcx
        RESTORE %rax
        GENERAL K_START, \slot
        THUNK_END start_\cframe\()_\slot, SHORT_BLOCK, K_START, \slot
.endm

/* A return, or a generator is suspended: then the event's second slot names the frame. rax: frame. */
.macro LEAVE_THUNK name, kind, event, slots, cframe, slot
THUNK_START \name\()_\cframe\()_\slot, SHORT_BLOCK
        PART    registers
        SAVE    %rax
        PART    lookup
        LOAD_FRAME \cframe, %rax
        COMPARE_LOCAL %rax, L_TOP_FRAME
        jne     8802f
        .cfi_remember_state
        PART    registers
        SAVE    %rcx
        SAVE    %rdx
        SAVE    %rsi
        PART    checks
        LOAD_SELF %rcx
        LOAD_LOCAL L_TSTATE, %rax
        mov     T_LIVE(%rcx), %rsi
        mov     (%rsi), %esi
        sub     T_EPOCH(%rcx), %esi
        or      SITE_EMPTY(%rax), %esi  /* of a trace function, where a frame lay that is gone */
        SITE    SITE_TRACING
        jne     8804f
        PART    clock
        rdtsc                           /* what follows is not part of the call */
        PART    checks
        movl    $1, T_BUSY(%rcx)
        mov     T_HEAD(%rcx), %rsi
        cmp     T_LIMIT(%rcx), %rsi
        jae     8806f
        .if \slots == 2
        not     %rsi
        test    T_MASK(%rcx), %rsi
        je      8806f                   /* the last slot of the ring: they would not lie side by side */
        not     %rsi
        .endif
        PART    ring
        GET_SLOT
        mov     %eax, S_TIME(%rsi)
        mov     %edx, S_TIME + 4(%rsi)
        LOAD_LOCAL L_TOP, %rdx
        mov     A_ID(%rdx), %eax
        mov     %eax, S_ID(%rsi)
        .if \slots == 2
        mov     A_FRAME(%rdx), %rax
        movq    $0, S_BYTES + S_VALUE2(%rsi)
        mov     %rax, S_BYTES + S_VALUE(%rsi)
        .endif
        PART    stack
        mov     A_FRAME - A_BYTES(%rdx), %rax
        sub     $A_BYTES, %rdx
        STORE_LOCAL %rax, L_TOP_FRAME
        STORE_LOCAL %rdx, L_TOP
        mov     T_DEPTH(%rcx), %eax
        dec     %eax
        mov     %eax, T_DEPTH(%rcx)
        PART    ring
        shl     $S_DEPTH_SHIFT, %eax
        or      $\event, %eax
        mov     %eax, S_KIND_DEPTH(%rsi)
        PUBLISH \slots
        PART    registers
        RESTORE %rsi
        RESTORE %rdx
        RESTORE %rcx
        RESTORE %rax
        GO_ON   \kind, \slot
        .cfi_restore_state
        .cfi_remember_state
        .cfi_adjust_cfa_offset 24
8806:
        movl    $0, T_BUSY(%rcx)
8804:
        RESTORE %rsi
        RESTORE %rdx
        RESTORE %rcx
        jmp     8803f
        .cfi_restore_state
        .cfi_remember_state
8802:                                   /* not innermost */
        PART    lookup
        testb   $2, %fs:SITE_EMPTY + L_TOP_FRAME
        SITE    SITE_LOCAL, 1
        jne     8803f                   /* a region, perhaps of this frame */
        LOAD_LOCAL L_TSTATE, %rax
        LOAD_FIELD SITE_CHUNK, %rax, %rax
        COMPARE_LOCAL %rax, L_CHUNK
        jne     8803f                   /* the innermost open call is of another stack */
        PART    registers
        RESTORE %rax
        GO_ON   \kind, \slot
        .cfi_restore_state
8803:
        RESTORE %rax
        GENERAL \kind, \slot
        THUNK_END \name\()_\cframe\()_\slot, SHORT_BLOCK, \kind, \slot
.endm

        .irp    slot, 0, 1, 2, 3
        START_THUNK 0, \slot
        START_THUNK 1, \slot
        LEAVE_THUNK return, K_RETURN, S_EXIT, 1, 0, \slot
        LEAVE_THUNK return, K_RETURN, S_EXIT, 1, 1, \slot
        LEAVE_THUNK yield, K_YIELD, S_YIELD, 2, 0, \slot
        LEAVE_THUNK yield, K_YIELD, S_YIELD, 2, 1, \slot
        .irp    kind, 0, 1, 2, 3
        GENERAL_THUNK \kind, \slot
        .endr
        .endr

/*
 * In front of _PyEval_EvalFrameDefault(thread state, frame, throwflag): keeps the thread-local thread state right,
 * and sees frames that an exception leaves on the way to C. Part of the call: System V ABI.
 */
        .globl  kp_thunk_entry, kp_thunk_entry_idle
        .hidden kp_thunk_entry, kp_thunk_entry_idle
        .hidden kp_thunk_evaluator, kp_opcode_entering, kp_opcode_returned, kp_opcode_left
        .balign 16
kp_thunk_entry:
        .cfi_startproc
        endbr64
        COMPARE_LOCAL %rdi, L_TSTATE
        jne     entry_slow
        test    %edx, %edx
        jne     entry_slow
        LOAD_FIELD SITE_CHUNK, %rdi, %rax
        COMPARE_LOCAL %rax, L_CHUNK
        jne     entry_slow
        LOAD_SELF %rax
        mov     T_DEPTH(%rax), %eax
        SAVE    %rax
        call    *kp_thunk_evaluator(%rip)
        RESTORE %rcx
        test    %rax, %rax
        je      1f
        LOAD_SELF %rdx
        cmp     %ecx, T_DEPTH(%rdx)
        jne     1f
        ret
1:
        SAVE    %rax
        mov     %ecx, %edi
        call    kp_opcode_left
        RESTORE %rax
        ret
        .cfi_endproc

        .balign 16
entry_slow:
        .cfi_startproc
        sub     $72, %rsp
        .cfi_adjust_cfa_offset 72
        mov     %rdi, 48(%rsp)
        mov     %rsi, 56(%rsp)
        mov     %rdx, 64(%rsp)
        mov     %rsp, %rcx
        call    kp_opcode_entering
        mov     48(%rsp), %rdi
        mov     56(%rsp), %rsi
        mov     64(%rsp), %rdx
        call    *kp_thunk_evaluator(%rip)
        mov     %rax, 48(%rsp)
        mov     %rsp, %rdi
        call    kp_opcode_returned
        mov     48(%rsp), %rax
        add     $72, %rsp
        .cfi_adjust_cfa_offset -72
        ret
        .cfi_endproc

/* While nothing is observed: only the thread state is kept right. */
        .balign 16
kp_thunk_entry_idle:
        .cfi_startproc
        endbr64
        COMPARE_LOCAL %rdi, L_TSTATE
        jne     entry_slow
        jmp     *kp_thunk_evaluator(%rip)
        .cfi_endproc

        .section .data.rel.ro.kp_thunks, "aw"
        .balign 8
        .globl  kp_thunk_addresses
        .hidden kp_thunk_addresses
/* [flavour: short through the thread state, short through the cframe, general][kind][slot] */
.macro ADDRESSES prefix
        .irp    slot, 0, 1, 2, 3
        .quad   \prefix\()_\slot
        .endr
.endm

kp_thunk_addresses:
        ADDRESSES start_0
        ADDRESSES return_0
        ADDRESSES yield_0
        ADDRESSES general_3
        ADDRESSES start_1
        ADDRESSES return_1
        ADDRESSES yield_1
        ADDRESSES general_3
        ADDRESSES general_0
        ADDRESSES general_1
        ADDRESSES general_2
        ADDRESSES general_3

        .section .note.GNU-stack, "", @progbits
