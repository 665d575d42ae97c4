#include "core.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "emit.h"
#include "log.h"
#include "manual.h"
#include "memory.h"
#include "open_calls.h"
#include "orphans.h"
#include "process.h"
#include "registry.h"
#include "sink.h"
#include "thread.h"
#include "trace/leftover.h"
#include "trace/proc.h"
#include "writer.h"

struct kp_core kp_core = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The mapping before this one: a parent's, or our own before a failed exec. Its functions are carried over.
 */
static struct kp_shm_control *previous;
static uint64_t previous_defs;
static bool previous_is_parents;
static bool resume_file; /* the next section goes behind the last one in the same file */

#define METAS_MAX          64
#define RULE_LISTENERS_MAX 4

static void (*rule_listeners[RULE_LISTENERS_MAX])(void);

static struct {
    char key[48];
    char value[464];
} metas[METAS_MAX];
static unsigned meta_count;

static uint32_t busy_before_lock; /* of the thread that has the lock */

void kp_core_lock(void)
{
    uint32_t before = kp_own_begin(kp_self);

    pthread_mutex_lock(&kp_core.lock);
    busy_before_lock = before;
}

bool kp_core_try_lock(void)
{
    uint32_t before = kp_own_begin(kp_self);

    if (pthread_mutex_trylock(&kp_core.lock) != 0) {
        kp_own_end(kp_self, before);
        return false;
    }
    busy_before_lock = before;
    return true;
}

void kp_core_unlock(void)
{
    uint32_t before = busy_before_lock;

    pthread_mutex_unlock(&kp_core.lock);
    kp_own_end(kp_self, before);
}

static bool make_live_page(void)
{
    void *page = kp_memory_private(4096);

    if (!page)
        return false;
    /* Linux 4.14; without it only fork() through libc is noticed. */
    madvise(page, 4096, MADV_WIPEONFORK);
    kp_core.live = page;
    return true;
}

static void set_live(bool on)
{
    uint32_t value = 0;

    if (on) {
        kp_core.epoch = kp_core.epoch + 1 == UINT32_MAX ? 1 : kp_core.epoch + 1;
        value = kp_core.epoch;
    }
    atomic_store_explicit(kp_core.live, value, memory_order_release);
}

bool kp_core_configure(void)
{
    if (!kp_config_read(&kp_core.options, &kp_core.rules) || !kp_core.options.enabled)
        return false;
    if (kp_core.options.children == KP_CHILDREN_IGNORE && kp_process_parent_traced())
        return false;
    kp_core.pid = getpid();
    kp_sink_remember_folder();
    if (!make_live_page() || kp_thread_setup() != 0) {
        kp_log(KP_LEVEL_ERROR, "no memory to start with: tracing is off");
        return false;
    }
    kp_core.clock = kp_clock_choose(kp_core.options.clock);
    kp_core.first_sync = kp_clock_sync(kp_core.clock);
    return true;
}

void kp_core_arm(void)
{
    if (atomic_load_explicit(&kp_core.state, memory_order_acquire) != KP_CORE_OFF)
        return;
    atomic_store_explicit(&kp_core.state, KP_CORE_ARMED, memory_order_release);
    set_live(true);
}

void kp_core_refresh(void)
{
    struct kp_rules fresh;

    kp_core_lock();
    /* The old rules are not freed: a thread may be matching. They are small and change rarely. */
    if (kp_config_rules(&kp_core.options, &fresh)) {
        kp_core.rules = fresh;
        atomic_fetch_add(&kp_core.rules_version, 1);
        if (atomic_load(&kp_core.state) != KP_CORE_OFF)
            set_live(true);
        kp_thread_forget_all();
        if (kp_core.rules_replaced)
            kp_core.rules_replaced();
    }
    kp_core_unlock();
    for (unsigned i = 0; i < RULE_LISTENERS_MAX && rule_listeners[i]; i++)
        rule_listeners[i]();
}

void kp_core_watch_rules(void)
{
    kp_core_lock();
    if (!kp_core.shm)
        kp_core_start();
    kp_core_unlock();
}

void kp_core_tell_of_rules(void (*changed)(void))
{
    kp_core_lock();
    for (unsigned i = 0; i < RULE_LISTENERS_MAX && rule_listeners[i] != changed; i++)
        if (!rule_listeners[i]) {
            rule_listeners[i] = changed;
            break;
        }
    kp_core_unlock();
}

void kp_core_meta(const char *key, const char *value)
{
    unsigned n = 0;

    while (n < meta_count && strcmp(metas[n].key, key) != 0)
        n++;
    if (n < METAS_MAX) {
        snprintf(metas[n].key, sizeof metas[n].key, "%s", key);
        snprintf(metas[n].value, sizeof metas[n].value, "%s", value);
        meta_count = n == meta_count ? n + 1 : meta_count;
    }
    if (kp_core.shm)
        kp_registry_meta(key, value);
}

void kp_core_meta_number(const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    kp_core_meta(key, text);
}

static void describe(struct kp_shm_control *shm)
{
    const char *rest;
    const struct kp_sink *sink = kp_sink_find(kp_core.options.output, &rest);

    shm->time_shift = kp_process_describe(shm);
    shm->first_sync = shm->last_sync = kp_core.first_sync;
    if (!sink->place || !sink->place(shm, rest, shm->output, sizeof shm->output))
        shm->output[0] = '\0';
}

/* Functions known before this mapping, then the metadata known so far. */
static bool fill(struct kp_shm_control *shm)
{
    if (previous && !kp_registry_carry(shm, previous, previous_defs))
        return false;
    if (previous && previous_is_parents)
        kp_memory_leave(previous);
    previous = NULL;
    for (unsigned i = 0; i < meta_count; i++)
        kp_registry_meta(metas[i].key, metas[i].value);
    return true;
}

bool kp_core_start(void)
{
    struct kp_shm_control *shm;

    if (atomic_load_explicit(&kp_core.state, memory_order_acquire) != KP_CORE_ARMED)
        return false;
    shm = kp_memory_create(kp_core.shm_path, sizeof kp_core.shm_path);
    if (!shm) {
        kp_core_disable("no memory for the rings");
        return false;
    }
    describe(shm);
    kp_core.shm = shm;
    if (!fill(shm) || !kp_writer_start(resume_file)) {
        kp_core_disable(previous ? "no memory for the definitions" : "no thread for the writer");
        unlink(kp_core.shm_path); /* nothing will be recorded there */
        return false;
    }
    resume_file = false;
    atomic_store_explicit(&kp_core.state, KP_CORE_RUNNING, memory_order_release);
    return true;
}

void kp_core_disable(const char *reason)
{
    if (reason)
        kp_log(KP_LEVEL_ERROR, "%s: tracing is off, the program runs on", reason);
    set_live(false);
    atomic_store_explicit(&kp_core.state, KP_CORE_OFF, memory_order_release);
}

static void unplaced_metas(void)
{
    uint64_t threads, calls;
    char value[48];

    kp_thread_unplaced(&threads, &calls);
    if (!threads)
        return;
    snprintf(value, sizeof value, "%llu threads, %llu calls", (unsigned long long)threads,
             (unsigned long long)calls);
    kp_core_meta("lost.no_room_for_threads", value);
}

/* What only the end knows: how often each rule matched, and what was said. */
static void last_metas(void)
{
    char key[32];
    const char *message;
    struct kp_rule_info rule;

    for (size_t i = 0; kp_rules_get(&kp_core.rules, i, &rule); i++) {
        snprintf(key, sizeof key, "rule.%zu.text", i);
        kp_core_meta(key, rule.text);
        snprintf(key, sizeof key, "rule.%zu.hits", i);
        kp_core_meta_number(key, rule.hits);
    }
    for (unsigned i = 0; (message = kp_log_kept(i)); i++) {
        snprintf(key, sizeof key, "message.%u", i);
        kp_core_meta(key, message);
    }
    unplaced_metas();
    kp_manual_note();
}

static void end_section(bool again)
{
    kp_core_lock();
    if (!kp_core.shm || atomic_load(&kp_core.state) != KP_CORE_RUNNING) {
        kp_core_unlock();
        return;
    }
    if (kp_self->ring)
        kp_emit_passed(kp_self); /* what passed since its last ENTER that looked for room */
    set_live(false);
    if (kp_core.last_words)
        kp_core.last_words();
    last_metas();
    kp_core_unlock();
    if (kp_writer_stop(true))
        unlink(kp_core.shm_path);
    kp_core_lock();
    previous = kp_core.shm;
    previous_defs = kp_registry_bytes();
    previous_is_parents = false;
    /* Never unmapped: a thread that was interrupted inside a probe may still write there. */
    kp_core.shm = NULL;
    kp_core.generation++;
    resume_file = again;
    kp_core.first_sync = kp_clock_sync(kp_core.clock);
    atomic_store_explicit(&kp_core.state, again ? KP_CORE_ARMED : KP_CORE_OFF, memory_order_release);
    if (again)
        set_live(true);
    kp_core_unlock();
}

/* From here on tracing is off in this thread, as far as C calls go. */
static void end_as_own(bool again)
{
    struct kp_thread_state *t = kp_self;
    uint32_t before = kp_own_begin(t);

    end_section(again);
    kp_own_end(t, before);
}

void kp_core_stop(void)
{
    end_as_own(false);
}

void kp_core_before_exec(void)
{
    end_as_own(true);
}

/* Threads of the program that still run, the calling one included. */
static unsigned others_than_writer(void)
{
    struct kp_proc proc;
    unsigned count;

    if (!kp_proc_read(&proc, 0))
        return 2;
    count = proc.threads - (proc.state == 'Z');
    return count - (kp_writer_running() && count > 0);
}

void kp_core_thread_ends(void)
{
    static _Atomic bool leader_gone;

    /* As long as the leader lives (it returns from main or calls exit), no other thread is the last one. */
    if (gettid() == kp_core.pid)
        atomic_store(&leader_gone, true);
    if (!atomic_load(&leader_gone))
        return;
    /* Threads that were joined may still be on their way out. */
    for (int tries = 0; tries < 5; tries++) {
        struct timespec moment = {0, 1000000};

        if (others_than_writer() <= 1) {
            kp_writer_stop(false);
            return;
        }
        nanosleep(&moment, NULL);
    }
}

static void fork_prepare(void)
{
    /* The writer first, without the lock: it may be waiting for it. Then nobody starts it again. */
    for (;;) {
        kp_core_lock();
        if (!kp_writer_running())
            return;
        kp_core_unlock();
        kp_writer_stop(false);
    }
}

static void fork_parent(void)
{
    struct kp_thread_state *t = kp_self;

    kp_core_unlock();
    kp_orphans_expect();
    /*
     * The writer comes back after some more events and not at once: CPython 3.12 and later count the threads
     * of the process right after fork and warn when there is more than one.
     */
    if (t->ring && t->limit > t->head + 2048)
        t->limit = t->head + 2048;
}

/* Also for a child that was made without the other parts. */
static void fork_child(void)
{
    pthread_mutex_init(&kp_core.lock, NULL);
    kp_core.pid = getpid();
    kp_writer_forked();
    if (atomic_load(&kp_core.state) == KP_CORE_OFF)
        return;
    if (kp_core.options.children == KP_CHILDREN_IGNORE) {
        kp_core_disable(NULL);
        return;
    }
    if (kp_core.shm) {
        previous = kp_core.shm;
        previous_defs = kp_registry_bytes();
        previous_is_parents = true;
        kp_uuid_hex(kp_core.parent_uuid, previous->uuid);
        kp_core.shm = NULL;
    }
    kp_core.generation++;
    resume_file = false;
    kp_core.first_sync = kp_clock_sync(kp_core.clock);
    kp_thread_forked();
    atomic_store_explicit(&kp_core.state, KP_CORE_ARMED, memory_order_release);
    set_live(true);
}

/*
 * From the part before to the part after, what fork calls inside of libc is taken for the shim's own: the
 * lock is held.
 */
static uint32_t busy_before_fork;

void kp_core_fork_prepare(void)
{
    uint32_t before = kp_own_begin(kp_self);

    fork_prepare();
    busy_before_fork = before;
}

void kp_core_fork_parent(void)
{
    uint32_t before = busy_before_fork;

    fork_parent();
    kp_own_end(kp_self, before);
}

void kp_core_fork_child(void)
{
    uint32_t before = busy_before_fork;

    fork_child();
    kp_own_end(kp_self, before);
}
