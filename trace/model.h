/*
 * Model: what a section's definitions say: its process, functions and threads. Private to the reader's files.
 */
#ifndef KP_TRACE_MODEL_H
#define KP_TRACE_MODEL_H

#include "arena.h"
#include "def.h"
#include "id_map.h"
#include "input.h"
#include "reader.h"

struct kp_model_thread {
    struct kp_thread public; /* first: pointers are converted */
    struct kp_model *model;
    struct kp_model_thread *next; /* in order of appearance */
    bool given;                   /* the THREAD item */
    bool end_given;
    bool begun;         /* events of it were read */
    uint64_t next_slot; /* that has not been given out */
    uint64_t last_ns;
    /* For the merge by time: its chunks in the input's list, + 1. */
    uint32_t first_chunk, last_chunk;
    uint64_t head_ns;
    struct kp_cursor *cursor;
};

struct kp_model {
    struct kp_process process; /* first: pointers are converted */
    const struct kp_input *input;
    const struct kp_section *section;
    struct kp_time_map clock;
    struct kp_arena *arena; /* of the reader */
    struct kp_id_map functions, threads;
    struct kp_model_thread *first_thread, *last_thread;
    struct kp_object **next_object; /* where the next one is linked */
};

enum kp_status kp_model_init(struct kp_model *model, const struct kp_input *input,
                             const struct kp_section *section, uint32_t index, struct kp_arena *arena);

/* Take a definition; *item is filled, and *given says whether there is anything to tell (it was new). */
enum kp_status kp_model_define(struct kp_model *model, const struct kp_def *def, struct kp_item *item,
                               bool *given);

/* A thread by number, made when it was never defined; NULL when there is no memory. */
struct kp_model_thread *kp_model_thread(struct kp_model *model, uint32_t number);

void kp_model_free(struct kp_model *model);

#endif
