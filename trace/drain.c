#include "drain.h"

#include <string.h>

#include "def.h"
#include "varint.h"

struct kp_shm_thread *kp_shm_threads(struct kp_shm_control *shm)
{
    return (struct kp_shm_thread *)((uint8_t *)shm + shm->threads_offset);
}

struct kp_ring *kp_shm_ring(struct kp_shm_control *shm, uint64_t offset)
{
    struct kp_ring *ring;

    if (offset < shm->rings_offset || offset % 64 || offset > shm->total_bytes - sizeof *ring)
        return NULL;
    ring = (struct kp_ring *)((uint8_t *)shm + offset);
    if (ring->size_shift > 24 ||
        (sizeof(struct kp_slot) << ring->size_shift) > shm->total_bytes - offset - sizeof *ring)
        return NULL;
    return ring;
}

/* Every chunk leaves through here: counts what is safe, so that recovery knows where the good part ends. */
static enum kp_status put_bytes(struct kp_drain *drain, const void *data, size_t bytes)
{
    enum kp_status status = drain->write(drain->user, data, bytes);

    if (status != KP_OK)
        return status;
    drain->bytes += bytes;
    atomic_fetch_add_explicit(&drain->shm->file_bytes, bytes, memory_order_release);
    return KP_OK;
}

/* The payload stands in drain->out behind room for the header. */
static enum kp_status put_chunk(struct kp_drain *drain, enum kp_chunk_type type, size_t payload_bytes)
{
    struct kp_chunk_header *header = (struct kp_chunk_header *)drain->out;
    uint32_t number = atomic_load_explicit(&drain->shm->chunks, memory_order_relaxed);
    enum kp_status status;

    kp_chunk_seal(header, type, number, (uint32_t)payload_bytes);
    status = put_bytes(drain, header, sizeof *header + payload_bytes);
    if (status == KP_OK)
        atomic_store_explicit(&drain->shm->chunks, number + 1, memory_order_release);
    return status;
}

static uint8_t *payload(struct kp_drain *drain)
{
    return drain->out + sizeof(struct kp_chunk_header);
}

enum kp_status kp_drain_clock(struct kp_drain *drain)
{
    memcpy(payload(drain), &drain->shm->last_sync, sizeof drain->shm->last_sync);
    return put_chunk(drain, KP_CHUNK_CLOCK, sizeof drain->shm->last_sync);
}

enum kp_status kp_drain_open(struct kp_drain *drain)
{
    struct kp_preamble preamble;
    const char *text = drain->shm->process_text;
    size_t bytes = strnlen(text, KP_SHM_PROCESS_BYTES);
    enum kp_status status;

    kp_preamble_fill(&preamble);
    status = put_bytes(drain, &preamble, sizeof preamble);
    if (status != KP_OK)
        return status;
    memcpy(payload(drain), text, bytes);
    status = put_chunk(drain, KP_CHUNK_PROCESS, bytes);
    if (status != KP_OK)
        return status;
    memcpy(payload(drain), &drain->shm->first_sync, sizeof drain->shm->first_sync);
    return put_chunk(drain, KP_CHUNK_CLOCK, sizeof drain->shm->first_sync);
}

#define DEFS_CHUNK_BYTES (512u << 10)

/* How many of the bytes are whole records, at most about a chunk's worth. */
static size_t whole_records(const uint8_t *data, size_t bytes)
{
    size_t whole = 0;

    while (bytes - whole >= KP_DEF_HEADER_BYTES) {
        uint32_t size;

        memcpy(&size, data + whole, sizeof size);
        if (size < KP_DEF_HEADER_BYTES || size > bytes - whole || size > DEFS_CHUNK_BYTES - whole)
            break;
        whole += size;
    }
    return whole;
}

static enum kp_status put_defs(struct kp_drain *drain, const uint8_t *data, size_t bytes)
{
    uint8_t *end = kp_blob_put(payload(drain), data, bytes, drain->zstd);

    return put_chunk(drain, KP_CHUNK_DEFS, (size_t)(end - payload(drain)));
}

static enum kp_status drain_defs(struct kp_drain *drain)
{
    struct kp_shm_control *shm = drain->shm;
    const uint8_t *data = (const uint8_t *)shm + shm->defs_offset;
    /* Pairs with the release in kp_registry: the records before it are complete. */
    uint64_t head = atomic_load_explicit(&shm->defs_head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&shm->defs_tail, memory_order_relaxed);

    if (head > shm->defs_bytes)
        return KP_ERROR_DAMAGED;
    while (tail < head) {
        size_t bytes = whole_records(data + tail, (size_t)(head - tail));
        enum kp_status status = bytes ? put_defs(drain, data + tail, bytes) : KP_ERROR_DAMAGED;

        if (status != KP_OK)
            return status;
        tail += bytes;
        atomic_store_explicit(&shm->defs_tail, tail, memory_order_release);
    }
    return KP_OK;
}

/* Index parts are chained backwards: each starts with the offset of the part before it. */
static enum kp_status put_index(struct kp_drain *drain)
{
    uint64_t offset = atomic_load_explicit(&drain->shm->file_bytes, memory_order_relaxed);
    uint64_t last = 0;
    uint8_t *p = payload(drain);
    enum kp_status status;

    p = kp_varint_put(p, drain->previous_index);
    p = kp_varint_put(p, drain->index_count);
    for (uint32_t i = 0; i < drain->index_count; i++) {
        p = kp_varint_put(p, drain->index[i].offset - last);
        p = kp_varint_put(p, drain->index[i].thread);
        p = kp_varint_put(p, drain->index[i].events);
        last = drain->index[i].offset;
    }
    status = put_chunk(drain, KP_CHUNK_INDEX, (size_t)(p - payload(drain)));
    if (status == KP_OK) {
        drain->previous_index = offset;
        drain->index_count = 0;
    }
    return status;
}

static void remember(struct kp_drain *drain, uint64_t offset)
{
    drain->index[drain->index_count++] = (struct kp_drain_index){
        .offset = offset, .thread = drain->encoder->thread, .events = (uint32_t)drain->encoder->events};
    drain->events += drain->encoder->events;
    drain->slots += drain->encoder->slots;
}

static enum kp_status put_events(struct kp_drain *drain)
{
    enum kp_status status;
    uint64_t offset;
    uint32_t number;
    size_t bytes;

    /* Definitions first: whatever the encoded slots refer to was published before them. */
    status = drain_defs(drain);
    if (status == KP_OK && drain->index_count == KP_DRAIN_INDEX_MAX)
        status = put_index(drain);
    if (status != KP_OK)
        return status;
    offset = atomic_load_explicit(&drain->shm->file_bytes, memory_order_relaxed);
    number = atomic_load_explicit(&drain->shm->chunks, memory_order_relaxed);
    bytes = kp_chunk_events(drain->out, drain->encoder, number, drain->zstd);
    status = put_bytes(drain, drain->out, bytes);
    if (status != KP_OK)
        return status;
    atomic_store_explicit(&drain->shm->chunks, number + 1, memory_order_release);
    remember(drain, offset);
    return KP_OK;
}

/* Encode one chunk of slots [tail, head); returns how far it came. */
static uint64_t encode_chunk(struct kp_drain *drain, struct kp_ring *ring, uint64_t tail, uint64_t head)
{
    uint64_t size = 1ull << ring->size_shift;

    kp_encode_begin(drain->encoder, ring->thread, tail, drain->shm->time_shift);
    while (tail < head) {
        uint64_t at = tail & (size - 1);
        uint64_t count = head - tail < size - at ? head - tail : size - at;
        size_t taken = kp_encode_slots(drain->encoder, kp_ring_slots(ring) + at, (size_t)count);

        if (taken == 0)
            break;
        tail += taken;
    }
    return tail;
}

static enum kp_status drain_ring(struct kp_drain *drain, struct kp_ring *ring, uint64_t head)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (head - tail > (1ull << ring->size_shift))
        return KP_ERROR_DAMAGED;
    while (tail < head) {
        uint64_t next = encode_chunk(drain, ring, tail, head);
        enum kp_status status = next == tail ? KP_ERROR_DAMAGED : KP_OK;

        if (status == KP_OK && drain->encoder->events)
            status = put_events(drain);
        if (status != KP_OK)
            return status;
        tail = next;
        /* Pairs with the acquire in kp_emit_slow: the thread may overwrite what we have read. */
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    return KP_OK;
}

enum kp_status kp_drain_thread(struct kp_drain *drain, struct kp_shm_thread *thread)
{
    for (unsigned hops = 0; hops < KP_RING_CHAIN_MAX; hops++) {
        struct kp_ring *ring =
            kp_shm_ring(drain->shm, atomic_load_explicit(&thread->ring, memory_order_acquire));
        uint32_t moved;
        uint64_t head, next;
        enum kp_status status;

        if (!ring)
            return KP_ERROR_DAMAGED;
        /* `moved` before `head`: once it is set, head does not change any more. */
        moved = atomic_load_explicit(&ring->moved, memory_order_acquire);
        head = atomic_load_explicit(&ring->head, memory_order_acquire);
        status = drain_ring(drain, ring, head);
        if (status != KP_OK || !moved)
            return status;
        next = atomic_load_explicit(&ring->next, memory_order_acquire);
        atomic_store_explicit(&thread->ring, next, memory_order_release);
        if (drain->ring_done)
            drain->ring_done(drain->user, ring);
    }
    return KP_ERROR_DAMAGED;
}

uint64_t kp_drain_pending(const struct kp_shm_control *shm, const struct kp_shm_thread *thread)
{
    struct kp_shm_control *base = (struct kp_shm_control *)(uintptr_t)shm;
    struct kp_ring *ring = kp_shm_ring(base, atomic_load_explicit(&thread->ring, memory_order_acquire));
    uint64_t pending = 0;

    for (unsigned hops = 0; ring && hops < KP_RING_CHAIN_MAX; hops++) {
        pending += atomic_load_explicit(&ring->head, memory_order_acquire) -
                   atomic_load_explicit(&ring->tail, memory_order_relaxed);
        if (!atomic_load_explicit(&ring->moved, memory_order_acquire))
            break;
        ring = kp_shm_ring(base, atomic_load_explicit(&ring->next, memory_order_acquire));
    }
    return pending;
}

/* The ring a thread writes to now: it holds the thread's counters. */
static struct kp_ring *last_ring(struct kp_shm_control *shm, struct kp_shm_thread *thread)
{
    struct kp_ring *ring = kp_shm_ring(shm, atomic_load_explicit(&thread->ring, memory_order_acquire));

    for (unsigned hops = 0; ring && atomic_load_explicit(&ring->moved, memory_order_acquire); hops++)
        ring = hops == KP_RING_CHAIN_MAX
                   ? NULL
                   : kp_shm_ring(shm, atomic_load_explicit(&ring->next, memory_order_acquire));
    return ring;
}

static enum kp_status put_thread_end(struct kp_drain *drain, struct kp_shm_thread *thread, uint64_t end_ticks)
{
    struct kp_ring *ring = last_ring(drain->shm, thread);
    uint8_t record[KP_DEF_ROOM(sizeof thread->name)];
    struct kp_def def = {.type = KP_DEF_THREAD_END};
    enum kp_status status;

    if (!ring)
        return KP_ERROR_DAMAGED;
    def.thread_end.number = thread->number;
    def.thread_end.end_ticks = end_ticks;
    def.thread_end.calls_made = atomic_load_explicit(&ring->calls, memory_order_relaxed);
    def.thread_end.calls_lost = ring->calls_lost;
    def.thread_end.events_lost = ring->events_lost;
    def.thread_end.name = (struct kp_text){thread->name, strnlen(thread->name, sizeof thread->name)};
    status = put_defs(drain, record, kp_def_put(record, &def));
    if (status == KP_OK) {
        drain->calls_made += def.thread_end.calls_made;
        drain->calls_lost += def.thread_end.calls_lost;
    }
    return status;
}

/* A thread that ended: its rest, its end, its entry free for another. */
static enum kp_status drain_done(struct kp_drain *drain, struct kp_shm_thread *thread)
{
    struct kp_ring *ring;
    enum kp_status status = kp_drain_thread(drain, thread);

    if (status == KP_OK)
        status = put_thread_end(drain, thread, thread->end_ticks);
    if (status != KP_OK)
        return status;
    ring = kp_shm_ring(drain->shm, atomic_load_explicit(&thread->ring, memory_order_relaxed));
    if (drain->ring_done && ring)
        drain->ring_done(drain->user, ring);
    atomic_store_explicit(&thread->state, KP_SHM_THREAD_FREE, memory_order_release);
    if (drain->thread_done)
        drain->thread_done(drain->user, thread);
    return KP_OK;
}

enum kp_status kp_drain_all(struct kp_drain *drain)
{
    struct kp_shm_thread *threads = kp_shm_threads(drain->shm);
    uint32_t used = atomic_load_explicit(&drain->shm->threads_used, memory_order_acquire);
    enum kp_status status = KP_OK, first = KP_OK;

    for (uint32_t i = 0; i < used && i < KP_SHM_THREADS; i++) {
        uint32_t state = atomic_load_explicit(&threads[i].state, memory_order_acquire);

        if (state == KP_SHM_THREAD_LIVE)
            status = kp_drain_thread(drain, &threads[i]);
        else if (state == KP_SHM_THREAD_DONE)
            status = drain_done(drain, &threads[i]);
        if (status != KP_OK && first == KP_OK)
            first = status;
        if (status != KP_OK && status != KP_ERROR_DAMAGED)
            return status;
    }
    status = drain_defs(drain);
    return first != KP_OK ? first : status;
}

static enum kp_status end_threads(struct kp_drain *drain)
{
    struct kp_shm_thread *threads = kp_shm_threads(drain->shm);
    uint32_t used = atomic_load_explicit(&drain->shm->threads_used, memory_order_acquire);

    for (uint32_t i = 0; i < used && i < KP_SHM_THREADS; i++) {
        enum kp_status status = KP_OK;

        if (atomic_load_explicit(&threads[i].state, memory_order_acquire) == KP_SHM_THREAD_LIVE)
            status = put_thread_end(drain, &threads[i], drain->shm->last_sync.ticks);
        if (status != KP_OK && status != KP_ERROR_DAMAGED)
            return status;
    }
    return KP_OK;
}

static enum kp_status put_meta(struct kp_drain *drain, const char *key, const char *value)
{
    uint8_t record[KP_DEF_ROOM(512)];
    struct kp_def def = {.type = KP_DEF_META};

    def.meta.key = (struct kp_text){key, strnlen(key, 128)};
    def.meta.value = (struct kp_text){value, strnlen(value, 384)};
    return put_defs(drain, record, kp_def_put(record, &def));
}

enum kp_status kp_drain_finish(struct kp_drain *drain, const char *key, const char *value)
{
    enum kp_status damage = kp_drain_all(drain), status;
    struct kp_end end;

    if (damage != KP_OK && damage != KP_ERROR_DAMAGED)
        return damage;
    if ((status = end_threads(drain)) != KP_OK || (status = kp_drain_clock(drain)) != KP_OK)
        return status;
    if (key && (status = put_meta(drain, key, value)) != KP_OK)
        return status;
    if ((status = put_index(drain)) != KP_OK)
        return status;
    end = (struct kp_end){.index_offset = drain->previous_index, .ticks = drain->shm->last_sync.ticks};
    memcpy(payload(drain), &end, sizeof end);
    status = put_chunk(drain, KP_CHUNK_END, sizeof end);
    return status != KP_OK ? status : damage;
}
