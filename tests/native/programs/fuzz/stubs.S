/*
 * The callees of fuzz.c: exported functions t_stub_0 ... that write down every register and the stack, and go on to what
 * the program put into abi_table (a closure of libffi) as if that had been called instead: with the same registers, and with
 * a return address in the same place. The same is written down when it returns.
 *
 * The records form a stack, so that closures may call further stubs; there is one thread.
 */
#include "record.inc"

    .text
    .balign 16
stub_common: /* on the stack: number of the stub, return address */
    PUSH_FOUR
    mov abi_records@GOTPCREL(%rip), %rcx
    mov (%rcx), %rcx
    POP_FOUR
    pop RECORD_NUMBER(%rcx)
    pop RECORD_RETURN(%rcx)
    SAVE_REST
    mov RECORD_NUMBER(%rcx), %rax
    mov abi_table@GOTPCREL(%rip), %rdx
    push (%rdx, %rax, 8)
    mov abi_records@GOTPCREL(%rip), %rdx
    addq $RECORD_BYTES, (%rdx)
    LOAD_THREE
    lea 8(%rsp), %rsp
    call *-8(%rsp)
    PUSH_FOUR
    mov abi_records@GOTPCREL(%rip), %rcx
    subq $RECORD_BYTES, (%rcx)
    mov (%rcx), %rcx
    add $RECORD_AFTER, %rcx
    POP_FOUR
    SAVE_REST
    push RECORD_RETURN - RECORD_AFTER(%rcx)
    LOAD_THREE
    ret

    .altmacro
    .macro STUB number
    .globl t_stub_\number
    .type t_stub_\number, @function
    .balign 16
t_stub_\number:
local_\number:
    nopl 0(%rax, %rax, 1) /* room for whoever patches entries */
    push $\number
    jmp stub_common
    .size t_stub_\number, . - t_stub_\number
    .endm
    .set i, 0
    .rept ABI_STUBS
    STUB %i
    .set i, i + 1
    .endr

/* The same functions as calls inside of this library reach them. */
    .macro LOCAL number
    .quad local_\number
    .endm
    .section .data.rel.ro, "aw", @progbits
    .globl abi_inside
    .type abi_inside, @object
    .balign 8
abi_inside:
    .set i, 0
    .rept ABI_STUBS
    LOCAL %i
    .set i, i + 1
    .endr
    .size abi_inside, . - abi_inside

    .bss
    .balign 8
    .globl abi_records, abi_table
    .type abi_records, @object
    .type abi_table, @object
    .size abi_records, 8
    .size abi_table, 8 * ABI_STUBS
abi_records:
    .skip 8
abi_table:
    .skip 8 * ABI_STUBS

    .section .note.GNU-stack, "", @progbits
