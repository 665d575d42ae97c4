/* Coroutines by swapcontext that switch in the middle of traced calls, and end in another order than they
 * began. */
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

void t_through(void (*f)(void *), void *argument);
int t_deep(int depth, void (*f)(void *), void *argument);
int t_work(int n);

enum { COUNT = 5 };

static ucontext_t scheduler, coroutines[COUNT];
static char stacks[COUNT][262144];
static int current, ended[COUNT];
static long sums[COUNT];

static void yield(void *argument)
{
    int self = current;
    sums[self] += *(int *)argument + t_work(self);
    swapcontext(&coroutines[self], &scheduler);
    sums[self] += t_work(*(int *)argument);
}

static void yield_deeper(void *argument)
{
    t_deep(*(int *)argument % 4, yield, argument);
}

static void run(int number)
{
    for (int i = 0; i < 50 + 10 * number; i++) {
        int value = i + number;
        t_through(yield_deeper, &value);
    }
    ended[number] = 1;
}

int main(void)
{
    for (int i = 0; i < COUNT; i++) {
        getcontext(&coroutines[i]);
        coroutines[i].uc_stack.ss_sp = stacks[i];
        coroutines[i].uc_stack.ss_size = sizeof stacks[i];
        coroutines[i].uc_link = &scheduler;
        makecontext(&coroutines[i], (void (*)(void))run, 1, i);
    }
    long switches = 0;
    for (int open = COUNT; open > 0;) {
        open = 0;
        for (int i = 0; i < COUNT; i++) {
            /* Every third time another one than expected. */
            current = switches % 3 ? i : COUNT - 1 - i;
            if (ended[current])
                continue;
            switches++;
            swapcontext(&scheduler, &coroutines[current]);
        }
        for (int i = 0; i < COUNT; i++)
            open += !ended[i];
    }
    printf("switches %ld, sums", switches);
    for (int i = 0; i < COUNT; i++)
        printf(" %ld", sums[i]);
    printf("\nwork %d\n", t_work(5));
    return 0;
}
