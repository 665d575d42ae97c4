#include "traceable.h"

#include <stdlib.h>
#include <string.h>

#include "trace/special.h"
#include "util/memory.h"

const char *kp_mechanism_text(enum kp_mechanism mechanism)
{
    static const char *const texts[] = {
#define KP_MECHANISM(name, text, meaning) text,
        KP_MECHANISMS(KP_MECHANISM)
#undef KP_MECHANISM
    };
    return texts[mechanism];
}

/* --- names that slots hold --- */

struct called_name {
    const char *name;
    bool called; /* otherwise only its address is looked at */
};

struct called_names {
    struct called_name *all;
    size_t count, capacity;
};

static void take_slot(void *user, const char *name, enum kp_slot_use use)
{
    struct called_names *names = user;
    names->all = kp_grow(names->all, &names->capacity, names->count, sizeof *names->all);
    names->all[names->count++] =
        (struct called_name){name, use == KP_SLOT_PLT || use == KP_SLOT_CALLS || use == KP_SLOT_BOTH};
}

static int compare_called(const void *left, const void *right)
{
    const struct called_name *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : b->called - a->called;
}

/* Sorted, each name once, `called` when any of its slots is. */
static void find_called(struct called_names *names, const struct kp_objects *objects)
{
    size_t kept = 0;
    for (size_t i = 0; i < objects->count; i++)
        if (!kp_special_find_object(objects->all[i]->name))
            kp_elf_each_slot(&objects->all[i]->elf, take_slot, names);
    if (names->count)
        qsort(names->all, names->count, sizeof *names->all, compare_called);
    for (size_t i = 0; i < names->count; i++)
        if (!kept || strcmp(names->all[kept - 1].name, names->all[i].name) != 0)
            names->all[kept++] = names->all[i];
    names->count = kept;
}

static int compare_name(const void *key, const void *element)
{
    return strcmp(key, ((const struct called_name *)element)->name);
}

/* --- verdicts --- */

struct search {
    struct kp_traceables *found;
    const struct kp_elf_object *object;
    struct kp_rules *rules;
    const struct called_names *called; /* NULL: not known who calls */
    bool everything;
};

static const struct called_name *find_name(const struct called_names *called, const char *name)
{
    return called->count ? bsearch(name, called->all, called->count, sizeof *called->all, compare_name)
                         : NULL;
}

static void judge_by_slots(struct kp_traceable *traceable, const struct called_names *called)
{
    const struct called_name *name = find_name(called, traceable->function.name);
    if (name && name->called)
        return;
    traceable->mechanism = KP_MECHANISM_NONE;
    traceable->reason = name ? "has its address taken, but is not called through a slot"
                             : "is called through no slot of these objects (dlsym may still find it, and "
                               "KPROBE_INLINE=1 calls inside)";
}

static void judge(struct kp_traceable *traceable, const struct search *search)
{
    static const enum kp_mechanism mechanisms[] = {[KP_SPECIAL_NEVER] = KP_MECHANISM_NEVER,
                                                   [KP_SPECIAL_ENTRY_ONLY] = KP_MECHANISM_ENTRY_ONLY,
                                                   [KP_SPECIAL_WRAPPED] = KP_MECHANISM_WRAPPED};
    const struct kp_special *special = kp_special_find_object(search->object->name);
    if (!special)
        special = kp_special_find(traceable->function.name);
    traceable->mechanism = special ? mechanisms[special->class] : KP_MECHANISM_GOT;
    traceable->reason = special ? special->reason : "";
    if (traceable->mechanism == KP_MECHANISM_NEVER)
        return;
    if (!traceable->function.exported) {
        traceable->mechanism = KP_MECHANISM_NONE;
        traceable->reason = "is not exported: calls inside its object use no slot";
    } else if (search->called) {
        judge_by_slots(traceable, search->called);
    }
}

/* Nobody calls it: whether it could be traced does not matter. */
static bool is_idle(const struct kp_traceable *traceable, const struct search *search)
{
    return traceable->mechanism == KP_MECHANISM_NONE ||
           (search->called && !find_name(search->called, traceable->function.name));
}

static void take_function(void *user, const struct kp_elf_function *function)
{
    const struct search *search = user;
    struct kp_traceables *found = search->found;
    if (function->old_version && !search->everything)
        return;
    struct kp_traceable traceable = {.object = search->object, .function = *function};
    judge(&traceable, search);
    if (!search->everything && is_idle(&traceable, search))
        return;
    traceable.name = kp_format_text("%s:%s", search->object->name, function->name);
    if (search->rules &&
        !kp_rules_match(search->rules, KP_FUNCTION_C, traceable.name, search->object->path)) {
        free(traceable.name);
        return;
    }
    found->all = kp_grow(found->all, &found->capacity, found->count, sizeof *found->all);
    found->all[found->count++] = traceable;
}

static int compare_traceables(const void *left, const void *right)
{
    const struct kp_traceable *a = left, *b = right;
    int order = strcmp(a->function.name, b->function.name);
    return order                                        ? order
           : a->function.address != b->function.address ? (a->function.address < b->function.address ? -1 : 1)
                                                        : 0;
}

void kp_traceables_find(struct kp_traceables *traceables, const struct kp_objects *objects,
                        struct kp_rules *rules, bool everything)
{
    struct called_names called = {0};
    *traceables = (struct kp_traceables){0};
    if (objects->process)
        find_called(&called, objects);
    for (size_t i = 0; i < objects->count; i++) {
        struct search search = {.found = traceables,
                                .object = objects->all[i],
                                .rules = rules,
                                .called = objects->process ? &called : NULL,
                                .everything = everything};
        size_t first = traceables->count;
        kp_elf_each_function(&objects->all[i]->elf, everything, take_function, &search);
        if (traceables->count > first)
            qsort(traceables->all + first, traceables->count - first, sizeof *traceables->all,
                  compare_traceables);
    }
    free(called.all);
}

void kp_traceables_free(struct kp_traceables *traceables)
{
    for (size_t i = 0; i < traceables->count; i++)
        free(traceables->all[i].name);
    free(traceables->all);
}
