#include "scope.h"

#include <string.h>

#include "hook.h"

static bool same_version(const struct kp_elf *object, uint32_t symbol, const struct kp_elf_version *wanted)
{
    struct kp_elf_version offered = kp_elf_offered(object, symbol);

    if (offered.name)
        return offered.hash == wanted->hash && strcmp(offered.name, wanted->name) == 0;
    /* A symbol without version serves all references, unless it is hidden. */
    return !object->versions || !(object->versions[symbol] & 0x8000);
}

/* A reference without version gets a symbol without version or of the oldest one, else the only visible one.
 */
static uint32_t find_unversioned(const struct kp_elf *object, const struct kp_elf_name *name)
{
    uint32_t symbol = 0, visible = 0, count = 0;

    while ((symbol = kp_elf_next(object, name, symbol))) {
        if (!kp_elf_is_code(&object->symbols[symbol]))
            continue;
        if (!object->versions || (object->versions[symbol] & 0x7fff) < 3)
            return symbol;
        if (!(object->versions[symbol] & 0x8000)) {
            visible = symbol;
            count++;
        }
    }
    return count == 1 ? visible : 0;
}

static uint32_t find_in(const struct kp_elf *object, const struct kp_elf_name *name,
                        const struct kp_elf_version *wanted)
{
    uint32_t symbol = 0;

    if (!wanted->name)
        return find_unversioned(object, name);
    while ((symbol = kp_elf_next(object, name, symbol)))
        if (kp_elf_is_code(&object->symbols[symbol]) && same_version(object, symbol, wanted))
            return symbol;
    return 0;
}

/* What was loaded with the program comes first, in its order; the only one of the later ones does as well. */
static struct kp_elf *search(const struct kp_elf *object, const struct kp_elf_name *name,
                             const struct kp_elf_version *wanted, uint32_t *symbol)
{
    bool own_first = kp_hook_deep_bound() && !object->startup;
    struct kp_elf *only = NULL;

    for (size_t i = 0; i < kp_elf_count(); i++) {
        struct kp_elf *other = kp_elf_at(i);
        uint32_t found = other->symbols ? find_in(other, name, wanted) : 0;

        if (!found)
            continue;
        if (only)
            return NULL;
        *symbol = found;
        only = other;
        if (other->startup && !own_first)
            return other;
    }
    return only;
}

static uintptr_t address_of(const struct kp_elf *object, uint32_t number)
{
    const ElfW(Sym) *symbol = &object->symbols[number];
    uintptr_t address = object->base + symbol->st_value;

    /* As the loader does; such functions only look at the processor. */
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
        return ((uintptr_t(*)(void))address)();
    return address;
}

struct kp_elf *kp_scope_find(const struct kp_elf *object, uint32_t reference, const struct kp_elf_name *name,
                             uint32_t *symbol, uintptr_t *target)
{
    struct kp_elf_version wanted = kp_elf_wanted(object, reference);
    struct kp_elf *found = NULL;

    if (object->symbolic && (*symbol = find_in(object, name, &wanted)))
        found = kp_elf_holding((uintptr_t)object->dynamic);
    if (!found)
        found = search(object, name, &wanted, symbol);
    if (!found || found->ignored)
        return NULL;
    /* The loader would keep another object as long as this one: only where it does so anyway. */
    if (!found->startup && found->base != object->base && !kp_elf_needs(object, found))
        return NULL;
    *target = address_of(found, *symbol);
    return found;
}
