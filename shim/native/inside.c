#include "inside.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86_64/entry.h"
#include "arch/x86_64/text.h"
#include "call.h"
#include "core.h"
#include "hook.h"
#include "inline/mover.h"
#include "list.h"
#include "log.h"
#include "trace/proc.h"
#include "trace/special.h"
#include "writer.h"

#pragma weak dladdr
#pragma weak dlerror
#pragma weak dlopen
#pragma weak dlsym

/* A function of the object under the hand. */
struct candidate {
    uintptr_t address, end; /* of the function, as its symbol says */
    uintptr_t window;       /* where the jump will stand: behind endbr64 */
    uint32_t symbol;        /* the name that it goes by */
    bool selected;
    bool entry_only;
    const char *reason; /* why it stays as it is; NULL: none so far */
    struct kp_move move;
};

/* An area holds stubs; its first word is where all of them lead. */
#define AREAS_MAX    512
#define BEFORE_BYTES 512 /* decoded in front of a function, for branches into it */
#define BEHIND_BYTES 160 /* a short branch reaches 128 */

_Static_assert(KP_ENTRY_MOVED_AT + KP_MOVED_BYTES_MAX <= KP_ENTRY_STUB_BYTES &&
                   KP_MOVER_JUMP_BYTES == KP_ENTRY_JUMP_BYTES,
               "a stub's parts");

static const struct kp_mover *mover;
static struct kp_elf_range areas[AREAS_MAX];
static unsigned area_count;
static struct kp_list candidates;
static uint8_t *marks; /* a bit for each byte of a text: it is the entry or in the window of a candidate */
static size_t marks_room;
static uint64_t patched;
static const void *own[8]; /* dynamic sections */
static unsigned own_count;

/* --- the other library --- */

static int note_own(struct dl_phdr_info *info, size_t bytes, void *user)
{
    static const char *const names[] = {KP_MOVER_LIBRARY, "libZydis.so", "libZycore.so"};
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)bytes;
    (void)user;
    for (size_t n = 0; slash && n < sizeof names / sizeof *names; n++)
        if (strncmp(slash + 1, names[n], strlen(names[n])) == 0)
            for (unsigned i = 0; i < info->dlpi_phnum && own_count < sizeof own / sizeof *own; i++)
                if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
                    own[own_count++] = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return 0;
}

bool kp_inside_load(void)
{
    char path[4096];
    Dl_info here;
    void *library;
    const char *slash;

    if (!dladdr || !dlopen || !dladdr((void *)kp_inside_load, &here) ||
        !(slash = strrchr(here.dli_fname, '/')))
        return false;
    snprintf(path, sizeof path, "%.*s/%s", (int)(slash - here.dli_fname), here.dli_fname, KP_MOVER_LIBRARY);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    mover = library ? dlsym(library, KP_MOVER_SYMBOL) : NULL;
    if (!mover) {
        kp_log(KP_LEVEL_WARN, "KPROBE_INLINE: %s: calls inside objects are not seen",
               library ? path : dlerror());
        return false;
    }
    dl_iterate_phdr(note_own, NULL);
    return true;
}

bool kp_inside_owns(const void *dynamic_section)
{
    for (unsigned i = 0; i < own_count; i++)
        if (own[i] == dynamic_section)
            return true;
    return false;
}

/* --- which functions --- */

static const struct kp_elf_range *text_of(const struct kp_elf *object, uintptr_t address)
{
    for (unsigned i = 0; i < KP_ELF_TEXTS_MAX; i++)
        if (address >= object->texts[i].low && address < object->texts[i].high)
            return &object->texts[i];
    return NULL;
}

static const char *name_of(const struct kp_elf *object, uint32_t symbol)
{
    return object->strings + object->symbols[symbol].st_name;
}

/* Selected, and nothing against it so far. */
static bool is_to_change(const struct candidate *candidate)
{
    return candidate->selected && !candidate->reason;
}

/* The care that a name needs holds for all names of its function. */
static void judge(const struct kp_elf *object, struct candidate *candidate, uint32_t symbol)
{
    const char *name = name_of(object, symbol);
    const struct kp_special *special = kp_special_find(name);

    if (special && special->class == KP_SPECIAL_ENTRY_ONLY)
        candidate->entry_only = true;
    else if (special)
        candidate->reason = special->reason;
    if (!candidate->selected && kp_hook_selected(object, name)) {
        candidate->selected = true;
        candidate->symbol = symbol;
    }
}

static void consider(const struct kp_elf *object, uint32_t number)
{
    const ElfW(Sym) *symbol = &object->symbols[number];
    uintptr_t address = object->base + symbol->st_value;
    struct candidate *candidate;

    /* What a function chosen at run time (IFUNC) leads to has no name of its own here. */
    if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC ||
        !text_of(object, address))
        return;
    candidate = kp_list_add(&candidates, sizeof *candidate);
    if (!candidate)
        return;
    candidate->address = address;
    candidate->end = address + symbol->st_size;
    candidate->symbol = number;
    candidate->window = kp_entry_window(address);
    judge(object, candidate, number);
}

/* By address. Shell's: no memory, and fast enough for some ten thousand. */
static void sort(void)
{
    struct candidate *all = candidates.items, moved;
    size_t gap = 1;

    while (gap < candidates.count / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (size_t i = gap; i < candidates.count; i++) {
            size_t at = i;

            moved = all[i];
            for (; at >= gap && all[at - gap].address > moved.address; at -= gap)
                all[at] = all[at - gap];
            all[at] = moved;
        }
}

/* Names of one function are one candidate. */
static void join(const struct kp_elf *object)
{
    struct candidate *all = candidates.items;
    size_t kept = 0;

    for (size_t i = 1; i < candidates.count; i++)
        if (all[i].address == all[kept].address) {
            judge(object, &all[kept], all[i].symbol);
            all[kept].end = all[i].end > all[kept].end ? all[i].end : all[kept].end;
        } else {
            all[++kept] = all[i];
        }
    candidates.count = candidates.count ? kept + 1 : 0;
}

/* Assembly may leave its functions without a size: then all up to the next one is taken for it. */
static void bound(const struct kp_elf *object)
{
    struct candidate *all = candidates.items;

    for (size_t i = 0; i < candidates.count; i++) {
        const struct kp_elf_range *text = text_of(object, all[i].address);

        if (all[i].end > all[i].address)
            continue;
        all[i].end = text->high;
        if (i + 1 < candidates.count && all[i + 1].address < text->high)
            all[i].end = all[i + 1].address;
    }
}

/* --- branches into what is to be overwritten --- */

static bool is_marked(const struct kp_elf_range *text, uintptr_t address)
{
    uintptr_t at = address - text->low;

    return at < text->high - text->low && marks[at / 8] >> (at % 8) & 1;
}

static bool mark_all(const struct kp_elf_range *text)
{
    const struct candidate *all = candidates.items;
    size_t bytes = (text->high - text->low) / 8 + 1;

    if (bytes > marks_room) {
        if (marks)
            munmap(marks, marks_room);
        marks = kp_memory_private(bytes);
        marks_room = marks ? bytes : 0;
    } else {
        memset(marks, 0, bytes);
    }
    for (size_t i = 0; marks && i < candidates.count; i++) {
        uintptr_t end = all[i].window + all[i].move.taken_bytes;

        if (!is_to_change(&all[i]) || all[i].address < text->low || end > text->high)
            continue;
        for (uintptr_t at = all[i].address; at < end; at++)
            marks[(at - text->low) / 8] |= (uint8_t)(1u << ((at - text->low) % 8));
    }
    return marks != NULL;
}

/* The candidate at or before an address; NULL: none. */
static struct candidate *candidate_before(uintptr_t address)
{
    struct candidate *all = candidates.items;
    size_t low = 0, high = candidates.count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (all[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &all[low - 1] : NULL;
}

static void note_branch(uintptr_t source, uintptr_t target, bool call)
{
    struct candidate *hit = candidate_before(target);

    if (!hit || hit->reason || target >= hit->window + hit->move.taken_bytes)
        return;
    if (target != hit->address && target != hit->window)
        hit->reason = "a branch leads into its first instructions";
    else if (!call && source >= hit->address && source < hit->end)
        hit->reason = "it jumps back to its start";
}

static void found_branch(void *user, uintptr_t source, uintptr_t target, bool call)
{
    if (is_marked(user, target))
        note_branch(source, target, call);
}

/* Short branches come from nearby: what stands around is decoded, from where a function starts if that is
 * known. */
static void search_short_branches(struct kp_elf_range *text)
{
    const struct candidate *all = candidates.items;
    uintptr_t done = text->low;

    for (size_t i = 0; i < candidates.count; i++) {
        uintptr_t from = all[i].address - BEFORE_BYTES, to = all[i].window + BEHIND_BYTES;

        if (!is_to_change(&all[i]) || !is_marked(text, all[i].address))
            continue;
        if (i > 0 && all[i - 1].address > from)
            from = all[i - 1].address;
        from = from < done ? done : from;
        to = to > text->high ? text->high : to;
        if (from < all[i].address)
            mover->branches((const uint8_t *)from, (const uint8_t *)all[i].address, found_branch, text);
        if (to > all[i].address)
            mover->branches((const uint8_t *)all[i].address, (const uint8_t *)to, found_branch, text);
        done = to < all[i].address ? done : all[i].address;
    }
}

static void look_for_branches(struct kp_elf *object)
{
    for (unsigned i = 0; i < KP_ELF_TEXTS_MAX; i++) {
        if (object->texts[i].high <= object->texts[i].low || !mark_all(&object->texts[i]))
            continue;
        kp_entry_find_branches((const uint8_t *)object->texts[i].low, (const uint8_t *)object->texts[i].high,
                               found_branch, &object->texts[i]);
        search_short_branches(&object->texts[i]);
    }
}

/* --- stubs --- */

/* What fits into the window, and where it goes. `stub` is also the place for which the instructions are
 * moved. */
static void plan(struct candidate *candidate, const struct candidate *next, const struct kp_elf_range *text,
                 const uint8_t *stub)
{
    candidate->move.code = (const uint8_t *)candidate->window;
    candidate->move.code_bytes = text->high - candidate->window;
    candidate->move.new_place = stub + KP_ENTRY_MOVED_AT;
    candidate->reason = mover->move(&candidate->move);
    if (candidate->reason)
        return;
    if (candidate->window + candidate->move.taken_bytes > candidate->end)
        candidate->reason = "it is too short";
    else if (next && candidate->window + candidate->move.taken_bytes > next->address)
        candidate->reason = "another function begins in its first instructions";
}

/* Another thread may be at the very instructions: a constructor started it, or the object was loaded a while
 * ago. */
static bool others_run(void)
{
    struct kp_proc proc;

    return !kp_proc_read(&proc, 0) || proc.threads > 1u + kp_writer_running();
}

static size_t count_selected(void)
{
    const struct candidate *all = candidates.items;
    size_t count = 0;

    for (size_t i = 0; i < candidates.count; i++)
        count += is_to_change(&all[i]);
    return count;
}

static void plan_all(const struct kp_elf *object, uint8_t *area)
{
    struct candidate *all = candidates.items;
    uint8_t *stub = area + KP_ENTRY_STUB_BYTES;

    for (size_t i = 0; i < candidates.count; i++) {
        if (!is_to_change(&all[i]))
            continue;
        plan(&all[i], i + 1 < candidates.count ? &all[i + 1] : NULL, text_of(object, all[i].address), stub);
        stub += KP_ENTRY_STUB_BYTES;
    }
}

static struct kp_native_function *function_of(const struct kp_elf *object, const struct candidate *candidate)
{
    const struct kp_native_symbol symbol =
        kp_hook_symbol(object, candidate->symbol, candidate->address,
                       candidate->entry_only ? KP_NATIVE_ENTRY_ONLY : KP_NATIVE_CALL);

    return kp_native_moved(&symbol,
                           (uint8_t *)candidate->move.new_place - KP_ENTRY_MOVED_AT + KP_ENTRY_TARGET_AT);
}

static void fill(struct candidate *candidate, const struct kp_elf *object, uint8_t *area)
{
    uint8_t *moved = (uint8_t *)candidate->move.new_place;
    const struct kp_native_function *function = function_of(object, candidate);

    if (!function) {
        candidate->reason = "no thunk is left";
        return;
    }
    memcpy(moved, candidate->move.out, candidate->move.out_bytes);
    kp_entry_put_stub(moved - KP_ENTRY_MOVED_AT, function, area);
}

static void divert(struct candidate *candidate)
{
    uint8_t jump[KP_ENTRY_JUMP_BYTES];

    kp_entry_put_jump(jump, candidate->window,
                      (const uint8_t *)candidate->move.new_place - KP_ENTRY_MOVED_AT);
    if (kp_text_write((void *)candidate->window, jump, sizeof jump))
        patched++;
    else
        candidate->reason = "its code cannot be written";
}

static void report(const struct kp_elf *object)
{
    const struct candidate *all = candidates.items;

    for (size_t i = 0; i < candidates.count; i++) {
        if (!all[i].selected || !all[i].reason)
            continue;
        kp_hook_refused(all[i].reason);
        kp_log(KP_LEVEL_DEBUG, "%s:%s is not changed: %s", object->name, name_of(object, all[i].symbol),
               all[i].reason);
    }
}

static void change(struct kp_elf *object, uint8_t *area, size_t bytes)
{
    struct candidate *all = candidates.items;
    void *inside = (void *)kp_call_inside;

    memcpy(area, &inside, sizeof inside);
    plan_all(object, area);
    look_for_branches(object);
    for (size_t i = 0; i < candidates.count; i++)
        if (is_to_change(&all[i]))
            fill(&all[i], object, area);
    if (mprotect(area, bytes, PROT_READ | PROT_EXEC) < 0) {
        kp_hook_refused("no executable memory is to be had");
        return;
    }
    areas[area_count++] = (struct kp_elf_range){(uintptr_t)area, (uintptr_t)area + bytes};
    for (size_t i = 0; i < candidates.count; i++)
        if (is_to_change(&all[i]))
            divert(&all[i]);
}

/* V8 finds its frames by the return addresses below them, of calls from its own code into C++: those would be
 * ours. */
static bool reads_return_addresses(const struct kp_elf *object)
{
    struct kp_elf_name version = kp_elf_name("_ZN2v82V810GetVersionEv");

    return kp_elf_next(object, &version, 0) != 0;
}

static void take_functions(struct kp_elf *object)
{
    size_t count, bytes;
    uint8_t *area;

    if (reads_return_addresses(object)) {
        kp_hook_refused("an object with V8 in it, which reads return addresses");
        return;
    }
    if (others_run()) {
        kp_hook_refused("an object that was loaded while other threads ran");
        return;
    }
    candidates.count = 0;
    for (uint32_t i = 1; i < kp_elf_symbol_count(object); i++)
        consider(object, i);
    sort();
    join(object);
    bound(object);
    count = count_selected();
    bytes = ((count + 1) * KP_ENTRY_STUB_BYTES + 4095) & ~(size_t)4095;
    area =
        count && area_count < AREAS_MAX ? kp_text_area_near((const void *)object->texts[0].low, bytes) : NULL;
    if (area)
        change(object, area, bytes);
    else if (count)
        kp_hook_refused("no memory near its object");
    report(object);
}

static void take(struct kp_elf *object, bool fresh)
{
    struct kp_thread_state *before = kp_self;

    if (!mover || !fresh || object->extent == KP_EXTENT_NONE)
        return;
    /* What we call may be what we change. */
    kp_self = &kp_untraced;
    take_functions(object);
    kp_self = before;
}

bool kp_inside_has(uintptr_t function)
{
    uintptr_t target;

    if (!area_count || !kp_entry_jump_target(kp_entry_window(function), &target))
        return false;
    for (unsigned i = 0; i < area_count; i++)
        if (target - areas[i].low < areas[i].high - areas[i].low)
            return true;
    return false;
}

static void note(void)
{
    if (!mover)
        return;
    kp_core_meta_number("native.inline.patched", patched);
}

const struct kp_hook kp_hook_inside = {"inline", take, note};
