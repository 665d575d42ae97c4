/* Kieker traces from the chunks of a section: decodes what a shim sealed and feeds traces.c. */
#include <stdlib.h>
#include <string.h>

#include "trace/chunk.h"
#include "trace/decode.h"
#include "trace/def.h"
#include "trace/id_map.h"
#include "trace/process_text.h"
#include "trace/time_map.h"
#include "trace/zstd.h"
#include "traces.h"

#define BATCH_EVENTS 512

struct kp_kieker_section {
    struct kp_kieker_traces *traces;
    struct kp_kieker_process *process; /* NULL: not begun, or ended */
    bool ended;
    char uuid[33], host[256];
    double ticks_per_ns;
    struct kp_clock_sync first_sync;
    bool synced;
    struct kp_time_map clock;
    struct kp_zstd zstd;
    bool zstd_tried;
    struct kp_id_map next_slots; /* by thread: the first slot that was not taken, + 1 */
    uint8_t *columns[KP_COLUMN_COUNT];
    size_t rooms[KP_COLUMN_COUNT];
    char *text; /* of a definition, terminated */
    size_t text_room;
    /* The chunk that is being taken, while the output is full. */
    struct {
        bool open;
        uint32_t number;
        uint64_t repeated; /* slots that an earlier chunk had */
        size_t at, count;
        const uint8_t *def;
    } chunk;
    const uint8_t *defs_end;
    struct kp_decoder decoder;
    struct kp_event events[BATCH_EVENTS];
};

struct kp_kieker_section *kp_kieker_section_begin(struct kp_kieker_traces *traces)
{
    struct kp_kieker_section *section = calloc(1, sizeof *section);

    if (section)
        section->traces = traces;
    return section;
}

static enum kp_status begin_process(struct kp_kieker_section *section)
{
    if (section->process)
        return KP_OK;
    section->process = kp_kieker_process_begin(section->traces, section->uuid, section->host);
    return section->process ? KP_OK : KP_ERROR_NO_MEMORY;
}

static enum kp_status take_process(struct kp_kieker_section *section, const char *text, size_t bytes)
{
    char number[64];

    kp_process_text_get(text, bytes, "uuid", section->uuid, sizeof section->uuid);
    kp_process_text_get(text, bytes, "host", section->host, sizeof section->host);
    /* Not strtod, which asks the program's locale. */
    if (kp_process_text_get(text, bytes, "ticks_per_ns", number, sizeof number) > 0 &&
        !kieker_parse_double(number, strlen(number), &section->ticks_per_ns))
        section->ticks_per_ns = 0;
    return begin_process(section);
}

static enum kp_status take_clock(struct kp_kieker_section *section, const void *payload, size_t bytes)
{
    struct kp_clock_sync sync;

    if (bytes < sizeof sync)
        return KP_ERROR_DAMAGED;
    memcpy(&sync, payload, sizeof sync);
    if (!section->synced)
        section->first_sync = sync;
    section->synced = true;
    section->clock = kp_time_map_make(&section->first_sync, &sync, section->ticks_per_ns);
    return KP_OK;
}

/* --- blobs ------------------------------------------------------------------------------------------- */

static enum kp_status open_blob(struct kp_kieker_section *section, const uint8_t **p, const uint8_t *end,
                                int column, const uint8_t **data, size_t *bytes)
{
    const uint8_t *start = *p;
    enum kp_status status =
        kp_blob_get(p, end, data, bytes, &section->columns[column], &section->rooms[column], &section->zstd);

    if (status == KP_ERROR_SYSTEM && !section->zstd_tried) {
        section->zstd_tried = true;
        kp_zstd_open(&section->zstd, 0);
        *p = start;
        status = kp_blob_get(p, end, data, bytes, &section->columns[column], &section->rooms[column],
                             &section->zstd);
    }
    if (status != KP_OK || *data == section->columns[column])
        return status;
    /* A copy: the caller's bytes may be gone when it comes back after KP_ERROR_FULL. */
    if (*bytes > section->rooms[column]) {
        uint8_t *grown = realloc(section->columns[column], *bytes);

        if (!grown)
            return KP_ERROR_NO_MEMORY;
        section->columns[column] = grown;
        section->rooms[column] = *bytes;
    }
    if (*bytes)
        memcpy(section->columns[column], *data, *bytes);
    *data = section->columns[column];
    return KP_OK;
}

/* --- definitions ------------------------------------------------------------------------------------- */

/* Both texts with their ends; they stand behind one another in `section->text`. */
static bool copy_texts(struct kp_kieker_section *section, struct kp_text name, struct kp_text file)
{
    size_t bytes = name.count + file.count + 2;

    if (bytes > section->text_room) {
        char *grown = realloc(section->text, bytes);

        if (!grown)
            return false;
        section->text = grown;
        section->text_room = bytes;
    }
    memcpy(section->text, name.bytes, name.count);
    section->text[name.count] = '\0';
    memcpy(section->text + name.count + 1, file.bytes, file.count);
    section->text[bytes - 1] = '\0';
    return true;
}

static enum kp_status take_function(struct kp_kieker_section *section, const struct kp_def *def)
{
    struct kp_kieker_function_facts facts = {.id = def->function.id,
                                             .line = def->function.line,
                                             .flags = def->function.flags,
                                             .parameters = def->function.parameters,
                                             .kind = def->function.kind};

    if (!copy_texts(section, def->function.name, def->function.file))
        return KP_ERROR_NO_MEMORY;
    facts.name = section->text;
    facts.file = section->text + def->function.name.count + 1;
    return kp_kieker_process_function(section->process, &facts);
}

static enum kp_status take_def(struct kp_kieker_section *section, const struct kp_def *def)
{
    switch (def->type) {
    case KP_DEF_FUNCTION:
        return take_function(section, def);
    case KP_DEF_THREAD:
        return kp_kieker_process_thread(section->process, def->thread.number, def->thread.tid,
                                        def->thread.base_depth);
    case KP_DEF_THREAD_END:
        return kp_kieker_process_thread_end(section->process, def->thread_end.number,
                                            kp_time_map_ns(&section->clock, def->thread_end.end_ticks));
    default:
        return KP_OK;
    }
}

static enum kp_status take_defs(struct kp_kieker_section *section, const uint8_t *payload, size_t bytes)
{
    const uint8_t *p = payload;
    size_t count = 0;
    enum kp_status status = KP_OK;

    if (!section->chunk.open) {
        status = open_blob(section, &p, payload + bytes, 0, &section->chunk.def, &count);
        section->defs_end = section->chunk.def + count;
        section->chunk.open = status == KP_OK;
    }
    while (status == KP_OK) {
        struct kp_def def;
        const uint8_t *before = section->chunk.def;

        status = kp_def_get(&section->chunk.def, section->defs_end, &def);
        if (status == KP_OK)
            status = take_def(section, &def);
        if (status == KP_ERROR_FULL)
            section->chunk.def = before;
    }
    section->chunk.open = status == KP_ERROR_FULL;
    return status == KP_END ? KP_OK : status;
}

/* --- events ------------------------------------------------------------------------------------------ */

static enum kp_status open_events(struct kp_kieker_section *section, const uint8_t *payload, size_t bytes)
{
    const uint8_t *p = payload, *end = payload + bytes;
    struct kp_decoder *decoder = &section->decoder;
    enum kp_status status = kp_decode_head(decoder, &p, end);
    uint64_t next;

    for (int column = 0; column < KP_COLUMN_COUNT && status == KP_OK; column++) {
        const uint8_t *data = NULL;
        size_t count = 0;

        status = open_blob(section, &p, end, column, &data, &count);
        if (status == KP_OK)
            kp_decode_column(decoder, (enum kp_column)column, data, count);
    }
    if (status != KP_OK)
        return status;
    if (decoder->first_slot > UINT64_MAX - 1 - decoder->slots)
        return KP_ERROR_DAMAGED;
    next = kp_id_map_get(&section->next_slots, decoder->thread);
    next -= next > 0;
    section->chunk.repeated = 0;
    if (decoder->first_slot + decoder->slots <= next)
        return KP_END;
    if (decoder->first_slot < next)
        section->chunk.repeated = next - decoder->first_slot;
    if (kp_id_map_put(&section->next_slots, decoder->thread, decoder->first_slot + decoder->slots + 1) < 0)
        return KP_ERROR_NO_MEMORY;
    section->chunk.open = true;
    section->chunk.at = section->chunk.count = 0;
    return KP_OK;
}

/* Ticks to nanoseconds, and what an earlier chunk had already is left out. */
static size_t convert(struct kp_kieker_section *section, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (section->chunk.repeated) {
            uint64_t slots = kp_event_kind_slots(section->events[i].kind);

            slots = slots ? slots : 1;
            section->chunk.repeated -= slots < section->chunk.repeated ? slots : section->chunk.repeated;
            continue;
        }
        section->events[kept] = section->events[i];
        section->events[kept].time = kp_time_map_ns(&section->clock, section->events[i].time);
        kept++;
    }
    return kept;
}

static enum kp_status take_batch(struct kp_kieker_section *section)
{
    size_t taken = 0;
    enum kp_status status = kp_kieker_process_events(section->process, section->decoder.thread,
                                                     section->events + section->chunk.at,
                                                     section->chunk.count - section->chunk.at, &taken);

    section->chunk.at += taken;
    return status;
}

static enum kp_status take_events(struct kp_kieker_section *section, const uint8_t *payload, size_t bytes)
{
    enum kp_status status = section->chunk.open ? take_batch(section) : open_events(section, payload, bytes);

    while (status == KP_OK) {
        size_t count = 0;

        status = kp_decode_events(&section->decoder, section->events, BATCH_EVENTS, &count);
        section->chunk.at = 0;
        section->chunk.count = convert(section, count);
        /* What came before damage counts. */
        if (section->chunk.count) {
            enum kp_status given = take_batch(section);

            status = given == KP_OK ? status : given;
        }
    }
    if (status != KP_ERROR_FULL)
        section->chunk.open = false;
    return status == KP_END ? KP_OK : status;
}

/* --- chunks ------------------------------------------------------------------------------------------ */

static enum kp_status end_process(struct kp_kieker_section *section, uint64_t time_ns)
{
    enum kp_status status = kp_kieker_process_end(section->process, time_ns);

    if (status != KP_ERROR_FULL) {
        section->process = NULL;
        section->ended = true;
    }
    return status;
}

static enum kp_status take_end(struct kp_kieker_section *section, const void *payload, size_t bytes)
{
    struct kp_end end;

    if (bytes < sizeof end)
        return KP_ERROR_DAMAGED;
    memcpy(&end, payload, sizeof end);
    return end_process(section, kp_time_map_ns(&section->clock, end.ticks));
}

enum kp_status kp_kieker_section_chunk(struct kp_kieker_section *section,
                                       const struct kp_chunk_header *header, const void *payload)
{
    enum kp_status status;

    if (section->ended)
        return KP_OK;
    if (header->type == KP_CHUNK_PROCESS)
        return take_process(section, payload, header->payload_bytes);
    status = begin_process(section);
    if (status != KP_OK)
        return status;
    switch (header->type) {
    case KP_CHUNK_DEFS:
        return take_defs(section, payload, header->payload_bytes);
    case KP_CHUNK_EVENTS:
        return take_events(section, payload, header->payload_bytes);
    case KP_CHUNK_CLOCK:
        return take_clock(section, payload, header->payload_bytes);
    case KP_CHUNK_END:
        return take_end(section, payload, header->payload_bytes);
    default:
        return KP_OK;
    }
}

enum kp_status kp_kieker_section_end(struct kp_kieker_section *section)
{
    enum kp_status status = section->process ? end_process(section, 0) : KP_OK;

    if (status == KP_ERROR_FULL)
        return status;
    for (int column = 0; column < KP_COLUMN_COUNT; column++)
        free(section->columns[column]);
    free(section->text);
    kp_id_map_free(&section->next_slots);
    kp_zstd_close(&section->zstd);
    free(section);
    return status;
}
