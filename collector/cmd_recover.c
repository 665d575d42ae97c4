/* kprobe recover: clean traces from what dead processes left in shared memory. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "trace/copy.h"
#include "trace/leftover.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/json.h"

static const char *output;
static bool only_list, only_discard, remove_after, all, as_json;

static const struct kp_option_row options[] = {
    {'o', "output", KP_ARGUMENT_STRING, "FILE",
     "the clean trace (default: FILE with .recovered before its suffix)", NULL, &output},
    {'l', "list", KP_ARGUMENT_NONE, NULL, "list what processes left in shared memory, and change nothing",
     NULL, &only_list},
    {'r', "remove", KP_ARGUMENT_NONE, NULL,
     "give the shared memory back when its content is safely in the clean trace", NULL, &remove_after},
    {'d', "discard", KP_ARGUMENT_NONE, NULL,
     "give the shared memory back without a recovery: what is only there is gone", NULL, &only_discard},
    {'a', "all", KP_ARGUMENT_NONE, NULL, "everything that dead processes left, instead of FILE", NULL, &all},
    {0, "json", KP_ARGUMENT_NONE, NULL, "the list as JSON", NULL, &as_json},
    {0},
};

static const struct kp_example examples[] = {
    {"kprobe recover kprobe.4711.kpt", "write kprobe.4711.recovered.kpt"},
    {"kprobe recover --list", "what is left in shared memory, and of whom"},
    {"kprobe recover --all --remove",
     "a clean trace of everything that is left, each beside its own, and the memory back"},
    {"kprobe recover --all --discard", "give the memory back; what is not in a file is gone"},
    {NULL, NULL},
};

struct leftovers {
    struct kp_leftover *rows;
    size_t count;
};

static bool collect(void *user, const struct kp_leftover *leftover)
{
    struct leftovers *list = user;
    list->rows = realloc(list->rows, (list->count + 1) * sizeof *list->rows);
    if (!list->rows)
        abort();
    list->rows[list->count++] = *leftover;
    return true;
}

static void list_json(const struct leftovers *list)
{
    struct kp_json json;
    kp_json_init(&json, stdout, 1);
    kp_json_begin_array(&json, NULL);
    for (size_t i = 0; i < list->count; i++) {
        const struct kp_leftover *row = &list->rows[i];
        kp_json_begin_object(&json, NULL);
        kp_json_number(&json, "pid", row->pid);
        kp_json_bool(&json, "alive", row->alive);
        kp_json_number(&json, "bytes", row->bytes);
        kp_json_number(&json, "pending_slots", row->pending_slots);
        kp_json_string(&json, "output", row->output);
        kp_json_string(&json, "path", row->path);
        kp_json_end_object(&json);
    }
    kp_json_end_array(&json);
    kp_json_finish(&json);
}

static void list_text(const struct leftovers *list)
{
    if (!list->count) {
        printf("nothing is left in shared memory\n");
        return;
    }
    printf("%8s  %-7s  %10s  %15s  %s\n", "pid", "state", "memory", "events pending", "trace");
    for (size_t i = 0; i < list->count; i++) {
        const struct kp_leftover *row = &list->rows[i];
        char bytes[KP_FORMAT_BYTES], pending[KP_FORMAT_BYTES];
        char *name = kp_escape(*row->output ? row->output : "(none)");
        printf("%8u  %-7s  %10s  %15s  %s\n", row->pid, row->alive ? "running" : "dead",
               kp_format_size(bytes, row->bytes), kp_format_count(pending, row->pending_slots), name);
        free(name);
    }
}

/* Is `operand` this leftover's trace (by any of its names), mapping or process? */
static bool means(const char *operand, const struct kp_leftover *leftover)
{
    char real[PATH_MAX], folder[PATH_MAX], *slash;
    snprintf(folder, sizeof folder, "%u", leftover->pid);
    if (!strcmp(operand, leftover->output) || !strcmp(operand, leftover->path) || !strcmp(operand, folder))
        return true;
    if (realpath(operand, real))
        return !strcmp(real, leftover->output) || !strcmp(real, leftover->path);
    /* The trace may never have become a file: its folder is there all the same. */
    snprintf(folder, sizeof folder, "%s", operand);
    slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    if (!realpath(slash ? (*folder ? folder : "/") : ".", real))
        return false;
    size_t bytes = strlen(real);
    return !strncmp(real, leftover->output, bytes) && leftover->output[bytes] == '/' &&
           !strcmp(leftover->output + bytes + 1, slash ? slash + 1 : operand);
}

static bool wanted(const struct kp_leftover *leftover, int count, char **operands)
{
    bool found = all;
    for (int i = 0; i < count && !found; i++)
        found = means(operands[i], leftover);
    return found;
}

static int remove_mapping(const char *path)
{
    if (kp_leftover_remove(path)) {
        fprintf(stderr, "kprobe recover: cannot remove %s: %s\n", path, strerror(errno));
        return KP_EXIT_DAMAGED;
    }
    printf("removed %s\n", path);
    return KP_EXIT_FINE;
}

static int discard_one(const struct kp_leftover *leftover)
{
    if (!leftover->alive)
        return remove_mapping(leftover->path);
    if (all)
        return KP_EXIT_FINE;
    fprintf(stderr, "kprobe recover: process %u still runs: its memory stays\n", leftover->pid);
    return KP_EXIT_DAMAGED;
}

static int discard_wanted(const struct leftovers *list, int count, char **operands)
{
    int status = KP_EXIT_FINE;
    bool found = false;
    for (size_t i = 0; i < list->count; i++) {
        if (!wanted(&list->rows[i], count, operands))
            continue;
        found = true;
        if (discard_one(&list->rows[i]))
            status = KP_EXIT_DAMAGED;
    }
    if (!found)
        printf("nothing to give back\n");
    return status;
}

/* "a/b.kpt" to "a/b.recovered.kpt". */
static void default_output(char *path, size_t bytes, const char *input)
{
    const char *slash = strrchr(input, '/'), *dot = strrchr(input, '.');
    if (!dot || dot < (slash ? slash + 2 : input + 1))
        dot = input + strlen(input);
    snprintf(path, bytes, "%.*s.recovered%s", (int)(dot - input), input, *dot ? dot : ".kpt");
}

static void print_recovery(const char *input, const char *out, const struct kp_recovery *result)
{
    char calls[KP_FORMAT_BYTES], bytes[KP_FORMAT_BYTES];
    char *from = kp_escape(input), *to = kp_escape(out);
    printf("%s -> %s: %u %s, %s calls\n", from, to, result->sections,
           result->sections == 1 ? "process" : "processes", kp_format_count(calls, result->calls));
    if (result->dropped_bytes)
        printf("%s: %s were damaged and are missing in it\n", from,
               kp_format_size(bytes, result->dropped_bytes));
    free(from);
    free(to);
}

static int remove_used(const struct kp_recovery *result)
{
    int status = KP_EXIT_FINE;
    for (uint32_t i = 0; i < result->leftover_count; i++)
        if (remove_mapping(result->leftovers[i]))
            status = KP_EXIT_DAMAGED;
    return status;
}

static int recover_one(const char *input)
{
    char out[PATH_MAX], error[1024];
    struct kp_recovery result = {0};
    int status = KP_EXIT_FINE;
    snprintf(out, sizeof out, "%s", output ? output : "");
    if (!output)
        default_output(out, sizeof out, input);
    if (kp_trace_recover(input, out, &result, error, sizeof error) != KP_OK) {
        fprintf(stderr, "kprobe recover: %s\n", error);
        status = KP_EXIT_DAMAGED;
    } else {
        print_recovery(input, out, &result);
        if (remove_after)
            status = remove_used(&result);
        else if (result.leftover_count)
            printf("the shared memory stays until 'kprobe recover --discard %s'\n", input);
    }
    kp_recovery_free(&result);
    return status;
}

static int recover_all(const struct leftovers *list)
{
    int status = KP_EXIT_FINE, found = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct kp_leftover *row = &list->rows[i];
        if (row->alive)
            continue;
        found++;
        if (recover_one(*row->output ? row->output : row->path))
            status = KP_EXIT_DAMAGED;
    }
    if (!found)
        printf("nothing to recover\n");
    return status;
}

static int recover_named(int count, char **operands)
{
    int status = KP_EXIT_FINE;
    for (int i = 0; i < count; i++)
        if (recover_one(operands[i]))
            status = KP_EXIT_DAMAGED;
    return status;
}

static int run(const struct leftovers *list, int count, char **operands)
{
    if (only_list) {
        as_json ? list_json(list) : list_text(list);
        return KP_EXIT_FINE;
    }
    if (only_discard)
        return discard_wanted(list, count, operands);
    return all ? recover_all(list) : recover_named(count, operands);
}

static int recover(const struct kp_command *command, int count, char **operands)
{
    struct leftovers list = {0};
    if (!count && !all && !only_list)
        return kp_usage_error(command, "a trace is missing: name FILE, or give --all or --list");
    if (count && all)
        return kp_usage_error(command, "'%s' and --all: one or the other", operands[0]);
    if (output && (count != 1 || only_discard || only_list))
        return kp_usage_error(command, "--output is for the recovery of one FILE");
    if (only_list + only_discard + remove_after > 1)
        return kp_usage_error(command, "--list, --remove and --discard: one of them");
    if (count && only_list)
        return kp_usage_error(command, "'%s': --list takes no FILE", operands[0]);
    kp_leftover_each(collect, &list);
    int status = run(&list, count, operands);
    free(list.rows);
    return status;
}

const struct kp_command kp_command_recover = {
    .name = "recover",
    .arguments = "[FILE...]",
    .summary = "make clean traces of what dead processes left",
    .description =
        "A process that was killed leaves what it had not written yet in shared memory. Reading commands "
        "find that by "
        "themselves; this one writes a complete trace, which can be moved to another machine. FILE may also "
        "be the name "
        "of a trace that never became a file, or a damaged trace: what is readable in it is kept.\n\n"
        "The shared memory stays until it is given back with --remove or --discard. What a running process "
        "uses is never "
        "touched, and no file is overwritten.",
    .options = options,
    .examples = examples,
    .run = recover,
};
