/*
 * tcp://, unix: and kieker-tcp:// - to a collector. Every chunk goes to a spool file first, which the sender
 * empties: so a chunk outlives this process from `write` on, whatever becomes of the connection, and `write`
 * never waits for it. The spool is removed when the collector has acknowledged the end.
 *
 * What dead children left (orphans.h) is delivered as well, one after the other, on a second connection.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carrier.h"
#include "core.h"
#include "log.h"
#include "trace/leftover.h"

#define PAUSE_MOST_NS 5000000ull  /* while lingering */
#define SEND_BYTES    (64u << 10) /* that wait for the next turn at most */

struct adopted {
    struct adopted *next;
    uint64_t streamed; /* bytes that went out before */
    char path[];
};

static struct {
    int pid;         /* whose state this is: a forked child starts with nothing */
    bool good;       /* there is an address */
    char name[4200]; /* for messages: the output as it was given */
    char token[KP_WIRE_TOKEN_MAX + 1];
    struct kp_spool spool, child_spool;
    struct kp_carrier carrier, child_carrier;
    uint8_t uuid[16]; /* of the section in the spool */
    uint64_t unsent;  /* bytes written since the last turn */
    bool child_busy;
    struct adopted *adopted;
} wire;

static void say(void *user, bool bad, const char *text)
{
    (void)user;
    if (bad)
        kp_log(KP_LEVEL_WARN, "%s: %s; the trace waits in %s", wire.name, text, wire.spool.path);
    else
        kp_log(KP_LEVEL_WARN, "%s: %s", wire.name, text);
}

static void say_nothing(void *user, bool bad, const char *text)
{
    (void)user;
    kp_log(KP_LEVEL_DEBUG, "%s: for a child: %s%s", wire.name, bad ? "" : "well: ", text);
}

static bool wire_place(const struct kp_shm_control *shm, const char *rest, char *out, size_t room)
{
    char hex[33], path[4096];

    (void)rest;
    kp_uuid_hex(hex, shm->uuid);
    return (size_t)snprintf(path, sizeof path, "%s/kprobe.%u.%s.kpt", kp_core.options.spool, shm->pid, hex) <
               sizeof path &&
           kp_sink_expand(path, out, room);
}

/* The first line of the file. */
static void read_token(void)
{
    const char *name = kp_core.options.token_file;
    char path[4096];
    ssize_t bytes = -1;
    int fd = -1;

    *wire.token = '\0';
    if (!*name)
        return;
    if (kp_sink_expand(name, path, sizeof path))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        bytes = read(fd, wire.token, KP_WIRE_TOKEN_MAX);
    if (bytes < 0)
        kp_log(KP_LEVEL_WARN, "KPROBE_TOKEN_FILE='%s': %s; no token is sent", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    wire.token[bytes > 0 ? bytes : 0] = '\0';
    wire.token[strcspn(wire.token, "\r\n")] = '\0';
}

static bool set_up(struct kp_carrier *carrier, const char *rest)
{
    const struct kp_sink *sink = kp_sink_find(kp_core.options.output, &rest);
    bool tcp = sink != &kp_sink_unix;
    char path[4096];

    if (!tcp && !kp_sink_expand(rest, path, sizeof path))
        return false;
    carrier->kieker = sink == &kp_sink_kieker_tcp;
    if (!carrier->kieker) {
        carrier->sender.token = wire.token;
        carrier->sender.token_bytes = (uint16_t)strlen(wire.token);
    }
    return kp_link_init(kp_carrier_link(carrier), tcp, tcp ? rest : path);
}

static void start(const char *rest)
{
    memset(&wire, 0, sizeof wire);
    wire.pid = kp_core.pid;
    wire.spool.fd = wire.child_spool.fd = -1;
    snprintf(wire.name, sizeof wire.name, "%s", kp_core.options.output);
    read_token();
    wire.good = set_up(&wire.carrier, rest) && set_up(&wire.child_carrier, rest);
    kp_carrier_link(&wire.carrier)->say = say;
    kp_carrier_link(&wire.child_carrier)->say = say_nothing;
    if (!wire.good)
        kp_log(KP_LEVEL_ERROR, "%s: that path is too long for a socket", wire.name);
}

static void publish(void)
{
    kp_core.shm->file_start = 0 - wire.spool.dropped;
    atomic_store_explicit(&kp_core.shm->streamed, kp_carrier_streamed(&wire.carrier), memory_order_relaxed);
}

static enum kp_status create_spool(const char *place)
{
    const char *name = strrchr(place, '/');
    char other[KP_SHM_OUTPUT_BYTES];
    enum kp_status status = kp_spool_create(&wire.spool, place, kp_core.options.spool_bytes);

    if (status != KP_OK && name) {
        snprintf(other, sizeof other, KP_SHM_FOLDER "%s", name);
        kp_log(KP_LEVEL_WARN, "cannot write %s: %s; what waits for the collector waits in %s", place,
               strerror(errno), other);
        status = kp_spool_create(&wire.spool, other, kp_core.options.spool_bytes);
    }
    if (status != KP_OK) {
        kp_log(KP_LEVEL_ERROR, "cannot write %s: %s", wire.spool.path, strerror(errno));
        return KP_ERROR_SYSTEM;
    }
    snprintf(kp_core.shm->output, sizeof kp_core.shm->output, "%s", wire.spool.path);
    kp_core.shm->file_made = 1;
    publish();
    return KP_OK;
}

static void wire_adopt(const char *path, uint64_t streamed)
{
    size_t bytes = strlen(path) + 1;
    struct adopted *one = malloc(sizeof *one + bytes);

    if (!one)
        return; /* it stays where it is */
    memcpy(one->path, path, bytes);
    one->streamed = streamed;
    one->next = wire.adopted;
    wire.adopted = one;
}

static enum kp_status wire_open(const char *rest, const char *place, bool resume)
{
    enum kp_status status;

    if (wire.pid != kp_core.pid)
        start(rest);
    if (resume && *wire.spool.path && memcmp(wire.uuid, kp_core.shm->uuid, sizeof wire.uuid) == 0) {
        status = kp_spool_resume(&wire.spool);
        if (status != KP_OK)
            kp_log(KP_LEVEL_ERROR, "cannot go on with %s: %s", wire.spool.path, strerror(errno));
        return status;
    }
    /* A further section, after an exec that failed; the one before is not completely there yet. */
    if (*wire.spool.path)
        wire_adopt(wire.spool.path, kp_carrier_streamed(&wire.carrier));
    status = create_spool(place);
    memcpy(wire.uuid, kp_core.shm->uuid, sizeof wire.uuid);
    if (status == KP_OK && !kp_carrier_begin(&wire.carrier, &wire.spool, wire.uuid, 0)) {
        kp_log(KP_LEVEL_ERROR, "%s: no memory for the connection", wire.name);
        status = KP_ERROR_NO_MEMORY;
    }
    return status;
}

static void next_child(void)
{
    struct adopted *one = wire.adopted;
    uint8_t uuid[16];

    if (!one)
        return;
    wire.adopted = one->next;
    wire.child_busy = kp_spool_open(&wire.child_spool, one->path) == KP_OK &&
                      kp_spool_uuid(&wire.child_spool, uuid) &&
                      kp_carrier_begin(&wire.child_carrier, &wire.child_spool, uuid, one->streamed);
    if (!wire.child_busy)
        kp_spool_suspend(&wire.child_spool);
    free(one);
}

static uint64_t child_turn(uint64_t now_ns)
{
    uint64_t rest;

    if (!wire.child_busy)
        next_child();
    if (!wire.child_busy)
        return UINT64_MAX;
    if (wire.child_spool.fd < 0 && kp_spool_resume(&wire.child_spool) != KP_OK) {
        wire.child_busy = false;
        return 0;
    }
    rest = kp_carrier_turn(&wire.child_carrier, now_ns);
    if (!kp_carrier_done(&wire.child_carrier))
        return rest;
    kp_carrier_pause(&wire.child_carrier);
    kp_spool_remove(&wire.child_spool);
    wire.child_busy = false;
    return 0;
}

static uint64_t wire_turn(void)
{
    uint64_t now_ns = kp_link_now(), rest, child;

    if (!wire.good)
        return UINT64_MAX;
    wire.unsent = 0;
    rest = kp_carrier_turn(&wire.carrier, now_ns);
    publish();
    child = child_turn(now_ns);
    return rest < child ? rest : child;
}

/* A turn of the writer may bring more than the spool holds: it is emptied meanwhile. */
static enum kp_status wire_write(const void *data, size_t bytes)
{
    enum kp_status status = kp_spool_append(&wire.spool, data, bytes);

    wire.unsent += bytes;
    if (status == KP_ERROR_FULL || wire.unsent > SEND_BYTES)
        wire_turn();
    if (status == KP_ERROR_FULL)
        status = kp_spool_append(&wire.spool, data, bytes);
    publish();
    if (status == KP_ERROR_SYSTEM)
        kp_log(KP_LEVEL_ERROR, "cannot write %s: %s", wire.spool.path, strerror(errno));
    return status;
}

static bool all_done(void)
{
    return kp_carrier_done(&wire.carrier) && !wire.child_busy && !wire.adopted;
}

/* Nobody is there: to wait is in vain. */
static bool is_absent(const struct kp_link *link)
{
    return link->state == KP_LINK_AWAY && link->error && link->error != ECONNRESET && link->error != EPIPE;
}

static void try_at_once(struct kp_link *link)
{
    if (link->state == KP_LINK_AWAY)
        link->next_try_ns = 0;
    link->error = 0;
    link->pause_ns = KP_LINK_PAUSE_FIRST_NS;
}

static void tell_rest(void)
{
    unsigned children = wire.child_busy;

    for (struct adopted *one = wire.adopted; one; one = one->next)
        children++;
    if (!kp_carrier_done(&wire.carrier))
        kp_log(KP_LEVEL_WARN, "%s: the rest of the trace, %llu bytes, is in %s: `kprobe report` reads it%s",
               wire.name, (unsigned long long)(wire.spool.end.offset - wire.spool.first.offset),
               wire.spool.path, wire.carrier.kieker ? "" : ", `kprobe send` delivers it");
    if (children)
        kp_log(KP_LEVEL_WARN, "%s: so are traces of %u children in that folder", wire.name, children);
}

/* A stream of Kieker's has no place to say it. */
static void tell_losses(void)
{
    const struct kp_kieker_counts *counts;

    if (!wire.carrier.kieker || !wire.carrier.streamer.traces)
        return;
    counts = kp_kieker_traces_counts(wire.carrier.streamer.traces);
    if (counts->calls_lost)
        kp_log(KP_LEVEL_WARN, "%s: %llu calls did not get there: the rings, or the spool, were full",
               wire.name, (unsigned long long)counts->calls_lost);
}

static void wire_finish(uint64_t end_ns)
{
    try_at_once(kp_carrier_link(&wire.carrier));
    try_at_once(kp_carrier_link(&wire.child_carrier));
    while (wire.good) {
        uint64_t rest = wire_turn();
        struct timespec pause = {0, (long)(rest < PAUSE_MOST_NS ? rest : PAUSE_MOST_NS)};

        if (all_done() || is_absent(kp_carrier_link(&wire.carrier)) || kp_link_now() >= end_ns)
            break;
        nanosleep(&pause, NULL);
    }
    if (!all_done())
        tell_rest();
    tell_losses();
    kp_carrier_pause(&wire.carrier);
    if (kp_carrier_done(&wire.carrier))
        kp_spool_remove(&wire.spool);
}

static void wire_close(void)
{
    kp_carrier_pause(&wire.carrier);
    kp_carrier_pause(&wire.child_carrier);
    kp_spool_suspend(&wire.spool);
    kp_spool_suspend(&wire.child_spool);
}

#define SLOTS                                                                                                \
    .place = wire_place, .open = wire_open, .write = wire_write, .turn = wire_turn, .finish = wire_finish,   \
    .adopt = wire_adopt, .close = wire_close

const struct kp_sink kp_sink_tcp = {SLOTS};
const struct kp_sink kp_sink_unix = {SLOTS};
const struct kp_sink kp_sink_kieker_tcp = {SLOTS, .converts = true};
