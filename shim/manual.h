/*
 * Manual probes: regions and records that the program itself asks for, through kprobe.h or from Python.
 *
 * A region is an activation like a call, with a tag of its own kind (open_calls.h). Its end finds it among
 * the regions of what runs, by its name; regions above it were forgotten and end with it. An end that finds
 * nothing is counted and changes nothing. What the region's owner leaves open ends with the owner.
 *
 * A handle is the number of a name; it is good as long as the process and its forks are, for whoever knows
 * it. What the rules say of it is asked at first use, and again when they change.
 */
#ifndef KP_SHIM_MANUAL_H
#define KP_SHIM_MANUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes tracing ready when nothing but manual probes asks for it. False: it stays off. Set by preload.c. */
extern bool (*kp_manual_configure)(void);

/* Whether what the probes see goes into a trace at the moment. */
bool kp_manual_active(void);

/* The handle of a region; 0: it gets none (no room, tracing is off). */
uint32_t kp_manual_region(const char *name);

/* Whether a region or a class of records is wanted: tracing is on, and no rule excludes it. */
bool kp_manual_wanted(uint32_t handle);

void kp_manual_begin(uint32_t region);
void kp_manual_end(uint32_t region);
/* `cause`: the type of what failed, as a name; NULL: not known. */
void kp_manual_fail(uint32_t region, const char *cause);

/*
 * The region goes on later, perhaps in another thread: its coroutine is suspended. Returns a token for
 * kp_manual_resume: `token` itself, or a new one for 0; 0 when it is not open.
 */
uint64_t kp_manual_suspend(uint32_t region, uint64_t token);
void kp_manual_resume(uint32_t region, uint64_t token);

/* The handle of a class of records; `layout` as in trace/kieker/output.h. 0: it gets none. */
uint32_t kp_manual_class(const char *java_class, const char *layout);

/* The id of a string in a record; negative: it gets none. `unused` makes it a callback of writers. */
int32_t kp_manual_text(void *unused, const char *text);

/* Larger ones fit into no buffer of Kieker's readers: 8192 bytes with the record's head. */
#define KP_MANUAL_RECORD_MAX 8180u

/* A record in Kieker's binary form, without its head. False: it is not recorded. */
bool kp_manual_record(uint32_t record_class, const void *payload, size_t bytes);

/* A record that could not be made. */
void kp_manual_lose_record(uint32_t record_class);

/* Into the metadata: what came to nothing. With kp_core.lock held. */
void kp_manual_note(void);

/* Functions of Python files in this folder (ends in '/') are the probes' own and not traced. */
void kp_manual_hide(const char *folder);
/* With kp_core.lock held. */
bool kp_manual_hides(const char *file);

#endif
