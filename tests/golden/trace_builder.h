/*
 * Writes traces for tests by the contract of trace/, with times and losses as the test wants them. Any
 * failure ends the program: a test that cannot write its input has nothing to say.
 */
#ifndef KP_TESTS_TRACE_BUILDER_H
#define KP_TESTS_TRACE_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "trace/chunk.h"
#include "trace/def.h"
#include "trace/encode.h"
#include "trace/function.h"

struct builder {
    uint8_t *bytes; /* the trace so far */
    size_t count, room;
    size_t section;  /* offset of the newest preamble */
    uint32_t number; /* of the next chunk */
    struct kp_zstd zstd;
    struct kp_encoder *encoder;
    struct kp_slot *slots; /* of the thread being written */
    size_t slot_count, slot_room;
};

/* level 0: everything raw. */
void builder_init(struct builder *builder, int level);
void builder_free(struct builder *builder);

/* Preamble and PROCESS chunk with this text. */
void builder_section(struct builder *builder, const char *process_text);

/* A chunk of any type. */
void builder_chunk(struct builder *builder, unsigned type, const void *payload, size_t bytes);

void builder_clock(struct builder *builder, uint64_t ticks, uint64_t monotonic_ns, uint64_t realtime_ns);

/* Definitions, a DEFS chunk each. */
/* Any definition, with texts of so many bytes together. */
void builder_define(struct builder *builder, const struct kp_def *def, size_t text_bytes);
void builder_function(struct builder *builder, uint32_t id, unsigned kind, uint32_t line, const char *name,
                      size_t name_bytes, const char *file);
void builder_thread(struct builder *builder, uint32_t number, uint32_t tid, uint32_t base_depth,
                    uint64_t ticks, const char *name);
void builder_thread_end(struct builder *builder, uint32_t number, uint64_t ticks, uint64_t made,
                        uint64_t lost, uint64_t others, const char *name);
void builder_object(struct builder *builder, const char *path, const char *build_id);
void builder_meta(struct builder *builder, const char *key, const char *value);

/* Collect an event; builder_flush writes what was collected as EVENTS chunks and returns the slot behind the
 * last. */
void builder_event(struct builder *builder, unsigned kind, uint64_t ticks, uint32_t id, uint32_t depth);
void builder_event2(struct builder *builder, unsigned kind, uint64_t ticks, uint32_t id, uint32_t depth,
                    uint64_t value, uint64_t value2);
uint64_t builder_flush(struct builder *builder, uint32_t thread, uint64_t first_slot, unsigned shift);

void builder_end(struct builder *builder, uint64_t ticks);

/* Raw bytes, for damage. */
void builder_bytes(struct builder *builder, const void *data, size_t bytes);

/* Write the trace so far to a file. */
void builder_save(const struct builder *builder, const char *path);

#endif
