/*
 * The callers of fuzz.c: they are what ffi_call calls, and call t_stub_N in their turn, through the PLT, a GOT slot,
 * a jump through the PLT, or an address. Before that they fill every register that takes no argument with what the
 * program wants, and write down all registers and the stack; after that they write them down again, and give ffi_call
 * its own back.
 */
#include "record.inc"

/* An instruction for each of the registers from `first` to `last`: OP displacement + step * n(%rcx), \name\n */
    .altmacro
    .macro LOAD_PLAIN op, name, first, last, offset, step
    .set n, \first
    .rept \last - \first + 1
    LOAD_ONE \op, \name, %n, %(\offset + n * \step)
    .set n, n + 1
    .endr
    .endm
    .macro LOAD_ONE op, name, number, offset
    \op \offset(%rcx), %\name\number
    .endm
    .macro INSERT_PLAIN op, name, first, last, offset, step
    .set n, \first
    .rept \last - \first + 1
    INSERT_ONE \op, \name, %n, %(\offset + n * \step)
    .set n, n + 1
    .endr
    .endm
    .macro INSERT_ONE op, name, number, offset
    \op $1, \offset(%rcx), %\name\number, %\name\number
    .endm

    .text
/* Called with the record in rcx, and a stack that ends with the return address here, which is not part of what is seen. */
    .balign 16
fill:
    LOAD_PLAIN movups, xmm, 8, 15, RECORD_VECTORS, 64
    testl $OPTION_AVX, RECORD_OPTIONS(%rcx)
    jz 1f
    INSERT_PLAIN vinsertf128, ymm, 0, 15, (RECORD_VECTORS + 16), 64
1:  testl $OPTION_AVX512, RECORD_OPTIONS(%rcx)
    jz 1f
    INSERT_PLAIN vinserti64x4, zmm, 0, 15, (RECORD_VECTORS + 32), 64
    LOAD_PLAIN vmovdqu64, zmm, 16, 31, RECORD_VECTORS, 64
    LOAD_PLAIN kmovq, k, 0, 7, RECORD_MASKS, 8
1:  stmxcsr RECORD_KEPT_CONTROL(%rcx)
    fnstcw RECORD_KEPT_CONTROL + 4(%rcx)
    ldmxcsr RECORD_CONTROL(%rcx)
    fldcw RECORD_CONTROL + 4(%rcx)
    testl $OPTION_X87, RECORD_OPTIONS(%rcx)
    jz 1f
    fldt RECORD_X87(%rcx)
    fldt RECORD_X87 + 16(%rcx)
1:  mov %rbx, RECORD_KEPT(%rcx)
    mov %rbp, RECORD_KEPT + 8(%rcx)
    mov %r12, RECORD_KEPT + 16(%rcx)
    mov %r13, RECORD_KEPT + 24(%rcx)
    mov %r14, RECORD_KEPT + 32(%rcx)
    mov %r15, RECORD_KEPT + 40(%rcx)
    mov RECORD_WANTED(%rcx), %rbx
    mov RECORD_WANTED + 8(%rcx), %rbp
    mov RECORD_WANTED + 16(%rcx), %r12
    mov RECORD_WANTED + 24(%rcx), %r13
    mov RECORD_WANTED + 32(%rcx), %r14
    mov RECORD_WANTED + 40(%rcx), %r15
    mov RECORD_WANTED + 48(%rcx), %r10
    mov RECORD_WANTED + 56(%rcx), %r11
    ret

/* The record in rcx. Keeps the results in x87 registers, drops what was put below them. */
give_back:
    mov RECORD_KEPT(%rcx), %rbx
    mov RECORD_KEPT + 8(%rcx), %rbp
    mov RECORD_KEPT + 16(%rcx), %r12
    mov RECORD_KEPT + 24(%rcx), %r13
    mov RECORD_KEPT + 32(%rcx), %r14
    mov RECORD_KEPT + 40(%rcx), %r15
    testl $OPTION_X87, RECORD_OPTIONS(%rcx)
    jz 3f
    cmpl $1, RECORD_X87_RESULTS(%rcx)
    jl 2f
    fstpt RECORD_X87(%rcx)
    je 1f
    fstpt RECORD_X87 + 16(%rcx)
1:  fstp %st(0)
    fstp %st(0)
    cmpl $1, RECORD_X87_RESULTS(%rcx)
    je 1f
    fldt RECORD_X87 + 16(%rcx)
1:  fldt RECORD_X87(%rcx)
    jmp 3f
2:  fstp %st(0)
    fstp %st(0)
3:  ldmxcsr RECORD_KEPT_CONTROL(%rcx)
    fldcw RECORD_KEPT_CONTROL + 4(%rcx)
    testl $OPTION_AVX, RECORD_OPTIONS(%rcx)
    jz 1f
    vzeroupper
1:  ret

    .macro BEFORE
    PUSH_FOUR
    mov abi_calls@GOTPCREL(%rip), %rcx
    mov (%rcx), %rcx
    POP_FOUR
    pop RECORD_RETURN(%rcx)
    call fill
    SAVE_REST
    mov abi_calls@GOTPCREL(%rip), %rdx
    addq $RECORD_BYTES, (%rdx)
    .endm
    .macro AFTER
    PUSH_FOUR
    mov abi_calls@GOTPCREL(%rip), %rcx
    subq $RECORD_BYTES, (%rcx)
    mov (%rcx), %rcx
    add $RECORD_AFTER, %rcx
    POP_FOUR
    SAVE_REST
    sub $RECORD_AFTER, %rcx
    call give_back
    push RECORD_RETURN(%rcx)
    add $RECORD_AFTER, %rcx
    LOAD_THREE
    ret
    .endm

    .macro CALLER number
    .balign 16
by_plt_\number:
    BEFORE
    LOAD_THREE
    call t_stub_\number@PLT
    AFTER
by_got_\number:
    BEFORE
    LOAD_THREE
    call *t_stub_\number@GOTPCREL(%rip)
    AFTER
tail_\number:
    jmp t_stub_\number@PLT
by_tail_\number:
    BEFORE
    LOAD_THREE
    call tail_\number
    AFTER
    .endm
    .set i, 0
    .rept ABI_STUBS
    CALLER %i
    .set i, i + 1
    .endr

    .globl abi_by_address
    .type abi_by_address, @function
abi_by_address:
    BEFORE
    push RECORD_TARGET(%rcx)
    LOAD_THREE
    lea 8(%rsp), %rsp
    call *-8(%rsp)
    AFTER
    .size abi_by_address, . - abi_by_address

    .macro TABLE_ROW name, number
    .quad \name\()_\number
    .endm
    .macro TABLE name
    .globl abi_\name
    .type abi_\name, @object
abi_\name:
    .set i, 0
    .rept ABI_STUBS
    TABLE_ROW \name, %i
    .set i, i + 1
    .endr
    .size abi_\name, . - abi_\name
    .endm
    .section .data.rel.ro, "aw", @progbits
    .balign 8
    TABLE by_plt
    TABLE by_got
    TABLE by_tail

    .bss
    .balign 8
    .globl abi_calls
    .type abi_calls, @object
    .size abi_calls, 8
abi_calls:
    .skip 8

    .section .note.GNU-stack, "", @progbits
