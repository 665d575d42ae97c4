#include "state.h"

#include <cpuid.h>
#include <string.h>

/* AMX's tiles and what belongs to the kernel stay out. */
#define VECTOR_MASK  0xe7u
#define LEGACY_BYTES 512u

/* In an XSAVE or FXSAVE area (Intel SDM 1, 10.5.1). */
#define ST0_AT  32
#define XMM0_AT 160

/* sysdeps/x86_64/jmpbuf-offsets.h of glibc. */
#define JMPBUF_RSP 6

uint32_t kp_state_vector_mask;
uint64_t kp_state_vector_bytes = LEGACY_BYTES;

static uint32_t enabled_features(void)
{
    uint32_t a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a & VECTOR_MASK;
}

/* Where the last component of the area ends (Intel SDM 1, 13.4). */
static uint64_t area_bytes(uint32_t mask)
{
    uint64_t bytes = LEGACY_BYTES + 64;

    for (unsigned feature = 2; feature < 8; feature++) {
        uint32_t size, offset, c, d;

        if (mask >> feature & 1 && __get_cpuid_count(13, feature, &size, &offset, &c, &d) &&
            offset + size > bytes)
            bytes = offset + size;
    }
    return bytes;
}

void kp_state_setup(void)
{
    kp_state_vector_mask = enabled_features();
    if (kp_state_vector_mask)
        kp_state_vector_bytes = (area_bytes(kp_state_vector_mask) + 63) & ~63ull;
}

uint64_t kp_state_vector_low(const uint8_t *area, unsigned number)
{
    uint64_t low;

    memcpy(&low, area + XMM0_AT + 16 * number, sizeof low);
    return low;
}

void kp_state_x87_top(const uint8_t *area, uint64_t words[2])
{
    words[0] = words[1] = 0;
    memcpy(words, area + ST0_AT, 10);
}

uintptr_t kp_state_jump_stack(const void *jump_buffer)
{
    uintptr_t value = ((const uint64_t *)jump_buffer)[JMPBUF_RSP];

    /* pointer_guard.h of glibc */
    __asm__("ror $17, %0\n\txor %%fs:0x30, %0" : "+r"(value));
    return value;
}
