/*
 * What a server that makes no traces has to know of a section after it was killed: how far it came, and the
 * chunks that later ones need to be understood (PROCESS, DEFS, CLOCK). A file per section in
 * FOLDER/.sections; an ended one keeps one mark, for a sender that missed the last acknowledgement.
 */
#ifndef KP_COLLECTOR_SERVER_SECTION_NOTES_H
#define KP_COLLECTOR_SERVER_SECTION_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/layout.h"

/* Opens the notes of a section, new ones if there are none. -1 with errno. */
int kp_section_notes_open(const char *folder, const uint8_t uuid[16]);

/* What they say: chunks are handed to `chunk` in their order. How many chunks came: *chunks. */
void kp_section_notes_read(int fd, uint64_t *chunks, bool *ended,
                           void (*chunk)(void *user, const struct kp_chunk_header *header,
                                         const void *payload),
                           void *user);

/* Chunks that came, in a row. Adds those that have to be known later, and the mark. False with errno. */
bool kp_section_notes_add(int fd, const uint8_t *bytes, size_t count);
/* The mark of an end; the rest is forgotten. */
bool kp_section_notes_end(int fd, uint64_t chunks);

/* Removes those of sections that ended more than `age_s` ago. */
void kp_section_notes_clean(const char *folder, uint64_t age_s);

#endif
