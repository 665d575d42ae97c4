#include "capture.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/x86_64/state.h"
#include "core.h"

static void put(struct kp_thread_state *t, unsigned what, uint64_t value, uint64_t value2)
{
    kp_emit_pair(t, KP_EVENT_VALUES, what, t->depth, kp_clock_now(t->clock), value, value2);
}

/* Through the kernel: what is no readable memory gives nothing, and no fault. A page at a time, since a
 * string may end right before one that is not there. */
static size_t copy_text(uint8_t *out, uint64_t address, size_t most)
{
    size_t copied = 0, part;
    const void *end;

    for (; copied < most; copied += part) {
        struct iovec here = {out + copied, 0}, there = {(void *)(address + copied), 0};

        part = 4096 - ((address + copied) & 4095);
        part = part < most - copied ? part : most - copied;
        here.iov_len = there.iov_len = part;
        if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != (ssize_t)part)
            break;
        end = memchr(out + copied, '\0', part);
        if (end)
            return (size_t)((const uint8_t *)end - out);
    }
    return copied;
}

/* The stream of copied strings, 16 bytes an event. */
static void put_texts(struct kp_thread_state *t, const struct kp_capture *capture, const uint64_t *arguments)
{
    uint8_t text[3 + KP_CAPTURE_TEXT_MAX];
    union {
        uint8_t bytes[16];
        uint64_t words[2];
    } event = {{0}};
    unsigned used = 0, what = KP_VALUES_TEXT;

    for (unsigned n = 0; n < KP_CAPTURE_STRINGS; n++) {
        size_t length =
            capture->text_bytes[n] ? copy_text(text + 3, arguments[n], capture->text_bytes[n]) : 0;

        if (!capture->text_bytes[n] || !arguments[n])
            continue;
        text[0] = (uint8_t)n;
        text[1] = (uint8_t)length;
        text[2] = (uint8_t)(length >> 8);
        for (size_t i = 0; i < 3 + length; i++) {
            event.bytes[used++] = text[i];
            if (used < sizeof event.bytes)
                continue;
            put(t, what++, event.words[0], event.words[1]);
            memset(&event, 0, sizeof event);
            used = 0;
        }
    }
    if (used)
        put(t, what, event.words[0], event.words[1]);
}

void kp_capture_arguments(struct kp_thread_state *t, const struct kp_capture *capture,
                          const struct kp_call_registers *registers, const uint8_t *vectors)
{
    const uint64_t arguments[KP_CAPTURE_STRINGS] = {registers->rdi, registers->rsi, registers->rdx,
                                                    registers->rcx, registers->r8,  registers->r9};

    if (capture->arguments) {
        for (unsigned pair = 0; pair < 3; pair++)
            put(t, KP_VALUES_RDI_RSI + pair, arguments[2 * pair], arguments[2 * pair + 1]);
        for (unsigned pair = 0; pair < 4; pair++)
            put(t, KP_VALUES_XMM0_XMM1 + pair, kp_state_vector_low(vectors, 2 * pair),
                kp_state_vector_low(vectors, 2 * pair + 1));
    }
    put_texts(t, capture, arguments);
}

void kp_capture_results(struct kp_thread_state *t, const struct kp_capture *capture,
                        const struct kp_call_results *results, const uint8_t *vectors)
{
    uint64_t st0[2];

    if (!capture->results)
        return;
    kp_state_x87_top(vectors, st0);
    put(t, KP_VALUES_RAX_RDX, results->rax, results->rdx);
    put(t, KP_VALUES_XMM0_XMM1_RESULT, kp_state_vector_low(vectors, 0), kp_state_vector_low(vectors, 1));
    put(t, KP_VALUES_ST0, st0[0], st0[1]);
}
