#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned shown = KP_LEVEL_WARN;
static const char *log_file;
static __thread bool detached __attribute__((tls_model("initial-exec")));
static char kept[KP_LOG_KEPT][KP_LOG_LINE_BYTES + 16];
static _Atomic bool is_kept[KP_LOG_KEPT]; /* written completely */
static _Atomic unsigned kept_count;

static const char *const level_text[] = {"error", "warning", "info", "debug"};

void kp_log_configure(unsigned level, const char *file)
{
    shown = level;
    log_file = file && *file ? file : NULL;
}

static void keep(enum kp_level_choice level, const char *text)
{
    unsigned n;

    if (level > KP_LEVEL_INFO)
        return;
    n = atomic_fetch_add(&kept_count, 1);
    if (n >= KP_LOG_KEPT)
        return;
    snprintf(kept[n], sizeof kept[n], "%s: %s", level_text[level], text);
    atomic_store_explicit(&is_kept[n], true, memory_order_release);
}

void kp_log_detach_thread(void)
{
    detached = true;
}

/*
 * The program's standard error, for a thread with descriptors of its own. Taken from the program (Linux 5.6):
 * a socket cannot be opened by its name, nor can a file that the program's user may not write to any more.
 * Not kept open: a pipe held by the writer thread would never end for its reader.
 */
static int borrow_stderr(void)
{
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0u);
    int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, STDERR_FILENO, 0u);

    if (process >= 0)
        close(process);
    return fd >= 0 ? fd : open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
}

static int open_destination(void)
{
    if (log_file)
        return open(log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return detached ? borrow_stderr() : STDERR_FILENO;
}

static void put(const char *line, size_t bytes)
{
    int fd = open_destination();

    if (fd < 0)
        return;
    while (write(fd, line, bytes) < 0 && errno == EINTR)
        ;
    if (fd != STDERR_FILENO || log_file || detached)
        close(fd);
}

void kp_log(enum kp_level_choice level, const char *format, ...)
{
    int saved = errno;
    char text[KP_LOG_LINE_BYTES], line[KP_LOG_LINE_BYTES + 64];
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    keep(level, text);
    if (level <= shown) {
        bytes = snprintf(line, sizeof line, "kprobe: %s: %s\n", level_text[level], text);
        put(line, (size_t)bytes);
    }
    errno = saved;
}

const char *kp_log_kept(unsigned n)
{
    return n < KP_LOG_KEPT && atomic_load_explicit(&is_kept[n], memory_order_acquire) ? kept[n] : NULL;
}
