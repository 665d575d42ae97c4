/*
 * Runs a fuzz target without a fuzzer: mutate COUNT [NAME.dict] FILE... feeds COUNT mutations of the files,
 * the same ones each time; words of the dictionary (a line each, as libFuzzer reads them) are put in between.
 * Made for a sanitizer build under ctest; the fuzz preset explores further.
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

static struct word {
    uint8_t data[64];
    size_t bytes;
} words[256];
static size_t word_count;

/* "text with \xHH, \" and \\" */
static void add_word(const char *line)
{
    struct word *word = &words[word_count];
    unsigned code;
    for (line++; *line && *line != '"' && word->bytes < sizeof word->data; word->bytes++) {
        line += *line == '\\';
        if (line[0] == 'x' && line[-1] == '\\' && sscanf(line + 1, "%2x", &code) == 1) {
            word->data[word->bytes] = (uint8_t)code;
            line += 3;
        } else {
            word->data[word->bytes] = (uint8_t)*line++;
        }
    }
    word_count++;
}

static int read_words(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 0;
    }
    while (word_count < sizeof words / sizeof words[0] && fgets(line, sizeof line, file))
        if (*line == '"')
            add_word(line);
    fclose(file);
    return 1;
}

static void put_word(uint8_t *data, size_t *bytes, size_t room)
{
    const struct word *word = &words[noise(word_count)];
    size_t at = 1 + noise(*bytes - 1);
    if (*bytes + word->bytes > room)
        return;
    memmove(data + at + word->bytes, data + at, *bytes - at);
    memcpy(data + at, word->data, word->bytes);
    *bytes += word->bytes;
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

    if (count > 0 && strstr(argv[2], ".dict")) {
        if (!read_words(argv[2]))
            return 1;
        argv++;
        argc--;
    }
    if (count == 0 || argc < 3) {
        fprintf(stderr, "usage: mutate COUNT [NAME.dict] FILE...\n");
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
            if (word_count && noise(2))
                put_word(copy, &bytes, sizeof copy);
            else
                mutate(copy, &bytes);
        LLVMFuzzerTestOneInput(copy, bytes);
    }
    return 0;
}
