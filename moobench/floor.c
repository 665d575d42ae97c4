/*
 * The floor under every tracer here: two reads of the clock and two 16-byte stores to a ring, per call pair,
 * and nothing else. Prints nanoseconds per pair: the median of blocks that are shorter than the time for
 * which a busy machine lets a process run, so that most are not interrupted. With the argument `clock` or
 * `ring` that part alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAIRS  20000u
#define BLOCKS 151u
#define SLOTS  65536u

struct slot {
    uint64_t time;
    uint64_t rest;
};

static volatile struct slot ring[SLOTS];

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Each block goes on in the ring where the one before ended. */
static void both(uint32_t *next)
{
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        volatile struct slot *slot = &ring[(*next)++ % SLOTS];

        slot->time = __builtin_ia32_rdtsc();
        slot->rest = i;
    }
}

static void clock_alone(uint32_t *next)
{
    for (uint32_t i = 0; i < 2 * PAIRS; i++)
        *next ^= (uint32_t)__builtin_ia32_rdtsc();
}

static void ring_alone(uint32_t *next)
{
    for (uint32_t i = 0; i < 2 * PAIRS; i++) {
        volatile struct slot *slot = &ring[(*next)++ % SLOTS];

        slot->time = i;
        slot->rest = i;
    }
}

static const struct part {
    const char *name;
    void (*run)(uint32_t *next);
} parts[] = {{"both", both}, {"clock", clock_alone}, {"ring", ring_alone}};

static double block(const struct part *part, uint32_t *next)
{
    uint64_t start = monotonic_ns();

    part->run(next);
    return (double)(monotonic_ns() - start) / PAIRS;
}

int main(int argc, char **argv)
{
    const struct part *part = parts;
    double blocks[BLOCKS];
    uint32_t next = 0;

    for (unsigned i = 0; argc > 1 && i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, argv[1]) == 0)
            part = &parts[i];
    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = block(part, &next);
    qsort(blocks, BLOCKS, sizeof *blocks, compare);
    printf("%.2f\n", blocks[BLOCKS / 2]);
    return 0;
}
