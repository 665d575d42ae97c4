/* Nowhere: for measuring, and for programs that only want the probes to run. */
#include "sink.h"

static enum kp_status null_open(const char *destination, bool resume)
{
    (void)destination;
    (void)resume;
    return KP_OK;
}

static enum kp_status null_write(const void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return KP_OK;
}

static void null_close(void)
{
}

const struct kp_sink kp_sink_null = {
    .scheme = "null:", .keeps = false, .open = null_open, .write = null_write, .close = null_close};
