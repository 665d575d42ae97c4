/*
 * Chrome Trace Event JSON, for Perfetto and chrome://tracing.
 *
 * Every segment of a call is one complete event ("X"), so they nest perfectly within a thread; times are
 * microseconds with three decimals, exact, counted from the start of the first process, because viewers keep
 * them in doubles that cannot hold nanoseconds since 1970.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "debug/arguments.h"
#include "exporter.h"
#include "util/json.h"
#include "util/memory.h"

/* The part of an event that only the function decides, made once. */
struct label {
    char *text;
    size_t length;
    struct label *next;
};

struct shown_process {
    const struct kp_process *process;
    uint32_t pid;
};

struct export
{
    FILE *file;
    bool comma;
    bool based;
    uint64_t base_ns;
    struct label *labels;
    struct kp_c_functions *c_functions;
    struct shown_process *processes;
    size_t process_count, process_capacity;
};

static void *create(FILE *file, const struct kp_export_options *options)
{
    struct export *export = kp_allocate_cleared(1, sizeof *export);
    export->c_functions = options->c_functions;
    export->file = file;
    fputs("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [", file);
    return export;
}

static void begin_event(struct export *export)
{
    fputs(export->comma ? ",\n" : "\n", export->file);
    export->comma = true;
}

static void put_time(struct export *export, const char *key, uint64_t ns)
{
    fprintf(export->file, ", \"%s\": %" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

/* Events before the first process's own start (a clock set back) lie at 0. */
static uint64_t since_base(const struct export *export, uint64_t ns)
{
    return ns > export->base_ns ? ns - export->base_ns : 0;
}

/*
 * Traces of several hosts, or of a long time, may hold a pid twice; viewers would mix their threads. The
 * process that came later gets a number beyond all real ones.
 */
static uint32_t choose_pid(struct export *export, const struct kp_process *process)
{
    enum { PID_LIMIT = 1 << 22 };
    uint32_t pid = process->pid;
    for (size_t i = 0; i < export->process_count; i++)
        if (export->processes[i].pid % PID_LIMIT == process->pid)
            pid += PID_LIMIT;
    export->processes = kp_grow(export->processes, &export->process_capacity, export->process_count,
                                sizeof *export->processes);
    export->processes[export->process_count++] = (struct shown_process){process, pid};
    return pid;
}

static uint32_t pid_of(const struct export *export, const struct kp_process *process)
{
    for (size_t i = export->process_count; i-- > 0;)
        if (export->processes[i].process == process)
            return export->processes[i].pid;
    return process->pid;
}

static void put_metadata(struct export *export, const char *what, uint32_t pid, uint32_t tid,
                         const char *name)
{
    begin_event(export);
    fprintf(export->file,
            "{\"ph\": \"M\", \"name\": \"%s\", \"pid\": %" PRIu32 ", \"tid\": %" PRIu32
            ", \"args\": {\"name\": ",
            what, pid, tid);
    kp_json_quote(export->file, name);
    fputs("}}", export->file);
}

static void take_item(void *user, const struct kp_item *item)
{
    struct export *export = user;
    if (item->kind == KP_ITEM_PROCESS) {
        if (!export->based)
            export->base_ns = item->process->start_ns;
        export->based = true;
        put_metadata(export, "process_name", choose_pid(export, item->process), item->process->pid,
                     item->process->command ? item->process->command : "");
    } else if (item->kind == KP_ITEM_THREAD && *item->thread->name) {
        put_metadata(export, "thread_name", pid_of(export, item->thread->process), item->thread->tid,
                     item->thread->name);
    }
}

static const char *category(uint8_t kind)
{
    static const char *const texts[] = {[KP_FUNCTION_C_PYTHON] = "builtin",
                                        [KP_FUNCTION_C] = "c",
                                        [KP_FUNCTION_MANUAL] = "manual",
                                        [KP_FUNCTION_FOREIGN] = "kieker"};
    return kind < sizeof texts / sizeof *texts && texts[kind] ? texts[kind] : "python";
}

static struct label *make_label(struct export *export, const struct kp_function *function)
{
    struct label *label = kp_allocate(sizeof *label);
    FILE *stream = open_memstream(&label->text, &label->length);
    if (!stream)
        abort();
    fprintf(stream, "{\"ph\": \"X\", \"cat\": \"%s\", \"name\": ", category(function->kind));
    kp_json_quote(stream, function->name);
    fputs(", \"args\": {", stream);
    if (*function->file) {
        fputs("\"file\": ", stream);
        kp_json_quote(stream, function->file);
        if (function->line)
            fprintf(stream, ", \"line\": %" PRIu32, function->line);
    }
    fclose(stream);
    label->next = export->labels;
    export->labels = label;
    return label;
}

static void begin_thread(void *user, struct kp_calltree_thread *thread)
{
    const struct export *export = user;
    thread->user = kp_format_text(", \"pid\": %" PRIu32 ", \"tid\": %" PRIu32,
                                  pid_of(export, thread->thread->process), thread->thread->tid);
}

static void end_thread(void *user, struct kp_calltree_thread *thread)
{
    (void)user;
    free(thread->user);
    thread->user = NULL;
}

struct argument_list {
    FILE *file;
    unsigned count;
};

/* Names need not be unique, and need not be there: viewers want an object. */
static void put_argument(void *user, const char *name, const char *text)
{
    struct argument_list *list = user;
    char *key = *name ? kp_copy_text(name) : kp_format_text("%u", list->count);
    fputs(list->count++ ? ", " : "", list->file);
    kp_json_quote(list->file, key);
    fputs(": ", list->file);
    kp_json_quote(list->file, text);
    free(key);
}

static void put_values(struct export *export, const struct kp_call *call, bool comma)
{
    const struct kp_prototype *prototype = kp_c_functions_prototype(export->c_functions, call->function);
    struct argument_list list = {.file = export->file};
    char *result = kp_result_text(prototype, call->values);
    fprintf(export->file, "%s\"arguments\": {", comma ? ", " : "");
    kp_arguments_each(prototype, call->values, put_argument, &list);
    fputs("}", export->file);
    if (result) {
        fputs(", \"result\": ", export->file);
        kp_json_quote(export->file, result);
    }
    free(result);
}

static void put_slice(struct export *export, struct kp_calltree_thread *thread, const struct kp_call *call,
                      const char *ending)
{
    if (!call->function->user)
        call->function->user = make_label(export, call->function);
    const struct label *label = call->function->user;
    begin_event(export);
    fwrite(label->text, 1, label->length, export->file);
    if (ending)
        fprintf(export->file, "%s\"end\": \"%s\"", *call->function->file ? ", " : "", ending);
    if (call->exception) {
        fputs(ending || *call->function->file ? ", \"exception\": " : "\"exception\": ", export->file);
        kp_json_quote(export->file, call->exception->name);
    }
    if (call->values)
        put_values(export, call, ending || call->exception || *call->function->file);
    fputs("}", export->file);
    fputs(thread->user, export->file);
    uint64_t start_ns = since_base(export, call->segment_start_ns);
    put_time(export, "ts", start_ns);
    put_time(export, "dur", since_base(export, call->segment_start_ns + call->segment_ns) - start_ns);
    fputs("}", export->file);
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    (void)end_ns;
    if (!call->suspended)
        put_slice(user, thread, call, ending == KP_ENDING_EXIT ? NULL : kp_ending_text(ending));
}

static void take_suspend(void *user, struct kp_calltree_thread *thread, struct kp_call *call,
                         uint64_t time_ns)
{
    (void)time_ns;
    put_slice(user, thread, call, "yield");
}

static void begin_instant(struct export *export, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    begin_event(export);
    fprintf(export->file, "{\"ph\": \"i\", \"s\": \"t\"%s", (const char *)thread->user);
    put_time(export, "ts", since_base(export, time_ns));
}

static void take_lost(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                      uint64_t others)
{
    struct export *export = user;
    begin_instant(export, thread, time_ns);
    fprintf(export->file,
            ", \"name\": \"lost\", \"args\": {\"calls\": %" PRIu64 ", \"events\": %" PRIu64 "}}", calls,
            others);
}

static void take_gap(void *user, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    struct export *export = user;
    begin_instant(export, thread, time_ns);
    fputs(", \"name\": \"gap\"}", export->file);
}

static bool finish(void *user)
{
    struct export *export = user;
    fprintf(export->file,
            "\n], \"otherData\": {\"producer\": \"kprobe %s\", \"start_ns\": \"%" PRIu64 "\"}}\n", KP_VERSION,
            export->base_ns);
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
    free(export->processes);
    free(export);
}

static const struct kp_calltree_ops calls = {
    .thread_begin = begin_thread,
    .close = take_close,
    .suspend = take_suspend,
    .lost = take_lost,
    .gap = take_gap,
    .thread_end = end_thread,
};

const struct kp_exporter kp_exporter_chrome = {
    .name = "chrome",
    .summary = "Chrome Trace Event JSON, for ui.perfetto.dev and chrome://tracing",
    .calls = &calls,
    .create = create,
    .item = take_item,
    .finish = finish,
    .destroy = destroy,
};
