#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process_text.h"
#include "salvage.h"
#include "scan.h"

/* A damaged beginning is told from a foreign file by a chunk within this many bytes. */
#define SEARCH_BYTES (4u << 20)

static const struct {
    const char *bytes;
    uint8_t count;
    const char *what;
} looks[] = {
    {"\x1f\x8b", 2, "gzip"},
    {"\x28\xb5\x2f\xfd", 4, "zstd"},
    {"\xfd\x37zXZ", 5, "xz"},
    {"BZh", 3, "bzip2"},
    {"PK\x03\x04", 4, "zip"},
    {"\x7f\x45LF", 4, "an ELF program or library"},
    {"SQLite format 3", 15, "SQLite"},
    {"{", 1, "JSON"},
    {"[", 1, "JSON"},
    {"#!", 2, "a script"},
    {"\x89KPT\n", 5, "a trace damaged by a text-mode transfer"},
};

static const char *look_at(const uint8_t *head, size_t bytes)
{
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (bytes >= looks[i].count && memcmp(head, looks[i].bytes, looks[i].count) == 0)
            return looks[i].what;
    for (size_t i = 0; i < bytes; i++)
        if (head[i] < 0x20 && !strchr("\t\n\r\f", head[i]))
            return "some binary file";
    return "text";
}

static enum kp_status refuse(enum kp_status status, char *error, size_t error_bytes, const char *path,
                             const char *why)
{
    snprintf(error, error_bytes, "%s: %s", path, why ? why : kp_status_text(status));
    return status;
}

static enum kp_status check_beginning(struct kp_input *input, const char *name, char *error,
                                      size_t error_bytes)
{
    union {
        struct kp_preamble preamble;
        uint8_t bytes[64];
    } head;
    size_t bytes = kp_source_read(&input->file, 0, &head, sizeof head);
    uint64_t limit = input->file.bytes < SEARCH_BYTES ? input->file.bytes : SEARCH_BYTES;

    if (bytes < sizeof head.preamble || memcmp(head.preamble.magic, KP_PREAMBLE_MAGIC, 8) != 0) {
        if (kp_source_find(&input->file, 0, limit) < limit)
            return KP_OK;
        if (bytes <= sizeof head.preamble &&
            memcmp(head.bytes, KP_PREAMBLE_MAGIC, bytes < 8 ? bytes : 8) == 0)
            return refuse(KP_ERROR_TRUNCATED, error, error_bytes, name,
                          "cut off within the first bytes, nothing to read");
        snprintf(error, error_bytes, "%s: not a kprobe trace; it looks like %s", name,
                 look_at(head.bytes, bytes));
        return KP_ERROR_FOREIGN;
    }
    if (head.preamble.major <= KP_FORMAT_MAJOR)
        return KP_OK;
    snprintf(error, error_bytes,
             "%s: written in format %u.%u, this kprobe reads up to %d.%d: use a newer kprobe", name,
             head.preamble.major, head.preamble.minor, KP_FORMAT_MAJOR, KP_FORMAT_MINOR);
    return KP_ERROR_NEWER;
}

/* Nothing is in the file (or there is none): `error` says so already; maybe the process left it all in
 * memory. */
static enum kp_status open_leftover(struct kp_input *input, enum kp_status status, char *error,
                                    size_t error_bytes)
{
    enum kp_status found = input->no_leftover ? KP_END : kp_salvage_path(input, input->path);

    if (found == KP_OK)
        return KP_OK;
    if (found == KP_ERROR_SYSTEM && errno == EBUSY)
        return refuse(found, error, error_bytes, input->path,
                      "nothing was written yet, and the process that will write it still runs");
    if (found != KP_END)
        snprintf(error, error_bytes,
                 "%s: only what its process left in memory is there, and that cannot be read: %s",
                 input->path, kp_status_text(found));
    return found == KP_END ? status : found;
}

static enum kp_status scan(struct kp_input *input, char *error, size_t error_bytes)
{
    const char *name = strcmp(input->path, "-") == 0 ? "standard input" : input->path;
    enum kp_status status = check_beginning(input, name, error, error_bytes);

    /* Killed before the first chunk was safe. */
    if (status == KP_ERROR_TRUNCATED)
        return open_leftover(input, status, error, error_bytes);
    if (status != KP_OK)
        return status;
    status = kp_scan_file(input);
    if (status != KP_OK)
        return refuse(status, error, error_bytes, name, NULL);
    if (input->section_count == 1 && !input->sections[0].text && input->sections[0].next_number == 0) {
        struct kp_input_chunk *chunks = input->chunks;

        refuse(KP_ERROR_TRUNCATED, error, error_bytes, name, "cut off behind the preamble, nothing to read");
        free(chunks);
        free(input->sections);
        input->chunks = NULL;
        input->sections = NULL;
        input->chunk_count = input->chunk_room = input->section_count = input->section_room = 0;
        return open_leftover(input, KP_ERROR_TRUNCATED, error, error_bytes);
    }
    return KP_OK;
}

enum kp_status kp_input_open(struct kp_input *input, const char *path, const struct kp_zstd *zstd,
                             const struct kp_source_opener *opener, bool no_leftover, char *error,
                             size_t error_bytes)
{
    enum kp_status status;

    *input = (struct kp_input){.path = path, .zstd = zstd, .no_leftover = no_leftover, .leftover.fd = -1};
    status = opener ? opener->open(opener->user, &input->file, path, error, error_bytes)
                    : kp_source_open(&input->file, path, error, error_bytes);
    if (status == KP_OK && input->file.bytes == 0) {
        status =
            refuse(KP_ERROR_EMPTY, error, error_bytes, strcmp(path, "-") ? path : "standard input", NULL);
        status = open_leftover(input, status, error, error_bytes);
    } else if (status == KP_OK) {
        status = scan(input, error, error_bytes);
    } else if (status == KP_ERROR_SYSTEM && errno == ENOENT) {
        status = open_leftover(input, status, error, error_bytes);
    }
    if (status != KP_OK)
        kp_input_close(input);
    return status;
}

void kp_input_damage_text(const struct kp_input_chunk *chunk, char *text, size_t bytes)
{
    unsigned long long value = chunk->value;

    switch ((enum kp_damage)chunk->thread) {
    case KP_DAMAGE_SKIPPED:
        snprintf(text, bytes, "%llu bytes make no sense and were skipped", value);
        break;
    case KP_DAMAGE_TRUNCATED:
        snprintf(text, bytes, "the trace ends in the middle of a chunk, %llu bytes of it are there", value);
        break;
    case KP_DAMAGE_MISSING:
        snprintf(text, bytes, "%llu chunks are missing in front of this one", value);
        break;
    case KP_DAMAGE_NEWER:
        snprintf(text, bytes, "a process written in a newer format (%llu bytes) was skipped", value);
        break;
    case KP_DAMAGE_LEFTOVER:
        snprintf(text, bytes, "what the process left in memory could not be read completely: %s",
                 kp_status_text((enum kp_status)value));
        break;
    }
}

double kp_section_number(const struct kp_section *section, const char *key)
{
    char value[64];

    if (!section->text ||
        kp_process_text_get(section->text, section->text_bytes, key, value, sizeof value) < 0)
        return 0;
    return strtod(value, NULL);
}

uint64_t kp_section_integer(const struct kp_section *section, const char *key)
{
    char value[64];

    if (!section->text ||
        kp_process_text_get(section->text, section->text_bytes, key, value, sizeof value) < 0)
        return 0;
    return strtoull(value, NULL, 10);
}

struct kp_time_map kp_section_clock(const struct kp_section *section)
{
    return kp_time_map_make(&section->first_sync, &section->last_sync,
                            kp_section_number(section, "ticks_per_ns"));
}

void kp_input_close(struct kp_input *input)
{
    for (uint32_t i = 0; i < input->section_count; i++)
        free(input->sections[i].text);
    free(input->sections);
    free(input->chunks);
    kp_source_close(&input->file);
    kp_source_close(&input->leftover);
    *input = (struct kp_input){.path = input->path, .file.fd = -1, .leftover.fd = -1};
}
