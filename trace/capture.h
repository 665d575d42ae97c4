/*
 * Capture: which raw values of a C function's calls are recorded. Written behind its rule:
 * OBJECT:SYMBOL{args,ret,str1:64}.
 */
#ifndef KP_TRACE_CAPTURE_H
#define KP_TRACE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KP_CAPTURE_STRINGS  6    /* arguments in integer registers */
#define KP_CAPTURE_TEXT_MAX 1024 /* most bytes of a copied string */

struct kp_capture {
    bool arguments; /* six integer and eight vector registers at entry */
    bool results;   /* rax, rdx, xmm0, xmm1, st0 at exit */
    /* Most bytes to copy of the C string that argument n points to; 0: none. */
    uint16_t text_bytes[KP_CAPTURE_STRINGS];
};

static inline bool kp_capture_is_empty(const struct kp_capture *capture)
{
    for (unsigned i = 0; i < KP_CAPTURE_STRINGS; i++)
        if (capture->text_bytes[i])
            return false;
    return !capture->arguments && !capture->results;
}

/*
 * Read "args,ret,strN:BYTES" up to `end`. NULL: fine; else what is wrong, and *position where.
 */
const char *kp_capture_parse(struct kp_capture *capture, const char *text, const char *end,
                             const char **position);

#endif
