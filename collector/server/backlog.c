#include "backlog.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

void kp_backlog_add(struct kp_backlog *backlog, int kind, const void *bytes, size_t count, uint64_t records)
{
    struct kp_backlog_block *block = kp_allocate(sizeof *block + count);
    block->next = NULL;
    block->kind = kind;
    block->records = records;
    block->count = count;
    memcpy(block->bytes, bytes, count);
    if (backlog->last)
        backlog->last->next = block;
    else
        backlog->first = block;
    backlog->last = block;
    backlog->bytes += count;
}

void kp_backlog_pop(struct kp_backlog *backlog)
{
    struct kp_backlog_block *block = backlog->first;
    backlog->first = block->next;
    if (!backlog->first)
        backlog->last = NULL;
    backlog->bytes -= block->count;
    free(block);
}

uint64_t kp_backlog_records(const struct kp_backlog *backlog)
{
    uint64_t records = 0;
    for (const struct kp_backlog_block *block = backlog->first; block; block = block->next)
        records += block->records;
    return records;
}

void kp_backlog_clear(struct kp_backlog *backlog)
{
    while (backlog->first)
        kp_backlog_pop(backlog);
}
