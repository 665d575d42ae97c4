/*
 * Functions that count their calls, so that a trace can be compared with what really happened: CALLED() at
 * the start of a function, and at the end of the process a line "name calls" for each in the file that COUNTS
 * names. Several processes may append to it; one that was forked begins anew with counted_reset().
 */
#ifndef COUNTED_H
#define COUNTED_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct counter {
    const char *name;
    unsigned long calls;
    struct counter *next;
};

static struct counter *counters;

/* Signal handlers count, too. */
static inline void counted_call(struct counter *c)
{
    if (__atomic_fetch_add(&c->calls, 1, __ATOMIC_RELAXED) == 0 && !c->next) {
        c->next = __atomic_load_n(&counters, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&counters, &c->next, c, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            ;
    }
}

#define COUNT_AS(text)                                                                                       \
    do {                                                                                                     \
        static struct counter counter_ = {text, 0, 0};                                                       \
        counted_call(&counter_);                                                                             \
    } while (0)
#define CALLED() COUNT_AS(__func__)

__attribute__((unused)) static void counted_reset(void)
{
    for (struct counter *c = counters; c; c = c->next)
        c->calls = 0;
}

/* For processes that end by _exit as well. */
__attribute__((unused, destructor)) static void counted_write(void)
{
    const char *path = getenv("COUNTS");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    for (struct counter *c = counters; c; c = c->next)
        dprintf(fd, "%s %lu\n", c->name, c->calls);
    close(fd);
    counted_reset();
}

#endif
