#include "manual.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "core.h"
#include "held_regions.h"
#include "log.h"
#include "manual_names.h"
#include "memory.h"
#include "open_calls.h"
#include "registry.h"
#include "signals.h"

/* Strings of records and causes leave this much of the definitions to functions. */
#define TEXT_BYTES (KP_SHM_DEFS_BYTES / 2)

#define FOLDERS_MAX 8u

struct manual {
    const char *name, *layout;
    /* The version of the rules plus one, and in the low half the id, 0 when it is not recorded. */
    _Atomic uint64_t verdict;
    _Atomic uint32_t id; /* the last one it had */
    uint32_t kind;
};

bool (*kp_manual_configure)(void);

/* By handle; [0] is unused. */
static _Atomic(struct manual *) manuals;
static _Atomic uint32_t manual_count; /* release: those before it are there */

static struct kp_memory_texts texts; /* with kp_core.lock held */

static char folders[FOLDERS_MAX][PATH_MAX];
static unsigned folder_count;

static _Atomic uint64_t unmatched, dropped;
static uint64_t text_bytes;
static _Atomic bool tried;

/* --- the slow path: locks, memory, and whatever libc calls for it --- */

struct own_work {
    uint64_t signals;
    uint32_t before;
    int saved_errno;
};

/* A handler could jump out for good, with a lock held; its calls would be taken for our own. */
static struct own_work begin_own(void)
{
    int saved = errno;
    uint64_t signals = kp_signals_block();

    return (struct own_work){.signals = signals, .before = kp_own_begin(kp_self), .saved_errno = saved};
}

static void end_own(struct own_work work)
{
    kp_own_end(kp_self, work.before);
    kp_signals_set(work.signals);
    errno = work.saved_errno;
}

void kp_manual_note(void)
{
    if (atomic_load(&unmatched))
        kp_core_meta_number("manual.unmatched_ends", atomic_load(&unmatched));
    if (atomic_load(&dropped))
        kp_core_meta_number("manual.records_without_room", atomic_load(&dropped));
}

/* Nobody else may have armed the core: a program in C whose functions no rule asks for. */
static void arm(void)
{
    static pthread_mutex_t configuring = PTHREAD_MUTEX_INITIALIZER;

    if (atomic_load(&tried))
        return;
    pthread_mutex_lock(&configuring);
    if (!atomic_load(&tried) && kp_manual_configure && kp_manual_configure() && kp_core.epoch == 0)
        kp_core_arm();
    atomic_store(&tried, true);
    pthread_mutex_unlock(&configuring);
}

static uint32_t make(enum kp_function_kind kind, const char *name, const char *layout, uint64_t hash)
{
    uint32_t number = atomic_load(&manual_count) + 1;
    struct manual *all = atomic_load(&manuals), made = {.kind = kind};

    if (!all && !(all = kp_memory_private((KP_MANUAL_NAMES_MAX + 1) * sizeof *all)))
        return 0;
    atomic_store_explicit(&manuals, all, memory_order_release);
    if (number > KP_MANUAL_NAMES_MAX || !(made.name = kp_memory_keep(&texts, name)) ||
        (layout && !(made.layout = kp_memory_keep(&texts, layout))))
        return 0;
    all[number] = made;
    if (!kp_manual_keep(hash, number))
        return 0;
    atomic_store_explicit(&manual_count, number, memory_order_release);
    return number;
}

static uint32_t find(enum kp_function_kind kind, const char *name, const char *layout)
{
    uint64_t hash = kp_manual_hash(kind, name, layout);
    uint32_t number = kp_manual_name(hash);
    struct own_work work;
    static bool said;

    if (number || kp_self->busy || kp_local.own)
        return number;
    work = begin_own();
    arm();
    kp_core_lock();
    number = kp_manual_name(hash);
    if (!number)
        number = make(kind, name, layout, hash);
    if (!number && !said) {
        kp_log(KP_LEVEL_WARN, "no room for more than %u names of manual probes: the others are not recorded",
               KP_MANUAL_NAMES_MAX);
        said = true;
    }
    kp_core_unlock();
    end_own(work);
    return number;
}

uint32_t kp_manual_region(const char *name)
{
    return find(KP_FUNCTION_MANUAL, name, NULL);
}

uint32_t kp_manual_class(const char *java_class, const char *layout)
{
    return find(KP_FUNCTION_RECORD, java_class, layout);
}

static struct manual *manual_of(uint32_t handle)
{
    if (handle == 0 || handle > atomic_load_explicit(&manual_count, memory_order_acquire))
        return NULL;
    return atomic_load_explicit(&manuals, memory_order_relaxed) + handle;
}

static void decide(struct manual *m)
{
    uint64_t version = (uint64_t)atomic_load(&kp_core.rules_version) + 1;
    const char *file = m->layout ? m->layout : "";
    uint32_t id = 0;

    kp_core_lock();
    if (kp_rules_match(&kp_core.rules, KP_FUNCTION_MANUAL, m->name, ""))
        id = kp_registry_function((enum kp_function_kind)m->kind, m->name, strlen(m->name), file,
                                  strlen(file), 0);
    if (id)
        atomic_store(&m->id, id);
    atomic_store_explicit(&m->verdict, version << 32 | id, memory_order_release);
    kp_core_unlock();
}

static inline bool is_decided(uint64_t verdict)
{
    return verdict >> 32 == (uint64_t)atomic_load_explicit(&kp_core.rules_version, memory_order_relaxed) + 1;
}

/*
 * The thread's state, in a probe, and the id; NULL: nothing is to be recorded. Calls that signal handlers
 * make in the midst of a probe pass, and those of an engine's self-test.
 */
static struct kp_thread_state *start_slow(struct manual *m, uint32_t *id, bool counts)
{
    struct kp_thread_state *t = kp_self;
    int saved = errno;
    uint64_t verdict, signals;

    if (atomic_load_explicit(&kp_core.state, memory_order_acquire) == KP_CORE_OFF)
        return NULL;
    if (t->busy || kp_local.own || t->on_trial) {
        if (t->busy == KP_BUSY_PROBE && counts)
            kp_thread_pass(t);
        return NULL;
    }
    signals = kp_signals_block();
    kp_local.own = true;
    t = kp_thread_active();
    kp_local.own = false;
    verdict = atomic_load_explicit(&m->verdict, memory_order_acquire);
    if (t && !is_decided(verdict)) {
        t->busy = KP_BUSY_OWN;
        decide(m);
        verdict = atomic_load_explicit(&m->verdict, memory_order_acquire);
        t->busy = 0;
    }
    *id = (uint32_t)verdict;
    /* It may have been switched off meanwhile. */
    t = t && *id && kp_thread_is_recording(t) ? t : NULL;
    if (t)
        kp_probe_begin(t);
    kp_signals_set(signals);
    errno = saved;
    return t;
}

static inline struct kp_thread_state *start(struct manual *m, uint32_t *id, bool counts)
{
    struct kp_thread_state *t = kp_self;
    uint64_t verdict = atomic_load_explicit(&m->verdict, memory_order_acquire);

    if (__builtin_expect(!kp_thread_is_recording(t) || t->busy || t->on_trial || !is_decided(verdict), 0))
        return start_slow(m, id, counts);
    *id = (uint32_t)verdict;
    if (!*id)
        return NULL;
    kp_probe_begin(t);
    return t;
}

/* --- regions --- */

bool kp_manual_active(void)
{
    return atomic_load_explicit(&kp_core.state, memory_order_acquire) != KP_CORE_OFF && kp_core.live &&
           atomic_load_explicit(kp_core.live, memory_order_relaxed) != 0;
}

bool kp_manual_wanted(uint32_t handle)
{
    struct manual *m = manual_of(handle);
    struct kp_thread_state *t;
    uint32_t id;

    t = m ? start(m, &id, false) : NULL;
    if (t)
        kp_probe_end(t);
    return t != NULL;
}

void kp_manual_begin(uint32_t region)
{
    struct manual *m = manual_of(region);
    struct kp_thread_state *t;
    uint32_t id;

    t = m ? start(m, &id, true) : NULL;
    if (!t)
        return;
    kp_call_begin(t, id, kp_region_tag(t));
    kp_probe_end(t);
}

/* Where an open region of what runs is; 0: nowhere. */
static uint32_t find_open(const struct kp_thread_state *t, uint32_t id)
{
    for (uint32_t depth = t->depth; depth > 0; depth--) {
        if (!kp_frame_is_region(t->open.base[depth].frame))
            break;
        if (t->open.base[depth].id == id)
            return depth;
    }
    return 0;
}

/* The registry knows what there are too many of to be kept here, too. 0: no room. */
static uint32_t define_text(enum kp_function_kind kind, const char *text, uint64_t hash)
{
    size_t bytes = strlen(text);
    uint64_t before, after;
    uint32_t id = 0;

    kp_core_lock();
    before = kp_registry_bytes();
    if (text_bytes + bytes <= TEXT_BYTES)
        id = kp_registry_function(kind, text, bytes, "", 0, 0);
    after = kp_registry_bytes();
    /* Fewer in a child whose mapping was made just now. */
    text_bytes += after > before ? after - before : 0;
    if (id)
        kp_manual_keep(hash, id);
    kp_core_unlock();
    return id;
}

static uint32_t cause_id(const char *cause)
{
    uint64_t hash = kp_manual_hash(KP_FUNCTION_EXCEPTION, cause, NULL);
    uint32_t id = kp_manual_name(hash);
    struct own_work work;

    if (id)
        return id;
    work = begin_own();
    id = define_text(KP_FUNCTION_EXCEPTION, cause, hash);
    end_own(work);
    return id;
}

/* The thread does not record: its stack is kept right for when it does again. */
static void forget(uint32_t id)
{
    struct kp_thread_state *t = kp_self;
    uint32_t depth = t->open.base && !t->busy ? find_open(t, id) : 0;

    if (depth)
        kp_open_forget(t, depth - 1);
}

/* Of a region that is not wanted nothing was begun. */
static void count_unmatched(struct manual *m)
{
    uint64_t verdict = m ? atomic_load_explicit(&m->verdict, memory_order_relaxed) : 0;

    if (m && kp_manual_active() && (!is_decided(verdict) || (uint32_t)verdict))
        atomic_fetch_add_explicit(&unmatched, 1, memory_order_relaxed);
}

/*
 * The region at `depth` is the innermost one afterwards. The state stays in the probe. `id` as it was when
 * the region began: the rules may have changed since.
 */
static struct kp_thread_state *close_start(uint32_t region, uint64_t *now)
{
    struct manual *m = manual_of(region);
    uint32_t id = m ? atomic_load_explicit(&m->id, memory_order_relaxed) : 0, depth;
    struct kp_thread_state *t;

    if (!id) {
        count_unmatched(m);
        return NULL;
    }
    t = kp_self;
    if (t->busy)
        return NULL;
    if (!kp_thread_is_recording(t) && !(t = kp_thread_active())) {
        forget(id);
        return NULL;
    }
    kp_probe_begin(t);
    *now = kp_clock_now(t->clock);
    depth = find_open(t, id);
    if (depth) {
        if (depth < t->depth)
            kp_open_unwind_to(t, depth, *now);
        return t;
    }
    count_unmatched(m);
    kp_probe_end(t);
    return NULL;
}

static void close_region(struct kp_thread_state *t, unsigned kind, uint64_t now)
{
    uint32_t id = kp_open_pop(t);

    kp_emit(t, kind, id, t->depth, now);
    kp_probe_end(t);
}

void kp_manual_end(uint32_t region)
{
    uint64_t now;
    struct kp_thread_state *t = close_start(region, &now);

    if (t)
        close_region(t, KP_EVENT_EXIT, now);
}

void kp_manual_fail(uint32_t region, const char *cause)
{
    uint64_t now;
    struct kp_thread_state *t = close_start(region, &now);
    uint32_t type;

    if (!t)
        return;
    type = cause && *cause ? cause_id(cause) : 0;
    if (type)
        kp_emit_pair(t, KP_EVENT_VALUES, KP_VALUES_EXCEPTION, t->depth, now, type, 0);
    close_region(t, KP_EVENT_UNWIND, now);
}

/* --- regions of coroutines --- */

uint64_t kp_manual_suspend(uint32_t region, uint64_t token)
{
    uint64_t now;
    struct kp_thread_state *t = close_start(region, &now);
    uint32_t id;

    if (!t)
        return 0;
    if (!token)
        token = kp_region_token(&kp_local.top->number);
    id = kp_open_pop(t);
    kp_emit_pair(t, KP_EVENT_YIELD, id, t->depth, now, token, 0);
    kp_probe_end(t);
    return token;
}

void kp_manual_resume(uint32_t region, uint64_t token)
{
    struct manual *m = manual_of(region);
    struct kp_thread_state *t;
    uint32_t id, depth;

    t = m && token ? start(m, &id, false) : NULL;
    if (!t)
        return;
    if (kp_open_room(t)) {
        depth = t->depth;
        kp_open_push(t, kp_region_tag(t), id);
        kp_emit_pair(t, KP_EVENT_RESUME, id, depth, kp_clock_now(t->clock), token, 0);
    }
    kp_probe_end(t);
}

/* --- records --- */

int32_t kp_manual_text(void *unused, const char *text)
{
    uint64_t hash = kp_manual_hash(KP_FUNCTION_TEXT, text, NULL);
    uint32_t id = kp_manual_name(hash);
    struct own_work work;

    (void)unused;
    if (id)
        return (int32_t)id;
    if (kp_self->busy || kp_local.own || !kp_manual_active())
        return -1;
    work = begin_own();
    id = define_text(KP_FUNCTION_TEXT, text, hash);
    end_own(work);
    return id ? (int32_t)id : -1;
}

void kp_manual_lose_record(uint32_t record_class)
{
    if (kp_manual_wanted(record_class))
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

static void put_payload(struct kp_thread_state *t, const uint8_t *payload, size_t bytes, uint64_t now)
{
    uint64_t words[2];
    size_t part;

    for (size_t at = 0; at < bytes; at += part) {
        part = bytes - at < sizeof words ? bytes - at : sizeof words;
        memset(words, 0, sizeof words);
        memcpy(words, payload + at, part);
        kp_emit_pair(t, KP_EVENT_VALUES, KP_VALUES_RECORD_BYTES, t->depth, now, words[0], words[1]);
    }
}

bool kp_manual_record(uint32_t record_class, const void *payload, size_t bytes)
{
    struct manual *m = manual_of(record_class);
    struct kp_thread_state *t;
    uint32_t id,
        slots = 2 * (1 + (uint32_t)((bytes + 15) / 16)) + 3; /* a filler, and what a pair looks for */
    uint64_t now;
    bool good;

    if (bytes > KP_MANUAL_RECORD_MAX) {
        kp_manual_lose_record(record_class);
        return false;
    }
    if (!m || m->kind != KP_FUNCTION_RECORD)
        return false;
    t = start(m, &id, false);
    if (!t) {
        /* A handler in the midst of a probe. */
        if (kp_self->busy == KP_BUSY_PROBE)
            atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
        return false;
    }
    good = kp_emit_room_for(t, slots, t->depth);
    if (good) {
        now = kp_clock_now(t->clock);
        kp_emit_pair(t, KP_EVENT_VALUES, KP_VALUES_RECORD, t->depth, now, id, bytes);
        put_payload(t, payload, bytes, now);
    }
    kp_probe_end(t);
    return good;
}

/* --- Python files --- */

void kp_manual_hide(const char *folder)
{
    struct own_work work = begin_own();

    kp_core_lock();
    if (folder_count < FOLDERS_MAX && strlen(folder) < PATH_MAX && !kp_manual_hides(folder))
        strcpy(folders[folder_count++], folder);
    kp_core_unlock();
    end_own(work);
}

bool kp_manual_hides(const char *file)
{
    for (unsigned i = 0; i < folder_count; i++)
        if (strncmp(file, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}
