/*
 * CSV (RFC 4180, a header line first): a line per call, written when it ends. duration_ns is the time it ran
 * (a generator's segments together), self_ns the part outside traced calls, end how it ended.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporter.h"
#include "util/escape.h"
#include "util/memory.h"

struct label {
    char *text; /* "name,file,line" */
    struct label *next;
};

struct export
{
    FILE *file;
    struct label *labels;
};

static void *create(FILE *file, const struct kp_export_options *options)
{
    (void)options;
    struct export *export = kp_allocate_cleared(1, sizeof *export);
    export->file = file;
    fputs("start_ns,duration_ns,self_ns,pid,tid,depth,end,name,file,line\n", file);
    return export;
}

/* Escaped as in dump, and quoted where a comma or quote demands it; new memory. */
static char *quote(const char *text)
{
    char *escaped = kp_escape(text);
    if (!strpbrk(escaped, ",\""))
        return escaped;
    char *quoted = kp_allocate(2 * strlen(escaped) + 3), *out = quoted;
    *out++ = '"';
    for (const char *in = escaped; *in; in++) {
        if (*in == '"')
            *out++ = '"';
        *out++ = *in;
    }
    *out++ = '"';
    *out = '\0';
    free(escaped);
    return quoted;
}

static struct label *make_label(struct export *export, const struct kp_function *function)
{
    struct label *label = kp_allocate(sizeof *label);
    char *name = quote(function->name), *file = quote(function->file);
    label->text = kp_format_text("%s,%s,%" PRIu32, name, file, function->line);
    label->next = export->labels;
    export->labels = label;
    free(name);
    free(file);
    return label;
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    (void)end_ns;
    struct export *export = user;
    if (!call->function->user)
        call->function->user = make_label(export, call->function);
    const struct label *label = call->function->user;
    fprintf(export->file, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%s%s,%s\n",
            call->start_ns, call->active_ns, call->self_ns, thread->thread->process->pid, thread->thread->tid,
            call->depth, kp_ending_text(ending), call->partial ? "-partial" : "", label->text);
}

static bool finish(void *user)
{
    (void)user;
    return true;
}

static void destroy(void *user)
{
    struct export *export = user;
    while (export->labels) {
        struct label *next = export->labels->next;
        free(export->labels->text);
        free(export->labels);
        export->labels = next;
    }
    free(export);
}

static const struct kp_calltree_ops calls = {.close = take_close};

const struct kp_exporter kp_exporter_csv = {
    .name = "csv",
    .summary = "comma-separated values, a line per call",
    .calls = &calls,
    .create = create,
    .finish = finish,
    .destroy = destroy,
};
