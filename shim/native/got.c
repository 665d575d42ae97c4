/*
 * Calls through the global offset table: its slots are redirected.
 *
 * A slot of the PLT (JUMP_SLOT) serves calls only. A slot of other references (GLOB_DAT) may serve
 * `&function` too, whose value must not change: programs compare such addresses (CPython's type inheritance
 * does). So the code is searched for who refers to such a slot. Calls only: it is redirected. Other uses
 * only: it stays. Both: it stays, and the calls are made to go through a slot of our own. Words of data
 * (R_X86_64_64) always stay.
 */
#include <string.h>
#include <sys/mman.h>

#include "arch/x86_64/references.h"
#include "arch/x86_64/text.h"
#include "core.h"
#include "hook.h"
#include "list.h"
#include "scope.h"

#define PAGE_BYTES 4096u
#define REACH      0x7ff00000

/* A reference of the object under the hand that is to be redirected. */
struct slot {
    uintptr_t *at;
    uintptr_t target;
    struct kp_elf *definer;
    uint32_t symbol; /* in the definer */
    uint32_t calls;  /* references by calls and jumps */
    bool other_uses;
};

struct call {
    const uint8_t *displacement;
    uint32_t slot; /* its number */
};

/* Words of our own near the code that calls through them. */
struct pool {
    uintptr_t *words;
    size_t used, room;
};

static struct kp_list slots, calls, pools;
static uint32_t *slot_numbers; /* by word of the table, 0: none, else number + 1 */
static size_t slot_numbers_room;
static uint64_t patched, redirected, left;

/* --- what a slot stands for --- */

static bool in_mapped(const struct kp_elf *object, uintptr_t address)
{
    return address >= object->mapped.low && address < object->mapped.high;
}

/*
 * The loader binds a lazy slot at its first call; until then it leads back into the object's own PLT. A
 * function that is the object's own leads there, too.
 */
static bool is_lazy(const struct kp_elf *object, uint32_t symbol, const char *text, uintptr_t value)
{
    struct kp_elf_name name;

    if (!in_mapped(object, value))
        return false;
    if (object->symbols[symbol].st_shndx == SHN_UNDEF)
        return true;
    name = kp_elf_name(text);
    return !kp_elf_find_code(object, &name, value);
}

/* The slot leads to no function of its name: data, mostly. */
static void note_stranger(const struct kp_elf *object, uint32_t symbol, const struct kp_elf *definer,
                          uintptr_t value, bool of_calls)
{
    bool in_text = false;

    for (unsigned i = 0; i < KP_ELF_TEXTS_MAX; i++)
        in_text |= value >= definer->texts[i].low && value < definer->texts[i].high;
    if (of_calls)
        kp_hook_refused("another tool's function stands in for it");
    else if (in_text && definer->main && object->symbols[symbol].st_shndx == SHN_UNDEF)
        /* Where a program that is not position independent has a PLT entry, that is what its address is. */
        kp_hook_refused("its address is the program's PLT entry");
}

/* Find out what the slot's value, or what the loader would bind it to, is. False: nothing that may be hooked.
 */
static bool identify(struct kp_elf *object, uint32_t symbol, struct slot *slot, bool may_be_lazy)
{
    const char *text = object->strings + object->symbols[symbol].st_name;
    uintptr_t value = *slot->at;
    struct kp_elf_name name;

    if (may_be_lazy && in_mapped(object, value) && !kp_hook_name_possible(text))
        return false;
    if (may_be_lazy && is_lazy(object, symbol, text, value)) {
        name = kp_elf_name(text);
        slot->definer = kp_scope_find(object, symbol, &name, &slot->symbol, &slot->target);
        object->lazy_left += !slot->definer;
        return slot->definer != NULL;
    }
    slot->definer = kp_elf_holding(value);
    slot->target = value;
    if (!slot->definer || slot->definer->ignored || !kp_hook_target_possible(slot->definer, value))
        return false;
    name = kp_elf_name(text);
    slot->symbol = kp_elf_find_code(slot->definer, &name, value);
    if (!slot->symbol)
        note_stranger(object, symbol, slot->definer, value, may_be_lazy);
    return slot->symbol && kp_hook_wanted(slot->definer, text, value);
}

static void consider(struct kp_elf *object, const ElfW(Rela) * reference, bool may_be_lazy)
{
    struct slot slot = {.at = (uintptr_t *)(object->base + reference->r_offset)}, *kept;
    uint32_t symbol = (uint32_t)ELF64_R_SYM(reference->r_info);

    if (!symbol || !*slot.at || !identify(object, symbol, &slot, may_be_lazy))
        return;
    kept = kp_list_add(&slots, sizeof slot);
    if (kept)
        *kept = slot;
}

/* --- writing --- */

static void write_slot(struct kp_elf *object, uintptr_t at, uintptr_t value)
{
    /* At once, for threads that call through it. */
    *(volatile uintptr_t *)at = value;
    object->witness = (const uintptr_t *)at;
    object->witness_value = value;
    patched++;
}

static struct kp_elf_range protected_pages(const struct kp_elf *object)
{
    const uintptr_t mask = ~(uintptr_t)(PAGE_BYTES - 1);

    /* As the loader rounds it. */
    return (struct kp_elf_range){object->relro.low & mask, object->relro.high & mask};
}

/* The pages of slots that the loader made read-only: writable for a moment. Empty: there are none, or it is
 * refused. */
static struct kp_elf_range open_pages(const struct kp_elf_range *guard)
{
    const uintptr_t mask = ~(uintptr_t)(PAGE_BYTES - 1);
    struct kp_elf_range open = {UINTPTR_MAX, 0};
    const struct slot *all = slots.items;

    for (size_t i = 0; i < slots.count; i++) {
        uintptr_t at = (uintptr_t)all[i].at;

        if (all[i].target && at >= guard->low && at < guard->high) {
            open.low = at < open.low ? at : open.low;
            open.high = at > open.high ? at : open.high;
        }
    }
    if (open.high) {
        open.low &= mask;
        open.high = (open.high + PAGE_BYTES) & mask;
    }
    if (open.high && mprotect((void *)open.low, open.high - open.low, PROT_READ | PROT_WRITE) < 0)
        open.high = 0;
    return open;
}

/* Values are in slot->target now; 0: leave it. */
static void write_slots(struct kp_elf *object)
{
    struct kp_elf_range guard = protected_pages(object), open = open_pages(&guard);
    const struct slot *all = slots.items;

    for (size_t i = 0; i < slots.count; i++) {
        uintptr_t at = (uintptr_t)all[i].at;

        if (!at || !all[i].target)
            continue;
        if (!open.high && at >= guard.low && at < guard.high)
            kp_hook_refused("its page cannot be made writable");
        else
            write_slot(object, at, all[i].target);
    }
    if (open.high)
        mprotect((void *)open.low, open.high - open.low, PROT_READ);
}

/* What is to be written to each slot: a stand-in, or nothing. None is made for functions that nobody calls
 * here. */
static void choose_values(bool only_called)
{
    struct slot *all = slots.items;

    for (size_t i = 0; i < slots.count; i++) {
        const char *reason = NULL;
        void *stand_in = NULL;

        if (!only_called || all[i].calls)
            stand_in = kp_hook_stand_in(all[i].definer, all[i].symbol, all[i].target, &reason);
        all[i].target = (uintptr_t)stand_in;
        if (reason)
            kp_hook_refused(reason);
    }
}

/* --- references other than the PLT's --- */

static uint32_t *slot_number(const struct kp_elf_range *range, uintptr_t word)
{
    return &slot_numbers[(word - range->low) / sizeof word];
}

static bool number_slots(struct kp_elf_range *range)
{
    const struct slot *all = slots.items;
    size_t words;

    *range = (struct kp_elf_range){UINTPTR_MAX, 0};
    for (size_t i = 0; i < slots.count; i++) {
        uintptr_t at = (uintptr_t)all[i].at;

        range->low = at < range->low ? at : range->low;
        range->high = at + sizeof at > range->high ? at + sizeof at : range->high;
    }
    words = (range->high - range->low) / sizeof(uintptr_t);
    if (words > slot_numbers_room) {
        if (slot_numbers)
            munmap(slot_numbers, slot_numbers_room * sizeof *slot_numbers);
        slot_numbers = kp_memory_private(words * sizeof *slot_numbers);
        slot_numbers_room = slot_numbers ? words : 0;
    } else {
        memset(slot_numbers, 0, words * sizeof *slot_numbers);
    }
    for (size_t i = 0; slot_numbers && i < slots.count; i++)
        *slot_number(range, (uintptr_t)all[i].at) = (uint32_t)i + 1;
    return slot_numbers != NULL;
}

static void note_reference(void *user, uintptr_t word, const uint8_t *displacement, bool call)
{
    uint32_t number = *slot_number(user, word);
    struct slot *slot = (struct slot *)slots.items + number - 1;
    struct call *kept;

    if (!number)
        return;
    if (!call) {
        slot->other_uses = true;
        return;
    }
    slot->calls++;
    kept = kp_list_add(&calls, sizeof *kept);
    if (kept)
        *kept = (struct call){displacement, number - 1};
}

static bool reaches(const uint8_t *from, uintptr_t to)
{
    intptr_t away = (intptr_t)(to - (uintptr_t)from);

    return away < REACH && away > -REACH;
}

/* A word of our own that code at `from` reaches. NULL: no memory there. */
static uintptr_t *near_word(const uint8_t *from)
{
    struct pool *all = pools.items;
    struct pool *pool;

    for (size_t i = 0; i < pools.count; i++)
        if (all[i].used < all[i].room && reaches(from, (uintptr_t)all[i].words))
            return &all[i].words[all[i].used++];
    pool = kp_list_add(&pools, sizeof *pool);
    if (!pool)
        return NULL;
    pool->words = (uintptr_t *)kp_text_pages_near(from);
    if (!pool->words) {
        pools.count--;
        return NULL;
    }
    pool->room = 2 * PAGE_BYTES / sizeof *pool->words;
    pool->used = 1;
    return pool->words;
}

/* Where others run the code, the displacement must change at once. */
static bool write_running(volatile int32_t *at, int32_t value)
{
    uint8_t *page = (uint8_t *)((uintptr_t)at & ~(uintptr_t)(PAGE_BYTES - 1));

    if (((uintptr_t)at & 7) > 4 || mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
        return false;
    *at = value;
    mprotect(page, PAGE_BYTES, PROT_READ | PROT_EXEC);
    return true;
}

/* The calls through slot number `slot` go through a word of our own from now on. */
static void redirect_calls(uint32_t slot, uintptr_t value, bool fresh)
{
    const struct call *all = calls.items;
    uintptr_t *word = NULL;

    for (size_t i = 0; i < calls.count; i++) {
        uint8_t *at = (uint8_t *)all[i].displacement;
        int32_t displacement;

        if (all[i].slot != slot)
            continue;
        if (!word || !reaches(at, (uintptr_t)word))
            word = near_word(at);
        if (!word) {
            kp_hook_refused("no memory near its callers");
            return;
        }
        *word = value;
        displacement = (int32_t)((intptr_t)word - (intptr_t)(at + 4));
        if (fresh ? kp_text_write(at, &displacement, 4) : write_running((int32_t *)at, displacement))
            redirected++;
        else
            kp_hook_refused("its callers' code cannot be changed");
    }
}

/* What is both called and used otherwise keeps its slot. */
static void settle_uses(bool first_time, bool fresh)
{
    struct slot *all = slots.items;

    for (size_t i = 0; i < slots.count; i++) {
        left += first_time && !all[i].calls;
        if (!all[i].target || !all[i].other_uses)
            continue;
        redirect_calls((uint32_t)i, all[i].target, fresh);
        all[i].target = 0;
    }
}

static void take_references(struct kp_elf *object, bool fresh)
{
    struct kp_elf_range range;

    slots.count = calls.count = 0;
    for (size_t i = 0; i < object->relocation_count; i++)
        if (ELF64_R_TYPE(object->relocations[i].r_info) == R_X86_64_GLOB_DAT)
            consider(object, &object->relocations[i], false);
    if (!slots.count || !number_slots(&range))
        return;
    for (unsigned i = 0; i < KP_ELF_TEXTS_MAX && object->texts[i].high; i++)
        kp_references_find((const uint8_t *)object->texts[i].low,
                           object->texts[i].high - object->texts[i].low, range.low, range.high,
                           note_reference, &range);
    choose_values(true);
    settle_uses(!object->taken, fresh);
    write_slots(object);
}

static void take_slots(struct kp_elf *object)
{
    slots.count = 0;
    object->lazy_left = 0;
    for (size_t i = 0; i < object->slot_count; i++)
        if (ELF64_R_TYPE(object->slots[i].r_info) == R_X86_64_JUMP_SLOT)
            consider(object, &object->slots[i], true);
    choose_values(false);
    write_slots(object);
}

static void take(struct kp_elf *object, bool fresh)
{
    take_slots(object);
    take_references(object, fresh);
}

static void note(void)
{
    kp_core_meta_number("native.got.patched", patched + redirected);
    kp_core_meta_number("native.got.left", left);
}

const struct kp_hook kp_hook_got = {"got", take, note};
