/*
 * Calls an exported function, from within a call of another one each thousand times, as often as asked in
 * each second: paced PAIRS_PER_SECOND SECONDS. Prints the calls made, the seconds that took, and the
 * processor time of kprobe's writer thread meanwhile, in ns.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE 1000 /* calls between looks at the clock */

long kp_bench_callee(long a, long b);
long kp_bench_within(long (*work)(long), long number);

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int has_name(const char *task, const char *name)
{
    char path[300], text[64] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%s/comm", task);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file))
        *text = '\0';
    fclose(file);
    return strncmp(text, name, strlen(name)) == 0;
}

/* 0 when there is no such thread. */
static unsigned long long writer_ns(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    unsigned long long ns = 0;

    while (tasks && (entry = readdir(tasks))) {
        char path[300];
        FILE *file;

        if (!has_name(entry->d_name, "kprobe-writer"))
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", entry->d_name);
        file = fopen(path, "r");
        if (file && fscanf(file, "%llu", &ns) != 1)
            ns = 0;
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return ns;
}

static long slice(long unused)
{
    long sum = unused;

    for (long i = 0; i < SLICE; i++)
        sum += kp_bench_callee(i, 2);
    return sum;
}

int main(int count, char **arguments)
{
    double rate = count > 1 ? atof(arguments[1]) : 1e6, seconds = count > 2 ? atof(arguments[2]) : 1;
    double start = now(), end = start + seconds, time;
    unsigned long long made = 0;
    volatile long sum = 0;

    while ((time = now()) < end) {
        if ((double)made > (time - start) * rate) {
            struct timespec moment = {0, 50000};
            nanosleep(&moment, NULL);
            continue;
        }
        sum += kp_bench_within(slice, 0);
        made += SLICE;
    }
    printf("%llu %.6f %llu\n", made, now() - start, writer_ns());
    return 0;
}
