/*
 * MooBench's driver in C: calls monitored_method in blocks, in one or more threads, and keeps what each call
 * took in memory. harness/driver.py has the protocol. All blocks are in one state, that of the process.
 * --untraced says that it is not traced; with --deselect FILE, a file of rules of kprobe's is changed after
 * the first call of each thread, so that the function is hooked but selected no more.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "clock.h"
#include "monitored.h"

/* Steps of the work whose time says how fast the machine is at the moment, about 1 ms. */
#define SPEED_STEPS 2000000u

/* After so long a changed file of rules holds. */
#define DESELECTED_NS 500000000

struct plan {
    uint64_t invocations, blocks, depth, method_time_ns, threads;
    const char *report, *durations, *deselect;
    int untraced;
};

struct block {
    uint64_t speed_before_ns, speed_after_ns;
};

struct worker {
    pthread_t thread;
    const struct plan *plan;
    pthread_barrier_t *start;
    int64_t *durations;
    struct block *blocks;
    uint64_t cpu_ns;
    bool leads;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static uint64_t cpu_ns(clockid_t clock)
{
    struct timespec used;

    clock_gettime(clock, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* With pages that are there: no block pays for them. */
static void *memory(size_t bytes)
{
    void *place =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    must(place != MAP_FAILED, "memory");
    return place;
}

/* Processor time of this thread, so that threads that wait for each other do not look slow. Each step waits
 * for the one before it. */
static uint64_t speed_ns(void)
{
    uint64_t start = cpu_ns(CLOCK_THREAD_CPUTIME_ID), a = start, b = start, c = start, d = start;

    /* Independent of one another, so that they need the whole core: a single chain of dependent operations
     * takes as long when the core's other half is busy. */
    for (unsigned i = 0; i < SPEED_STEPS; i++) {
        a += i, b ^= i, c -= i, d += 3;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
    }
    return cpu_ns(CLOCK_THREAD_CPUTIME_ID) - start;
}

static void run_block(const struct plan *plan, int64_t *durations)
{
    for (uint64_t i = 0; i < plan->invocations; i++) {
        uint64_t start = kp_bench_now_ns();

        monitored_method(plan->method_time_ns, (unsigned)plan->depth);
        durations[i] = (int64_t)(kp_bench_now_ns() - start);
    }
}

static void deselect(const struct plan *plan)
{
    FILE *rules = fopen(plan->deselect, "w");

    must(rules, plan->deselect);
    must(fputs("-*:*\n", rules) >= 0 && fclose(rules) == 0, plan->deselect);
    nanosleep(&(struct timespec){.tv_nsec = DESELECTED_NS}, NULL);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct plan *plan = worker->plan;

    if (plan->deselect) {
        monitored_method(0, (unsigned)plan->depth);
        pthread_barrier_wait(worker->start);
        if (worker->leads)
            deselect(plan);
    }
    for (uint64_t i = 0; i < plan->blocks; i++) {
        struct block *block = &worker->blocks[i];

        pthread_barrier_wait(worker->start);
        block->speed_before_ns = speed_ns();
        pthread_barrier_wait(worker->start);
        run_block(plan, worker->durations + i * plan->invocations);
        pthread_barrier_wait(worker->start);
        block->speed_after_ns = speed_ns();
    }
    worker->cpu_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static uint64_t peak_bytes(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    uint64_t kilobytes = 0;
    char line[256];

    must(status, "/proc/self/status");
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kilobytes = strtoull(line + 6, NULL, 10);
    fclose(status);
    return kilobytes * 1024;
}

static void write_durations(const struct plan *plan, const struct worker *workers)
{
    FILE *file = fopen(plan->durations, "wb");
    size_t count = plan->blocks * plan->invocations;

    must(file, plan->durations);
    for (uint64_t i = 0; i < plan->threads; i++)
        must(fwrite(workers[i].durations, sizeof(int64_t), count, file) == count, plan->durations);
    must(fclose(file) == 0, plan->durations);
}

static void write_blocks(const struct plan *plan, const struct worker *workers, FILE *file)
{
    const char *comma = "";

    for (uint64_t thread = 0; thread < plan->threads; thread++)
        for (uint64_t i = 0; i < plan->blocks; i++) {
            const struct block *block = &workers[thread].blocks[i];

            fprintf(file,
                    "%s{\"thread\": %" PRIu64 ", \"traced\": %s, \"first\": %" PRIu64 ", \"count\": %" PRIu64
                    ", \"speed_before_ns\": %" PRIu64 ", \"speed_after_ns\": %" PRIu64 "}",
                    comma, thread, plan->untraced ? "false" : "true", i * plan->invocations,
                    plan->invocations, block->speed_before_ns, block->speed_after_ns);
            comma = ",\n ";
        }
}

static void write_report(const struct plan *plan, const struct worker *workers)
{
    /* Threads of tracers are in the former only. */
    uint64_t process_ns = cpu_ns(CLOCK_PROCESS_CPUTIME_ID), workload_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    FILE *file = fopen(plan->report, "w");

    must(file, plan->report);
    for (uint64_t i = 0; i < plan->threads; i++)
        workload_ns += workers[i].cpu_ns;
    fputs("{\"blocks\": [", file);
    write_blocks(plan, workers, file);
    fprintf(file,
            "],\n\"workload_cpu_ns\": %" PRIu64 ", \"process_cpu_ns\": %" PRIu64 ", \"peak_bytes\": %" PRIu64
            "}\n",
            workload_ns, process_ns, peak_bytes());
    must(fclose(file) == 0, plan->report);
}

static void run(const struct plan *plan)
{
    struct worker *workers = calloc(plan->threads, sizeof *workers);
    pthread_barrier_t start;

    must(workers, "memory");
    pthread_barrier_init(&start, NULL, (unsigned)plan->threads);
    for (uint64_t i = 0; i < plan->threads; i++)
        workers[i] = (struct worker){
            .plan = plan,
            .start = &start,
            .leads = i == 0,
            .durations = memory(plan->blocks * plan->invocations * sizeof(int64_t)),
            .blocks = memory(plan->blocks * sizeof(struct block)),
        };
    for (uint64_t i = 0; i < plan->threads; i++)
        must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
    for (uint64_t i = 0; i < plan->threads; i++)
        pthread_join(workers[i].thread, NULL);
    /* First, for its processor times. */
    write_report(plan, workers);
    write_durations(plan, workers);
    free(workers);
}

static uint64_t number(const char *name, const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (end != text && !*end)
        return value;
    fprintf(stderr, "driver: --%s needs a number, not '%s'\n", name, text);
    exit(2);
}

int main(int count, char **arguments)
{
    struct plan plan = {.invocations = 20000, .blocks = 8, .depth = 10, .threads = 1};
    uint64_t *const numbers[] = {&plan.invocations, &plan.blocks, &plan.depth, &plan.method_time_ns,
                                 &plan.threads};
    const char **const paths[] = {&plan.report, &plan.durations, &plan.deselect};
    const struct option options[] = {
        {"invocations", required_argument, NULL, 'n'}, {"blocks", required_argument, NULL, 'n'},
        {"depth", required_argument, NULL, 'n'},       {"method-time", required_argument, NULL, 'n'},
        {"threads", required_argument, NULL, 'n'},     {"report", required_argument, NULL, 'p'},
        {"durations", required_argument, NULL, 'p'},   {"deselect", required_argument, NULL, 'p'},
        {"untraced", no_argument, &plan.untraced, 1},  {NULL, 0, NULL, 0}};
    const int first_path = sizeof numbers / sizeof *numbers;
    int index = 0, kind;

    while ((kind = getopt_long(count, arguments, "", options, &index)) != -1) {
        if (kind == 'n')
            *numbers[index] = number(options[index].name, optarg);
        else if (kind == 'p')
            *paths[index - first_path] = optarg;
        else if (kind == '?')
            return 2;
    }
    if (!plan.report || !plan.durations || !plan.invocations || !plan.blocks || !plan.depth ||
        !plan.threads) {
        fputs("driver: --report, --durations, and numbers above 0 are needed\n", stderr);
        return 2;
    }
    run(&plan);
    return 0;
}
