/*
 * Kieker logs: a folder with kieker.map and .dat or .bin files. What becomes of calls, generators, tasks and
 * losses is said in docs/kieker.md; trace/kieker does it, here are the folder and the options.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compression.h"
#include "exporter.h"
#include "export/prototype.h"
#include "trace/kieker/log.h"
#include "trace/kieker/traces.h"
#include "util/escape.h"
#include "util/memory.h"

struct export
{
    const char *command, *folder;
    struct kp_c_functions *c_functions;
    struct kp_kieker_log *log;
    struct kp_kieker_output *output;
    struct kp_kieker_traces *traces;
    const struct kp_function *function; /* that is being described */
    struct kp_process **processes;      /* whose end has not come */
    size_t process_count, process_capacity;
    enum kp_status status; /* the first one that is not KP_OK: nothing is written any more */
    int error;             /* errno then */
};

/* --- beginning --------------------------------------------------------------------------------------- */

static void tell(const struct export *export, const char *what)
{
    char *folder = kp_escape(export->folder);

    fprintf(stderr, "kprobe %s: %s: %s\n", export->command, folder, what);
    free(folder);
}

static bool open_log(struct export *export, enum kp_kieker_form form, const struct kp_export_options *options)
{
    struct kp_kieker_log_options log = {.records_per_file = options->records_per_file,
                                        .bytes_per_file = options->bytes_per_file};
    const struct kp_compression *compression =
        options->compression ? kp_compression_find(options->compression) : NULL;
    enum kp_status status;

    if (compression) {
        log.suffix = compression->suffix;
        log.filter_open = compression->open;
        log.filter_write = compression->write;
        log.filter_close = compression->close;
    }
    status = kp_kieker_log_open(&export->log, export->folder, form, &log);
    if (status == KP_OK)
        return true;
    tell(export, status == KP_ERROR_VALUE ? "there is a Kieker log already" : strerror(errno));
    return false;
}

/* Types from debug information. */
static bool describe(void *user, const struct kp_kieker_function_facts *facts,
                     struct kp_kieker_signature *signature)
{
    struct export *export = user;
    const struct kp_prototype *prototype;
    char *result, *parameters;

    if (facts->kind != KP_FUNCTION_C || !export->c_functions)
        return false;
    prototype = kp_c_functions_prototype(export->c_functions, export->function);
    if (!prototype || !kp_prototype_types(prototype, &result, &parameters))
        return false;
    kp_kieker_signature_typed(signature, facts, result, parameters);
    free(result);
    free(parameters);
    return true;
}

static void destroy(void *user)
{
    struct export *export = user;

    kp_kieker_traces_destroy(export->traces);
    kp_kieker_output_destroy(export->output);
    if (export->log)
        kp_kieker_log_close(export->log);
    free(export->processes);
    free(export);
}

static void *create(enum kp_kieker_form form, const struct kp_export_options *options)
{
    struct export *export = kp_allocate_cleared(1, sizeof *export);
    struct kp_kieker_traces_options traces = {.executions = options->executions,
                                              .application = options->application,
                                              .most_events = (uint32_t)options->records_per_trace,
                                              .describe = describe,
                                              .user = export};

    export->command = options->command;
    export->folder = options->folder;
    export->c_functions = options->c_functions;
    if (!open_log(export, form, options)) {
        destroy(export);
        return NULL;
    }
    export->output = kp_kieker_output_create(form, &kp_kieker_log_ops, export->log);
    export->traces = export->output ? kp_kieker_traces_create(export->output, &traces) : NULL;
    if (!export->traces) {
        tell(export, strerror(ENOMEM));
        destroy(export);
        return NULL;
    }
    kp_kieker_output_limit(export->output, options->bytes_per_file, options->records_per_file);
    return export;
}

static void *create_text(FILE *file, const struct kp_export_options *options)
{
    (void)file;
    return create(KP_KIEKER_TEXT, options);
}

static void *create_binary(FILE *file, const struct kp_export_options *options)
{
    (void)file;
    return create(KP_KIEKER_BINARY, options);
}

/* --- items ------------------------------------------------------------------------------------------- */

static void note(struct export *export, enum kp_status status)
{
    if (status == KP_OK || export->status != KP_OK)
        return;
    export->status = status;
    export->error = errno;
}

static enum kp_status take_process(struct export *export, struct kp_process *process)
{
    process->user = kp_kieker_process_begin(export->traces, process->uuid, process->host);
    if (!process->user)
        return KP_ERROR_NO_MEMORY;
    export->processes = kp_grow(export->processes, &export->process_capacity, export->process_count,
                                sizeof(struct kp_process *));
    export->processes[export->process_count++] = process;
    return KP_OK;
}

static enum kp_status take_function(struct export *export, const struct kp_function *function)
{
    struct kp_kieker_function_facts facts = {.id = function->id,
                                             .line = function->line,
                                             .flags = function->flags,
                                             .parameters = function->parameters,
                                             .kind = function->kind,
                                             .name = function->name,
                                             .file = function->file};

    export->function = function;
    return kp_kieker_process_function(function->process->user, &facts);
}

/* The last moment at which the process is known to have lived; without a clock there is no such thing. */
static uint64_t end_ns(const struct kp_process *process)
{
    return process->clock && !strcmp(process->clock, "none") ? 0 : process->end_ns;
}

static enum kp_status end_process(struct kp_process *process)
{
    struct kp_kieker_process *state = process->user;

    process->user = NULL;
    return state ? kp_kieker_process_end(state, end_ns(process)) : KP_OK;
}

static enum kp_status take_item(struct export *export, const struct kp_item *item)
{
    switch (item->kind) {
    case KP_ITEM_PROCESS:
        return take_process(export, item->process);
    case KP_ITEM_FUNCTION:
        return take_function(export, item->function);
    case KP_ITEM_THREAD:
        /* In a later part of a section any call may be open from before, until an event tells better. */
        return kp_kieker_process_thread(item->thread->process->user, item->thread->number, item->thread->tid,
                                        item->process->part ? UINT32_MAX : item->thread->base_depth);
    case KP_ITEM_EVENTS:
        return kp_kieker_process_events(item->thread->process->user, item->thread->number, item->events,
                                        item->count, NULL);
    case KP_ITEM_THREAD_END:
        /* One that did not end by itself lived as long as its process. */
        return item->thread->ended
                   ? kp_kieker_process_thread_end(item->thread->process->user, item->thread->number, 0)
                   : KP_OK;
    case KP_ITEM_PROCESS_END:
        return end_process(item->process);
    case KP_ITEM_META:
    case KP_ITEM_DAMAGE:
        break;
    }
    return KP_OK;
}

static void item(void *user, const struct kp_item *item)
{
    struct export *export = user;

    if (export->status == KP_OK)
        note(export, take_item(export, item));
}

/* --- the end ----------------------------------------------------------------------------------------- */

static void add(char *text, size_t room, uint64_t count, const char *one, const char *many)
{
    size_t used = strlen(text);

    if (count)
        snprintf(text + used, room - used, "%s%" PRIu64 " %s", used ? ", " : "", count,
                 count == 1 ? one : many);
}

/* What a reader of the log could not see. */
static void tell_counts(const struct export *export)
{
    const struct kp_kieker_counts *counts = kp_kieker_traces_counts(export->traces);
    char text[512] = "";

    add(text, sizeof text, counts->calls_lost, "call was lost", "calls were lost");
    add(text, sizeof text, counts->events_lost, "other event was lost", "other events were lost");
    add(text, sizeof text, counts->closed_unseen, "call ends where its end was not seen",
        "calls end where their end was not seen");
    add(text, sizeof text, counts->orphans, "end without a begin was left out",
        "ends without a begin were left out");
    add(text, sizeof text, counts->custom_incomplete, "incomplete record of the program was left out",
        "incomplete records of the program were left out");
    if (*text)
        tell(export, text);
}

static bool finish(void *user)
{
    struct export *export = user;
    struct kp_kieker_log *log = export->log;

    for (size_t i = 0; i < export->process_count; i++)
        if (export->status == KP_OK)
            note(export, end_process(export->processes[i]));
    if (export->status == KP_OK)
        note(export, kp_kieker_output_flush(export->output));
    export->log = NULL;
    note(export, kp_kieker_log_close(log));
    if (export->status == KP_OK) {
        tell_counts(export);
        return true;
    }
    tell(export, export->status == KP_ERROR_SYSTEM || export->status == KP_ERROR_FULL
                     ? strerror(export->error)
                     : kp_status_text(export->status));
    return false;
}

const struct kp_exporter kp_exporter_kieker = {
    .name = "kieker",
    .summary = "Kieker log, text",
    .folder = true,
    .create = create_text,
    .item = item,
    .finish = finish,
    .destroy = destroy,
};

const struct kp_exporter kp_exporter_kieker_binary = {
    .name = "kieker-binary",
    .summary = "Kieker log, binary",
    .folder = true,
    .create = create_binary,
    .item = item,
    .finish = finish,
    .destroy = destroy,
};
