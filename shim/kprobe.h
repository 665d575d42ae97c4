/*
 * kprobe.h: probes of your own, for C11 and C++11.
 *
 *     KPROBE_REGION(checkout, "shop.checkout");          once, at file scope or in a function
 *
 *     kprobe_begin(&checkout);
 *     ...
 *     kprobe_end(&checkout);                              or kprobe_fail(&checkout, "OutOfStock")
 *
 *     {
 *         KPROBE_SCOPE("shop.checkout");                  until the block is left
 *         ...
 *     }
 *
 * Nothing to link with. When the program runs without kprobe a probe is a load and a branch; under kprobe
 * (LD_PRELOAD=libkprobe.so, or `kprobe record`) a region is a call in the trace, nested with the functions
 * that are traced. Names may be plain (shop.checkout) or Kieker signatures (void shop.Cart.total(int)). All
 * regions are recorded unless a rule excludes them: -manual:shop.* (and +manual:shop.* means only those).
 *
 * begin and end belong to one thread and one function: what a function leaves open ends with it, if it is
 * traced; an end that has no begin there does nothing. Regions that were forgotten inside of one end with it.
 * In a signal handler probes do no harm.
 *
 * Records: what `kprobe irl -l c` generates.
 *
 *     shop_records_order order;
 *     shop_records_order_init(&order);
 *     ...
 *     KPROBE_RECORD(shop_records_order_type, &order);     after #include "shop/records/order.h"
 *
 * A record has at most KPROBE_RECORD_MAX bytes in Kieker's binary form, its strings apart; it is in the trace
 * as a whole or counted as lost. Strings are kept once each, as names of functions are: a record with ever
 * new strings fills the room that there is for them (32 MiB), and later ones are dropped and counted.
 *
 * glibc before 2.34: link with -ldl, else the probes find nothing. Plugins that are unloaded may have probes.
 */
#ifndef KPROBE_H
#define KPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- what libkprobe.so offers, as kprobe_v1; later versions append ---------------------------------- */

struct kprobe_calls {
    uint32_t bytes; /* of this structure */
    bool (*active)(void);
    uint32_t (*region)(const char *name); /* a handle that stays good; 0: none */
    void (*begin)(uint32_t region);
    void (*end)(uint32_t region);
    void (*fail)(uint32_t region, const char *cause);
    uint64_t (*suspend)(uint32_t region, uint64_t token);
    void (*resume)(uint32_t region, uint64_t token);
    bool (*wanted)(uint32_t handle);
    uint32_t (*record_class)(const char *java_class, const char *layout); /* as region */
    int32_t (*text)(void *unused, const char *text); /* the id of a string in a record; negative: none */
    bool (*record)(uint32_t record_class, const void *payload, size_t bytes);
    void (*record_lost)(uint32_t record_class);
};

/* 0: not looked for; 1: the program runs without kprobe; else where they are. One for each program or library
 * that includes this. */
__attribute__((weak, visibility("hidden"))) uintptr_t kprobe_found = 0;

/* Weak: a static program, which cannot be traced, may be without it. */
extern void *kprobe_dlsym(void *handle, const char *name) __asm__("dlsym") __attribute__((weak));

__attribute__((cold, noinline, unused)) static const struct kprobe_calls *kprobe_find(void)
{
    const struct kprobe_calls *calls = NULL;

    if (kprobe_dlsym)
        calls = (const struct kprobe_calls *)kprobe_dlsym(NULL /* RTLD_DEFAULT */, "kprobe_v1");
    __atomic_store_n(&kprobe_found, calls ? (uintptr_t)calls : (uintptr_t)1, __ATOMIC_RELEASE);
    return calls;
}

/* NULL: the program runs without kprobe. */
static inline const struct kprobe_calls *kprobe_calls(void)
{
    uintptr_t found = __atomic_load_n(&kprobe_found, __ATOMIC_ACQUIRE);

    if (__builtin_expect(found == 1, 1))
        return NULL;
    return found ? (const struct kprobe_calls *)found : kprobe_find();
}

/* Whether probes go into a trace at the moment. */
static inline bool kprobe_active(void)
{
    const struct kprobe_calls *calls = kprobe_calls();

    return calls && calls->active();
}

/* --- regions ---------------------------------------------------------------------------------------- */

struct kprobe_region {
    const char *name; /* stays as long as the region */
    uint32_t handle;  /* 0: not asked for yet */
};

/* A region called `variable`. */
#define KPROBE_REGION(variable, text) static struct kprobe_region variable = {text, 0}

static inline uint32_t kprobe_handle(const struct kprobe_calls *calls, struct kprobe_region *region)
{
    uint32_t handle = __atomic_load_n(&region->handle, __ATOMIC_RELAXED);

    if (__builtin_expect(handle == 0, 0)) {
        handle = calls->region(region->name);
        __atomic_store_n(&region->handle, handle, __ATOMIC_RELAXED);
    }
    return handle;
}

static inline void kprobe_begin(struct kprobe_region *region)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->begin(kprobe_handle(calls, region));
}

static inline void kprobe_end(struct kprobe_region *region)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->end(kprobe_handle(calls, region));
}

/* The region ends because something failed: `cause` is a kind of failure ("OutOfStock"), NULL when it is not
 * known. What differs from time to time does not belong there: each is kept once, for good. */
static inline void kprobe_fail(struct kprobe_region *region, const char *cause)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->fail(kprobe_handle(calls, region), cause);
}

/* Whether begin would be recorded now. */
static inline bool kprobe_region_wanted(struct kprobe_region *region)
{
    const struct kprobe_calls *calls = kprobe_calls();

    return calls && calls->wanted(kprobe_handle(calls, region));
}

/*
 * A region of something that stops and goes on: a coroutine, a task. Suspended, it is not open; another
 * thread may resume it. Returns a token for kprobe_resume; hand it to the next kprobe_suspend, 0 to the first
 * one.
 */
static inline uint64_t kprobe_suspend(struct kprobe_region *region, uint64_t token)
{
    const struct kprobe_calls *calls = kprobe_calls();

    return calls ? calls->suspend(kprobe_handle(calls, region), token) : 0;
}

static inline void kprobe_resume(struct kprobe_region *region, uint64_t token)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->resume(kprobe_handle(calls, region), token);
}

/* The same for names that are made as the program runs: looked up each time. At most 65536 different ones. */
static inline void kprobe_begin_named(const char *name)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->begin(calls->region(name));
}

static inline void kprobe_end_named(const char *name)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->end(calls->region(name));
}

static inline void kprobe_fail_named(const char *name, const char *cause)
{
    const struct kprobe_calls *calls = kprobe_calls();

    if (calls)
        calls->fail(calls->region(name), cause);
}

/* A region until the block is left, whichever way; in C++ it counts as failed when an exception leaves it. */
#define KPROBE_SCOPE(text)           KPROBE_SCOPE_NUMBER(text, __COUNTER__)
#define KPROBE_SCOPE_NUMBER(text, n) KPROBE_SCOPE_NAMED(text, n)
#define KPROBE_SCOPE_NAMED(text, n)                                                                          \
    KPROBE_REGION(kprobe_region_##n, text);                                                                  \
    KPROBE_SCOPE_WITH(&kprobe_region_##n, n)
/* The same for a region that was declared. */
#define KPROBE_SCOPE_OF(region)           KPROBE_SCOPE_OF_NUMBER(region, __COUNTER__)
#define KPROBE_SCOPE_OF_NUMBER(region, n) KPROBE_SCOPE_WITH(region, n)

#ifndef __cplusplus
#define KPROBE_SCOPE_WITH(region, n)                                                                         \
    __attribute__((cleanup(kprobe_leave), unused)) struct kprobe_region *const kprobe_scope_##n =            \
        kprobe_enter(region)

static inline struct kprobe_region *kprobe_enter(struct kprobe_region *region)
{
    kprobe_begin(region);
    return region;
}

static inline void kprobe_leave(struct kprobe_region *const *region)
{
    kprobe_end(*region);
}
#else
#define KPROBE_SCOPE_WITH(region, n) const kprobe_scope kprobe_scope_##n(region)
#endif

/* --- records; for those who included a generated header, or kieker_record.h, before ------------------ */

#define KPROBE_RECORD_MAX 8180

#ifdef KIEKER_RECORD_RUNTIME_H

/* Longer layouts than any record needs that fits. */
#define KPROBE_LAYOUT_MAX 1024

/* What KPROBE_RECORD keeps of the type. */
struct kprobe_record_class {
    const struct kieker_record_type *type;
    uint32_t handle;
};

__attribute__((cold, noinline, unused)) static void kprobe_put_layout(char *out,
                                                                      const struct kieker_record_type *type)
{
    static const char letters[] = "ZBCSIJFDTE"; /* by enum kieker_kind */
    size_t used = 0;

    for (size_t i = 0; i < type->field_count && used + 64 < KPROBE_LAYOUT_MAX; i++) {
        const struct kieker_field *field = &type->fields[i];

        for (uint32_t d = 0; d < field->dimension_count && used + 32 < KPROBE_LAYOUT_MAX; d++) {
            char digits[12];
            size_t count = 0;

            out[used++] = '[';
            for (uint32_t n = (uint32_t)field->dimensions[d].length; n; n /= 10)
                digits[count++] = (char)('0' + n % 10);
            while (count)
                out[used++] = digits[--count];
        }
        out[used++] = letters[field->kind];
    }
    out[used] = '\0';
}

__attribute__((cold, noinline, unused)) static uint32_t
kprobe_find_class(const struct kprobe_calls *calls, const struct kieker_record_type *type)
{
    char layout[KPROBE_LAYOUT_MAX];

    kprobe_put_layout(layout, type);
    return calls->record_class(type->java_class, layout);
}

__attribute__((unused)) static bool kprobe_put_record(struct kprobe_record_class *known,
                                                      const struct kieker_record_type *type,
                                                      const void *record)
{
    const struct kprobe_calls *calls = kprobe_calls();
    struct kieker_writer writer;
    uint8_t payload[KPROBE_RECORD_MAX];

    if (!calls)
        return false;
    if (__builtin_expect(known->handle == 0 || known->type != type, 0)) {
        known->type = type;
        known->handle = kprobe_find_class(calls, type);
    }
    if (!calls->wanted(known->handle))
        return false;
    memset(&writer, 0, sizeof writer);
    writer.bytes = payload;
    writer.capacity = sizeof payload;
    writer.string_id = calls->text;
    if (type->write_binary(&writer, record))
        return calls->record(known->handle, payload, writer.position);
    calls->record_lost(known->handle);
    return false;
}

/* `type` is a struct kieker_record_type, one and the same each time. */
#define KPROBE_RECORD(type, record)                                                                          \
    do {                                                                                                     \
        static struct kprobe_record_class kprobe_class_ = {NULL, 0};                                         \
        kprobe_put_record(&kprobe_class_, &(type), record);                                                  \
    } while (0)

#endif

#ifdef __cplusplus
}

#include <exception>

class kprobe_scope
{
  public:
    explicit kprobe_scope(struct kprobe_region *region) : region_(region), before_(exceptions())
    {
        kprobe_begin(region_);
    }
    ~kprobe_scope()
    {
        if (exceptions() > before_)
            kprobe_fail(region_, NULL);
        else
            kprobe_end(region_);
    }
    kprobe_scope(const kprobe_scope &) = delete;
    kprobe_scope &operator=(const kprobe_scope &) = delete;

  private:
    static int exceptions() noexcept
    {
#if __cplusplus >= 201703L
        return std::uncaught_exceptions();
#else
        return std::uncaught_exception() ? 1 : 0;
#endif
    }
    struct kprobe_region *region_;
    int before_;
};
#endif

#endif
