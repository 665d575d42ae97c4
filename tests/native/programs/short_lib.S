/* Functions that leave no room: shorter than a jump, entered by jumps in the middle, with calls and loops at the entry. */
    .text
    .macro FUNCTION name
    .globl \name
    .type \name, @function
\name:
    .endm
    .macro END name
    .size \name, . - \name
    .endm

    .balign 16
FUNCTION t_before
    mov $1, %eax
    ret
END t_before
FUNCTION t_return /* one byte, with neighbours on both sides */
    ret
END t_return
FUNCTION t_after
    mov $2, %eax
    ret
END t_after
FUNCTION t_padded
    nop
    ret
END t_padded
FUNCTION t_identity
    mov %rdi, %rax
    ret
END t_identity
FUNCTION t_endbr
    endbr64
    mov %rdi, %rax
    ret
END t_endbr
FUNCTION t_only_endbr
    endbr64
    ret
END t_only_endbr
FUNCTION t_jump
    jmp target
END t_jump
FUNCTION t_jump_outside
    jmp t_identity@PLT
END t_jump_outside
FUNCTION t_loop /* the entry is the loop */
    inc %eax
    dec %rdi
    jnz t_loop_inner
    ret
END t_loop
    .hidden t_loop_inner
    .set t_loop_inner, t_loop
FUNCTION t_back /* into the first five bytes */
    xor %eax, %eax
1:  inc %eax
    dec %edi
    jnz 1b
    ret
END t_back
    .balign 16
    .globl t_unsized
    .type t_unsized, @function
t_unsized: /* the entry is the loop, the stack is not always the same there, and nothing says where it ends */
    push %rdi
    lea -1(%rdi), %rdi
    test %rdi, %rdi
    jnz t_unsized_inner
1:  pop %rax
    cmpq $4096, (%rsp)
    jb 1b
    ret
    .hidden t_unsized_inner
    .set t_unsized_inner, t_unsized
    .balign 16
FUNCTION t_call
    call 1f
1:  pop %rax
    lea 1b(%rip), %rcx
    sub %rcx, %rax
    ret
END t_call
FUNCTION t_relative
    mov number(%rip), %eax
    ret
END t_relative
FUNCTION t_compare
    cmpl $4711, number(%rip)
    sete %al
    movzbl %al, %eax
    ret
END t_compare
FUNCTION t_branch
    test %edi, %edi
    je 1f
    mov $5, %eax
    ret
1:  mov $6, %eax
    ret
END t_branch
FUNCTION t_no_count
    mov %rdi, %rcx
    jrcxz 1f
    mov $7, %eax
    ret
1:  mov $8, %eax
    ret
END t_no_count
FUNCTION t_counted
    mov %edi, %ecx
    xor %eax, %eax
1:  add $3, %eax
    loop 1b
    ret
END t_counted
FUNCTION t_falls /* through into its neighbour */
    add $1, %rdi
FUNCTION t_fallen
    lea (%rdi, %rdi), %rax
    ret
END t_fallen
END t_falls
FUNCTION t_pushed
    push %rbx
    mov %rdi, %rbx
    mov %rbx, %rax
    pop %rbx
    ret
END t_pushed
FUNCTION t_carry /* looks at a flag that the ABI leaves open, but pushes nothing */
    lea 3(%rdi), %rax
    ret $0
END t_carry
target:
    mov $9, %eax
    ret
FUNCTION t_last
    ret
END t_last

    .section .rodata
number:
    .long 4711

    .section .note.GNU-stack, "", @progbits
