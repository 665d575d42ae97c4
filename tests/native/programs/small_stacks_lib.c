/* Called where there is little room. */
#include "counted.h"

long t_here(long n);
long t_there(long n);

long t_here(long n)
{
    CALLED();
    return n * 7 % 11;
}

long t_there(long n)
{
    CALLED();
    return n * 5 % 13;
}
