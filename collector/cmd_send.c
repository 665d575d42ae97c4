/* kprobe send: brings to a collector what a traced program could not bring there. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "trace/drain.h"
#include "trace/file_stat.h"
#include "trace/leftover.h"
#include "trace/options.h"
#include "trace/sender.h"
#include "trace/zstd.h"

static const char *to = "tcp://127.0.0.1:4712", *token_file;
static bool remove_after;
static unsigned long long patience = 30;

static const struct kp_option_row options[] = {
    {'t', "to", KP_ARGUMENT_STRING, "ADDRESS",
     "the collector: tcp://HOST[:PORT] or unix:PATH (default: tcp://127.0.0.1:4712)", NULL, &to},
    {0, "token-file", KP_ARGUMENT_STRING, "FILE", "its first line is what the collector asks for", NULL,
     &token_file},
    {'p', "patience", KP_ARGUMENT_NUMBER, "SECONDS",
     "how long to wait for the collector to take anything (default: 30)", NULL, &patience},
    {'r', "remove", KP_ARGUMENT_NONE, NULL, "remove FILE when the collector has all of it", NULL,
     &remove_after},
    {0},
};

static const struct kp_example examples[] = {
    {"kprobe send --remove /var/tmp/kprobe.4711.*.kpt",
     "what a program left, to a collector on this machine"},
    {"kprobe send --to tcp://collector kprobe.4711.kpt", "a trace that a program wrote to a file"},
    {NULL, NULL},
};

static char token[KP_WIRE_TOKEN_MAX + 2];

static bool read_token(void)
{
    FILE *file = token_file ? fopen(token_file, "re") : NULL;
    if (!token_file)
        return true;
    if (!file || !fgets(token, sizeof token, file)) {
        fprintf(stderr, "kprobe send: %s: %s\n", token_file, file ? "empty" : strerror(errno));
        if (file)
            fclose(file);
        return false;
    }
    fclose(file);
    token[strcspn(token, "\r\n")] = 0;
    return true;
}

/* --- what a killed process left in shared memory goes behind its spool --- */

struct search {
    char path[PATH_MAX];
    struct kp_leftover found;
};

static bool visit(void *user, const struct kp_leftover *leftover)
{
    struct search *search = user;
    if (strcmp(leftover->output, search->path))
        return true;
    search->found = *leftover;
    return false;
}

static enum kp_status append(void *user, const void *data, size_t bytes)
{
    return kp_spool_append(user, data, bytes);
}

static enum kp_status drain(struct kp_shm_control *shm, struct kp_spool *spool)
{
    struct kp_drain *drain = calloc(1, sizeof *drain);
    uint8_t *out = malloc(KP_CHUNK_EVENTS_ROOM);
    struct kp_encoder *encoder = malloc(sizeof *encoder);
    struct kp_zstd zstd;
    enum kp_status status = KP_ERROR_NO_MEMORY;
    kp_zstd_open(&zstd, 1);
    if (drain && out && encoder) {
        drain->shm = shm;
        drain->zstd = &zstd;
        drain->write = append;
        drain->user = spool;
        drain->out = out;
        drain->encoder = encoder;
        status = kp_drain_finish(drain, "ended", "by _exit or a signal; completed by kprobe send");
    }
    kp_zstd_close(&zstd);
    free(encoder);
    free(out);
    free(drain);
    return status;
}

/* 0, or -1 when it stays as it is, said. */
static int complete(const struct search *search)
{
    struct kp_shm_control *shm;
    struct kp_spool spool;
    if (kp_leftover_map(&shm, search->found.path) != KP_OK)
        return 0;
    /* A chunk that was just being written is in the rings as well. */
    uint64_t good = shm->file_start + atomic_load(&shm->file_bytes);
    struct stat st;
    enum kp_status status = KP_ERROR_SYSTEM;
    if (kp_file_stat(search->path, &st) == 0 && (uint64_t)st.st_size >= good &&
        truncate(search->path, (off_t)good) == 0)
        status = kp_spool_open(&spool, search->path);
    if (status == KP_OK) {
        status = drain(shm, &spool);
        kp_spool_suspend(&spool);
    }
    kp_leftover_unmap(shm);
    if (status == KP_OK || status == KP_ERROR_DAMAGED)
        return kp_leftover_remove(search->found.path);
    fprintf(stderr, "kprobe send: %s: what its process left in shared memory cannot be added: %s\n",
            search->path, kp_status_text(status));
    return -1;
}

/* --- sending --- */

static void say(void *user, bool bad, const char *text)
{
    (void)user;
    if (bad)
        fprintf(stderr, "kprobe send: %s: %s\n", to, text);
}

static bool set_up(struct kp_sender *sender)
{
    const char *rest;
    const struct kp_output_info *kind = kp_output_find(to, &rest);
    memset(sender, 0, sizeof *sender);
    if (!kp_link_init(&sender->link, kind->place == KP_OUTPUT_PLACE_ADDRESS, rest))
        return false;
    sender->link.say = say;
    sender->token = token;
    sender->token_bytes = (uint16_t)strlen(token);
    return true;
}

/* Until the collector has everything, or takes nothing for too long. */
static bool deliver(struct kp_sender *sender, const struct kp_spool *spool)
{
    uint64_t moved_ns = kp_link_now(), before = spool->first.offset + spool->dropped;
    while (kp_link_now() - moved_ns < patience * 1000000000u) {
        uint64_t rest = kp_sender_turn(sender, kp_link_now());
        struct timespec pause = {0, (long)(rest < 5000000 ? rest : 5000000)};
        if (spool->first.offset == spool->end.offset)
            return true;
        if (sender->link.state == KP_LINK_AWAY && sender->link.error == EPROTO)
            return false;
        if (spool->first.offset + spool->dropped != before)
            moved_ns = kp_link_now();
        before = spool->first.offset + spool->dropped;
        nanosleep(&pause, NULL);
    }
    return false;
}

static int send_spool(const char *path, struct kp_spool *spool)
{
    static struct kp_sender sender;
    uint8_t uuid[16];
    if (!set_up(&sender) || !kp_spool_uuid(spool, uuid)) {
        fprintf(stderr, "kprobe send: %s: no trace of a process at its beginning\n", path);
        return KP_EXIT_DAMAGED;
    }
    kp_sender_begin(&sender, spool, uuid);
    bool good = deliver(&sender, spool);
    kp_sender_pause(&sender);
    if (!good) {
        fprintf(stderr, "kprobe send: %s: %llu bytes are not at %s; it stays\n", path,
                (unsigned long long)(spool->end.offset - spool->first.offset), to);
        return KP_EXIT_DAMAGED;
    }
    if (!spool->ended)
        fprintf(stderr,
                "kprobe send: %s: the trace has no end: its process runs, or the end is lost; it "
                "stays\n",
                path);
    if (remove_after && spool->ended)
        kp_spool_remove(spool);
    return KP_EXIT_FINE;
}

static bool has_more(const struct kp_spool *spool)
{
    struct stat st;
    return spool->ended && kp_file_stat_fd(spool->fd, &st) == 0 && (uint64_t)st.st_size > spool->end.offset;
}

static int send_file(const char *path)
{
    struct kp_spool spool;
    struct search search = {.path = ""};
    if (!realpath(path, search.path)) {
        fprintf(stderr, "kprobe send: %s: %s\n", path, strerror(errno));
        return KP_EXIT_DAMAGED;
    }
    kp_leftover_each(visit, &search);
    if (*search.found.path && search.found.alive) {
        fprintf(stderr, "kprobe send: %s: process %u still runs and sends it itself\n", path,
                search.found.pid);
        return KP_EXIT_DAMAGED;
    }
    if (*search.found.path && complete(&search))
        return KP_EXIT_DAMAGED;
    enum kp_status status = kp_spool_open(&spool, search.path);
    if (status != KP_OK) {
        fprintf(stderr, "kprobe send: %s: %s\n", path,
                status == KP_ERROR_SYSTEM ? strerror(errno) : kp_status_text(status));
        return KP_EXIT_DAMAGED;
    }
    spool.keeps_all = !remove_after;
    int result = KP_EXIT_DAMAGED;
    if (has_more(&spool))
        fprintf(stderr, "kprobe send: %s: traces of several processes: only one can be sent at a time\n",
                path);
    else
        result = send_spool(path, &spool);
    kp_spool_suspend(&spool);
    return result;
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_options checked;
    char error[512];
    const char *rest;
    if (!count)
        return kp_usage_error(command, "which FILE?");
    kp_options_init(&checked);
    const struct kp_output_info *kind = kp_output_find(to, &rest);
    if (!kind || (strcmp(kind->scheme, "tcp://") && strcmp(kind->scheme, "unix:")))
        return kp_usage_error(command, "--to '%s': not tcp://HOST[:PORT] or unix:PATH", to);
    if (kp_option_set(&checked, "KPROBE_OUTPUT", to, error, sizeof error) != KP_OK)
        return kp_usage_error(command, "--to: %s", error);
    if (!read_token())
        return KP_EXIT_USAGE;
    int result = KP_EXIT_FINE;
    for (int i = 0; i < count; i++)
        if (send_file(operands[i]) != KP_EXIT_FINE)
            result = KP_EXIT_DAMAGED;
    return result;
}

const struct kp_command kp_command_send = {
    .name = "send",
    .arguments = "FILE...",
    .summary = "bring to a collector what a traced program could not bring there",
    .description =
        "A program that is traced to a collector (KPROBE_OUTPUT=tcp://HOST or unix:PATH) keeps what was not "
        "acknowledged in a file in KPROBE_SPOOL. When it ends, or is killed, before the collector has taken "
        "everything, this command delivers the rest, and what is still in shared memory. The collector says "
        "what it has: nothing comes twice.\n"
        "A trace in a file, of one process, can be sent as well.",
    .options = options,
    .examples = examples,
    .run = run,
};
