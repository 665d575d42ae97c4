/*
 * Spool: the chunks of one section that a collector has not acknowledged yet, in a file that is a trace by
 * itself. It holds the preamble, every PROCESS and DEFS chunk and the first CLOCK chunk of the section, and
 * all chunks from `first` on; acknowledged events are dropped when that is worth the copying. Chunks keep
 * their numbers, so numbers jump where events were dropped.
 *
 * One owner, no locks, no stdio. Memory: none.
 */
#ifndef KP_TRACE_SPOOL_H
#define KP_TRACE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "status.h"

/* Between two chunks. */
struct kp_spool_place {
    uint64_t offset; /* in the file */
    uint64_t number; /* of the chunk that starts there, or of the next one to come */
};

struct kp_spool {
    int fd; /* -1: suspended or not open */
    char path[4096];
    uint64_t most_bytes;         /* of the file; 0: no limit */
    struct kp_spool_place begin; /* of the first chunk in the file */
    struct kp_spool_place first; /* of the first one that nobody acknowledged */
    struct kp_spool_place end;   /* behind the last one */
    uint64_t dropped;            /* bytes, by all compacting so far */
    uint64_t kept;               /* bytes before `first` when it was compacted last */
    uint64_t clock;              /* offset of the first CLOCK chunk; 0: none yet */
    bool keeps_all;              /* for the caller to set: nothing is ever dropped */
    bool ended;                  /* the last chunk is END */
};

/* Make a file that does not exist yet, 0600. KP_ERROR_SYSTEM and errno. */
enum kp_status kp_spool_create(struct kp_spool *spool, const char *path, uint64_t most_bytes);

/*
 * Open a file that somebody left: everything in it counts as not acknowledged. What stands behind its last
 * whole chunk is cut off. KP_ERROR_FOREIGN: it is no trace; KP_ERROR_SYSTEM and errno.
 */
enum kp_status kp_spool_open(struct kp_spool *spool, const char *path);

/* The uuid of the process whose trace it is. False: it does not say. */
bool kp_spool_uuid(const struct kp_spool *spool, uint8_t uuid[16]);

/* Close the file and remember everything else; open it again. */
void kp_spool_suspend(struct kp_spool *spool);
enum kp_status kp_spool_resume(struct kp_spool *spool);

/* A preamble or whole chunks: all bytes or none. KP_ERROR_FULL: the disk or the limit. */
enum kp_status kp_spool_append(struct kp_spool *spool, const void *data, size_t bytes);

/* The header of the chunk at a place before `end`. */
bool kp_spool_header(const struct kp_spool *spool, const struct kp_spool_place *place,
                     struct kp_chunk_header *header);
/* Go behind the chunk at `place`. False: there is none, or it cannot be read. */
bool kp_spool_next(const struct kp_spool *spool, struct kp_spool_place *place);

/* Bytes from an offset on, as many as there are before `end`. */
size_t kp_spool_read(const struct kp_spool *spool, uint64_t offset, void *out, size_t bytes);

/* Chunks before `place` are acknowledged: it becomes `first`. */
void kp_spool_release(struct kp_spool *spool, const struct kp_spool_place *place);

/* Whether dropping what was acknowledged is worth it now. */
bool kp_spool_worth_compacting(const struct kp_spool *spool);

/*
 * Drop acknowledged events. Offsets at or behind `first` become smaller by as much as `dropped` grows.
 * Appending does it as well when the room ends. On failure everything is as it was.
 */
enum kp_status kp_spool_compact(struct kp_spool *spool);

/* Close and remove the file. */
void kp_spool_remove(struct kp_spool *spool);

#endif
