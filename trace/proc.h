/* What /proc/PID/stat tells of a process (proc(5)). No allocation, no stdio streams. */
#ifndef KP_TRACE_PROC_H
#define KP_TRACE_PROC_H

#include <stdbool.h>
#include <stdint.h>

struct kp_proc {
    char state;       /* of the first thread: 'Z' when it ended, even if others go on */
    unsigned threads; /* including a first thread that ended before the others */
    uint64_t start;   /* field 22, clock ticks since boot: tells a reused pid */
};

/* `pid` 0: the calling process. False: there is no such process, or /proc is not there. */
bool kp_proc_read(struct kp_proc *proc, uint32_t pid);

/* Whether the process has a mapping whose path holds `text`: 1 or 0, -1 when its list cannot be read. */
int kp_proc_maps(uint32_t pid, const char *text);

/* Memory pages of the calling process's address space; 0 when /proc does not tell. */
unsigned long kp_proc_own_pages(void);

/* Whether anything of it still runs. */
static inline bool kp_proc_runs(const struct kp_proc *proc)
{
    return (proc->state != 'Z' && proc->state != 'X') || proc->threads > 1;
}

#endif
