#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "trace/drain.h"
#include "trace/leftover.h"
#include "trace/proc.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE        4096u
#define TEXTS_BYTES (1u << 20) /* pages are touched as they are used */

/* Free rings by size class, 64 KiB << class: offsets chained through kp_ring.next. */
#define RING_CLASSES 9

static uint64_t free_rings[RING_CLASSES];
static uint64_t rings_used; /* bytes of the ring area ever handed out */
static bool anonymous;
static char mapped_path[128];

static uint64_t align(uint64_t value, uint64_t to)
{
    return (value + to - 1) & ~(to - 1);
}

static void lay_out(struct kp_shm_control *shm, uint64_t rings_bytes)
{
    shm->threads_offset = align(sizeof *shm, PAGE);
    shm->defs_offset = align(shm->threads_offset + KP_SHM_THREADS * sizeof(struct kp_shm_thread), PAGE);
    shm->defs_bytes = KP_SHM_DEFS_BYTES;
    shm->rings_offset = shm->defs_offset + shm->defs_bytes;
    shm->rings_bytes = rings_bytes;
    shm->total_bytes = shm->rings_offset + rings_bytes;
}

static void make_uuid(uint8_t uuid[16])
{
    struct timespec now;

    if (getrandom(uuid, 16, GRND_NONBLOCK) != 16) {
        uint64_t pid = (uint64_t)getpid();

        /* Before the kernel's pool is ready: time, pid and an address are unique enough on one machine. */
        clock_gettime(CLOCK_REALTIME, &now);
        pid ^= (uint64_t)(uintptr_t)&now << 16;
        memcpy(uuid, &now.tv_nsec, 8);
        memcpy(uuid + 8, &pid, 8);
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* RFC 4122 version 4 */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* A limit on file size would send SIGXFSZ to the program, so it is asked for before the file grows. */
static bool size_allowed(uint64_t bytes)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes;
}

/* At most half of what a limit on addresses (`ulimit -v`) leaves: the rest is the program's. */
static bool addresses_allowed(uint64_t bytes)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return true;
    return limit.rlim_cur / 2 > (uint64_t)kp_proc_own_pages() * PAGE / 2 + bytes;
}

static struct kp_shm_control *map_file(const char *path, uint64_t bytes)
{
    int fd;
    void *memory = MAP_FAILED;

    if (!size_allowed(bytes)) {
        errno = EFBIG;
        return NULL;
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return NULL;
    if (ftruncate(fd, (off_t)bytes) == 0)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    close(fd);
    if (memory != MAP_FAILED)
        return memory;
    unlink(path);
    return NULL;
}

static struct kp_shm_control *map_anonymous(uint64_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* Less address space, for `ulimit -v` and `ulimit -f`, before giving up. */
static const uint64_t ring_areas[] = {KP_SHM_RINGS_BYTES, 256ull << 20, 64ull << 20};

static struct kp_shm_control *map_any(const char *path, struct kp_shm_control *layout)
{
    for (size_t i = 0; i < sizeof ring_areas / sizeof *ring_areas; i++) {
        struct kp_shm_control *shm;

        lay_out(layout, ring_areas[i]);
        errno = ENOMEM;
        if (!addresses_allowed(layout->total_bytes))
            continue;
        shm = path ? map_file(path, layout->total_bytes) : map_anonymous(layout->total_bytes);
        if (shm)
            return shm;
    }
    return NULL;
}

static void forget(struct kp_shm_control *shm)
{
    munmap(shm, shm->total_bytes);
    memset(free_rings, 0, sizeof free_rings);
    rings_used = 0;
}

static struct kp_shm_control *create(const char *path, struct kp_shm_control *layout)
{
    struct kp_shm_control *shm = map_any(path, layout);
    int saved;

    anonymous = path == NULL;
    snprintf(mapped_path, sizeof mapped_path, "%s", path ? path : "");
    if (!shm || kp_memory_reserve(shm, 0, layout->defs_offset))
        return shm;
    saved = errno;
    munmap(shm, layout->total_bytes);
    if (path)
        unlink(path);
    errno = saved;
    return NULL;
}

struct kp_shm_control *kp_memory_create(char *path, size_t path_bytes)
{
    static struct kp_shm_control layout;
    struct kp_shm_control *shm;
    struct kp_proc proc;
    char hex[33];

    memset(&layout, 0, sizeof layout);
    memset(free_rings, 0, sizeof free_rings);
    rings_used = 0;
    make_uuid(layout.uuid);
    kp_uuid_hex(hex, layout.uuid);
    kp_leftover_path(path, path_bytes, (uint32_t)getpid(), hex);
    shm = create(path, &layout);
    if (!shm) {
        kp_log(KP_LEVEL_WARN,
               "%s: %s: private memory is used instead; events of the last 100 ms are lost if the program is "
               "killed",
               path, strerror(errno));
        path[0] = '\0';
        shm = create(NULL, &layout);
    }
    if (!shm)
        return NULL;
    layout.version = KP_SHM_VERSION;
    layout.pid = (uint32_t)getpid();
    layout.pid_start = kp_proc_read(&proc, 0) ? proc.start : 0;
    memcpy(shm, &layout, sizeof layout);
    /* Last: only a complete control block carries the magic. */
    atomic_thread_fence(memory_order_release);
    shm->magic = KP_SHM_MAGIC;
    return shm;
}

void kp_memory_leave(struct kp_shm_control *shm)
{
    forget(shm);
}

void kp_memory_destroy(struct kp_shm_control *shm, const char *path)
{
    forget(shm);
    if (*path)
        unlink(path);
}

/* Kernels before 5.14: allocate through the file, then touching cannot fail. */
static bool reserve_by_file(uint64_t offset, uint64_t bytes)
{
    int fd = open(mapped_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    int result;

    if (fd < 0)
        return false;
    result = fallocate(fd, 0, (off_t)offset, (off_t)bytes);
    close(fd);
    return result == 0;
}

bool kp_memory_reserve(struct kp_shm_control *shm, uint64_t offset, uint64_t bytes)
{
    uint64_t start = offset & ~(uint64_t)(PAGE - 1);
    uint64_t end = align(offset + bytes, PAGE);

    if (madvise((uint8_t *)shm + start, end - start, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    return anonymous || reserve_by_file(start, end - start);
}

static unsigned ring_class(uint64_t bytes)
{
    unsigned class = 0;

    while (class + 1 < RING_CLASSES && ((uint64_t)KP_RING_BYTES_MIN << class) < bytes)
        class ++;
    return class;
}

/* The header takes a page of its own, so that slots stay page-aligned. */
static uint64_t ring_room(unsigned class)
{
    return PAGE + ((uint64_t)KP_RING_BYTES_MIN << class);
}

static struct kp_ring *take_free(struct kp_shm_control *shm, unsigned class)
{
    uint64_t offset = free_rings[class];
    struct kp_ring *ring = offset ? kp_shm_ring(shm, offset) : NULL;

    if (ring)
        free_rings[class] = atomic_load_explicit(&ring->next, memory_order_relaxed);
    return ring;
}

static struct kp_ring *take_new(struct kp_shm_control *shm, unsigned class)
{
    uint64_t room = ring_room(class), offset = shm->rings_offset + rings_used;

    if (rings_used + room > shm->rings_bytes || !kp_memory_reserve(shm, offset, room))
        return NULL;
    rings_used += room;
    /* Slots start behind the header: at the end of its page the ring's own 256 bytes. */
    return (struct kp_ring *)((uint8_t *)shm + offset + PAGE - sizeof(struct kp_ring));
}

struct kp_ring *kp_memory_ring(struct kp_shm_control *shm, uint64_t bytes, uint64_t base, uint32_t thread)
{
    struct kp_ring *ring = NULL;
    int class = (int)ring_class(bytes);

    for (; class >= 0 && !ring; class --) {
        ring = take_free(shm, (unsigned)class);
        if (!ring)
            ring = take_new(shm, (unsigned)class);
        if (ring)
            break;
    }
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->size_shift = 12 + (uint32_t) class; /* 64 KiB are 4096 slots */
    ring->base = base;
    ring->thread = thread;
    atomic_store_explicit(&ring->tail, base, memory_order_relaxed);
    atomic_store_explicit(&ring->head, base, memory_order_release);
    return ring;
}

void kp_memory_ring_free(struct kp_shm_control *shm, struct kp_ring *ring)
{
    unsigned class = ring->size_shift - 12;

    atomic_store_explicit(&ring->next, free_rings[class], memory_order_relaxed);
    free_rings[class] = (uint64_t)((uint8_t *)ring - (uint8_t *)shm);
}

void *kp_memory_private(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

char *kp_memory_keep(struct kp_memory_texts *texts, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *kept;

    if (bytes > texts->left) {
        size_t room = bytes > TEXTS_BYTES ? bytes : TEXTS_BYTES;

        texts->at = kp_memory_private(room);
        texts->left = texts->at ? room : 0;
        if (!texts->at)
            return NULL;
    }
    kept = memcpy(texts->at, text, bytes);
    texts->at += bytes;
    texts->left -= bytes;
    return kept;
}
