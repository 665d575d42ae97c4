#include "sections.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/process_text.h"
#include "util/memory.h"

static struct kp_known_section **bucket_of(const struct kp_sections *sections, const uint8_t uuid[16])
{
    unsigned hash = (unsigned)uuid[0] << 8 | uuid[15];
    return (struct kp_known_section **)&sections->buckets[hash % KP_SECTION_BUCKETS];
}

struct kp_known_section *kp_sections_find(const struct kp_sections *sections, const uint8_t uuid[16])
{
    struct kp_known_section *section = *bucket_of(sections, uuid);
    while (section && memcmp(section->uuid, uuid, 16) != 0)
        section = section->next;
    return section;
}

struct kp_known_section *kp_sections_add(struct kp_sections *sections, const uint8_t uuid[16])
{
    struct kp_known_section **bucket = bucket_of(sections, uuid),
                            *section = kp_allocate_cleared(1, sizeof *section);
    memcpy(section->uuid, uuid, 16);
    section->file.fd = -1;
    section->next = *bucket;
    *bucket = section;
    sections->count++;
    return section;
}

static void free_section(struct kp_known_section *section)
{
    kp_trace_file_free(&section->file);
    free(section);
}

void kp_sections_remove(struct kp_sections *sections, struct kp_known_section *section)
{
    struct kp_known_section **at = bucket_of(sections, section->uuid);
    while (*at != section)
        at = &(*at)->next;
    *at = section->next;
    sections->count--;
    free_section(section);
}

void kp_sections_free(struct kp_sections *sections)
{
    for (size_t i = 0; i < KP_SECTION_BUCKETS; i++)
        for (struct kp_known_section *at = sections->buckets[i], *next; at; at = next) {
            next = at->next;
            free_section(at);
        }
}

/* --- reading ------------------------------------------------------------------------------------------ */

struct look {
    struct kp_sections *sections;
    const char *path;
    int fd;
    uint64_t at;
    struct kp_known_section *section; /* the one that goes on at `at` */
    struct kp_known_section old;      /* stands for parts whose later ones are known */
    uint64_t first_chunk;             /* those before it are in earlier parts */
    uint64_t due;                     /* number of the next chunk, or a higher one */
    struct kp_sections_found found;
};

static bool read_at(const struct look *look, uint64_t offset, void *bytes, size_t count)
{
    return pread(look->fd, bytes, count, (off_t)offset) == (ssize_t)count;
}

bool kp_sections_uuid(const char *text, size_t bytes, uint8_t uuid[16])
{
    char hex[64];
    if (kp_process_text_get(text, bytes, "uuid", hex, sizeof hex) != 32)
        return false;
    for (int i = 0; i < 16; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0}, *end;
        uuid[i] = (uint8_t)strtoul(pair, &end, 16);
        if (end != pair + 2)
            return false;
    }
    return true;
}

static uint32_t number_of(const char *text, size_t bytes, const char *key)
{
    char value[32];
    return kp_process_text_get(text, bytes, key, value, sizeof value) > 0 ? (uint32_t)strtoul(value, NULL, 10)
                                                                          : 0;
}

/* Where to note what a file tells of a section: the newest part counts. NULL: it is in another file already.
 */
static struct kp_known_section *place(struct look *look, const uint8_t uuid[16], uint32_t part)
{
    struct kp_known_section *known = kp_sections_find(look->sections, uuid);
    if (known && known->part == part) {
        look->found.repeated = true;
        return NULL;
    }
    if (known && known->part > part) {
        look->old = (struct kp_known_section){.part = part};
        return &look->old;
    }
    if (known)
        kp_sections_remove(look->sections, known);
    known = kp_sections_add(look->sections, uuid);
    known->part = part;
    known->file.path = kp_copy_text(look->path);
    return known;
}

/* The section whose PROCESS chunk begins at `offset`. */
static struct kp_known_section *begin(struct look *look, uint64_t offset)
{
    struct kp_known_section *section = NULL;
    struct kp_chunk_header header;
    uint8_t uuid[16];
    if (!read_at(look, offset, &header, sizeof header) || !kp_chunk_header_valid(&header) ||
        header.type != KP_CHUNK_PROCESS || header.number != 0)
        return NULL;
    char *text = malloc(header.payload_bytes + 1);
    if (text && read_at(look, offset + sizeof header, text, header.payload_bytes) &&
        kp_chunk_payload_valid(&header, text) && kp_sections_uuid(text, header.payload_bytes, uuid)) {
        uint32_t part = number_of(text, header.payload_bytes, "part");
        look->first_chunk = part ? number_of(text, header.payload_bytes, "first_chunk") : 0;
        look->due = 0;
        section = place(look, uuid, part);
    }
    free(text);
    return section;
}

/* The payload behind the last header of a file may be cut short, or zeros after a power failure. */
static bool is_whole(const struct look *look, const struct kp_chunk_header *header, uint64_t end)
{
    uint64_t behind = look->at + sizeof *header + header->payload_bytes;
    if (behind != end)
        return behind < end;
    uint8_t *payload = malloc(header->payload_bytes + 1);
    bool good = payload && read_at(look, look->at + sizeof *header, payload, header->payload_bytes) &&
                kp_chunk_payload_valid(header, payload);
    free(payload);
    return good;
}

/* A preamble where a section may begin. */
static bool step_preamble(struct look *look)
{
    struct kp_preamble preamble;
    if (!read_at(look, look->at, &preamble, sizeof preamble) ||
        memcmp(preamble.magic, KP_PREAMBLE_MAGIC, sizeof preamble.magic) != 0 ||
        preamble.major != KP_FORMAT_MAJOR || !(look->section = begin(look, look->at + sizeof preamble)))
        return false;
    look->at += sizeof preamble;
    return true;
}

static void note(struct look *look, const struct kp_chunk_header *header)
{
    struct kp_known_section *section = look->section;
    section->file.bytes = look->at;
    section->turned = header->type == KP_CHUNK_NEXT;
    section->ended = header->type == KP_CHUNK_END;
    if (section->ended || section->turned) {
        look->section = NULL;
        look->found.ended_bytes = look->at;
    }
    if (section->turned)
        return;                               /* its number is that of the chunk which is due */
    look->due = (uint64_t)header->number + 1; /* the sender may have forgotten some before it */
    section->chunks = look->due > look->first_chunk ? look->due : look->first_chunk;
    if (look->due <= look->first_chunk)
        section->head_bytes = look->at;
}

static bool step(struct look *look, uint64_t end)
{
    struct kp_chunk_header header;
    if ((!look->section && !step_preamble(look)) || !read_at(look, look->at, &header, sizeof header) ||
        !kp_chunk_header_valid(&header) || header.number < look->due || !is_whole(look, &header, end))
        return false;
    look->at += sizeof header + header.payload_bytes;
    note(look, &header);
    return true;
}

/* Whether what is behind `at` can be what a writer that was stopped had written by then. */
static bool is_cut_short(const struct look *look, uint64_t end)
{
    struct kp_chunk_header header;
    uint8_t magic[sizeof(struct kp_preamble)];
    uint64_t at = look->at, rest = end - at;
    if (!look->section) {
        size_t count = rest < 8 ? (size_t)rest : 8;
        if (!read_at(look, at, magic, count) || memcmp(magic, KP_PREAMBLE_MAGIC, count) != 0)
            return false;
        at += sizeof(struct kp_preamble);
    }
    if (at + sizeof header > end)
        return true;
    return read_at(look, at, &header, sizeof header) && kp_chunk_header_valid(&header) &&
           at + sizeof header + header.payload_bytes >= end;
}

struct kp_sections_found kp_sections_read(struct kp_sections *sections, const char *path)
{
    struct look look = {
        .sections = sections, .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    off_t end = look.fd < 0 ? -1 : lseek(look.fd, 0, SEEK_END);
    while (end > 0 && look.at < (uint64_t)end && step(&look, (uint64_t)end))
        ;
    look.found.cut_short = end >= 0 && is_cut_short(&look, (uint64_t)end);
    if (look.fd >= 0)
        close(look.fd);
    look.found.whole_bytes = look.at;
    return look.found;
}
