#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __clang_analyzer__ /* its paths into the hash are not ours to mend */
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "import_private.h"
#include "trace/process_text.h"

enum {
    LANE_SLOTS = 8192, /* then they become a chunk */
    LANE_SLOTS_FIRST = 64,
    ALL_SLOTS = 4 << 20,    /* of all lanes: 64 MiB */
    DEFS_BYTES = 256 << 10, /* then they become a chunk */
    PROCESS_BYTES = 8192,
};

/* --- bytes and chunks --- */

static bool put_bytes(struct kp_import_section *section, const void *bytes, size_t count)
{
    struct kp_kieker_import *import = section->import;

    if (import->status != KP_OK)
        return false;
    return kp_import_check(import, section->direct ? import->options.write(import->options.user, bytes, count)
                                                   : kp_source_append(&section->spool, bytes, count));
}

/* The payload stands in import->out behind room for the header. */
static bool put_chunk(struct kp_import_section *section, enum kp_chunk_type type, size_t payload_bytes)
{
    struct kp_chunk_header *header = (struct kp_chunk_header *)section->import->out;

    kp_chunk_seal(header, type, section->chunks, (uint32_t)payload_bytes);
    section->chunks++;
    return put_bytes(section, header, sizeof *header + payload_bytes);
}

static uint8_t *payload(struct kp_import_section *section)
{
    return section->import->out + sizeof(struct kp_chunk_header);
}

static const struct kp_zstd *zstd_of(const struct kp_kieker_import *import)
{
    return import->options.zstd ? import->options.zstd : &import->no_zstd;
}

static void put_text(char *text, const char *key, const char *value)
{
    kp_process_text_put(text, PROCESS_BYTES, key, value, strlen(value));
}

static void put_number(char *text, const char *key, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_text(text, key, digits);
}

/* The same log gives the same section. */
static void make_uuid(const struct kp_import_section *section, char uuid[33])
{
    const struct kp_kieker_import *import = section->import;
    const char *name = import->options.name ? import->options.name : "";
    uint64_t a = XXH64(name, strlen(name), section->start_ns + import->options.salt);
    uint64_t b;

    a = XXH64(section->host, strlen(section->host), a);
    b = XXH64(section->application, strlen(section->application), a);
    snprintf(uuid, 33, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
}

static void make_process_text(const struct kp_import_section *section, char *text)
{
    const struct kp_kieker_import *import = section->import;
    char uuid[33], engine[128], command[4096];

    make_uuid(section, uuid);
    snprintf(engine, sizeof engine, "Kieker%s%s", import->version ? " " : "",
             import->version ? import->version : "");
    snprintf(command, sizeof command, "%s%s%s", section->application, *section->application ? " " : "",
             import->options.name ? import->options.name : "");
    text[0] = 0;
    put_text(text, "uuid", uuid);
    put_number(text, "pid", 0);
    put_number(text, "ppid", 0);
    put_text(text, "host", section->host);
    put_text(text, "command", command);
    put_text(text, "engine", engine);
    put_text(text, "clock", "kieker");
    put_text(text, "ticks_per_ns", "1");
    put_number(text, "start_ns", section->start_ns);
}

static bool put_clock(struct kp_import_section *section, uint64_t ns)
{
    /* Ticks are nanoseconds of the log, so all three agree and times come out as they went in. */
    struct kp_clock_sync sync = {ns, ns, ns};

    memcpy(payload(section), &sync, sizeof sync);
    return put_chunk(section, KP_CHUNK_CLOCK, sizeof sync);
}

static bool begin(struct kp_import_section *section)
{
    struct kp_kieker_import *import = section->import;
    struct kp_preamble preamble;

    if (section->begun)
        return true;
    section->begun = true;
    section->direct = section == import->sections;
    if (!section->direct && !kp_import_check(import, kp_source_temporary(&section->spool)))
        return false;
    kp_preamble_fill(&preamble);
    make_process_text(section, (char *)payload(section));
    /* The text stands where the chunk goes, so the preamble leaves first. */
    return put_bytes(section, &preamble, sizeof preamble) &&
           put_chunk(section, KP_CHUNK_PROCESS, strlen((char *)payload(section))) &&
           put_clock(section, section->start_ns);
}

/* --- definitions --- */

static void flush_defs(struct kp_import_section *section)
{
    uint8_t *end;

    if (!section->defs_bytes || !begin(section))
        return;
    end = kp_blob_put(payload(section), section->defs, section->defs_bytes, zstd_of(section->import));
    put_chunk(section, KP_CHUNK_DEFS, (size_t)(end - payload(section)));
    section->defs_bytes = 0;
}

static void define(struct kp_import_section *section, const struct kp_def *def, size_t text_bytes)
{
    size_t room = KP_DEF_ROOM(text_bytes);

    if (section->defs_bytes + room > DEFS_BYTES)
        flush_defs(section);
    if (section->defs_room - section->defs_bytes < room) {
        size_t grown_room = 2 * section->defs_room + room;
        uint8_t *grown = realloc(section->defs, grown_room);

        if (!grown) {
            kp_import_check(section->import, KP_ERROR_NO_MEMORY);
            return;
        }
        section->defs = grown;
        section->defs_room = grown_room;
    }
    section->defs_bytes += kp_def_put(section->defs + section->defs_bytes, def);
}

void kp_import_meta(struct kp_import_section *section, const char *key, const char *value)
{
    struct kp_def def = {.type = KP_DEF_META};

    def.meta.key = (struct kp_text){key, strlen(key)};
    def.meta.value = (struct kp_text){value, strlen(value)};
    define(section, &def, def.meta.key.count + def.meta.value.count);
}

static void define_function(struct kp_import_section *section, uint32_t id)
{
    const struct kp_import_function *function = &section->import->functions.list[id];
    struct kp_def def = {.type = KP_DEF_FUNCTION};

    if (section->defined_bytes <= id / 8) {
        size_t bytes = 2 * (size_t)(id / 8) + 64;
        uint8_t *grown = realloc(section->defined, bytes);

        if (!grown) {
            kp_import_check(section->import, KP_ERROR_NO_MEMORY);
            return;
        }
        memset(grown + section->defined_bytes, 0, bytes - section->defined_bytes);
        section->defined = grown;
        section->defined_bytes = bytes;
    }
    section->defined[id / 8] |= (uint8_t)(1u << id % 8);
    def.function.id = id;
    def.function.kind = function->kind;
    def.function.name = (struct kp_text){function->name, strlen(function->name)};
    def.function.file = (struct kp_text){"", 0};
    define(section, &def, def.function.name.count);
}

static bool is_defined(const struct kp_import_section *section, uint32_t id)
{
    return id / 8 < section->defined_bytes && section->defined[id / 8] >> id % 8 & 1;
}

/* --- lanes --- */

static void flush_lane(struct kp_import_lane *lane)
{
    struct kp_import_section *section = lane->section;
    struct kp_kieker_import *import = section->import;
    uint32_t at = 0;

    flush_defs(section);
    if (!begin(section))
        return;
    while (at < lane->count) {
        kp_encode_begin(import->encoder, lane->number, lane->first_slot + at, 0);
        at += (uint32_t)kp_encode_slots(import->encoder, lane->slots + at, lane->count - at);
        if (!put_bytes(section, import->out,
                       kp_chunk_events(import->out, import->encoder, section->chunks, zstd_of(import))))
            return;
        section->chunks++;
    }
    lane->first_slot += lane->count;
    lane->count = 0;
}

static void make_room(struct kp_import_lane *lane)
{
    struct kp_kieker_import *import = lane->section->import;

    if (import->slots > ALL_SLOTS)
        kp_import_sections_flush(import);
    if (lane->room < LANE_SLOTS) {
        uint32_t room = lane->room ? 4 * lane->room : LANE_SLOTS_FIRST;
        struct kp_slot *grown = realloc(lane->slots, room * sizeof *grown);

        if (!grown) {
            kp_import_check(import, KP_ERROR_NO_MEMORY);
            return;
        }
        import->slots += room - lane->room;
        lane->slots = grown;
        lane->room = room;
        return;
    }
    flush_lane(lane);
}

static void note_time(struct kp_import_section *section, uint64_t ns)
{
    if (!section->end_ns && !section->start_ns)
        section->start_ns = ns;
    if (ns > section->end_ns)
        section->end_ns = ns;
}

void kp_import_emit(struct kp_import_lane *lane, unsigned kind, uint32_t function, uint32_t depth,
                    uint64_t ns, uint64_t value, uint64_t value2)
{
    struct kp_import_section *section = lane->section;
    unsigned slots = kp_event_kind_slots(kind);

    if (kind != KP_EVENT_VALUES && kind != KP_EVENT_LOST && !is_defined(section, function))
        define_function(section, function);
    if (kind == KP_EVENT_VALUES && !is_defined(section, (uint32_t)value))
        define_function(section, (uint32_t)value);
    note_time(section, ns);
    if (lane->room - lane->count < slots)
        make_room(lane);
    if (section->import->status != KP_OK || lane->room - lane->count < slots)
        return;
    lane->slots[lane->count++] =
        (struct kp_slot){.time = ns, .id = function, .kind_depth = KP_SLOT_PACK(kind, depth)};
    if (slots == 2)
        lane->slots[lane->count++] = (struct kp_slot){.value = value, .value2 = value2};
    lane->last_ns = ns > lane->last_ns ? ns : lane->last_ns;
    lane->calls += kind == KP_EVENT_ENTER;
    section->import->counts.calls += kind == KP_EVENT_ENTER;
}

static void define_thread(struct kp_import_thread *thread, const struct kp_import_lane *lane, uint64_t ns)
{
    struct kp_def def = {.type = KP_DEF_THREAD};
    char name[24] = "";

    /* What has no room in 32 bits (Python's idents are addresses) is the thread's name. */
    if (thread->id < 0 || thread->id > UINT32_MAX)
        snprintf(name, sizeof name, "%llx", (unsigned long long)thread->id);
    def.thread.number = lane->number;
    def.thread.tid = (uint32_t)thread->id;
    def.thread.start_ticks = ns;
    def.thread.name = (struct kp_text){name, strlen(name)};
    define(lane->section, &def, def.thread.name.count);
}

static struct kp_import_lane *add_lane(struct kp_import_thread *thread, uint64_t ns)
{
    struct kp_import_section *section = thread->section;
    struct kp_import_lane *lane;

    if (!kp_import_spend(section->import, sizeof *lane)) {
        kp_import_check(section->import, KP_ERROR_FULL);
        return NULL;
    }
    lane = calloc(1, sizeof *lane);
    if (section->lane_count == section->lane_room) {
        uint32_t room = section->lane_room ? 2 * section->lane_room : 16;
        struct kp_import_lane **grown = realloc(section->lanes, room * sizeof(struct kp_import_lane *));

        if (!grown) {
            free(lane);
            lane = NULL;
        } else {
            section->lanes = grown;
            section->lane_room = room;
        }
    }
    if (!lane) {
        kp_import_check(section->import, KP_ERROR_NO_MEMORY);
        return NULL;
    }
    lane->section = section;
    lane->number = section->lane_count;
    section->lanes[section->lane_count++] = lane;
    note_time(section, ns);
    define_thread(thread, lane, ns);
    return lane;
}

struct kp_import_lane *kp_import_lane(struct kp_import_thread *thread, uint64_t ns)
{
    struct kp_import_lane **link = &thread->lanes, *lane;

    /* The one used last is looked at first; of thousands that are busy not all are. */
    for (unsigned looked = 0; *link && looked < 256; link = &(*link)->next, looked++)
        if (!(*link)->busy && (*link)->last_ns <= ns)
            break;
    if (*link && !(*link)->busy && (*link)->last_ns <= ns) {
        lane = *link;
        *link = lane->next;
    } else {
        lane = add_lane(thread, ns);
    }
    if (!lane)
        return NULL;
    lane->next = thread->lanes;
    thread->lanes = lane;
    lane->busy = true;
    return lane;
}

struct kp_import_thread *kp_import_thread(struct kp_import_section *section, int64_t id)
{
    struct kp_import_thread *thread = kp_key_map_get(&section->threads, id);

    if (thread)
        return thread;
    if (!kp_import_spend(section->import, 3 * sizeof *thread)) {
        kp_import_check(section->import, KP_ERROR_FULL);
        return NULL;
    }
    thread = calloc(1, sizeof *thread);
    if (!thread || !kp_key_map_put(&section->threads, id, thread)) {
        free(thread);
        kp_import_check(section->import, KP_ERROR_NO_MEMORY);
        return NULL;
    }
    thread->section = section;
    thread->id = id;
    return thread;
}

/* --- sections --- */

static struct kp_import_section *add_section(struct kp_kieker_import *import, struct kp_text host,
                                             struct kp_text application)
{
    struct kp_import_section *section = calloc(1, sizeof *section);

    if (section) {
        section->host = strndup(host.count ? host.bytes : "", host.count);
        section->application = strndup(application.count ? application.bytes : "", application.count);
        section->import = import;
        section->spool.fd = -1;
        kp_key_map_scatter(&section->threads);
    }
    if (!section || !section->host || !section->application) {
        if (section)
            free(section->host);
        free(section);
        kp_import_check(import, KP_ERROR_NO_MEMORY);
        return NULL;
    }
    if (import->last_section)
        import->last_section->next = section;
    else
        import->sections = section;
    import->last_section = section;
    import->section_count++;
    return section;
}

static bool is(const char *text, struct kp_text other)
{
    return strlen(text) == other.count && !memcmp(text, other.bytes, other.count);
}

/* The section that was made for what is said of the whole becomes that of the first host. */
static bool adopt(struct kp_import_section *section, struct kp_text host, struct kp_text application)
{
    char *name = strndup(host.bytes, host.count),
         *application_name = strndup(application.bytes, application.count);

    if (!name || !application_name) {
        free(name);
        free(application_name);
        return kp_import_check(section->import, KP_ERROR_NO_MEMORY);
    }
    free(section->host);
    free(section->application);
    section->host = name;
    section->application = application_name;
    return true;
}

struct kp_import_section *kp_import_section(struct kp_kieker_import *import, struct kp_text host,
                                            struct kp_text application)
{
    struct kp_import_section *section = import->recent_section;

    if (section && is(section->host, host) && is(section->application, application))
        return section;
    for (section = import->sections; section; section = section->next)
        if (is(section->host, host) && is(section->application, application))
            break;
    if (!section && import->sections && import->section_count == 1 && !import->sections->begun &&
        !import->sections->lane_count && adopt(import->sections, host, application))
        section = import->sections;
    if (!section && import->section_count == KP_IMPORT_SECTIONS)
        section = import->sections;
    if (!section)
        section = add_section(import, host, application);
    import->recent_section = section;
    return section;
}

void kp_import_sections_flush(struct kp_kieker_import *import)
{
    for (struct kp_import_section *section = import->sections; section; section = section->next) {
        bool any = section->defs_bytes > 0;

        for (uint32_t i = 0; i < section->lane_count; i++) {
            struct kp_import_lane *lane = section->lanes[i];

            any |= lane->count > 0;
            if (lane->count)
                flush_lane(lane);
            import->slots -= lane->room;
            free(lane->slots);
            lane->slots = NULL;
            lane->room = 0;
        }
        flush_defs(section);
        if (any && section->begun)
            put_clock(section, section->end_ns);
    }
}

static void end_lanes(struct kp_import_section *section)
{
    for (uint32_t i = 0; i < section->lane_count; i++) {
        const struct kp_import_lane *lane = section->lanes[i];
        struct kp_def def = {.type = KP_DEF_THREAD_END};

        def.thread_end.number = lane->number;
        def.thread_end.end_ticks = lane->last_ns;
        def.thread_end.calls_made = lane->calls;
        def.thread_end.events_lost = lane->events_lost;
        def.thread_end.name = (struct kp_text){"", 0};
        define(section, &def, 0);
    }
}

static void finish(struct kp_import_section *section)
{
    struct kp_end end = {.ticks = section->end_ns};

    for (uint32_t i = 0; i < section->lane_count; i++)
        if (section->lanes[i]->count)
            flush_lane(section->lanes[i]);
    end_lanes(section);
    flush_defs(section);
    if (!begin(section) || !put_clock(section, section->end_ns))
        return;
    memcpy(payload(section), &end, sizeof end);
    put_chunk(section, KP_CHUNK_END, sizeof end);
}

static void append_spool(struct kp_import_section *section)
{
    struct kp_kieker_import *import = section->import;
    uint64_t at = 0;
    size_t count;

    while (import->status == KP_OK &&
           (count = kp_source_read(&section->spool, at, import->out, 1 << 20)) > 0) {
        kp_import_check(import, import->options.write(import->options.user, import->out, count));
        at += count;
    }
}

void kp_import_sections_finish(struct kp_kieker_import *import)
{
    for (struct kp_import_section *section = import->sections; section; section = section->next) {
        /* Of hosts that only took part in the traces of others nothing is there. */
        if (section != import->sections && !section->lane_count && !section->defs_bytes)
            continue;
        finish(section);
        if (!section->direct && section->begun)
            append_spool(section);
    }
}

static void free_section(struct kp_import_section *section)
{
    for (size_t i = 0; section->threads.entries && i <= section->threads.mask; i++)
        free(section->threads.entries[i].value);
    for (uint32_t i = 0; i < section->lane_count; i++) {
        free(section->lanes[i]->slots);
        free(section->lanes[i]);
    }
    kp_key_map_free(&section->threads);
    kp_source_close(&section->spool);
    free(section->lanes);
    free(section->defs);
    free(section->defined);
    free(section->host);
    free(section->application);
    free(section);
}

void kp_import_sections_free(struct kp_kieker_import *import)
{
    for (struct kp_import_section *section = import->sections, *next; section; section = next) {
        next = section->next;
        free_section(section);
    }
    import->sections = NULL;
}
