/* Runs the collector. */
#include <gc.h>

#include "counted.h"

long t_collect(long rounds);

long t_collect(long rounds)
{
    CALLED();
    for (long i = 0; i < rounds; i++)
        GC_gcollect();
    GC_invoke_finalizers();
    return rounds;
}
