/* Called by parents and children. counted_* are for children that end by _exit or begin anew. */
#include "counted.h"

int t_work(int n);
int t_deep(int depth, int (*f)(void));
int t_deeper(int depth, int (*f)(void));
void counts_begin(void);
void counts_end(void);

int t_work(int n)
{
    CALLED();
    return n * 7 % 11;
}

/* Each calls the other: compilers know where a function that calls itself is. */
int t_deep(int depth, int (*f)(void))
{
    CALLED();
    return depth == 0 ? f() : t_deeper(depth - 1, f);
}

int t_deeper(int depth, int (*f)(void))
{
    CALLED();
    return t_deep(depth, f);
}

void counts_begin(void)
{
    counted_reset();
}

void counts_end(void)
{
    counted_write();
}
