/*
 * Strings and their ids, both ways: what kieker_writer and kieker_reader ask for, ready made. One registry
 * per stream and direction; not for several threads at once.
 */
#ifndef KIEKER_REGISTRY_RUNTIME_H
#define KIEKER_REGISTRY_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kieker_registry;

/* `most_bytes` bounds the memory (0: no bound); NULL without memory. */
struct kieker_registry *kieker_registry_create(size_t most_bytes);
void kieker_registry_destroy(struct kieker_registry *registry);

/* For kieker_writer.string_id: the id of a text, by order of first use from 0; -1 when it cannot be kept. */
int32_t kieker_registry_id(void *registry, const char *text);
/* For kieker_reader.string: NULL when the id is unknown. */
const char *kieker_registry_text(void *registry, int32_t id);

/* An entry as it came in; a new text for a known id takes its place, and texts that were given out stay
 * valid. False for a negative id and without memory. */
bool kieker_registry_put(struct kieker_registry *registry, int32_t id, const char *text, size_t bytes);

/* How many ids were given: those from the count that was asked for last time on are new, and have to be sent.
 */
int32_t kieker_registry_count(const struct kieker_registry *registry);
/* The memory it takes: what `most_bytes` bounds. */
size_t kieker_registry_bytes(const struct kieker_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
