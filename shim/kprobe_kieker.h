/*
 * The probes of Kieker's C pack on top of kprobe.h: include this instead of the pack's headers, and link with
 * nothing. Names are the pack's. Its controller has nothing to do: where the trace goes is up to kprobe.
 *
 * A region is called by the operation if that is a signature (it has a parenthesis) or has the class in front
 * of it already, else CLASS.OPERATION.
 */
#ifndef KPROBE_KIEKER_H
#define KPROBE_KIEKER_H

#include <stdio.h>
#include <string.h>

#include "kprobe.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KPROBE_KIEKER_NAME_MAX 1024

static inline uint32_t kprobe_kieker_region(const struct kprobe_calls *calls, const char *class_signature,
                                            const char *operation_signature)
{
    char name[KPROBE_KIEKER_NAME_MAX];
    size_t bytes = strlen(class_signature);

    if (bytes == 0 || strchr(operation_signature, '(') ||
        (strncmp(operation_signature, class_signature, bytes) == 0 && operation_signature[bytes] == '.'))
        return calls->region(operation_signature);
    snprintf(name, sizeof name, "%s.%s", class_signature, operation_signature);
    return calls->region(name);
}

/* --- the plain probes: the class comes first ---------------------------------------------------------- */

static inline void kieker_probe_before_operation_event(const char *class_signature,
                                                       const char *operation_signature)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->begin(kprobe_kieker_region(calls, class_signature, operation_signature));
}

static inline void kieker_probe_after_operation_event(const char *class_signature,
                                                      const char *operation_signature)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->end(kprobe_kieker_region(calls, class_signature, operation_signature));
}

/* --- the probes for aspects: the operation comes first ------------------------------------------------ */

/* What the pack keeps of a trace; kprobe knows it itself. */
typedef struct kieker_trace {
    unsigned char unused;
} kieker_trace_t;

static inline void kieker_probe_aspect_event_initialize(void)
{
}

static inline void kieker_probe_aspect_event_finalize(void)
{
}

static inline kieker_trace_t *kieker_probe_aspect_event_before_operation(const char *operation_signature,
                                                                         const char *class_signature)
{
    static kieker_trace_t trace;

    kieker_probe_before_operation_event(class_signature, operation_signature);
    return &trace;
}

static inline void kieker_probe_aspect_event_after_operation(kieker_trace_t *trace,
                                                             const char *operation_signature,
                                                             const char *class_signature)
{
    (void)trace;
    kieker_probe_after_operation_event(class_signature, operation_signature);
}

/* --- the controller ----------------------------------------------------------------------------------- */

static inline void kieker_controller_initialize(void)
{
}

static inline void kieker_controller_finalize(void)
{
}

#ifdef __cplusplus
}
#endif

#endif
