#include "session.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kieker_archive.h"
#include "util/escape.h"
#include "util/memory.h"

/* The kprobe.*.kpt changed last, or NULL; the caller frees. */
static char *find_newest(void)
{
    glob_t found;
    char *newest = NULL;
    struct timespec newest_time = {0};
    if (glob("kprobe.*.kpt", 0, NULL, &found))
        return NULL;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat info;
        if (stat(found.gl_pathv[i], &info))
            continue;
        struct timespec time = info.st_mtim;
        if (newest && (time.tv_sec < newest_time.tv_sec ||
                       (time.tv_sec == newest_time.tv_sec && time.tv_nsec <= newest_time.tv_nsec)))
            continue;
        free(newest);
        newest = kp_copy_text(found.gl_pathv[i]);
        newest_time = time;
    }
    globfree(&found);
    return newest;
}

/* Logs without anything in them are no reason to show nothing of the others. Returns how many are left. */
static int leave_out_bare(char **kept, int count, char **operands)
{
    int left = 0;
    for (int i = 0; i < count; i++)
        if (count == 1 || !kp_kieker_archive_is_bare(operands[i]))
            kept[left++] = operands[i];
    if (!left)
        kept[left++] = operands[0];
    return left;
}

int kp_session_open(struct kp_session *session, const struct kp_command *command, int count, char **operands,
                    unsigned flags)
{
    char error[1024];
    *session = (struct kp_session){.command = command};
    if (count == 0) {
        session->newest = find_newest();
        if (!session->newest)
            return kp_usage_error(command, "no trace named, and no kprobe.*.kpt in this directory");
        operands = &session->newest;
        count = 1;
    }
    char **paths = kp_allocate((size_t)count * sizeof *paths);
    count = leave_out_bare(paths, count, operands);
    const struct kp_source_opener opener = {kp_kieker_archive_open, &session->progress};
    kp_progress_start(&session->progress);
    enum kp_status status = kp_reader_open_by(&session->reader, (const char *const *)paths, (size_t)count,
                                              flags, &opener, error, sizeof error);
    free(paths);
    kp_progress_clear(&session->progress);
    if (status != KP_OK) {
        fprintf(stderr, "kprobe %s: %s\n", command->name, error);
        free(session->newest);
        return KP_EXIT_DAMAGED;
    }
    kp_progress_start(&session->progress);
    return KP_EXIT_FINE;
}

void kp_session_describe(struct kp_session *session, bool sources, bool demangle)
{
    session->c_functions = kp_c_functions_create(sources, demangle);
}

static void tell_damage(struct kp_session *session, const struct kp_item *item)
{
    char *path = kp_escape(item->path ? item->path : "input"),
         *text = kp_escape(item->text ? item->text : "damaged");
    kp_progress_clear(&session->progress);
    if (item->offset == KP_NO_OFFSET)
        fprintf(stderr, "kprobe %s: %s: %s\n", session->command->name, path, text);
    else
        fprintf(stderr, "kprobe %s: %s: at byte %" PRIu64 ": %s\n", session->command->name, path,
                item->offset, text);
    free(path);
    free(text);
    session->damages++;
}

static void note(struct kp_session *session, const struct kp_item *item)
{
    switch (item->kind) {
    case KP_ITEM_PROCESS:
        session->processes = kp_grow(session->processes, &session->process_capacity, session->process_count,
                                     sizeof *session->processes);
        session->processes[session->process_count++] = item->process;
        break;
    case KP_ITEM_THREAD:
        session->threads = kp_grow(session->threads, &session->thread_capacity, session->thread_count,
                                   sizeof *session->threads);
        session->threads[session->thread_count++] = item->thread;
        break;
    case KP_ITEM_FUNCTION:
        session->function_count += KP_FUNCTION_IS_CALLED(item->function->kind);
        if (session->c_functions)
            kp_c_functions_describe(session->c_functions, item->function);
        break;
    case KP_ITEM_DAMAGE:
        tell_damage(session, item);
        break;
    default:
        break;
    }
}

bool kp_session_next(struct kp_session *session, struct kp_item *item)
{
    enum kp_status status = kp_reader_next(session->reader, item);
    if (status == KP_OK) {
        note(session, item);
        if (kp_progress_due(&session->progress)) {
            uint64_t done, total;
            kp_reader_progress(session->reader, &done, &total);
            kp_progress_draw(&session->progress, done, total, kp_session_calls(session));
        }
        return true;
    }
    kp_progress_clear(&session->progress);
    if (status != KP_END) {
        fprintf(stderr, "kprobe %s: reading stopped: %s\n", session->command->name, kp_status_text(status));
        session->failed = true;
    }
    return false;
}

uint64_t kp_session_calls(const struct kp_session *session)
{
    uint64_t calls = 0;
    for (size_t i = 0; i < session->thread_count; i++)
        calls += session->threads[i]->calls_read;
    return calls;
}

int kp_session_close(struct kp_session *session, FILE *out)
{
    int status = session->damages || session->failed ? KP_EXIT_DAMAGED : KP_EXIT_FINE;
    kp_progress_clear(&session->progress);
    if (out && (fflush(out) || ferror(out))) {
        fprintf(stderr, "kprobe %s: cannot write the output: %s\n", session->command->name, strerror(errno));
        status = KP_EXIT_DAMAGED;
    }
    kp_c_functions_destroy(session->c_functions);
    kp_reader_close(session->reader);
    free(session->processes);
    free(session->threads);
    free(session->newest);
    return status;
}
