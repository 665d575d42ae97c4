/*
 * The only place that knows zstd. The library is loaded privately at run time: Debian's static one is not
 * position independent, and no symbol of it may reach the traced program. Absent: everything is stored raw,
 * and reading compressed data fails with KP_ERROR_SYSTEM.
 */
#ifndef KP_TRACE_ZSTD_H
#define KP_TRACE_ZSTD_H

#include <stddef.h>

struct kp_zstd {
    void *library;
    void *compressor, *decompressor; /* contexts, made by kp_zstd_open */
    size_t (*compress)(void *context, void *out, size_t room, const void *in, size_t bytes, int level);
    size_t (*decompress)(void *context, void *out, size_t room, const void *in, size_t bytes);
    unsigned (*is_error)(size_t result);
    size_t (*free_compressor)(void *context);
    size_t (*free_decompressor)(void *context);
    int level; /* 0: do not compress */
};

/* Load and make contexts. Returns 0, or -1 with *zstd empty (usable: stores raw). Calls malloc. */
int kp_zstd_open(struct kp_zstd *zstd, int level);
void kp_zstd_close(struct kp_zstd *zstd);

#endif
