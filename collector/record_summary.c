#include "record_summary.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "debug/demangle.h"
#include "model/calltree.h"
#include "model/profile.h"
#include "trace/reader.h"
#include "trace/options.h"
#include "trace_files.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/progress.h"

enum { TOP = 5, MAX_FILES_SHOWN = 10 };

static uint64_t ns_between(struct timespec start, struct timespec end)
{
    return (uint64_t)((end.tv_sec - start.tv_sec) * 1000000000ll + end.tv_nsec - start.tv_nsec);
}

/* Relative to where the reader of the summary is. */
static const char *short_path(const char *path)
{
    char folder[PATH_MAX];
    size_t bytes = getcwd(folder, sizeof folder) ? strlen(folder) : 0;
    return bytes > 1 && !strncmp(path, folder, bytes) && path[bytes] == '/' ? path + bytes + 1 : path;
}

static void print_file(const char *path)
{
    struct stat stat_of;
    char size[KP_FORMAT_BYTES], *name = kp_escape(short_path(path));
    if (stat(path, &stat_of))
        fprintf(stderr, "kprobe:   %s (in shared memory only: 'kprobe recover' makes a file of it)\n", name);
    else
        fprintf(stderr, "kprobe:   %s (%s)\n", name, kp_format_size(size, (uint64_t)stat_of.st_size));
    free(name);
}

static void print_files(const struct kp_trace_files *files)
{
    for (size_t i = 0; i < files->count && i < MAX_FILES_SHOWN; i++)
        print_file(files->paths[i]);
    if (files->count > MAX_FILES_SHOWN)
        fprintf(stderr, "kprobe:   and %zu more\n", files->count - MAX_FILES_SHOWN);
}

struct totals {
    struct kp_progress progress;
    uint64_t damages, incomplete, alive;
};

static void count_item(struct totals *totals, const struct kp_item *item)
{
    totals->damages += item->kind == KP_ITEM_DAMAGE;
    if (item->kind == KP_ITEM_PROCESS_END) {
        totals->incomplete += !item->process->complete && !item->process->alive;
        totals->alive += item->process->alive;
    }
}

static enum kp_status read_traces(struct kp_reader *reader, struct kp_profile *profile,
                                  struct kp_calltree *tree, struct totals *totals)
{
    struct kp_item item;
    enum kp_status status;
    kp_progress_start(&totals->progress);
    while ((status = kp_reader_next(reader, &item)) == KP_OK) {
        kp_calltree_feed(tree, &item);
        count_item(totals, &item);
        if (kp_progress_due(&totals->progress)) {
            uint64_t done, total;
            kp_reader_progress(reader, &done, &total);
            kp_progress_draw(&totals->progress, done, total, kp_profile_summary(profile).calls);
        }
    }
    kp_calltree_finish(tree);
    kp_progress_clear(&totals->progress);
    return status;
}

static int by_self(const void *a, const void *b)
{
    const struct kp_profile_row *left = *(struct kp_profile_row *const *)a,
                                *right = *(struct kp_profile_row *const *)b;
    if (left->self_ns != right->self_ns)
        return left->self_ns < right->self_ns ? 1 : -1;
    return strcmp(left->symbol->name, right->symbol->name);
}

static void print_top(struct kp_profile *profile)
{
    size_t count;
    struct kp_profile_row **rows = kp_profile_rows(profile, &count);
    qsort(rows, count, sizeof *rows, by_self);
    if (count)
        fprintf(stderr, "kprobe: most of the time (self, calls):\n");
    for (size_t i = 0; i < count && i < TOP; i++) {
        char self[KP_FORMAT_BYTES], calls[KP_FORMAT_BYTES],
            *demangled = kp_demangle_name(rows[i]->symbol->name, false),
            *name = kp_escape(demangled ? demangled : rows[i]->symbol->name);
        fprintf(stderr, "kprobe:   %10s %12s  %s\n", kp_format_duration(self, rows[i]->self_ns),
                kp_format_count(calls, rows[i]->calls), name);
        free(demangled);
        free(name);
    }
}

static void print_totals(const struct kp_run *run, const struct kp_profile_summary *summary,
                         const struct totals *totals, size_t traces)
{
    char duration[KP_FORMAT_BYTES], calls[KP_FORMAT_BYTES], lost[KP_FORMAT_BYTES];
    fprintf(stderr, "kprobe: %s calls, %s lost, %llu %s, ran %s, %zu %s\n",
            kp_format_count(calls, summary->calls), kp_format_count(lost, summary->calls_lost),
            (unsigned long long)summary->threads, summary->threads == 1 ? "thread" : "threads",
            kp_format_duration(duration, ns_between(run->start, run->end)), traces,
            traces == 1 ? "trace:" : "traces:");
    if (totals->damages)
        fprintf(stderr, "kprobe: %llu damaged places\n", (unsigned long long)totals->damages);
    if (totals->incomplete)
        fprintf(stderr, "kprobe: %llu of the processes did not end in order\n",
                (unsigned long long)totals->incomplete);
    if (totals->alive)
        fprintf(stderr, "kprobe: %llu of the processes still run\n", (unsigned long long)totals->alive);
}

static void summarise(const struct kp_run *run, const struct kp_trace_files *files)
{
    char error[512];
    struct kp_reader *reader;
    struct totals totals = {0};
    if (kp_reader_open(&reader, (const char *const *)files->paths, files->count, 0, error, sizeof error) !=
        KP_OK) {
        fprintf(stderr, "kprobe: the traces cannot be read: %s\n", error);
        print_files(files);
        return;
    }
    struct kp_profile *profile = kp_profile_create(false);
    struct kp_calltree *tree = kp_calltree_create(&kp_profile_ops, profile);
    enum kp_status status = read_traces(reader, profile, tree, &totals);
    struct kp_profile_summary summary = kp_profile_summary(profile);
    if (status != KP_END)
        fprintf(stderr, "kprobe: reading stopped: %s\n", kp_status_text(status));
    print_totals(run, &summary, &totals, files->count);
    print_files(files);
    print_top(profile);
    fprintf(stderr, "kprobe: see 'kprobe report %s%s'\n", short_path(files->paths[0]),
            files->count > 1 ? " ..." : "");
    kp_calltree_destroy(tree);
    kp_profile_destroy(profile);
    kp_reader_close(reader);
}

static bool writes_files(const char *output)
{
    const char *rest;
    const struct kp_output_info *info = kp_output_find(output, &rest);
    return info && info->place == KP_OUTPUT_PLACE_FILE;
}

void kp_record_summary(const struct kp_run *run)
{
    struct kp_trace_files files;
    char duration[KP_FORMAT_BYTES];
    kp_format_duration(duration, ns_between(run->start, run->end));
    if (!strcmp(run->output, "null:")) {
        fprintf(stderr, "kprobe: ran %s; nothing was kept (output null:)\n", duration);
        return;
    }
    if (!writes_files(run->output)) {
        fprintf(stderr, "kprobe: ran %s; output: %s\n", duration, run->output);
        return;
    }
    kp_trace_files_find(&files, run->output, run->start);
    if (files.count)
        summarise(run, &files);
    else
        fprintf(stderr, "kprobe: ran %s; nothing was traced%s; 'kprobe doctor %s' says why\n", duration,
                run->filtered ? " (perhaps no rule matches)" : "", run->program);
    kp_trace_files_fini(&files);
}
