#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "format.h"

enum { FIRST_NS = 500000000, EVERY_NS = 100000000 };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void kp_progress_start(struct kp_progress *progress)
{
    uint64_t now = now_ns();
    *progress =
        (struct kp_progress){.terminal = isatty(STDERR_FILENO), .start_ns = now, .next_ns = now + FIRST_NS};
}

bool kp_progress_due(const struct kp_progress *progress)
{
    return progress->terminal && now_ns() >= progress->next_ns;
}

void kp_progress_draw(struct kp_progress *progress, uint64_t done_bytes, uint64_t total_bytes, uint64_t calls)
{
    if (!progress->terminal)
        return;
    char done[KP_FORMAT_BYTES], total[KP_FORMAT_BYTES], count[KP_FORMAT_BYTES], left[KP_FORMAT_BYTES] = "?";
    uint64_t now = now_ns(), elapsed_ns = now - progress->start_ns;
    if (done_bytes && total_bytes >= done_bytes) {
        double rest = (double)(total_bytes - done_bytes) / (double)done_bytes;
        kp_format_duration(left, (uint64_t)(rest * (double)elapsed_ns));
    }
    unsigned percent = total_bytes ? (unsigned)(100.0 * (double)done_bytes / (double)total_bytes) : 0;
    fprintf(stderr, "\r\033[K%3u %%  %s of %s, %s calls, %s left", percent, kp_format_size(done, done_bytes),
            kp_format_size(total, total_bytes), kp_format_count(count, calls), left);
    fflush(stderr);
    progress->shown = true;
    progress->next_ns = now + EVERY_NS;
}

void kp_progress_clear(struct kp_progress *progress)
{
    if (!progress->shown)
        return;
    fputs("\r\033[K", stderr);
    progress->shown = false;
}
