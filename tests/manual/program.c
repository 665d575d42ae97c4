/* Probes of every kind, in the ways that programs get them wrong, too: "program CASE". */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kprobe_kieker.h"

KPROBE_REGION(outer, "outer");
KPROBE_REGION(inner, "inner");

static void leaf(void)
{
    KPROBE_SCOPE("leaf");
}

static void nested(void)
{
    kprobe_begin(&outer);
    leaf();
    kprobe_begin(&inner);
    leaf();
    kprobe_fail(&inner, "OutOfStock");
    kprobe_begin_named("void shop.Cart.total(int,long)");
    kprobe_end_named("void shop.Cart.total(int,long)");
    kprobe_end(&outer);
}

static void wrong(void)
{
    errno = 77;
    kprobe_end(&outer);
    kprobe_begin(&outer);
    kprobe_begin(&inner);
    kprobe_begin(&inner);
    kprobe_end(&outer);
    kprobe_end(&inner);
    kprobe_fail(&inner, NULL);
    if (errno != 77)
        puts("errno changed");
}

static jmp_buf back;

static void jumps(void)
{
    kprobe_begin(&inner);
    longjmp(back, 1);
}

static void jump(void)
{
    kprobe_begin(&outer);
    if (!setjmp(back))
        jumps();
    leaf();
    kprobe_end(&outer);
}

static void *thread(void *unused)
{
    (void)unused;
    kprobe_end(&outer); /* of another thread */
    kprobe_begin(&inner);
    leaf();
    return NULL; /* left open */
}

static void threads(void)
{
    pthread_t others[4];

    kprobe_begin(&outer);
    for (int i = 0; i < 4; i++)
        pthread_create(&others[i], NULL, thread, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(others[i], NULL);
    kprobe_end(&outer);
}

static void forks(void)
{
    pid_t child;

    kprobe_begin(&outer);
    child = fork();
    if (child == 0) {
        leaf();
        kprobe_end(&outer);
        exit(0);
    }
    waitpid(child, NULL, 0);
    kprobe_end(&outer);
}

static void suspended(void)
{
    uint64_t first, second;

    kprobe_begin(&outer);
    first = kprobe_suspend(&outer, 0);
    kprobe_begin(&inner);
    second = kprobe_suspend(&inner, 0);
    kprobe_resume(&outer, first);
    kprobe_end(&outer);
    kprobe_resume(&inner, second);
    second = kprobe_suspend(&inner, second);
    kprobe_resume(&inner, second);
    kprobe_end(&inner);
}

static void pack(void)
{
    kieker_trace_t *trace;

    kieker_controller_initialize();
    kieker_probe_before_operation_event("shop.Cart", "total");
    trace = kieker_probe_aspect_event_before_operation("int shop.Cart.add(int)", "shop.Cart");
    kieker_probe_before_operation_event("shop", "shop.f");
    kieker_probe_after_operation_event("shop", "shop.f");
    kieker_probe_aspect_event_after_operation(trace, "int shop.Cart.add(int)", "shop.Cart");
    kieker_probe_after_operation_event("shop.Cart", "total");
    kieker_controller_finalize();
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void)signal;
    leaf();
    handled++;
}

/* A handler that interrupts probes: its own pass and are counted, and nothing breaks. */
static void signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(SIGALRM, &action, NULL);
    ualarm(500, 500);
    while (handled < 200)
        nested();
    ualarm(0, 0);
}

static void many_names(void)
{
    char name[32];

    for (int i = 0; i < 70000; i++) {
        snprintf(name, sizeof name, "name.%d", i);
        kprobe_begin_named(name);
        kprobe_end_named(name);
    }
}

static void executes(void)
{
    kprobe_begin(&outer);
    leaf();
    execl("/bin/true", "true", (char *)NULL);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"nested", nested},    {"wrong", wrong},         {"jump", jump}, {"threads", threads},
                 {"forks", forks},      {"suspended", suspended}, {"pack", pack}, {"signals", signals},
                 {"names", many_names}, {"executes", executes}};

    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, arguments[1]) == 0)
            cases[i].run();
    printf("done %d\n", count > 1 && !strcmp(arguments[1], "active") ? kprobe_active() : 0);
    return 0;
}
