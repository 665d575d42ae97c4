/*
 * Runs a fuzz target without a fuzzer: mutate COUNT FILE... feeds COUNT mutations of the files, the same ones
 * each time. Made for a sanitizer build under ctest; the fuzz preset explores further.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static uint64_t state = 88172645463325252u;

static uint64_t noise(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

/* One change of data[1..*bytes): a bit, a byte, a number, a stretch moved or removed. */
static void mutate(uint8_t *data, size_t *bytes)
{
    size_t at = 1 + noise(*bytes - 1), left = *bytes - at, count = 1 + noise(left < 64 ? left : 64);
    uint32_t number = (uint32_t)(noise(2) ? noise(300) : UINT32_MAX - noise(3));

    switch (noise(6)) {
    case 0:
        data[at] ^= (uint8_t)(1 << noise(8));
        break;
    case 1:
        data[at] = (uint8_t)noise(256);
        break;
    case 2:
        memcpy(data + at, &number, left < 4 ? left : 4);
        break;
    case 3:
        memmove(data + 1 + noise(*bytes - count), data + at, count);
        break;
    case 4:
        memmove(data + at, data + at + count, left - count);
        *bytes -= count;
        break;
    case 5:
        memset(data + at, noise(2) ? 0xff : 0x80, count);
        break;
    }
}

int main(int argc, char **argv)
{
    static uint8_t original[1 << 20], copy[1 << 20];
    unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (count == 0) {
        fprintf(stderr, "usage: mutate COUNT FILE...\n");
        return 2;
    }
    for (unsigned long i = 0; i < count; i++) {
        FILE *file = fopen(argv[2 + i % (unsigned)(argc - 2)], "rb");
        size_t bytes;

        if (!file) {
            perror(argv[2 + i % (unsigned)(argc - 2)]);
            return 1;
        }
        bytes = 1 + fread(original, 1, sizeof original - 1, file);
        fclose(file);
        memcpy(copy + 1, original, bytes - 1);
        copy[0] = (uint8_t)(i / (unsigned)(argc - 2));
        for (uint64_t n = 1 + noise(4); n > 0 && bytes > 1; n--)
            mutate(copy, &bytes);
        LLVMFuzzerTestOneInput(copy, bytes);
    }
    return 0;
}
