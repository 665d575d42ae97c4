/*
 * What a server says, on standard error, one line each: "kprobe serve: ...". A kind of line that comes too
 * often is held back, and how many were is said later: peers cannot fill a disk with it.
 */
#ifndef KP_COLLECTOR_SERVER_JOURNAL_H
#define KP_COLLECTOR_SERVER_JOURNAL_H

enum kp_journal_kind {
    KP_JOURNAL_ALWAYS, /* start, stop: never held back */
    KP_JOURNAL_PEER,   /* peers that were dropped */
    KP_JOURNAL_LIMIT,  /* peers that were refused */
    KP_JOURNAL_OUTPUT, /* outputs: full, rotated, failed */
    KP_JOURNAL_KINDS
};

void kp_journal(enum kp_journal_kind kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Once a second: what was held back may be told. */
void kp_journal_tick(void);

#endif
