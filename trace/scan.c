#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "process_text.h"
#include "salvage.h"
#include "varint.h"

/* Where a scan stands. */
struct scan {
    struct kp_input *input;
    const struct kp_source *source;
    bool leftover;
    bool skipping; /* a section of a newer major version */
    bool fresh;    /* the damage just noted explains a hole in the numbers */
    uint64_t at;
    uint32_t newest; /* list position + 1 of the chunk read last, 0: none */
};

static struct kp_section *current(struct scan *scan)
{
    struct kp_input *input = scan->input;

    return input->section_count ? &input->sections[input->section_count - 1] : NULL;
}

enum kp_status kp_scan_add(struct kp_input *input, struct kp_input_chunk chunk)
{
    if (input->chunk_count == input->chunk_room) {
        uint32_t room = input->chunk_room ? input->chunk_room * 2 : 256;
        struct kp_input_chunk *grown = realloc(input->chunks, room * sizeof *grown);

        if (!grown)
            return KP_ERROR_NO_MEMORY;
        input->chunks = grown;
        input->chunk_room = room;
    }
    input->chunks[input->chunk_count++] = chunk;
    return KP_OK;
}

static enum kp_status add_damage(struct scan *scan, enum kp_damage damage, uint64_t offset, uint64_t value)
{
    scan->newest = 0;
    return kp_scan_add(scan->input, (struct kp_input_chunk){.type = KP_CHUNK_DAMAGE,
                                                            .thread = damage,
                                                            .offset = offset,
                                                            .value = value,
                                                            .leftover = scan->leftover});
}

bool kp_scan_head(const struct kp_source *source, uint64_t offset, uint32_t payload_bytes,
                  struct kp_scan_head *head)
{
    uint8_t bytes[KP_ENCODE_HEAD_MAX];
    size_t count = payload_bytes < sizeof bytes ? payload_bytes : sizeof bytes;
    const uint8_t *p = bytes, *end;
    uint64_t thread, events, shift;

    end = p + kp_source_read(source, offset + sizeof(struct kp_chunk_header), bytes, count);
    if (!(p = kp_varint_get(p, end, &thread)) || !(p = kp_varint_get(p, end, &head->first_slot)) ||
        !(p = kp_varint_get(p, end, &head->slots)) || !(p = kp_varint_get(p, end, &events)) || p >= end)
        return false;
    shift = *p++;
    if (!kp_varint_get(p, end, &head->base_ticks) || thread > UINT32_MAX || shift > 31)
        return false;
    head->thread = (uint32_t)thread;
    head->base_ticks <<= shift;
    return head->slots <= KP_ENCODE_SLOTS_MAX && head->first_slot <= UINT64_MAX - head->slots;
}

static void close_section(struct scan *scan, struct kp_section *section)
{
    section->end = scan->input->chunk_count;
}

/* The section that was read last ends here: the file has nothing more of it. */
static enum kp_status finish_section(struct scan *scan)
{
    struct kp_section *section = current(scan);
    enum kp_status status = KP_OK;

    if (!section || scan->leftover)
        return KP_OK;
    close_section(scan, section);
    if (!section->complete && !scan->input->no_leftover)
        status = kp_salvage_section(scan->input, section);
    close_section(scan, section);
    return status;
}

static enum kp_status start_section(struct scan *scan, uint64_t offset)
{
    struct kp_input *input = scan->input;
    enum kp_status status = finish_section(scan);

    if (status != KP_OK)
        return status;
    if (input->section_count == input->section_room) {
        uint32_t room = input->section_room ? input->section_room * 2 : 4;
        struct kp_section *grown = realloc(input->sections, room * sizeof *grown);

        if (!grown)
            return KP_ERROR_NO_MEMORY;
        input->sections = grown;
        input->section_room = room;
    }
    /* Damage in front of the first section is told with it. */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): no room without memory */
    input->sections[input->section_count] =
        (struct kp_section){.offset = offset, .first = input->section_count ? input->chunk_count : 0};
    input->section_count++;
    scan->newest = 0;
    return KP_OK;
}

static enum kp_status take_process(struct scan *scan, struct kp_section *section,
                                   const struct kp_chunk_header *header)
{
    char *text = malloc(header->payload_bytes + 1);

    if (!text)
        return KP_ERROR_NO_MEMORY;
    if (kp_source_read(scan->source, scan->at + sizeof *header, text, header->payload_bytes) !=
            header->payload_bytes ||
        !kp_chunk_payload_valid(header, text)) {
        free(text);
        return KP_OK;
    }
    free(section->text);
    section->text = text;
    section->text_bytes = header->payload_bytes;
    section->pid = (uint32_t)kp_section_integer(section, "pid");
    section->part = (uint32_t)kp_section_integer(section, "part");
    section->first_chunk = section->part ? (uint32_t)kp_section_integer(section, "first_chunk") : 0;
    kp_process_text_get(text, section->text_bytes, "uuid", section->uuid, sizeof section->uuid);
    return KP_OK;
}

static void take_clock(struct scan *scan, struct kp_section *section, const struct kp_chunk_header *header)
{
    struct {
        struct kp_clock_sync sync;
        uint8_t more[4096];
    } payload;
    uint32_t bytes = header->payload_bytes;

    if (bytes < sizeof payload.sync || bytes > sizeof payload ||
        kp_source_read(scan->source, scan->at + sizeof *header, &payload, bytes) != bytes ||
        !kp_chunk_payload_valid(header, &payload))
        return;
    if (section->syncs++ == 0)
        section->first_sync = payload.sync;
    section->last_sync = payload.sync;
}

/* END, or NEXT of a part. */
static void take_end(struct scan *scan, struct kp_section *section, const struct kp_chunk_header *header)
{
    union {
        struct kp_end end;
        uint32_t next_part;
        uint8_t all[4096];
    } payload;
    bool goes_on = header->type == KP_CHUNK_NEXT;
    uint32_t bytes = header->payload_bytes;

    if (bytes < (goes_on ? sizeof payload.next_part : sizeof payload.end) || bytes > sizeof payload ||
        kp_source_read(scan->source, scan->at + sizeof *header, &payload, bytes) != bytes ||
        !kp_chunk_payload_valid(header, &payload))
        return;
    if (goes_on)
        section->next_part = payload.next_part;
    else
        section->end_ticks = payload.end.ticks;
    section->complete = true;
}

static enum kp_status check_number(struct scan *scan, struct kp_section *section, uint32_t number)
{
    /* A later part repeats only what names things of the chunks before its own. */
    uint32_t expected =
        section->next_number > section->first_chunk ? section->next_number : section->first_chunk;
    enum kp_status status = KP_OK;

    section->next_number = number + 1;
    if (number > expected && !scan->fresh)
        status = add_damage(scan, KP_DAMAGE_MISSING, scan->at, number - expected);
    scan->fresh = false;
    return status;
}

static enum kp_status take_chunk(struct scan *scan, const struct kp_chunk_header *header)
{
    struct kp_section *section = current(scan);
    struct kp_input_chunk chunk = {
        .offset = scan->at, .payload_bytes = header->payload_bytes, .type = header->type};
    struct kp_scan_head head = {0};
    enum kp_status status = KP_OK;

    /* A section whose preamble is damaged starts at its first chunk. */
    if (!section || section->complete || (header->type == KP_CHUNK_PROCESS && section->next_number > 0)) {
        status = start_section(scan, scan->at);
        section = current(scan);
    }
    if (status == KP_OK)
        status = check_number(scan, section, header->number);
    if (status == KP_OK && header->type == KP_CHUNK_PROCESS)
        status = take_process(scan, section, header);
    if (header->type == KP_CHUNK_CLOCK)
        take_clock(scan, section, header);
    if (header->type == KP_CHUNK_END || header->type == KP_CHUNK_NEXT)
        take_end(scan, section, header);
    if (header->type == KP_CHUNK_EVENTS)
        kp_scan_head(scan->source, scan->at, header->payload_bytes, &head);
    chunk.thread = head.thread;
    chunk.value = head.base_ticks;
    chunk.leftover = scan->leftover;
    scan->at += sizeof *header + header->payload_bytes;
    if (status == KP_OK)
        status = kp_scan_add(scan->input, chunk);
    scan->newest = scan->input->chunk_count;
    return status;
}

static enum kp_status take_preamble(struct scan *scan, const struct kp_preamble *preamble)
{
    uint64_t offset = scan->at;

    scan->at += sizeof *preamble;
    scan->fresh = false;
    scan->skipping = preamble->major > KP_FORMAT_MAJOR;
    if (!scan->skipping)
        return start_section(scan, offset);
    offset = scan->at;
    /* A reader of this version cannot know where it ends: on to the next preamble. */
    while ((scan->at = kp_source_find(scan->source, scan->at, scan->source->bytes)) < scan->source->bytes) {
        uint8_t magic[8];

        if (kp_source_read(scan->source, scan->at, magic, 8) == 8 && memcmp(magic, KP_PREAMBLE_MAGIC, 8) == 0)
            break;
        scan->at++;
    }
    return add_damage(scan, KP_DAMAGE_NEWER, offset, scan->at - offset);
}

/*
 * What stands here is neither chunk nor preamble, so bytes are missing or too many: then the chunk before
 * may be damaged as well, and what follows may start inside of it.
 */
static uint64_t step_back(struct scan *scan)
{
    struct kp_input_chunk *chunk = scan->newest ? &scan->input->chunks[scan->newest - 1] : NULL;
    struct kp_chunk_header header;
    uint8_t *payload;
    bool good;

    if (!chunk)
        return scan->at;
    payload = malloc(chunk->payload_bytes + 1);
    if (!payload)
        return scan->at;
    good = kp_source_read(scan->source, chunk->offset, &header, sizeof header) == sizeof header &&
           kp_source_read(scan->source, chunk->offset + sizeof header, payload, chunk->payload_bytes) ==
               chunk->payload_bytes &&
           kp_chunk_payload_valid(&header, payload);
    free(payload);
    if (good)
        return scan->at;
    scan->input->chunk_count--;
    return chunk->offset;
}

static enum kp_status resynchronise(struct scan *scan, uint64_t bad, bool truncated)
{
    uint64_t from = bad + (bad == scan->at && !truncated ? 1 : sizeof(struct kp_chunk_header));
    uint64_t end = scan->source->bytes;

    if (from > end)
        from = end;
    scan->at = kp_source_find(scan->source, from, end);
    scan->fresh = true;
    return add_damage(scan, truncated && scan->at == end ? KP_DAMAGE_TRUNCATED : KP_DAMAGE_SKIPPED, bad,
                      scan->at - bad);
}

/* A rest too short for a header: the file ends in the middle of one. */
static enum kp_status short_rest(struct scan *scan)
{
    uint64_t bad = scan->at;

    scan->at = scan->source->bytes;
    return add_damage(scan, KP_DAMAGE_TRUNCATED, bad, scan->at - bad);
}

static enum kp_status step(struct scan *scan)
{
    union {
        struct kp_preamble preamble;
        struct kp_chunk_header chunk;
    } at;
    size_t bytes = kp_source_read(scan->source, scan->at, &at, sizeof at);

    if (bytes >= sizeof at.preamble && memcmp(at.preamble.magic, KP_PREAMBLE_MAGIC, 8) == 0)
        return take_preamble(scan, &at.preamble);
    if (bytes == sizeof at && kp_chunk_header_valid(&at.chunk)) {
        if (at.chunk.payload_bytes > scan->source->bytes - scan->at - sizeof at)
            return resynchronise(scan, scan->at, true);
        return take_chunk(scan, &at.chunk);
    }
    if (bytes < sizeof at)
        return short_rest(scan);
    return resynchronise(scan, step_back(scan), false);
}

static enum kp_status run(struct scan *scan)
{
    enum kp_status status = KP_OK;

    while (status == KP_OK && scan->at < scan->source->bytes)
        status = step(scan);
    return status;
}

enum kp_status kp_scan_file(struct kp_input *input)
{
    struct scan scan = {.input = input, .source = &input->file};
    enum kp_status status = run(&scan);

    return status == KP_OK ? finish_section(&scan) : status;
}

enum kp_status kp_scan_leftover(struct kp_input *input, uint64_t from)
{
    struct scan scan = {
        .input = input, .source = &input->leftover, .leftover = true, .fresh = true, .at = from};
    enum kp_status status = run(&scan);
    struct kp_section *section = current(&scan);

    if (section) {
        close_section(&scan, section);
        /* The END is ours: the process itself did not get that far. */
        section->complete = false;
        section->recovered = true;
    }
    return status;
}
