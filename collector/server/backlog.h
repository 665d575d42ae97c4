/* Bytes that an output had no room for, in their order. */
#ifndef KP_COLLECTOR_SERVER_BACKLOG_H
#define KP_COLLECTOR_SERVER_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_backlog_block {
    struct kp_backlog_block *next;
    int kind; /* the owner's */
    uint64_t records;
    size_t count;
    uint8_t bytes[];
};

struct kp_backlog {
    struct kp_backlog_block *first, *last;
    size_t bytes;
};

/* A copy, behind the others. */
void kp_backlog_add(struct kp_backlog *backlog, int kind, const void *bytes, size_t count, uint64_t records);
/* The first one is gone. */
void kp_backlog_pop(struct kp_backlog *backlog);
/* Records in it. */
uint64_t kp_backlog_records(const struct kp_backlog *backlog);
void kp_backlog_clear(struct kp_backlog *backlog);

#endif
