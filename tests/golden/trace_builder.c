#include "trace_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "trace_builder: out of memory\n");
        exit(1);
    }
    return memory;
}

void builder_init(struct builder *builder, int level)
{
    memset(builder, 0, sizeof *builder);
    if (kp_zstd_open(&builder->zstd, level) < 0 && level) {
        fprintf(stderr, "trace_builder: libzstd.so.1 is needed\n");
        exit(1);
    }
    builder->encoder = must(malloc(sizeof *builder->encoder));
}

void builder_free(struct builder *builder)
{
    kp_zstd_close(&builder->zstd);
    free(builder->bytes);
    free(builder->encoder);
    free(builder->slots);
}

static uint8_t *room_for(struct builder *builder, size_t bytes)
{
    if (builder->count + bytes > builder->room) {
        builder->room = (builder->count + bytes) * 2;
        builder->bytes = must(realloc(builder->bytes, builder->room));
    }
    return builder->bytes + builder->count;
}

void builder_bytes(struct builder *builder, const void *data, size_t bytes)
{
    memcpy(room_for(builder, bytes + 1), data, bytes);
    builder->count += bytes;
}

void builder_chunk(struct builder *builder, unsigned type, const void *payload, size_t bytes)
{
    struct kp_chunk_header *chunk = must(malloc(sizeof *chunk + bytes + 1));

    if (bytes)
        memcpy(chunk + 1, payload, bytes);
    kp_chunk_seal(chunk, (enum kp_chunk_type)type, builder->number++, (uint32_t)bytes);
    builder_bytes(builder, chunk, sizeof *chunk + bytes);
    free(chunk);
}

void builder_section(struct builder *builder, const char *process_text)
{
    struct kp_preamble preamble;

    builder->section = builder->count;
    builder->number = 0;
    kp_preamble_fill(&preamble);
    builder_bytes(builder, &preamble, sizeof preamble);
    builder_chunk(builder, KP_CHUNK_PROCESS, process_text, strlen(process_text));
}

void builder_clock(struct builder *builder, uint64_t ticks, uint64_t monotonic_ns, uint64_t realtime_ns)
{
    struct kp_clock_sync sync = {ticks, monotonic_ns, realtime_ns};

    builder_chunk(builder, KP_CHUNK_CLOCK, &sync, sizeof sync);
}

void builder_define(struct builder *builder, const struct kp_def *def, size_t text_bytes)
{
    uint8_t *record = must(malloc(KP_DEF_ROOM(text_bytes)));
    size_t bytes = kp_def_put(record, def);
    uint8_t *payload = must(malloc(KP_BLOB_ROOM(bytes)));
    uint8_t *end = kp_blob_put(payload, record, bytes, &builder->zstd);

    builder_chunk(builder, KP_CHUNK_DEFS, payload, (size_t)(end - payload));
    free(payload);
    free(record);
}

static struct kp_text text(const char *value)
{
    return (struct kp_text){value, strlen(value)};
}

void builder_function(struct builder *builder, uint32_t id, unsigned kind, uint32_t line, const char *name,
                      size_t name_bytes, const char *file)
{
    struct kp_def def = {.type = KP_DEF_FUNCTION};

    def.function.id = id;
    def.function.kind = (uint8_t)kind;
    def.function.line = line;
    def.function.name = (struct kp_text){name, name_bytes};
    def.function.file = text(file);
    builder_define(builder, &def, name_bytes + strlen(file));
}

void builder_thread(struct builder *builder, uint32_t number, uint32_t tid, uint32_t base_depth,
                    uint64_t ticks, const char *name)
{
    struct kp_def def = {.type = KP_DEF_THREAD};

    def.thread.number = number;
    def.thread.tid = tid;
    def.thread.base_depth = base_depth;
    def.thread.start_ticks = ticks;
    def.thread.name = text(name);
    builder_define(builder, &def, strlen(name));
}

void builder_thread_end(struct builder *builder, uint32_t number, uint64_t ticks, uint64_t made,
                        uint64_t lost, uint64_t others, const char *name)
{
    struct kp_def def = {.type = KP_DEF_THREAD_END};

    def.thread_end.number = number;
    def.thread_end.end_ticks = ticks;
    def.thread_end.calls_made = made;
    def.thread_end.calls_lost = lost;
    def.thread_end.events_lost = others;
    def.thread_end.name = text(name);
    builder_define(builder, &def, strlen(name));
}

void builder_object(struct builder *builder, const char *path, const char *build_id)
{
    struct kp_def def = {.type = KP_DEF_OBJECT};

    def.object.path = text(path);
    def.object.build_id = text(build_id);
    builder_define(builder, &def, strlen(path) + strlen(build_id));
}

void builder_meta(struct builder *builder, const char *key, const char *value)
{
    struct kp_def def = {.type = KP_DEF_META};

    def.meta.key = text(key);
    def.meta.value = text(value);
    builder_define(builder, &def, strlen(key) + strlen(value));
}

static struct kp_slot *next_slot(struct builder *builder)
{
    if (builder->slot_count == builder->slot_room) {
        builder->slot_room = builder->slot_room ? builder->slot_room * 2 : 1024;
        builder->slots = must(realloc(builder->slots, builder->slot_room * sizeof *builder->slots));
    }
    return &builder->slots[builder->slot_count++];
}

void builder_event(struct builder *builder, unsigned kind, uint64_t ticks, uint32_t id, uint32_t depth)
{
    struct kp_slot *slot = next_slot(builder);

    slot->time = ticks;
    slot->id = id;
    slot->kind_depth = KP_SLOT_PACK(kind, depth);
}

void builder_event2(struct builder *builder, unsigned kind, uint64_t ticks, uint32_t id, uint32_t depth,
                    uint64_t value, uint64_t value2)
{
    struct kp_slot *slot;

    builder_event(builder, kind, ticks, id, depth);
    slot = next_slot(builder);
    slot->value = value;
    slot->value2 = value2;
}

uint64_t builder_flush(struct builder *builder, uint32_t thread, uint64_t first_slot, unsigned shift)
{
    uint8_t *chunk = must(malloc(KP_CHUNK_EVENTS_ROOM));
    size_t done = 0;

    while (done < builder->slot_count) {
        size_t taken;

        kp_encode_begin(builder->encoder, thread, first_slot + done, shift);
        taken = kp_encode_slots(builder->encoder, builder->slots + done, builder->slot_count - done);
        if (taken == 0)
            break;
        done += taken;
        builder_bytes(builder, chunk,
                      kp_chunk_events(chunk, builder->encoder, builder->number++, &builder->zstd));
    }
    free(chunk);
    builder->slot_count = 0;
    return first_slot + done;
}

void builder_end(struct builder *builder, uint64_t ticks)
{
    uint8_t index[2] = {0, 0};
    struct kp_end end = {.index_offset = builder->count - builder->section, .ticks = ticks};

    builder_chunk(builder, KP_CHUNK_INDEX, index, sizeof index);
    builder_chunk(builder, KP_CHUNK_END, &end, sizeof end);
}

void builder_save(const struct builder *builder, const char *path)
{
    FILE *file = fopen(path, "wb");

    if (!file || (builder->count && fwrite(builder->bytes, builder->count, 1, file) != 1) ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}
