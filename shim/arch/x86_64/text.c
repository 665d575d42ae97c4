#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 4096u

static bool write_by_file(void *address, const void *bytes, size_t count)
{
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    bool good;

    if (fd < 0)
        return false;
    good = pwrite(fd, bytes, count, (off_t)(uintptr_t)address) == (ssize_t)count;
    close(fd);
    return good && memcmp(address, bytes, count) == 0;
}

static bool write_by_protection(void *address, const void *bytes, size_t count)
{
    uint8_t *start = (uint8_t *)((uintptr_t)address & ~(uintptr_t)(PAGE_BYTES - 1));
    size_t length = (size_t)((uint8_t *)address + count - start);

    /* Executable all the time: other threads may run in this page. */
    if (mprotect(start, length, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
        return false;
    memcpy(address, bytes, count);
    mprotect(start, length, PROT_READ | PROT_EXEC);
    return true;
}

/*
 * Under valgrind: translations of the old code are void (VALGRIND_DISCARD_TRANSLATIONS of valgrind.h; the
 * rotations add up to nothing on a CPU). Without it a profile under callgrind would miss what was diverted.
 */
static void discard_translations(const void *address, size_t count)
{
    uint64_t request[6] = {0x1002, (uintptr_t)address, count};
    uint64_t result = 0;

    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result)
                     : "a"(request)
                     : "cc", "memory");
}

/* The kernel copies a byte to itself, or refuses. */
bool kp_text_is_writable(void *place)
{
    int saved = errno, memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    bool writable = memory >= 0 && pread(memory, place, 1, (off_t)(uintptr_t)place) == 1;

    if (memory >= 0)
        close(memory);
    errno = saved;
    return writable;
}

bool kp_text_set_pointer(void **place, void *value, const void **writable_page)
{
    const void *page = (const void *)((uintptr_t)place & ~(uintptr_t)(PAGE_BYTES - 1));
    int saved = errno;
    bool good = true;

    if (*writable_page != page)
        *writable_page = kp_text_is_writable(place) ? page : NULL;
    if (*writable_page)
        __atomic_store_n(place, value, __ATOMIC_RELEASE);
    else
        good = write_by_file(place, &value, sizeof value);
    errno = saved;
    return good;
}

bool kp_text_write(void *address, const void *bytes, size_t count)
{
    int saved = errno;
    bool good = write_by_file(address, bytes, count) || write_by_protection(address, bytes, count);

    discard_translations(address, count);
    errno = saved;
    return good;
}

static uint8_t *pages_at(uintptr_t place, size_t bytes)
{
    void *pages = mmap((void *)place, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    if (pages == (void *)place)
        return pages;
    /* Linux before 4.17 takes the address for a wish. */
    munmap(pages, bytes);
    return NULL;
}

uint8_t *kp_text_pages_near(const void *address)
{
    return kp_text_area_near(address, 2 * PAGE_BYTES);
}

uint8_t *kp_text_area_near(const void *address, size_t bytes)
{
    const uintptr_t step = 1u << 18, reach = 1u << 30;
    uintptr_t middle = (uintptr_t)address & ~(uintptr_t)(PAGE_BYTES - 1);
    int saved = errno;
    uint8_t *pages = NULL;

    /* Below first: above a program that is not position independent its heap grows. */
    for (uintptr_t away = step; !pages && away < reach && away < middle; away += step)
        pages = pages_at(middle - away, bytes);
    for (uintptr_t away = step; !pages && away < reach; away += step)
        pages = pages_at(middle + away, bytes);
    errno = saved;
    return pages;
}

/* ModRM with mod 3: two registers. */
static bool between_registers(uint8_t modrm)
{
    return modrm >> 6 == 3;
}

/* ModRM, SIB, displacement of an operand in memory at rsp or rbp; 0 for anything else. */
static size_t stack_operand(const uint8_t *at)
{
    unsigned mode = at[0] >> 6, base = at[0] & 7;
    size_t displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0;

    if (base == 4 && mode < 3)
        return at[1] == 0x24 ? 2 + displacement : 0;
    return base == 5 && (mode == 1 || mode == 2) ? 1 + displacement : 0;
}

/* With a REX.W prefix or without one: mov, test, xor, cmp, sub and add of registers, mov to the stack. */
static size_t plain_instruction(const uint8_t *code)
{
    size_t operand;

    switch (code[0]) {
    case 0x01:
    case 0x29:
    case 0x31:
    case 0x39:
    case 0x85:
    case 0x8b:
        return between_registers(code[1]) ? 2 : 0;
    case 0x89:
        operand = between_registers(code[1]) ? 1 : stack_operand(code + 1);
        return operand ? 1 + operand : 0;
    case 0x81:
        return code[1] == 0xec ? 6 : 0; /* sub $imm32, %rsp */
    case 0x83:
        return code[1] == 0xec || code[1] == 0xe4 ? 3 : 0; /* sub, and $imm8, %rsp */
    default:
        return 0;
    }
}

size_t kp_text_movable(const uint8_t *code)
{
    static const uint8_t landing_pad[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t length;

    if (memcmp(code, landing_pad, sizeof landing_pad) == 0)
        return sizeof landing_pad;
    if ((code[0] & 0xf8) == 0x50)
        return 1; /* push */
    if (code[0] == 0x41 && (code[1] & 0xf8) == 0x50)
        return 2; /* push of r8 to r15 */
    if ((code[0] & 0xf0) == 0x40) {
        length = plain_instruction(code + 1);
        return length ? 1 + length : 0;
    }
    return plain_instruction(code);
}
