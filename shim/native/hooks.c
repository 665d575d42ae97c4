#include "hook.h"

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "hooks.h"
#include "inside.h"
#include "replace.h"
#include "trace/special.h"

#define REASONS_MAX    16
#define NAME_BYTES_MAX 4096

/* In this order: what is seen inside of its own object needs nothing at its callers. */
static const struct kp_hook *const hooks[] = {&kp_hook_inside, &kp_hook_got};

static struct {
    const char *reason;
    uint64_t count;
} refusals[REASONS_MAX];

static bool any_selected; /* functions of any object */

/* --- what stands in for a function --- */

/* "object:symbol"; a name that does not fit is cut, here as in the rules' eyes. */
static const char *full_name(const struct kp_elf *object, const char *symbol)
{
    static char name[NAME_BYTES_MAX];
    size_t first = strnlen(object->name, NAME_BYTES_MAX / 2),
           second = strnlen(symbol, NAME_BYTES_MAX / 2 - 2);

    memcpy(name, object->name, first);
    name[first] = ':';
    memcpy(name + first + 1, symbol, second);
    name[first + 1 + second] = '\0';
    return name;
}

bool kp_hook_selected(const struct kp_elf *object, const char *symbol)
{
    if (object->extent != KP_EXTENT_SOME)
        return object->extent == KP_EXTENT_ALL;
    return kp_rules_selects(&kp_core.rules, KP_FUNCTION_C, full_name(object, symbol), object->path);
}

struct kp_native_symbol kp_hook_symbol(const struct kp_elf *object, uint32_t symbol, uintptr_t target,
                                       enum kp_native_class class)
{
    const ElfW(Sym) *at = &object->symbols[symbol];

    return (struct kp_native_symbol){
        .target = (void *)target,
        .object = object->name,
        .path = kp_elf_full_path(object),
        .name = object->strings + at->st_name,
        .offset = at->st_value,
        .build_id = object->build_id,
        .build_id_bytes = object->build_id_bytes,
        .class = class,
    };
}

static void *thunk(const struct kp_elf *object, uint32_t number, uintptr_t target, enum kp_native_class class)
{
    const struct kp_native_symbol symbol = kp_hook_symbol(object, number, target, class);

    return kp_native_thunk(&symbol);
}

/* What calls get that the rules say nothing about. */
static void *unselected(const struct kp_elf *object, uint32_t symbol, uintptr_t target,
                        const struct kp_replace *replace)
{
    if (!replace)
        return NULL;
    return replace->stand_in ? (void *)replace->stand_in : thunk(object, symbol, target, replace->class);
}

void *kp_hook_stand_in(struct kp_elf *object, uint32_t symbol, uintptr_t target, const char **reason)
{
    const char *name = object->strings + object->symbols[symbol].st_name;
    const struct kp_replace *replace = kp_replace_find(target);
    const struct kp_special *special;
    enum kp_native_class class;
    void *stand_in;

    *reason = NULL;
    if (kp_inside_has(target))
        return NULL;
    if (!kp_hook_selected(object, name))
        return unselected(object, symbol, target, replace);
    special = kp_special_find(name);
    if (special && special->class == KP_SPECIAL_NEVER) {
        *reason = special->reason;
        return NULL;
    }
    class = replace ? replace->class : special ? KP_NATIVE_ENTRY_ONLY : KP_NATIVE_CALL;
    stand_in =
        thunk(object, symbol, replace && replace->stand_in ? (uintptr_t)replace->stand_in : target, class);
    if (!stand_in) {
        *reason = "no thunk is left";
        return unselected(object, symbol, target, replace);
    }
    return stand_in;
}

bool kp_hook_target_possible(const struct kp_elf *object, uintptr_t target)
{
    return object->extent || (object->startup && kp_replace_find(target));
}

bool kp_hook_wanted(const struct kp_elf *object, const char *symbol, uintptr_t target)
{
    return kp_hook_selected(object, symbol) || (object->startup && kp_replace_find(target));
}

bool kp_hook_name_possible(const char *name)
{
    struct kp_elf_name hashed;

    if (kp_replace_named(name))
        return true;
    if (!any_selected)
        return false;
    hashed = kp_elf_name(name);
    for (size_t i = 0; i < kp_elf_count(); i++) {
        const struct kp_elf *object = kp_elf_at(i);

        if (object->extent && kp_elf_next(object, &hashed, 0) && kp_hook_selected(object, name))
            return true;
    }
    return false;
}

void kp_hook_refused(const char *reason)
{
    for (unsigned i = 0; i < REASONS_MAX; i++)
        if (!refusals[i].reason || refusals[i].reason == reason) {
            refusals[i].reason = reason;
            refusals[i].count++;
            return;
        }
}

/* --- all mechanisms --- */

void kp_hooks_prepare(void)
{
    any_selected = false;
    for (size_t i = 0; i < kp_elf_count(); i++)
        any_selected |= kp_elf_at(i)->extent != KP_EXTENT_NONE;
}

size_t kp_hooks_count(void)
{
    return sizeof hooks / sizeof *hooks;
}

void kp_hooks_take(size_t hook, struct kp_elf *object, bool fresh)
{
    hooks[hook]->take(object, fresh);
}

static void note_refusals(void)
{
    char text[464];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < REASONS_MAX && refusals[i].reason && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: %llu", i ? "; " : "",
                                 refusals[i].reason, (unsigned long long)refusals[i].count);
    if (*text)
        kp_core_meta("native.refused", text);
}

void kp_hooks_note(void)
{
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        hooks[i]->note();
    note_refusals();
}
