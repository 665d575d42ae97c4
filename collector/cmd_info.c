/* kprobe info: what a trace holds: its processes, their circumstances, and how much was traced and lost. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "session.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/json.h"
#include "util/memory.h"

static bool as_json;

static const struct kp_option_row options[] = {
    {0, "json", KP_ARGUMENT_NONE, NULL, "JSON", NULL, &as_json},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe info kprobe.4711.kpt", "program, interpreter, engine, duration, threads, calls, losses"},
    {NULL, NULL},
};

struct pair {
    char *key, *value;
    const struct kp_process *process;
};

struct contents {
    struct kp_session session;
    struct pair *meta;
    size_t meta_count, meta_capacity;
    uint64_t bytes; /* of the trace; 0: unknown */
};

struct sums {
    uint64_t threads, calls, events, calls_lost, events_lost, gaps;
};

static void read_contents(struct contents *contents)
{
    struct kp_item item;
    uint64_t done;
    while (kp_session_next(&contents->session, &item)) {
        if (item.kind != KP_ITEM_META)
            continue;
        contents->meta =
            kp_grow(contents->meta, &contents->meta_capacity, contents->meta_count, sizeof *contents->meta);
        contents->meta[contents->meta_count++] =
            (struct pair){kp_copy_text(item.key), kp_copy_text(item.value), item.process};
    }
    kp_reader_progress(contents->session.reader, &done, &contents->bytes);
}

static void free_meta(struct contents *contents)
{
    for (size_t i = 0; i < contents->meta_count; i++) {
        free(contents->meta[i].key);
        free(contents->meta[i].value);
    }
    free(contents->meta);
}

static void add_thread(struct sums *sums, const struct kp_thread *thread)
{
    sums->threads++;
    sums->events += thread->events_read;
    sums->gaps += thread->gaps;
    if (thread->ended && !thread->partial) {
        sums->calls += thread->calls_made;
        sums->calls_lost += thread->calls_lost;
        sums->events_lost += thread->events_lost;
    } else {
        sums->calls += thread->calls_read + thread->calls_lost_read;
        sums->calls_lost += thread->calls_lost_read;
    }
}

static struct sums sum_up(const struct kp_session *session, const struct kp_process *process)
{
    struct sums sums = {0};
    for (size_t i = 0; i < session->thread_count; i++)
        if (!process || session->threads[i]->process == process)
            add_thread(&sums, session->threads[i]);
    return sums;
}

static const char *state_of(const struct kp_process *process)
{
    if (process->alive)
        return "still running";
    if (process->next_part)
        return "goes on in the next part";
    if (process->complete)
        return "ended in order";
    return process->recovered ? "killed; completed from shared memory" : "ended without saying so (killed?)";
}

/* --- text --- */

static void print_pair(const char *key, const char *value)
{
    char *escaped = kp_escape(value && *value ? value : "unknown");
    printf("  %-12s %s\n", key, escaped);
    free(escaped);
}

static void print_counts(const struct sums *sums)
{
    char calls[KP_FORMAT_BYTES], lost[KP_FORMAT_BYTES], others[KP_FORMAT_BYTES], events[KP_FORMAT_BYTES];
    printf("  %-12s %" PRIu64 "\n", "threads", sums->threads);
    printf("  %-12s %s\n", "calls", kp_format_count(calls, sums->calls));
    printf("  %-12s %s\n", "events", kp_format_count(events, sums->events));
    printf("  %-12s %s calls, %s other events, %" PRIu64 " gaps\n", "lost",
           kp_format_count(lost, sums->calls_lost), kp_format_count(others, sums->events_lost), sums->gaps);
}

static void print_process(const struct contents *contents, const struct kp_process *process)
{
    char time[KP_FORMAT_BYTES], duration[KP_FORMAT_BYTES];
    struct sums sums = sum_up(&contents->session, process);
    uint64_t length_ns = process->end_ns > process->start_ns ? process->end_ns - process->start_ns : 0;
    printf("process %" PRIu32 " (%s)\n", process->pid, state_of(process));
    if (process->part || process->next_part)
        printf("  %-12s %" PRIu32 "\n", "part", process->part);
    print_pair("program", process->command);
    print_pair("executable", process->executable);
    print_pair("interpreter", process->interpreter);
    print_pair("engine", process->engine);
    print_pair("clock", process->clock);
    print_pair("host", process->host);
    printf("  %-12s %" PRIu32 "\n", "parent", process->parent_pid);
    print_pair("uuid", process->uuid);
    print_pair("start", kp_format_time(time, process->start_ns));
    print_pair("duration", kp_format_duration(duration, length_ns));
    if (process->probe_pair_ns > 0)
        printf("  %-12s %.1f ns a call, %.1f ns of it between its time stamps\n", "probe cost",
               process->probe_pair_ns, process->probe_inner_ns);
    print_counts(&sums);
    for (size_t i = 0; i < contents->meta_count; i++)
        if (contents->meta[i].process == process) {
            char *key = kp_escape(contents->meta[i].key);
            print_pair(key, contents->meta[i].value);
            free(key);
        }
    putchar('\n');
}

static double bytes_per_pair(const struct contents *contents, const struct sums *all)
{
    uint64_t kept = all->calls - (all->calls_lost < all->calls ? all->calls_lost : all->calls);
    return kept ? (double)contents->bytes / (double)kept : 0;
}

static void print_text(const struct contents *contents)
{
    char calls[KP_FORMAT_BYTES], size[KP_FORMAT_BYTES];
    struct sums all = sum_up(&contents->session, NULL);
    for (size_t i = 0; i < contents->session.process_count; i++)
        print_process(contents, contents->session.processes[i]);
    printf("%zu %s, %" PRIu64 " threads, %" PRIu64 " functions, %s calls in %s",
           contents->session.process_count, contents->session.process_count == 1 ? "process" : "processes",
           all.threads, contents->session.function_count, kp_format_count(calls, all.calls),
           kp_format_size(size, contents->bytes));
    if (all.calls > all.calls_lost)
        printf(", %.2f bytes a call", bytes_per_pair(contents, &all));
    putchar('\n');
}

/* --- JSON --- */

static void json_sums(struct kp_json *json, const struct sums *sums)
{
    kp_json_number(json, "threads", sums->threads);
    kp_json_number(json, "calls", sums->calls);
    kp_json_number(json, "events", sums->events);
    kp_json_number(json, "calls_lost", sums->calls_lost);
    kp_json_number(json, "events_lost", sums->events_lost);
    kp_json_number(json, "gaps", sums->gaps);
}

static void json_process(struct kp_json *json, const struct contents *contents,
                         const struct kp_process *process)
{
    struct sums sums = sum_up(&contents->session, process);
    kp_json_begin_object(json, NULL);
    kp_json_number(json, "pid", process->pid);
    kp_json_number(json, "parent_pid", process->parent_pid);
    kp_json_string(json, "uuid", process->uuid);
    kp_json_string(json, "command", process->command ? process->command : "");
    kp_json_string(json, "executable", process->executable ? process->executable : "");
    kp_json_string(json, "interpreter", process->interpreter ? process->interpreter : "");
    kp_json_string(json, "engine", process->engine ? process->engine : "");
    kp_json_string(json, "clock", process->clock ? process->clock : "");
    kp_json_string(json, "host", process->host ? process->host : "");
    kp_json_number(json, "start_ns", process->start_ns);
    kp_json_number(json, "end_ns", process->end_ns);
    kp_json_real(json, "ticks_per_ns", process->ticks_per_ns, 9);
    kp_json_real(json, "probe_pair_ns", process->probe_pair_ns, 1);
    kp_json_real(json, "probe_inner_ns", process->probe_inner_ns, 1);
    kp_json_bool(json, "complete", process->complete);
    kp_json_bool(json, "recovered", process->recovered);
    kp_json_bool(json, "alive", process->alive);
    kp_json_number(json, "part", process->part);
    kp_json_number(json, "next_part", process->next_part);
    json_sums(json, &sums);
    kp_json_begin_array(json, "metadata");
    for (size_t i = 0; i < contents->meta_count; i++)
        if (contents->meta[i].process == process) {
            kp_json_begin_object(json, NULL);
            kp_json_string(json, "key", contents->meta[i].key);
            kp_json_string(json, "value", contents->meta[i].value);
            kp_json_end_object(json);
        }
    kp_json_end_array(json);
    kp_json_end_object(json);
}

static void print_json(const struct contents *contents)
{
    struct kp_json json;
    struct sums all = sum_up(&contents->session, NULL);
    kp_json_init(&json, stdout, 3);
    kp_json_begin_object(&json, NULL);
    kp_json_number(&json, "bytes", contents->bytes);
    kp_json_number(&json, "functions", contents->session.function_count);
    json_sums(&json, &all);
    kp_json_real(&json, "bytes_per_call", bytes_per_pair(contents, &all), 3);
    kp_json_begin_array(&json, "processes");
    for (size_t i = 0; i < contents->session.process_count; i++)
        json_process(&json, contents, contents->session.processes[i]);
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct contents contents = {0};
    int status = kp_session_open(&contents.session, command, count, operands, 0);
    if (status != KP_EXIT_FINE)
        return status;
    read_contents(&contents);
    if (as_json)
        print_json(&contents);
    else
        print_text(&contents);
    free_meta(&contents);
    return kp_session_close(&contents.session, NULL);
}

const struct kp_command kp_command_info = {
    .name = "info",
    .arguments = "[FILE...]",
    .summary = "what a trace holds: processes, interpreter, duration, calls, losses",
    .description =
        "Shows each process of the traces: program, interpreter, engine, clock, start, duration, threads, "
        "calls, events, losses, metadata; and how many bytes a call takes.",
    .options = options,
    .examples = examples,
    .run = run,
};
