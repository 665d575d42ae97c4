#include "python.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "code_object.h"
#include "core.h"
#include "cpython.h"
#include "engine.h"
#include "exception_type.h"
#include "log.h"
#include "open_calls.h"
#include "probes.h"
#include "method_thunk.h"
#include "method_unseen.h"
#include "method_walk.h"
#include "wake.h"

#define INTERPRETERS_MAX 256

/* Interpreters that were attached or given up; only touched with a GIL, and by the thread that owns the
 * interpreter. */
static _Atomic(void *) known[INTERPRETERS_MAX];
static const struct kp_engine *engine;
static _Atomic bool given_up;
static bool observes; /* functions may be traced, not only probes of the program's own */
static _Atomic uint32_t refreshed;

/* The interpreter that this thread is clearing, by its id, which no other of this runtime gets; -1: none. */
static __thread int64_t cleared __attribute__((tls_model("initial-exec"))) = -1;

bool kp_python_present(void *library)
{
    return kp_cpython_find(library);
}

static bool is_known(void *interpreter)
{
    for (unsigned i = 0; i < INTERPRETERS_MAX; i++) {
        void *entry = atomic_load_explicit(&known[i], memory_order_relaxed);

        if (entry == interpreter)
            return true;
    }
    return false;
}

static bool remember(void *interpreter)
{
    for (unsigned i = 0; i < INTERPRETERS_MAX; i++) {
        void *empty = NULL;

        if (atomic_compare_exchange_strong(&known[i], &empty, interpreter))
            return true;
    }
    return false;
}

/* It is about to be cleared. Until it is gone it raises audit events, which must not attach it again. */
static void forget(void *interpreter)
{
    if (kp_cpython.interpreter_id)
        cleared = kp_cpython.interpreter_id(interpreter);
    for (unsigned i = 0; i < INTERPRETERS_MAX; i++) {
        void *entry = interpreter;

        atomic_compare_exchange_strong(&known[i], &entry, NULL);
    }
}

static void give_up(const char *why)
{
    kp_log(KP_LEVEL_WARN, "CPython %s: %s: tracing is off", kp_cpython.version, why);
    atomic_store(&given_up, true);
}

/* An engine for the interpreter; the self-tests and what else it runs are none of the program's calls. */
static const struct kp_engine *attach_engine(void *interpreter)
{
    struct kp_thread_state *t = kp_thread_active();
    uint32_t before = t ? kp_own_begin(t) : 0;
    const struct kp_engine *attached = kp_engines_attach(interpreter);

    if (attached)
        kp_code_learn_existing();
    if (t)
        kp_own_end(t, before);
    return attached;
}

static bool observe_methods(const struct kp_engine *attached)
{
    if (!kp_methods_attach())
        return false;
    /* It may see more now. */
    if (attached->refresh)
        attached->refresh();
    kp_method_tell_unseen(attached);
    return true;
}

static void attach(void *interpreter)
{
    struct kp_error_state error;

    /* First, so that what we call cannot bring us here again. */
    if (!remember(interpreter) || !observes)
        return;
    kp_error_save(&error);
    kp_core_arm();
    if (!kp_code_setup()) {
        give_up("it does not export its code type");
    } else {
        const struct kp_engine *attached;

        if (!kp_exception_setup())
            kp_log(KP_LEVEL_INFO, "CPython %s lacks what is needed to name exceptions", kp_cpython.version);
        attached = attach_engine(interpreter);

        if (!attached && !engine)
            give_up("no engine can observe it");
        if (attached && kp_methods_wanted() && !observe_methods(attached))
            kp_log(KP_LEVEL_WARN, "CPython %s lacks what is needed to see functions in C",
                   kp_cpython.version);
        if (attached && *kp_core.options.filter_file)
            kp_core_watch_rules();
        engine = attached ? attached : engine;
    }
    kp_error_restore(&error);
}

/* The filter file changed: engines that switched functions off must look again. In a thread with the GIL. */
static void refresh(void)
{
    uint32_t version = atomic_load(&kp_core.rules_version);

    if (version == atomic_load(&refreshed))
        return;
    atomic_store(&refreshed, version);
    kp_methods_refresh();
    if (engine && engine->refresh)
        engine->refresh();
    if (kp_methods_wanted())
        kp_method_tell_unseen(engine);
}

static int refresh_pending(void *unused)
{
    (void)unused;
    refresh();
    return 0;
}

/* In the writer thread, which has no GIL: the interpreter calls us back when it may. */
static void rules_changed(void)
{
    kp_method_forget_verdicts();
    if (engine && kp_cpython.pending_add)
        kp_cpython.pending_add(refresh_pending, NULL);
}

/* `sys` is there with all that engines take from it. */
static bool is_up(void)
{
    return kp_cpython.sys_get("modules") &&
           (!kp_cpython_has_monitoring() || kp_cpython.sys_get("monitoring"));
}

static bool is_cleared(void *interpreter)
{
    return cleared >= 0 && kp_cpython.interpreter_id(interpreter) == cleared;
}

static bool on_wake(void);

/* The runtime ends and drops our hook; an embedding program may start it anew. */
static void start_over(void)
{
    for (unsigned i = 0; i < INTERPRETERS_MAX; i++)
        atomic_store(&known[i], NULL);
    cleared = -1;
    kp_wake_arm(on_wake);
}

/*
 * Runs at every audit event of every thread: cheap, silent, never failing. `thread` NULL: before
 * initialisation or after the end, where nothing may be called.
 */
static int on_audit(const char *event, void *arguments, void *user)
{
    void *interpreter;

    (void)user;
    if (!kp_cpython.thread_unchecked())
        return 0;
    if (strcmp(event, KP_PROBES_EVENT) == 0) {
        kp_probes_give(kp_cpython.tuple_item(arguments, 0));
        return 0;
    }
    if (atomic_load_explicit(&given_up, memory_order_relaxed))
        return 0;
    if (strcmp(event, "os.exec") == 0) {
        kp_core_before_exec();
        return 0;
    }
    interpreter = kp_cpython.interpreter_get();
    if (strcmp(event, "cpython.PyInterpreterState_Clear") == 0)
        forget(interpreter);
    else if (strcmp(event, "cpython._PySys_ClearAuditHooks") == 0)
        start_over();
    else if (!is_known(interpreter) && !is_cleared(interpreter) && is_up())
        attach(interpreter);
    else if (atomic_load_explicit(&kp_methods_pending, memory_order_relaxed))
        kp_methods_catch_up();
    return 0;
}

/* The first interpreter is up: attach, and ask to be told of everything else (PEP 578). With the GIL. */
static bool on_wake(void)
{
    struct kp_error_state error;

    if (!kp_cpython.thread_unchecked() || !is_up())
        return false;
    kp_error_save(&error);
    kp_cpython.add_audit_hook(on_audit, NULL);
    kp_error_restore(&error);
    if (!is_known(kp_cpython.interpreter_get()))
        attach(kp_cpython.interpreter_get());
    return true;
}

void kp_python_setup(void)
{
    if (kp_cpython.major != 3 || kp_cpython.minor < 8) {
        kp_log(KP_LEVEL_WARN, "CPython %s: too old, 3.8 or later is needed: tracing is off",
               kp_cpython.version);
        return;
    }
    if (kp_cpython.free_threaded) {
        kp_log(KP_LEVEL_WARN,
               "CPython %s is a free-threaded build, which kprobe does not trace yet: tracing is off",
               kp_cpython.version);
        return;
    }
    observes = kp_rules_possible(&kp_core.rules, KP_FUNCTION_PYTHON) || kp_methods_wanted() ||
               *kp_core.options.filter_file;
    if (!kp_cpython.thread_unchecked || !kp_cpython.interpreter_get || !kp_cpython.sys_get ||
        !(observes || kp_rules_possible(&kp_core.rules, KP_FUNCTION_MANUAL)))
        return;
    kp_core_tell_of_rules(rules_changed);
    if (!kp_wake_arm(on_wake))
        give_up("it does not export its type of builtin functions");
}
