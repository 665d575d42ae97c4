#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "input.h"
#include "merge.h"
#include "model.h"
#include "payload.h"

/* What one step of the reader came to. */
enum step { GIVEN, AGAIN, DONE, FAILED };

enum stage {
    WALK,  /* through the sections as they stand; by time: only their definitions */
    MERGE, /* by time: the events */
    ENDS,  /* by time: THREAD_END and PROCESS_END */
};

struct kp_reader {
    unsigned flags;
    struct kp_zstd zstd;
    struct kp_arena arena;
    struct kp_input *inputs;
    size_t input_count;
    struct kp_model *models;
    uint32_t model_count;
    enum stage stage;
    uint32_t at;           /* model that is being read */
    bool started;          /* its PROCESS was given */
    uint32_t chunk;        /* next list position in its input */
    uint64_t chunk_offset; /* of the chunk that is being read */
    struct kp_payload defs;
    struct kp_cursor *cursor; /* of the walk */
    struct kp_cursor *spare;
    struct kp_merge merge;
    struct kp_model_thread *ending; /* next to be looked at in ENDS */
    struct kp_item pending[2];      /* given before anything else, the last one first */
    unsigned pending_count;
    struct kp_event last_loss; /* what an item at the end of a thread points to */
    uint64_t done_bytes, total_bytes;
    char text[512];
};

static enum step damage(struct kp_reader *reader, struct kp_item *item, struct kp_model *model,
                        uint64_t offset)
{
    item->kind = KP_ITEM_DAMAGE;
    item->process = &model->process;
    item->path = model->input->path;
    item->text = reader->text;
    item->offset = offset;
    return GIVEN;
}

static void postpone(struct kp_reader *reader, const struct kp_item *item)
{
    reader->pending[reader->pending_count++] = *item;
}

/* A thread must be known before anything of it is given out: `item` becomes the THREAD, what it was waits. */
static void introduce(struct kp_reader *reader, struct kp_item *item, struct kp_model_thread *thread)
{
    if (thread->given)
        return;
    thread->given = true;
    postpone(reader, item);
    item->kind = KP_ITEM_THREAD;
    item->thread = &thread->public;
    item->process = thread->public.process;
}

/* Events of the cursor up to and with the time `limit`; there is at least one. */
static enum step give_events(struct kp_reader *reader, struct kp_item *item, struct kp_cursor *cursor,
                             uint64_t limit)
{
    struct kp_model_thread *thread = cursor->thread;
    size_t end = cursor->count;

    if (cursor->events[end - 1].time > limit)
        for (end = cursor->at + 1; cursor->events[end].time <= limit;)
            end++;
    item->kind = KP_ITEM_EVENTS;
    item->process = &thread->model->process;
    item->path = thread->model->input->path;
    item->thread = &thread->public;
    item->events = cursor->events + cursor->at;
    item->count = end - cursor->at;
    item->offset = cursor->offset;
    cursor->at = end;
    introduce(reader, item, thread);
    return GIVEN;
}

/* Open a chunk in a cursor: GIVEN when there is damage to tell, AGAIN when it is open or has nothing new. */
static enum step open_events(struct kp_reader *reader, struct kp_item *item, struct kp_cursor *cursor,
                             struct kp_model *model, const struct kp_input_chunk *chunk)
{
    enum kp_status status = kp_cursor_open(cursor, model, chunk, reader->text, sizeof reader->text);

    reader->done_bytes += sizeof(struct kp_chunk_header) + chunk->payload_bytes;
    if (status == KP_ERROR_NO_MEMORY)
        return FAILED;
    if (status == KP_ERROR_DAMAGED || (status == KP_OK && cursor->gap))
        return damage(reader, item, model, chunk->offset);
    return AGAIN;
}

static enum step fill(struct kp_reader *reader, struct kp_item *item, struct kp_cursor *cursor)
{
    struct kp_model *model = cursor->thread->model;
    uint32_t number = cursor->thread->public.number;

    if (kp_cursor_fill(cursor) != KP_ERROR_DAMAGED)
        return AGAIN;
    snprintf(reader->text, sizeof reader->text,
             "events of thread %u are lost: the rest of the chunk makes no sense", number);
    return damage(reader, item, model, cursor->offset);
}

/*
 * A thread tells its losses with the next event that finds room. When none came any more (the disk stayed
 * full, death), the counters of its end know of losses that no event tells: the item becomes one that does,
 * what it was waits.
 */
static void tell_last_loss(struct kp_reader *reader, struct kp_item *item, struct kp_model_thread *thread)
{
    struct kp_thread *public = &thread->public;
    struct kp_event *loss = &reader->last_loss;

    /* In a trace with a missing stretch, or an earlier part, they may have been told there. */
    if (!public->ended || public->partial || public->gaps || (reader->flags & KP_READ_NO_EVENTS) ||
        public->calls_lost < public->calls_lost_read || public->events_lost < public->events_lost_read)
        return;
    *loss = (struct kp_event){.time = thread->model->process.end_ns, .kind = KP_EVENT_LOST};
    loss->value = public->calls_lost - public->calls_lost_read;
    loss->value2 = public->events_lost - public->events_lost_read;
    if (loss->value + loss->value2 == 0)
        return;
    public->calls_lost_read = public->calls_lost;
    public->events_lost_read = public->events_lost;
    public->events_read++;
    postpone(reader, item);
    item->kind = KP_ITEM_EVENTS;
    item->events = loss;
    item->count = 1;
}

static enum step give_thread_end(struct kp_reader *reader, struct kp_item *item,
                                 struct kp_model_thread *thread)
{
    thread->end_given = true;
    item->kind = KP_ITEM_THREAD_END;
    item->process = &thread->model->process;
    item->path = thread->model->input->path;
    item->thread = &thread->public;
    tell_last_loss(reader, item, thread);
    introduce(reader, item, thread);
    return GIVEN;
}

/* Damage of what the trace was made from, written down as metadata: "OFFSET sentence", "- sentence". */
static void tell_noted_damage(struct kp_item *item)
{
    const char *blank = strchr(item->value, ' ');

    item->offset = *item->value == '-' ? KP_NO_OFFSET : strtoull(item->value, NULL, 10);
    item->text = blank ? blank + 1 : item->value;
    item->kind = KP_ITEM_DAMAGE;
}

static enum step take_def(struct kp_reader *reader, struct kp_item *item, struct kp_model *model)
{
    const uint8_t *start = reader->defs.defs;
    struct kp_def def;
    bool given;

    if (kp_def_get(&reader->defs.defs, reader->defs.defs_end, &def) != KP_OK) {
        /* Its length made sense or not: go on behind it, or with the next chunk. */
        if (reader->defs.defs == start)
            reader->defs.defs = reader->defs.defs_end;
        snprintf(reader->text, sizeof reader->text, "a definition makes no sense");
        return damage(reader, item, model, reader->chunk_offset);
    }
    if (kp_model_define(model, &def, item, &given) != KP_OK)
        return FAILED;
    if (!given)
        return AGAIN;
    item->process = &model->process;
    item->path = model->input->path;
    item->offset = reader->chunk_offset;
    if (item->kind == KP_ITEM_META && strcmp(item->key, KP_META_DAMAGE) == 0)
        tell_noted_damage(item);
    if (item->kind != KP_ITEM_THREAD_END)
        return GIVEN;
    if (reader->flags & KP_READ_BY_TIME)
        return AGAIN;
    return give_thread_end(reader, item, kp_model_thread(model, item->thread->number));
}

static enum step bad_chunk(struct kp_reader *reader, struct kp_item *item, struct kp_model *model,
                           const struct kp_input_chunk *chunk, const char *why)
{
    static const char *const names[] = {"unknown", "PROCESS", "DEFS", "EVENTS",
                                        "CLOCK",   "INDEX",   "END",  "NEXT"};
    unsigned type = chunk->type < sizeof names / sizeof *names ? chunk->type : 0;

    snprintf(reader->text, sizeof reader->text, "a chunk (%s) cannot be used: %s", names[type], why);
    return damage(reader, item, model, chunk->offset);
}

static enum step take_chunk(struct kp_reader *reader, struct kp_item *item, struct kp_model *model,
                            const struct kp_input_chunk *chunk)
{
    enum kp_status status = KP_OK;
    const char *why = "";

    reader->chunk_offset = chunk->offset;
    if (chunk->type == KP_CHUNK_DAMAGE) {
        kp_input_damage_text(chunk, reader->text, sizeof reader->text);
        return damage(reader, item, model, chunk->offset);
    }
    if (chunk->type == KP_CHUNK_EVENTS)
        return reader->flags & (KP_READ_BY_TIME | KP_READ_NO_EVENTS)
                   ? AGAIN
                   : open_events(reader, item, reader->cursor, model, chunk);
    reader->done_bytes += sizeof(struct kp_chunk_header) + chunk->payload_bytes;
    if (chunk->type == KP_CHUNK_DEFS)
        status = kp_payload_defs(&reader->defs, model->input, chunk, &why);
    else
        status = kp_payload_load(&reader->defs, kp_input_source(model->input, chunk), chunk, &why);
    if (status == KP_ERROR_NO_MEMORY)
        return FAILED;
    return status == KP_OK ? AGAIN : bad_chunk(reader, item, model, chunk, why);
}

static enum step start_process(struct kp_reader *reader, struct kp_item *item, struct kp_model *model)
{
    reader->started = true;
    reader->chunk = model->section->first;
    item->kind = KP_ITEM_PROCESS;
    item->process = &model->process;
    item->path = model->input->path;
    return GIVEN;
}

static enum step end_process(struct kp_item *item, struct kp_model *model)
{
    item->kind = KP_ITEM_PROCESS_END;
    item->process = &model->process;
    item->path = model->input->path;
    return GIVEN;
}

static enum step walk(struct kp_reader *reader, struct kp_item *item)
{
    struct kp_model *model = &reader->models[reader->at];
    struct kp_cursor *cursor = reader->cursor;

    if (reader->at == reader->model_count)
        return DONE;
    if (!reader->started)
        return start_process(reader, item, model);
    if (cursor->thread && cursor->at < cursor->count)
        return give_events(reader, item, cursor, UINT64_MAX);
    if (cursor->thread)
        return fill(reader, item, cursor);
    if (reader->defs.defs < reader->defs.defs_end)
        return take_def(reader, item, model);
    if (reader->chunk < model->section->end)
        return take_chunk(reader, item, model, &model->input->chunks[reader->chunk++]);
    reader->at++;
    reader->started = false;
    return reader->flags & KP_READ_BY_TIME ? AGAIN : end_process(item, model);
}

/* Link the chunks of each thread, and put the threads that have some into the heap. */
static enum kp_status start_merge_of(struct kp_reader *reader, struct kp_model *model)
{
    struct kp_input_chunk *chunks = model->input->chunks;
    enum kp_status status = KP_OK;

    for (uint32_t i = model->section->first; i < model->section->end; i++) {
        struct kp_model_thread *thread;

        if (chunks[i].type != KP_CHUNK_EVENTS)
            continue;
        thread = kp_model_thread(model, chunks[i].thread);
        if (!thread)
            return KP_ERROR_NO_MEMORY;
        if (thread->last_chunk)
            chunks[thread->last_chunk - 1].next = i + 1;
        else
            thread->first_chunk = i + 1;
        thread->last_chunk = i + 1;
    }
    for (struct kp_model_thread *thread = model->first_thread; thread && status == KP_OK;
         thread = thread->next) {
        if (!thread->first_chunk)
            continue;
        thread->head_ns = kp_time_map_ns(&model->clock, chunks[thread->first_chunk - 1].value);
        status = kp_merge_add(&reader->merge, thread);
    }
    return status;
}

static enum kp_status start_merge(struct kp_reader *reader)
{
    enum kp_status status = KP_OK;

    reader->stage = MERGE;
    for (uint32_t i = 0; i < reader->model_count && status == KP_OK && !(reader->flags & KP_READ_NO_EVENTS);
         i++)
        status = start_merge_of(reader, &reader->models[i]);
    return status;
}

static void spare_cursor(struct kp_reader *reader, struct kp_model_thread *thread)
{
    if (!thread->cursor)
        return;
    thread->cursor->spare = reader->spare;
    reader->spare = thread->cursor;
    thread->cursor = NULL;
}

static bool lend_cursor(struct kp_reader *reader, struct kp_model_thread *thread)
{
    if (thread->cursor)
        return true;
    if (!reader->spare)
        reader->spare = calloc(1, sizeof *reader->spare);
    thread->cursor = reader->spare;
    if (!thread->cursor)
        return false;
    reader->spare = thread->cursor->spare;
    thread->cursor->thread = NULL;
    return true;
}

/* The thread's next chunk; the heap learns when it starts. */
static enum step merge_chunk(struct kp_reader *reader, struct kp_item *item, struct kp_model_thread *thread)
{
    struct kp_input_chunk *chunks = thread->model->input->chunks, *chunk;
    enum step step;

    if (!thread->first_chunk) {
        spare_cursor(reader, thread);
        kp_merge_remove(&reader->merge);
        return AGAIN;
    }
    if (!lend_cursor(reader, thread))
        return FAILED;
    chunk = &chunks[thread->first_chunk - 1];
    thread->first_chunk = chunk->next;
    step = open_events(reader, item, thread->cursor, thread->model, chunk);
    return step;
}

/* The chunk is exhausted: wait for one's turn with the time at which the next chunk starts. */
static void merge_next(struct kp_reader *reader, struct kp_model_thread *thread)
{
    uint64_t ns = thread->last_ns;

    if (thread->cursor->at < thread->cursor->count) {
        ns = thread->cursor->events[thread->cursor->at].time;
    } else if (!thread->cursor->thread) {
        if (thread->first_chunk)
            ns = kp_time_map_ns(&thread->model->clock,
                                thread->model->input->chunks[thread->first_chunk - 1].value);
        spare_cursor(reader, thread);
    }
    if (ns > thread->head_ns)
        thread->head_ns = ns;
    kp_merge_moved(&reader->merge);
}

static enum step merge(struct kp_reader *reader, struct kp_item *item)
{
    uint64_t limit;
    struct kp_model_thread *thread = kp_merge_first(&reader->merge, &limit);
    struct kp_cursor *cursor = thread ? thread->cursor : NULL;
    enum step step;

    if (!thread)
        return DONE;
    if (!cursor || !cursor->thread)
        return merge_chunk(reader, item, thread);
    if (cursor->at == cursor->count) {
        step = fill(reader, item, cursor);
        merge_next(reader, thread);
        return step;
    }
    step = give_events(reader, item, cursor, limit);
    if (cursor->at < cursor->count)
        merge_next(reader, thread);
    return step;
}

static enum step ends(struct kp_reader *reader, struct kp_item *item)
{
    struct kp_model *model = &reader->models[reader->at];

    if (reader->at == reader->model_count)
        return DONE;
    if (!reader->started) {
        reader->ending = model->first_thread;
        reader->started = true;
    }
    while (reader->ending) {
        struct kp_model_thread *thread = reader->ending;

        reader->ending = thread->next;
        if (thread->public.ended)
            return give_thread_end(reader, item, thread);
    }
    reader->at++;
    reader->started = false;
    return end_process(item, model);
}

static enum step step(struct kp_reader *reader, struct kp_item *item)
{
    enum step result;

    switch (reader->stage) {
    case WALK:
        result = walk(reader, item);
        if (result != DONE || !(reader->flags & KP_READ_BY_TIME))
            return result;
        return start_merge(reader) == KP_OK ? AGAIN : FAILED;
    case MERGE:
        result = merge(reader, item);
        if (result != DONE)
            return result;
        reader->stage = ENDS;
        reader->at = 0;
        return AGAIN;
    case ENDS:
        return ends(reader, item);
    }
    return DONE;
}

enum kp_status kp_reader_next(struct kp_reader *reader, struct kp_item *item)
{
    enum step result = AGAIN;

    if (reader->pending_count) {
        *item = reader->pending[--reader->pending_count];
        return KP_OK;
    }
    while (result == AGAIN) {
        memset(item, 0, sizeof *item);
        result = step(reader, item);
    }
    if (result == DONE)
        return KP_END;
    return result == GIVEN ? KP_OK : KP_ERROR_NO_MEMORY;
}

void kp_reader_progress(const struct kp_reader *reader, uint64_t *done_bytes, uint64_t *total_bytes)
{
    *done_bytes = reader->done_bytes < reader->total_bytes ? reader->done_bytes : reader->total_bytes;
    *total_bytes = reader->total_bytes;
}

struct kp_function *kp_reader_function(const struct kp_reader *reader, const struct kp_process *process,
                                       uint32_t id)
{
    const struct kp_model *model = (const struct kp_model *)process;

    (void)reader;
    return kp_id_map_pointer(&model->functions, id);
}

static enum kp_status init_models(struct kp_reader *reader)
{
    enum kp_status status = KP_OK;
    uint32_t count = 0;

    for (size_t i = 0; i < reader->input_count; i++)
        count += reader->inputs[i].section_count;
    reader->models = calloc((size_t)count + 1, sizeof *reader->models);
    if (!reader->models)
        return KP_ERROR_NO_MEMORY;
    for (size_t i = 0; i < reader->input_count; i++) {
        struct kp_input *input = &reader->inputs[i];

        for (uint32_t j = 0; j < input->section_count && status == KP_OK; j++) {
            uint32_t index = reader->model_count++;

            status = kp_model_init(&reader->models[index], input, &input->sections[j], index, &reader->arena);
        }
        reader->total_bytes += input->file.fd >= 0 ? input->file.bytes : 0;
        reader->total_bytes += input->leftover.fd >= 0 ? input->leftover.bytes : 0;
    }
    return status;
}

static enum kp_status open_inputs(struct kp_reader *reader, const char *const *paths, size_t count,
                                  const struct kp_source_opener *opener, char *error, size_t error_bytes)
{
    bool no_leftover = reader->flags & KP_READ_NO_LEFTOVER;
    enum kp_status status = KP_OK;

    for (size_t i = 0; i < count && status == KP_OK; i++) {
        status = kp_input_open(&reader->inputs[i], paths[i], &reader->zstd, opener, no_leftover, error,
                               error_bytes);
        reader->input_count += status == KP_OK;
    }
    return status;
}

enum kp_status kp_reader_open(struct kp_reader **out, const char *const *paths, size_t count, unsigned flags,
                              char *error, size_t error_bytes)
{
    return kp_reader_open_by(out, paths, count, flags, NULL, error, error_bytes);
}

enum kp_status kp_reader_open_by(struct kp_reader **out, const char *const *paths, size_t count,
                                 unsigned flags, const struct kp_source_opener *opener, char *error,
                                 size_t error_bytes)
{
    struct kp_reader *reader = calloc(1, sizeof *reader);
    enum kp_status status = KP_ERROR_NO_MEMORY;

    *out = NULL;
    snprintf(error, error_bytes, "out of memory");
    if (!reader)
        return KP_ERROR_NO_MEMORY;
    reader->flags = flags;
    kp_zstd_open(&reader->zstd, 1);
    reader->inputs = calloc(count + 1, sizeof *reader->inputs);
    reader->cursor = calloc(1, sizeof *reader->cursor);
    if (reader->inputs && reader->cursor)
        status = open_inputs(reader, paths, count, opener, error, error_bytes);
    if (status == KP_OK) {
        status = init_models(reader);
        if (status != KP_OK)
            snprintf(error, error_bytes, "out of memory");
    }
    if (status == KP_OK)
        *out = reader;
    else
        kp_reader_close(reader);
    return status;
}

static void free_cursor(struct kp_cursor *cursor)
{
    if (cursor)
        kp_payload_free(&cursor->payload);
    free(cursor);
}

static void free_cursors(struct kp_reader *reader)
{
    free_cursor(reader->cursor);
    for (size_t i = 0; i < reader->merge.count; i++)
        free_cursor(reader->merge.threads[i]->cursor);
    while (reader->spare) {
        struct kp_cursor *spare = reader->spare;

        reader->spare = spare->spare;
        free_cursor(spare);
    }
}

void kp_reader_close(struct kp_reader *reader)
{
    if (!reader)
        return;
    free_cursors(reader);
    for (uint32_t i = 0; i < reader->model_count; i++)
        kp_model_free(&reader->models[i]);
    free(reader->models);
    for (size_t i = 0; i < reader->input_count; i++)
        kp_input_close(&reader->inputs[i]);
    free(reader->inputs);
    kp_payload_free(&reader->defs);
    kp_merge_free(&reader->merge);
    kp_arena_free(&reader->arena);
    kp_zstd_close(&reader->zstd);
    free(reader);
}
