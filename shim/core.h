/*
 * The core of the shim: one traced process, from its first traced call to its end.
 *
 * Rules for all code in this folder: it runs in somebody else's process. No stdio streams, no exit, no
 * assertion that kills; on the hot path (emit.h and the engines' hooks) no lock, no allocation, no system
 * call, errno kept; a failure switches tracing off, says so in one line, and lets the program run.
 *
 * States: ARMED (configured; engines observe, but nothing has matched yet: no thread, no file, no memory
 * shared), RUNNING (first traced function seen), OFF (switched off, failed, or never on).
 */
#ifndef KP_SHIM_CORE_H
#define KP_SHIM_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace/options.h"
#include "trace/pattern.h"
#include "trace/shm.h"

enum kp_core_state { KP_CORE_OFF, KP_CORE_ARMED, KP_CORE_RUNNING };

struct kp_core {
    _Atomic unsigned state; /* enum kp_core_state */
    /*
     * One word on a page of its own that the kernel clears in a forked child (MADV_WIPEONFORK). Equal to a
     * thread's `epoch`: tracing is on and the thread's caches are valid. 0: look closer. So a child, however
     * it was made, never writes into its parent's rings.
     */
    _Atomic uint32_t *live;
    uint32_t epoch;      /* last value of *live; only grows */
    uint32_t generation; /* of the mapping; threads with another one have no ring */
    int pid;
    unsigned clock; /* enum kp_clock_choice */
    struct kp_options options;
    struct kp_rules rules;
    _Atomic uint32_t rules_version; /* grows when the filter file changed */
    void (*rules_replaced)(void);   /* with the lock held: verdicts kept elsewhere are void. NULL: nobody */
    void (*last_words)(void); /* with the lock held: a section ends, kp_core_meta may be told. NULL: nobody */
    struct kp_shm_control *shm; /* NULL before RUNNING */
    char shm_path[128];
    struct kp_clock_sync first_sync;
    /*
     * Guards everything that is not hot: registry, thread list, allocation in the mapping, state changes.
     * Held over fork. Never taken by the writer while it drains.
     */
    pthread_mutex_t lock;
    char parent_uuid[33]; /* of the process that forked us; "" otherwise */
};

extern struct kp_core kp_core;

/*
 * The lock. Who holds it is in the shim's own work: a hooked function that it calls must not ask for it
 * again.
 */
void kp_core_lock(void);
bool kp_core_try_lock(void);
void kp_core_unlock(void);

/* Read the environment. False: tracing stays off (said in the log if it was an error). Before any other
 * thread. */
bool kp_core_configure(void);

/* An engine is about to observe: probes may come from now on. */
void kp_core_arm(void);

/*
 * The first traced function was seen: make the mapping, start the writer. With the lock held. False: tracing
 * is off now. `kp_core.shm` is valid from here on.
 */
bool kp_core_start(void);

/* Switch off for good, with one line why (NULL: silently). What is recorded is written. Any thread. */
void kp_core_disable(const char *reason);

/* Write what is left, end the trace in order, remove the mapping. At exit. */
void kp_core_stop(void);

/* The same before an exec; if that fails, later events go to a further section of the same file. */
void kp_core_before_exec(void);

/*
 * A thread is about to end. If it is the program's last one, the writer goes first: glibc ends a process with
 * its last thread, and runs exit handlers in it. Without the lock held.
 */
void kp_core_thread_ends(void);

/* The rules changed: every verdict is to be asked for again. Any thread. */
void kp_core_refresh(void);

/* The writer reads the file of rules again, so it has to run even if no function has matched yet. */
void kp_core_watch_rules(void);

/* Have a function called, in the writer thread, when the rules changed. At most four, each once. */
void kp_core_tell_of_rules(void (*changed)(void));

/* The three parts of fork. */
void kp_core_fork_prepare(void);
void kp_core_fork_parent(void);
void kp_core_fork_child(void);

/* Metadata for readers. Kept until the mapping exists. With the lock held or before there are threads. */
void kp_core_meta(const char *key, const char *value);
void kp_core_meta_number(const char *key, uint64_t value);

#endif
