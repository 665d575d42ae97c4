/* What an output hands out, in memory. */
#ifndef KP_TEST_KIEKER_COLLECTED_H
#define KP_TEST_KIEKER_COLLECTED_H

#include <string.h>

#include "trace/kieker/output.h"

struct collected {
    char map[1 << 16], data[1 << 20];
    size_t map_bytes, data_bytes;
    uint64_t records;
    unsigned batches;
    size_t map_at_data; /* bytes of the map when data came last */
    bool full;
};
static struct collected collected;

static enum kp_status collect_map(void *user, const void *bytes, size_t count)
{
    struct collected *to = user;

    if (to->full || count >= sizeof to->map - to->map_bytes)
        return KP_ERROR_FULL;
    memcpy(to->map + to->map_bytes, bytes, count);
    to->map_bytes += count;
    return KP_OK;
}

static enum kp_status collect_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    struct collected *to = user;

    if (to->full || count >= sizeof to->data - to->data_bytes)
        return KP_ERROR_FULL;
    memcpy(to->data + to->data_bytes, bytes, count);
    to->data_bytes += count;
    to->data[to->data_bytes] = '\0';
    to->records += records;
    to->batches++;
    to->map_at_data = to->map_bytes;
    return KP_OK;
}

static const struct kp_kieker_output_ops collect = {.map = collect_map, .data = collect_data};

#endif
