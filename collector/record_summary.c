#include "record_summary.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "trace_files.h"

static double seconds_between(struct timespec start, struct timespec end)
{
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static void print_file(const char *path)
{
    struct stat stat_of;
    if (stat(path, &stat_of))
        fprintf(stderr, "kprobe:   %s (in shared memory only; kprobe recover makes a file of it)\n", path);
    else
        fprintf(stderr, "kprobe:   %s, %lld bytes\n", path, (long long)stat_of.st_size);
}

void kp_record_summary(const struct kp_run *run)
{
    struct kp_trace_files files;
    if (!strcmp(run->output, "null:")) {
        fprintf(stderr, "kprobe: ran %.3f s; nothing was kept (output null:)\n",
                seconds_between(run->start, run->end));
        return;
    }
    kp_trace_files_find(&files, run->output, run->start);
    if (!files.count)
        fprintf(stderr, "kprobe: nothing was traced; 'kprobe doctor %s' says why\n", run->program);
    else
        fprintf(stderr, "kprobe: ran %.3f s; traces: %zu\n", seconds_between(run->start, run->end),
                files.count);
    for (size_t i = 0; i < files.count; i++)
        print_file(files.paths[i]);
    if (files.count)
        fprintf(stderr, "kprobe: see 'kprobe report %s'\n", files.paths[0]);
    kp_trace_files_fini(&files);
}
