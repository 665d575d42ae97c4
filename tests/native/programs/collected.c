/*
 * A conservative garbage collector, while the only reference to an object is in a register that a function
 * has to keep. Whoever comes between caller and function must keep it where the collector looks.
 */
#include <gc.h>
#include <stdint.h>
#include <stdio.h>

long t_collect(long rounds);

static int finalized;

static void finalizer(void *object, void *data)
{
    (void)object;
    ++*(int *)data;
}

/* Objects are noted down inverted, which is no reference. */
static __attribute__((noinline)) uintptr_t make(int *counter)
{
    long *object = GC_MALLOC(64);
    object[0] = 4711;
    GC_register_finalizer(object, finalizer, counter, NULL, NULL);
    return ~(uintptr_t)object;
}

/* The object is in rbx alone. */
static __attribute__((noinline)) uintptr_t collect_holding(uintptr_t inverted)
{
    __asm__ volatile("mov %0, %%rbx\n\t"
                     "not %%rbx\n\t"
                     "sub $128, %%rsp\n\t"
                     "mov %%rsp, %%r12\n\t"
                     "and $-16, %%rsp\n\t"
                     "mov $1, %%edi\n\t"
                     "xor %%eax, %%eax\n\t"
                     "call t_collect@PLT\n\t"
                     "mov %%r12, %%rsp\n\t"
                     "add $128, %%rsp\n\t"
                     "not %%rbx\n\t"
                     "mov %%rbx, %0"
                     : "+r"(inverted)
                     :
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "memory",
                       "cc");
    return inverted;
}

static __attribute__((noinline)) void clear_stack(void)
{
    volatile char space[8192];
    for (unsigned i = 0; i < sizeof space; i++)
        space[i] = 0;
}

int main(void)
{
    GC_INIT();
    int dropped = 0, wrong = 0;
    for (int i = 0; i < 20; i++)
        make(&dropped);
    clear_stack();
    t_collect(1);
    for (int i = 0; i < 50; i++) {
        uintptr_t inverted = make(&finalized);
        clear_stack();
        inverted = collect_holding(inverted);
        if (finalized || *(long *)~inverted != 4711)
            wrong++;
        finalized = 0;
        GC_register_finalizer((void *)~inverted, NULL, NULL, NULL, NULL);
    }
    printf("dropped objects were collected: %d, live ones: %d\n", dropped > 10, wrong);
    return 0;
}
