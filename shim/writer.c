#include "writer.h"

#include <errno.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "core.h"
#include "log.h"
#include "memory.h"
#include "orphans.h"
#include "sink.h"
#include "thread.h"
#include "trace/drain.h"
#include "trace/proc.h"

#define PERIOD_NS      100000000l /* at most so long until an event is in the file */
#define SLOW_TURNS_NS  1000000000ull
#define FILTER_LOOK_NS 50000000ull
#define ORPHAN_TURNS   5 /* slow turns between looks for what dead children left */
#define RETRY_NS       1000000000ull
#define FULL_RETRY_NS  1000000000ull
#define NO_HOPE_NS     40000000ull /* a sink that rests longer makes no room at the end */
#ifdef __SANITIZE_THREAD__
#define STACK_BYTES (4u << 20) /* its runtime keeps a megabyte of each thread there */
#else
#define STACK_BYTES (512u << 10)
#endif

enum request { GO_ON, STOP, FINISH };

/* What the thread works with: one mapping, made at the first start and reused. */
struct workshop {
    struct kp_drain drain;
    struct kp_encoder encoder;
    uint8_t out[KP_CHUNK_EVENTS_ROOM];
};

static struct workshop *shop;
static struct kp_zstd zstd;
static bool zstd_tried;
static const void *own_library; /* the dynamic section of an object that is here for us only */
static const struct kp_sink *sink;
static const char *destination;         /* what follows the scheme */
static char place[KP_SHM_OUTPUT_BYTES]; /* where it was to be kept, before it got a suffix */

static pthread_t thread;
static _Atomic(void *) stack; /* threads that are new ask whether they are on it */
static _Atomic bool exists;   /* under the lock, except for reading */
static _Atomic bool failed;   /* the sink is broken for good */
static _Atomic bool working;  /* rings are being emptied */
static bool fresh, resume_section, finished, sink_was_open;
static _Atomic uint32_t wake_word;
static _Atomic unsigned request;
static _Atomic uint64_t retry_ns; /* no thread before this time; 0: none was refused */
static uint64_t last_slow_turn_ns, last_filter_look_ns, full_retry_ns;
static unsigned slow_turns;
static unsigned long long filter_time;
static bool full_said, alone;

static enum kp_status write_chunk(void *user, const void *data, size_t bytes)
{
    (void)user;
    return sink->write(data, bytes);
}

static void ring_done(void *user, struct kp_ring *ring)
{
    (void)user;
    kp_core_lock();
    kp_memory_ring_free(kp_core.shm, ring);
    kp_core_unlock();
}

/*
 * Descriptors of its own: CLOSE_RANGE_UNSHARE (Linux 5.9) leaves the program's table alone. Where it is
 * refused, ours stand in the program's table, marked close-on-exec.
 */
static void leave_descriptors(void)
{
    if (syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) == 0)
        kp_log_detach_thread();
    else
        kp_log(KP_LEVEL_INFO, "the writer shares the program's file descriptors: %s", strerror(errno));
}

static bool open_sink(void)
{
    enum kp_status status = sink->open(destination, place, !fresh || resume_section);

    if (status == KP_OK && fresh)
        status = kp_drain_open(&shop->drain);
    if (status == KP_ERROR_FULL)
        kp_log(KP_LEVEL_ERROR, "%s: no room for a trace", place);
    if (status != KP_OK)
        return false;
    fresh = false;
    sink_was_open = true;
    return true;
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A full disk is waited for: the rings fill, then events are dropped and counted, and it goes on when there
 * is room. */
static bool handle(enum kp_status status)
{
    if (status == KP_OK) {
        if (full_said)
            kp_log(KP_LEVEL_WARN, "%s: there is room again, the trace goes on", kp_core.shm->output);
        full_said = false;
        return true;
    }
    if (status == KP_ERROR_FULL) {
        if (!full_said)
            kp_log(KP_LEVEL_ERROR, "%s: no room: events are dropped and counted until there is some",
                   kp_core.shm->output);
        full_said = true;
        return true;
    }
    return false;
}

/* Threads that fill their ring by more than a quarter get a larger one ready before they need it. */
static void prepare_larger(void)
{
    struct kp_shm_thread *threads = kp_shm_threads(kp_core.shm);
    uint32_t used = atomic_load_explicit(&kp_core.shm->threads_used, memory_order_acquire);

    for (uint32_t i = 0; i < used; i++) {
        struct kp_ring *ring;

        if (atomic_load_explicit(&threads[i].state, memory_order_acquire) != KP_SHM_THREAD_LIVE)
            continue;
        ring = kp_shm_ring(kp_core.shm, atomic_load_explicit(&threads[i].ring, memory_order_acquire));
        if (!ring || atomic_load_explicit(&ring->next, memory_order_relaxed) ||
            kp_drain_pending(kp_core.shm, &threads[i]) < (3ull << ring->size_shift) / 8)
            continue;
        kp_core_lock();
        kp_writer_prepare_next(ring);
        kp_core_unlock();
    }
}

/*
 * The program's last thread is gone without having told us (it was never traced): what it would have done,
 * ending the process, is ours to do now. Its descriptors are closed already.
 */
static void leave_alone(void)
{
    atomic_store_explicit(&request, FINISH, memory_order_release);
    alone = true;
}

static void look_at_rules(uint64_t now)
{
    unsigned long long time;

    if (now - last_filter_look_ns < FILTER_LOOK_NS)
        return;
    last_filter_look_ns = now;
    time = kp_config_filter_time(&kp_core.options);
    if (time && filter_time && time != filter_time)
        kp_core_refresh();
    filter_time = time;
}

static void slow_turn(void)
{
    uint64_t now = monotonic_ns();
    struct kp_proc proc;

    kp_core.shm->last_sync = kp_clock_sync(kp_core.clock);
    look_at_rules(now);
    if (now - last_slow_turn_ns < SLOW_TURNS_NS)
        return;
    last_slow_turn_ns = now;
    if (kp_proc_read(&proc, 0) && proc.threads - (proc.state == 'Z') == 1)
        leave_alone();
    if (!full_said)
        handle(kp_drain_clock(&shop->drain));
    if (++slow_turns % ORPHAN_TURNS == 0)
        kp_orphans_finish(&shop->drain);
}

static bool turn(void)
{
    atomic_store_explicit(&wake_word, 0, memory_order_release);
    prepare_larger();
    slow_turn();
    if (full_said && monotonic_ns() < full_retry_ns)
        return true;
    if (!handle(kp_drain_all(&shop->drain)))
        return false;
    /* A disk does not get empty soon; a sink that sends does. */
    full_retry_ns = monotonic_ns() + (sink->turn ? FULL_RETRY_NS / 50 : FULL_RETRY_NS);
    return true;
}

static void sleep_until_woken(void)
{
    uint64_t end = monotonic_ns() + PERIOD_NS, now;

    while ((now = monotonic_ns()) < end) {
        uint64_t rest = sink->turn ? sink->turn() : UINT64_MAX;
        struct timespec pause = {0, (long)(rest < end - now ? rest : end - now)};

        if (atomic_load_explicit(&wake_word, memory_order_acquire))
            break;
        syscall(SYS_futex, &wake_word, FUTEX_WAIT_PRIVATE, 0u, &pause, NULL, 0u);
    }
}

/* What is in the rings may be more than a sink that sends has room for. */
static void drain_with_patience(uint64_t end_ns)
{
    while (sink->turn && kp_drain_all(&shop->drain) == KP_ERROR_FULL && monotonic_ns() < end_ns) {
        uint64_t rest = sink->turn();
        struct timespec pause = {0, 1000000};

        if (rest > NO_HOPE_NS)
            break;
        nanosleep(&pause, NULL);
    }
}

static void finish(void)
{
    uint64_t end_ns = monotonic_ns() + kp_core.options.linger_ms * 1000000u;

    drain_with_patience(end_ns);
    kp_core.shm->last_sync = kp_clock_sync(kp_core.clock);
    finished = handle(kp_drain_finish(&shop->drain, NULL, NULL)) && !full_said;
    if (finished)
        kp_log(KP_LEVEL_INFO, "the trace is complete: %llu calls made, %llu of them lost",
               (unsigned long long)shop->drain.calls_made, (unsigned long long)shop->drain.calls_lost);
    if (full_said)
        kp_log(KP_LEVEL_ERROR,
               "%s: the end of the trace is kept in shared memory: free some room, then `kprobe recover`",
               kp_core.shm->output);
    kp_orphans_finish(&shop->drain);
    if (sink->finish)
        sink->finish(end_ns);
}

static void *run(void *unused)
{
    bool good;

    (void)unused;
    kp_self = &kp_untraced;
    prctl(PR_SET_NAME, "kprobe-writer");
    leave_descriptors();
    good = open_sink();
    while (good && atomic_load_explicit(&request, memory_order_acquire) == GO_ON) {
        good = turn();
        if (good && atomic_load_explicit(&request, memory_order_acquire) == GO_ON)
            sleep_until_woken();
    }
    if (good && atomic_load_explicit(&request, memory_order_acquire) == FINISH)
        finish();
    if (!good) {
        atomic_store(&failed, true);
        kp_core_disable(sink_was_open ? "the trace cannot be written on" : "there is no trace to write to");
        /* Without a trace nobody will ever ask for what is in memory. */
        if (!sink_was_open)
            unlink(kp_core.shm_path);
    }
    sink->close();
    if (alone) {
        if (finished)
            unlink(kp_core.shm_path);
        kp_core_disable(NULL);
        atomic_store(&exists, false);
    }
    atomic_store_explicit(&working, false, memory_order_release);
    return NULL;
}

/* The program's signals are not ours: a handler must never run in this thread. */
static bool spawn(void)
{
    void *memory = atomic_load(&stack);
    pthread_attr_t attributes;
    sigset_t all, before;
    int error;

    if (!memory && !(memory = kp_memory_private(STACK_BYTES)))
        return false;
    atomic_store(&stack, memory);
    atomic_store(&request, GO_ON);
    atomic_store(&wake_word, 0);
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, memory, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&working, true);
    error = pthread_create(&thread, &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    atomic_store(&exists, error == 0);
    if (error) {
        atomic_store(&working, false);
        if (!retry_ns)
            kp_log(KP_LEVEL_WARN, "no thread for the writer: %s; trying again every second", strerror(error));
    }
    retry_ns = error ? monotonic_ns() + RETRY_NS : 0;
    return error == 0;
}

/* The program may use zstd as well. If it comes to that later, it will not be seen to. */
static void open_zstd(void)
{
    struct link_map *map;
    void *program_has_it;
    const char *rest;

    if (kp_sink_find(kp_core.options.output, &rest)->converts)
        return;
    program_has_it = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (kp_zstd_open(&zstd, (int)kp_core.options.compress_level) != 0)
        kp_log(KP_LEVEL_INFO, "libzstd.so.1 is not there: the trace is not compressed");
    else if (!program_has_it && (map = zstd.library))
        own_library = map->l_ld;
    if (program_has_it)
        dlclose(program_has_it);
}

bool kp_writer_owns(const void *dynamic_section)
{
    return dynamic_section && dynamic_section == own_library;
}

void kp_writer_load(void)
{
    if (!zstd_tried && kp_core.options.compress_level)
        open_zstd();
    zstd_tried = true;
}

static bool make_shop(void)
{
    if (!shop && !(shop = kp_memory_private(sizeof *shop)))
        return false;
    kp_writer_load();
    memset(&shop->drain, 0, offsetof(struct kp_drain, index));
    shop->drain.shm = kp_core.shm;
    shop->drain.zstd = &zstd;
    shop->drain.write = write_chunk;
    shop->drain.ring_done = ring_done;
    shop->drain.out = shop->out;
    shop->drain.encoder = &shop->encoder;
    return true;
}

bool kp_writer_start(bool resume)
{
    if (!make_shop())
        return false;
    sink = kp_sink_find(kp_core.options.output, &destination);
    memcpy(place, kp_core.shm->output, sizeof place);
    fresh = true;
    resume_section = resume;
    finished = sink_was_open = full_said = false;
    filter_time = kp_config_filter_time(&kp_core.options);
    last_slow_turn_ns = monotonic_ns();
    atomic_store(&failed, false);
    return spawn();
}

bool kp_writer_running(void)
{
    return atomic_load_explicit(&exists, memory_order_acquire);
}

bool kp_writer_working(void)
{
    return atomic_load_explicit(&working, memory_order_acquire);
}

/* After a fork, or when there was no thread to be had: full rings come here at every event. */
static void restart(void)
{
    if (retry_ns && monotonic_ns() < retry_ns)
        return;
    kp_core_lock();
    if (!atomic_load(&exists) && !atomic_load(&failed) && kp_core.shm &&
        atomic_load(&kp_core.state) == KP_CORE_RUNNING)
        spawn();
    kp_core_unlock();
}

void kp_writer_wake(void)
{
    if (!atomic_load_explicit(&exists, memory_order_acquire))
        restart();
    if (atomic_exchange_explicit(&wake_word, 1, memory_order_acq_rel) == 0)
        syscall(SYS_futex, &wake_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0u);
}

/*
 * The end of the process without a writer thread: this thread does its last work. Not in a new thread: when
 * the program's last thread has ended, glibc would take the new one for the last and end the process in it.
 */
static void finish_here(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (open_sink())
        finish();
    sink->close();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool kp_writer_stop(bool finish_trace)
{
    kp_core_lock();
    if (!atomic_load(&exists)) {
        kp_core_unlock();
        if (finish_trace && !atomic_load(&failed))
            finish_here();
        return finished || (atomic_load(&failed) && !sink_was_open);
    }
    kp_core_unlock();
    atomic_store_explicit(&request, finish_trace ? FINISH : STOP, memory_order_release);
    atomic_store_explicit(&wake_word, 1, memory_order_release);
    syscall(SYS_futex, &wake_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0u);
    pthread_join(thread, NULL);
    atomic_store(&exists, false);
    return finished || (atomic_load(&failed) && !sink_was_open);
}

bool kp_writer_stack_holds(const void *address)
{
    const void *memory = atomic_load_explicit(&stack, memory_order_relaxed);

    return memory && (uintptr_t)address - (uintptr_t)memory < STACK_BYTES;
}

void kp_writer_forked(void)
{
    atomic_store(&exists, false);
    atomic_store(&working, false);
    atomic_store(&failed, false);
    /* Its stack stays mapped; a new thread takes a new one. */
    atomic_store(&stack, NULL);
}

uint64_t kp_writer_prepare_next(struct kp_ring *ring)
{
    uint64_t offset = atomic_load_explicit(&ring->next, memory_order_acquire);
    uint64_t bytes = (uint64_t)sizeof(struct kp_slot) << ring->size_shift;
    struct kp_ring *next;

    if (offset || bytes >= KP_RING_BYTES_MAX)
        return offset;
    next = kp_memory_ring(kp_core.shm, bytes * 2, 0, ring->thread);
    if (!next)
        return 0;
    offset = (uint64_t)((uint8_t *)next - (uint8_t *)kp_core.shm);
    atomic_store_explicit(&ring->next, offset, memory_order_release);
    return offset;
}
