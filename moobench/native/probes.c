/*
 * What a probe of kprobe.h costs: nanoseconds per pair (or record), the least of short blocks, without those
 * of the empty loop. "probes region|scope|named|record".
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kieker/common/record/flow/trace/trace_metadata.h"

#include "kprobe.h"

#define PAIRS  20000u
#define BLOCKS 50u

KPROBE_REGION(region, "region");

static volatile unsigned sink;

static void empty(void)
{
    sink++;
}

static void pair(void)
{
    kprobe_begin(&region);
    sink++;
    kprobe_end(&region);
}

static void scope(void)
{
    KPROBE_SCOPE_OF(&region);
    sink++;
}

static void named(void)
{
    kprobe_begin_named("void shop.Cart.total(int)");
    sink++;
    kprobe_end_named("void shop.Cart.total(int)");
}

static void record(void)
{
    kieker_common_record_flow_trace_trace_metadata value;

    memset(&value, 0, sizeof value);
    value.traceId = sink++;
    value.sessionId = "<no-session-id>";
    value.hostname = "host";
    KPROBE_RECORD(kieker_common_record_flow_trace_trace_metadata_type, &value);
}

static double block(void (*body)(void))
{
    struct timespec start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < PAIRS; i++) {
        body();
        __asm__ volatile("" ::: "memory");
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / PAIRS;
}

static double least(void (*body)(void))
{
    double best = 1e9;

    for (unsigned i = 0; i < BLOCKS; i++) {
        double took = block(body);

        best = took < best ? took : best;
    }
    return best;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*body)(void);
    } kinds[] = {{"region", pair}, {"scope", scope}, {"named", named}, {"record", record}};

    for (size_t i = 0; count > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, arguments[1]) == 0)
            printf("%.2f\n", least(kinds[i].body) - least(empty));
    return 0;
}
