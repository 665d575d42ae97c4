/* Called by the program and by its signal handlers. */
#include "counted.h"

long t_work(long n);
void t_handler(int signal);
long t_outer(long n);

long t_work(long n)
{
    CALLED();
    return n * 7 % 11;
}

/* Called by its address: not seen. */
void t_handler(int signal)
{
    t_work(signal);
    t_outer(signal);
}

long t_outer(long n)
{
    CALLED();
    return t_work(n) + t_work(n + 1);
}
