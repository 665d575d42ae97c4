/*
 * Why is nothing traced? One row per reason, tested without running anything. `kprobe doctor` shows all,
 * `kprobe record` those that warn about its program.
 */
#ifndef KP_COLLECTOR_CHECKS_H
#define KP_COLLECTOR_CHECKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "program.h"

enum kp_verdict {
    KP_VERDICT_NONE, /* does not apply */
    KP_VERDICT_OK,
    KP_VERDICT_NOTE,
    KP_VERDICT_WARN,
    KP_VERDICT_FAIL
};

/* "ok", "note", "warn", "fail". */
const char *kp_verdict_text(enum kp_verdict verdict);

/* What a trace says about its making. Never NULL; an unreadable one is a fact, too. */
struct kp_trace_facts;
struct kp_trace_facts *kp_trace_facts_read(const char *path);
/* The same of the messages of a process that made no trace. */
struct kp_trace_facts *kp_trace_facts_of_log(const char *path);
void kp_trace_facts_free(struct kp_trace_facts *facts);

/* What is looked at; the parts that do not matter are NULL or 0. */
struct kp_subject {
    struct kp_program *program;
    struct kp_python python;            /* of the program */
    pid_t pid;                          /* a running process */
    const struct kp_trace_facts *trace; /* of a trace */
    const char
        *shim; /* path of the shim's file, "" when it is missing; shim_places says where it was sought */
    const char *shim_places;
};

enum kp_check_set {
    KP_CHECK_SETUP = 1,   /* this machine, this installation, this environment */
    KP_CHECK_PROGRAM = 2, /* needs program */
    KP_CHECK_PID = 4,     /* needs pid */
    KP_CHECK_TRACE = 8,   /* needs trace */
    KP_CHECK_NATIVE = 16, /* needs program; C functions of it and its libraries */
};

enum { KP_CHECK_TEXT_BYTES = 2048 };

struct kp_check {
    unsigned set;       /* one of enum kp_check_set */
    bool before_record; /* `kprobe record` warns */
    const char *name;
    /* Fills `text` with what was found. */
    enum kp_verdict (*test)(const struct kp_subject *subject, char text[KP_CHECK_TEXT_BYTES]);
    const char *remedy; /* shown for warn and fail; "" for none */
};

/* Do the rules of the environment ask for C functions? False, too, when they are wrong. */
bool kp_check_asks_for_c(void);

/* For tests: formats `text` and returns `verdict`. */
enum kp_verdict kp_check_say(char text[KP_CHECK_TEXT_BYTES], enum kp_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The tables; each ends with a row without a name. */
extern const struct kp_check kp_checks_setup[], kp_checks_program[], kp_checks_native[], kp_checks_pid[],
    kp_checks_trace[];

/* Called with every row of `sets` that applies. */
typedef void kp_check_visit(void *user, const struct kp_check *check, enum kp_verdict verdict,
                            const char *text);
void kp_checks_run(const struct kp_subject *subject, unsigned sets, kp_check_visit *visit, void *user);

#endif
