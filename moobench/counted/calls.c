/* So many calls of a function in a library, for a counter of instructions, between two marks (marks.py). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "monitored.h"

#define DEPTH 100

static long repeat(long calls)
{
    long made = 0;

    for (; made < calls; made += DEPTH)
        monitored_method(0, DEPTH);
    return made;
}

static int copy_maps(void)
{
    const char *path = getenv("COUNTED_MAPS");
    FILE *maps = fopen("/proc/self/maps", "r"), *copy = path ? fopen(path, "w") : NULL;
    int byte;

    if (!maps || !copy)
        return 1;
    while ((byte = getc(maps)) != EOF)
        putc(byte, copy);
    fclose(maps);
    return fclose(copy);
}

int main(int count, char **arguments)
{
    long made;

    if (count < 3)
        return 2;
    repeat(atol(arguments[1]));
    getpriority(PRIO_PROCESS, 0);
    made = repeat(atol(arguments[2]));
    getpriority(PRIO_PROCESS, 0);
    printf("%ld\n", made);
    return copy_maps();
}
