/* Private to output_trace*.c. */
#ifndef KP_COLLECTOR_SERVER_OUTPUT_TRACE_H
#define KP_COLLECTOR_SERVER_OUTPUT_TRACE_H

#include "file_name.h"
#include "output.h"
#include "sections.h"
#include "trace/zstd.h"

#define KP_TRACE_ENDING ".kpt"
#define KP_PART_ENDING  ".part"
#define KP_NEW_ENDING   ".kpt.new"
#define KP_MERGED_BEGIN "kprobe.merged."

struct kp_trace_stream;

struct kp_output_trace {
    struct kp_output output;
    char *folder;
    struct kp_sections sections;
    struct kp_trace_file merged; /* --merge: the one that grows */
    uint64_t merged_ms;          /* since when */
    uint64_t tidied_ms;
    bool full; /* the newest write had no room */
    struct kp_trace_stream *streams;
    struct kp_zstd zstd; /* for those */
};

/* A new file for a peer. */
enum kp_status kp_trace_make_file(struct kp_output_trace *output, struct kp_trace_file *file,
                                  const struct kp_file_facts *facts);
/* A write failed, or went well: said and counted when that is news. */
void kp_trace_note_full(struct kp_output_trace *output, enum kp_status status);
void kp_trace_note_room(struct kp_output_trace *output);

/* output_trace_stream.c */
bool kp_trace_stream_open(struct kp_output *base, struct kp_peer *peer, char *error, size_t bytes);
enum kp_status kp_trace_stream_record(struct kp_output *base, struct kp_peer *peer,
                                      const struct kieker_record_type *type, int64_t logging_ns,
                                      const void *record);
enum kp_status kp_trace_stream_event(struct kp_output *base, struct kp_peer *peer,
                                     const struct kp_kieker_event *event);
void kp_trace_stream_pause(struct kp_output *base, struct kp_peer *peer);
void kp_trace_stream_close(struct kp_output *base, struct kp_peer *peer, const char *lost);
bool kp_trace_streams_use(const struct kp_output_trace *output, const char *path);
void kp_trace_streams_tick(struct kp_output_trace *output, uint64_t now_ms);
/* KP_OK when nothing was lost. */
enum kp_status kp_trace_streams_end(struct kp_output_trace *output);

/* output_trace_parts.c. Before chunks are added: whether the section goes on in a new file. */
bool kp_trace_part_is_due(const struct kp_output_trace *output, const struct kp_known_section *section);
enum kp_status kp_trace_part_begin(struct kp_output_trace *output, struct kp_known_section *section,
                                   uint16_t minor);

/* output_trace_merge.c. At the start: what is whole goes into the merged trace. */
void kp_trace_merge_begin(struct kp_output_trace *output);
void kp_trace_merge_section(struct kp_output_trace *output, struct kp_known_section *section);
/* The part at `path` is complete: it goes behind the others and is removed. False: it stays. */
bool kp_trace_merge_part(struct kp_output_trace *output, const char *path);
void kp_trace_merge_tick(struct kp_output_trace *output, uint64_t now_ms);

#endif
