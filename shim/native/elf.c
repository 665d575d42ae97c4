#include "elf.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

/* Absent under an old glibc in programs that do not load libdl. */
#pragma weak dlsym

#define OBJECTS_FIRST 256u

/* In the loader's order, and their numbers by address. Grown by halves; what is outgrown is given back. */
static struct kp_elf *objects;
static uint32_t *by_address;
static size_t count, room, sorted;
static _Atomic unsigned long long seen_adds, seen_subs;
static bool started;

/* --- one object --- */

static uintptr_t pointer(const struct kp_elf *object, uintptr_t value)
{
    /* glibc writes addresses into the dynamic section; the kernel's vDSO has offsets there. */
    return value >= object->mapped.low && value < object->mapped.high ? value : object->base + value;
}

static void add_text(struct kp_elf *object, uintptr_t low, uintptr_t high)
{
    for (unsigned i = 0; i < KP_ELF_TEXTS_MAX; i++)
        if (!object->texts[i].high) {
            object->texts[i] = (struct kp_elf_range){low, high};
            return;
        }
}

static void read_notes(struct kp_elf *object, uintptr_t at, size_t bytes)
{
    uintptr_t end = at + bytes;

    while (at + sizeof(ElfW(Nhdr)) <= end) {
        const ElfW(Nhdr) *note = (const void *)at;
        uintptr_t name = at + sizeof *note, text = name + ((note->n_namesz + 3u) & ~3u);

        if (text + note->n_descsz > end)
            return;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp((void *)name, "GNU", 4) == 0) {
            object->build_id = (const uint8_t *)text;
            object->build_id_bytes = note->n_descsz;
            return;
        }
        at = text + ((note->n_descsz + 3u) & ~3u);
    }
}

static void read_segments(struct kp_elf *object, const struct dl_phdr_info *info)
{
    object->mapped.low = UINTPTR_MAX;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t low = object->base + segment->p_vaddr, high = low + segment->p_memsz;

        if (segment->p_type == PT_LOAD) {
            object->mapped.low = low < object->mapped.low ? low : object->mapped.low;
            object->mapped.high = high > object->mapped.high ? high : object->mapped.high;
            if (segment->p_flags & PF_X)
                add_text(object, low, high);
        } else if (segment->p_type == PT_DYNAMIC) {
            object->dynamic = (const void *)low;
        } else if (segment->p_type == PT_GNU_RELRO) {
            object->relro = (struct kp_elf_range){low, high};
        } else if (segment->p_type == PT_NOTE && !object->build_id) {
            read_notes(object, low, segment->p_memsz);
        }
    }
}

struct tables {
    uintptr_t soname;
    uintptr_t rela, rela_bytes, rela_relative, jmprel, jmprel_bytes, jmprel_type;
};

static void read_entry(struct kp_elf *object, struct tables *tables, const ElfW(Dyn) * entry)
{
    uintptr_t value = entry->d_un.d_val;
    const void *place = (const void *)pointer(object, value);

    switch (entry->d_tag) {
    case DT_SYMTAB:
        object->symbols = place;
        break;
    case DT_STRTAB:
        object->strings = place;
        break;
    case DT_VERSYM:
        object->versions = place;
        break;
    case DT_VERNEED:
        object->needs = place;
        break;
    case DT_VERDEF:
        object->offers = place;
        break;
    case DT_GNU_HASH:
        object->gnu_hash = place;
        break;
    case DT_HASH:
        object->sysv_hash = place;
        break;
    case DT_RPATH:
        object->has_rpath = true;
        break;
    case DT_RUNPATH:
        object->has_runpath = true;
        break;
    case DT_SYMBOLIC:
        object->symbolic = true;
        break;
    case DT_FLAGS:
        object->symbolic |= (value & DF_SYMBOLIC) != 0;
        break;
    case DT_SONAME:
        tables->soname = value;
        break;
    case DT_RELA:
        tables->rela = (uintptr_t)place;
        break;
    case DT_RELASZ:
        tables->rela_bytes = value;
        break;
    case DT_RELACOUNT:
        tables->rela_relative = value;
        break;
    case DT_JMPREL:
        tables->jmprel = (uintptr_t)place;
        break;
    case DT_PLTRELSZ:
        tables->jmprel_bytes = value;
        break;
    case DT_PLTREL:
        tables->jmprel_type = value;
        break;
    default:
        break;
    }
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The program as the kernel started it. */
static const char *program_path(void)
{
    static char path[PATH_MAX];

    if (!*path && readlink("/proc/self/exe", path, sizeof path - 1) < 0)
        strcpy(path, "?");
    return path;
}

static void read_dynamic(struct kp_elf *object)
{
    struct tables tables = {0};

    for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++)
        read_entry(object, &tables, entry);
    if (tables.jmprel && tables.jmprel_type == DT_RELA) {
        object->slots = (const void *)tables.jmprel;
        object->slot_count = tables.jmprel_bytes / sizeof *object->slots;
    }
    if (tables.rela) {
        size_t all = tables.rela_bytes / sizeof *object->relocations;
        size_t relative = tables.rela_relative < all ? tables.rela_relative : all;

        object->relocations = (const ElfW(Rela) *)tables.rela + relative;
        object->relocation_count = all - relative;
    }
    object->name =
        tables.soname && object->strings ? object->strings + tables.soname : last_part(object->path);
}

static bool is_ignored(const struct kp_elf *object)
{
    uintptr_t here = (uintptr_t)kp_elf_pass;

    return (here >= object->mapped.low && here < object->mapped.high) || object->base == getauxval(AT_BASE) ||
           strncmp(object->name, "ld-linux", 8) == 0;
}

static void read_object(struct kp_elf *object, const struct dl_phdr_info *info)
{
    *object = (struct kp_elf){.base = info->dlpi_addr, .path = info->dlpi_name, .main = count == 0};
    if (object->main)
        object->path = program_path();
    read_segments(object, info);
    read_dynamic(object);
    object->startup = !started;
    /* The vDSO is in nobody's scope. */
    if (object->base == getauxval(AT_SYSINFO_EHDR))
        object->symbols = NULL;
    /* Without symbols there is nothing to find or to patch. */
    object->ignored = is_ignored(object) || !object->symbols || !object->strings;
}

/* --- the list --- */

static bool make_room(void)
{
    size_t larger = room ? room * 2 : OBJECTS_FIRST;
    struct kp_elf *fresh = kp_memory_private(larger * (sizeof *objects + sizeof *by_address));

    if (!fresh)
        return false;
    if (room) {
        memcpy(fresh, objects, count * sizeof *objects);
        munmap(objects, room * (sizeof *objects + sizeof *by_address));
    }
    objects = fresh;
    by_address = (uint32_t *)(fresh + larger);
    sorted = 0;
    room = larger;
    return true;
}

/* Where nothing was unloaded, the base says it. Else the object's own pages are read, which still may be
 * others. */
static bool is_same(const struct kp_elf *object, const struct dl_phdr_info *info, bool unloaded)
{
    struct kp_elf now = {.base = info->dlpi_addr};

    if (object->base != info->dlpi_addr || (!object->main && object->path != info->dlpi_name))
        return false;
    if (!unloaded || object->startup)
        return true;
    read_segments(&now, info);
    return now.dynamic == object->dynamic && now.build_id_bytes == object->build_id_bytes &&
           (!now.build_id || memcmp(now.build_id, object->build_id, now.build_id_bytes) == 0);
}

struct walk {
    size_t at; /* where the next known object is expected */
    bool add, unloaded;
};

static int visit(struct dl_phdr_info *info, size_t bytes, void *user)
{
    struct walk *walk = user;

    (void)bytes;
    /* The loader keeps its order; objects between may have gone. */
    for (size_t i = walk->at; i < count; i++)
        if (is_same(&objects[i], info, walk->unloaded)) {
            objects[i].seen = true;
            walk->at = i + 1;
            return 0;
        }
    if (!walk->add || (count == room && !make_room()))
        return 0;
    read_object(&objects[count], info);
    objects[count++].seen = true;
    walk->at = count;
    return 0;
}

/*
 * Something was unloaded since the last walk: what looks the same may have been loaded anew at its old place.
 * Then its slots are not ours any more.
 */
static bool came_back(const struct kp_elf *object)
{
    return !object->startup && object->taken &&
           !(object->witness && *object->witness == object->witness_value);
}

static void drop_unseen(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (!objects[i].seen)
            continue;
        objects[i].seen = false;
        objects[kept++] = objects[i];
    }
    if (kept != count)
        sorted = 0;
    count = kept;
}

static void sort_by_address(void)
{
    for (; sorted < count; sorted++) {
        size_t at = sorted;

        for (; at > 0 && objects[by_address[at - 1]].mapped.low > objects[sorted].mapped.low; at--)
            by_address[at] = by_address[at - 1];
        by_address[at] = (uint32_t)sorted;
    }
}

static void walk_objects(const struct dl_phdr_info *info, bool settled)
{
    bool unloaded = info->dlpi_subs != seen_subs;
    struct walk walk = {.add = settled, .unloaded = unloaded};

    if (started && info->dlpi_adds == seen_adds && !unloaded)
        return;
    dl_iterate_phdr(visit, &walk);
    drop_unseen();
    sort_by_address();
    for (size_t i = 0; unloaded && i < count; i++)
        if (came_back(&objects[i])) {
            objects[i].taken = false;
            objects[i].witness = NULL;
        }
    if (!settled)
        return;
    seen_adds = info->dlpi_adds;
    seen_subs = info->dlpi_subs;
    started = true;
}

struct pass {
    bool settled;
    void (*task)(void *user);
    void *user;
};

/* For the first object only: the loader holds its list as long as this runs, also for walks inside of it. */
static int hold_list(struct dl_phdr_info *info, size_t bytes, void *user)
{
    const struct pass *pass = user;

    (void)bytes;
    walk_objects(info, pass->settled);
    pass->task(pass->user);
    return 1;
}

void kp_elf_pass(bool settled, void (*task)(void *user), void *user)
{
    struct pass pass = {settled, task, user};

    dl_iterate_phdr(hold_list, &pass);
}

static int compare(struct dl_phdr_info *info, size_t bytes, void *user)
{
    (void)bytes;
    *(bool *)user = info->dlpi_adds != atomic_load(&seen_adds) || info->dlpi_subs != atomic_load(&seen_subs);
    return 1;
}

bool kp_elf_changed(void)
{
    bool changed = true;

    dl_iterate_phdr(compare, &changed);
    return changed;
}

/* --- under the loader's lock --- */

static __thread void (*locked_task)(void *user) __attribute__((tls_model("initial-exec")));
static __thread void *locked_user __attribute__((tls_model("initial-exec")));

__attribute__((no_sanitize("address", "undefined", "thread"))) void kp_elf_run_locked(void)
{
    void (*task)(void *user) = locked_task;

    locked_task = NULL;
    if (task)
        task(locked_user);
}

void kp_elf_with_loader(void (*task)(void *user), void *user)
{
    locked_task = task;
    locked_user = user;
    if (dlsym)
        (void)dlsym(RTLD_DEFAULT, "kprobe_under_loader_lock");
    if (!locked_task)
        return;
    /* Without libdl nobody can load anything, either. */
    locked_task = NULL;
    task(user);
}

/* --- looking up --- */

size_t kp_elf_count(void)
{
    return count;
}

struct kp_elf *kp_elf_at(size_t index)
{
    return &objects[index];
}

struct kp_elf *kp_elf_holding(uintptr_t address)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        struct kp_elf *object = &objects[by_address[middle]];

        if (address < object->mapped.low)
            high = middle;
        else if (address >= object->mapped.high)
            low = middle + 1;
        else
            return object;
    }
    return NULL;
}

struct kp_elf_name kp_elf_name(const char *text)
{
    struct kp_elf_name name = {text, 5381};

    for (const uint8_t *at = (const uint8_t *)text; *at; at++)
        name.gnu = name.gnu * 33 + *at;
    return name;
}

static uint32_t sysv_hash(const char *text)
{
    uint32_t hash = 0;

    for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
        hash = (hash << 4) + *at;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0xfffffff;
    }
    return hash;
}

static bool is_named(const struct kp_elf *object, uint32_t symbol, const char *name)
{
    const ElfW(Sym) *at = &object->symbols[symbol];

    return at->st_shndx != SHN_UNDEF && strcmp(object->strings + at->st_name, name) == 0;
}

static uint32_t gnu_next(const struct kp_elf *object, const struct kp_elf_name *name, uint32_t after)
{
    const uint32_t *table = object->gnu_hash;
    uint32_t buckets = table[0], first = table[1], words = table[2], shift = table[3];
    const uint64_t *bloom = (const uint64_t *)(table + 4);
    const uint32_t *bucket = (const uint32_t *)(bloom + words), *chain = bucket + buckets;
    uint64_t word = bloom[(name->gnu / 64) & (words - 1)];
    uint32_t symbol;

    if (!after) {
        if (!(word >> (name->gnu % 64) & word >> ((name->gnu >> shift) % 64) & 1) || !buckets)
            return 0;
        symbol = bucket[name->gnu % buckets];
        if (symbol < first)
            return 0;
    } else if (chain[after - first] & 1) {
        return 0;
    } else {
        symbol = after + 1;
    }
    for (;; symbol++) {
        uint32_t hash = chain[symbol - first];

        if ((hash | 1) == (name->gnu | 1) && is_named(object, symbol, name->text))
            return symbol;
        if (hash & 1)
            return 0;
    }
}

static uint32_t sysv_next(const struct kp_elf *object, const struct kp_elf_name *name, uint32_t after)
{
    const uint32_t *table = object->sysv_hash;
    uint32_t buckets = table[0];
    const uint32_t *bucket = table + 2, *chain = bucket + buckets;
    uint32_t symbol = after ? chain[after] : buckets ? bucket[sysv_hash(name->text) % buckets] : 0;

    while (symbol && !is_named(object, symbol, name->text))
        symbol = chain[symbol];
    return symbol;
}

uint32_t kp_elf_next(const struct kp_elf *object, const struct kp_elf_name *name, uint32_t after)
{
    if (object->gnu_hash)
        return gnu_next(object, name, after);
    return object->sysv_hash ? sysv_next(object, name, after) : 0;
}

/* The index that the object uses for a version it asks for; 0: it does not. */
static unsigned wanted_index(const struct kp_elf *object, const char *name)
{
    const uint8_t *at = object->needs;

    while (at) {
        const ElfW(Verneed) *need = (const void *)at;
        const uint8_t *part = at + need->vn_aux;

        for (unsigned i = 0; i < need->vn_cnt; i++) {
            const ElfW(Vernaux) *version = (const void *)part;

            if (strcmp(object->strings + version->vna_name, name) == 0)
                return version->vna_other;
            part += version->vna_next;
        }
        at = need->vn_next ? at + need->vn_next : NULL;
    }
    return 0;
}

bool kp_elf_may_load(const struct kp_elf *object)
{
    /* What is not defined comes first, before all that is hashed. */
    uint32_t count = object->gnu_hash ? object->gnu_hash[1] : 0;
    unsigned index = wanted_index(object, "GLIBC_2.34");

    for (const ElfW(Dyn) *entry = object->dynamic; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_NEEDED && strcmp(object->strings + entry->d_un.d_val, "libdl.so.2") == 0)
            return true;
    if (!count || !object->versions || !object->needs)
        return true;
    for (uint32_t i = 1; index && i < count; i++)
        if (object->versions[i] == index &&
            strncmp(object->strings + object->symbols[i].st_name, "dl", 2) == 0)
            return true;
    return false;
}

bool kp_elf_is_code(const ElfW(Sym) * symbol)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);

    return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

uint32_t kp_elf_find_code(const struct kp_elf *object, const struct kp_elf_name *name, uintptr_t address)
{
    uint32_t symbol = 0;

    while ((symbol = kp_elf_next(object, name, symbol))) {
        const ElfW(Sym) *at = &object->symbols[symbol];

        if (ELF64_ST_TYPE(at->st_info) == STT_GNU_IFUNC ||
            (kp_elf_is_code(at) && at->st_value == address - object->base))
            return symbol;
    }
    return 0;
}

static unsigned version_index(const struct kp_elf *object, uint32_t symbol)
{
    return object->versions ? object->versions[symbol] & 0x7fffu : 0;
}

struct kp_elf_version kp_elf_wanted(const struct kp_elf *object, uint32_t symbol)
{
    unsigned index = version_index(object, symbol);
    const uint8_t *at = object->needs;

    while (at && index >= 2) {
        const ElfW(Verneed) *need = (const void *)at;
        const uint8_t *part = at + need->vn_aux;

        for (unsigned i = 0; i < need->vn_cnt; i++) {
            const ElfW(Vernaux) *version = (const void *)part;

            if ((version->vna_other & 0x7fffu) == index)
                return (struct kp_elf_version){object->strings + version->vna_name, version->vna_hash};
            part += version->vna_next;
        }
        at = need->vn_next ? at + need->vn_next : NULL;
    }
    return (struct kp_elf_version){NULL, 0};
}

struct kp_elf_version kp_elf_offered(const struct kp_elf *object, uint32_t symbol)
{
    unsigned index = version_index(object, symbol);
    const uint8_t *at = object->offers;

    while (at && index >= 2) {
        const ElfW(Verdef) *offer = (const void *)at;
        const ElfW(Verdaux) *version = (const void *)(at + offer->vd_aux);

        if ((offer->vd_ndx & 0x7fffu) == index && !(offer->vd_flags & VER_FLG_BASE))
            return (struct kp_elf_version){object->strings + version->vda_name, offer->vd_hash};
        at = offer->vd_next ? at + offer->vd_next : NULL;
    }
    return (struct kp_elf_version){NULL, 0};
}

bool kp_elf_needs(const struct kp_elf *object, const struct kp_elf *other)
{
    for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_NEEDED &&
            strcmp(last_part(object->strings + entry->d_un.d_val), other->name) == 0)
            return true;
    return false;
}

const char *kp_elf_full_path(const struct kp_elf *object)
{
    static char path[2 * PATH_MAX];
    char folder[PATH_MAX];

    if (*object->path == '/' || !getcwd(folder, sizeof folder))
        return object->path;
    snprintf(path, sizeof path, "%s/%s", folder, object->path);
    return path;
}

/* The old table has a chain for each symbol; the GNU table ends at the last chain's last symbol. */
uint32_t kp_elf_symbol_count(const struct kp_elf *object)
{
    const uint32_t *table = object->gnu_hash, *bucket, *chain;
    uint32_t last = 0;

    if (object->sysv_hash)
        return object->sysv_hash[1];
    if (!table)
        return 0;
    bucket = (const uint32_t *)((const uint64_t *)(table + 4) + table[2]);
    chain = bucket + table[0];
    for (uint32_t i = 0; i < table[0]; i++)
        last = bucket[i] > last ? bucket[i] : last;
    if (last < table[1])
        return table[1];
    while (!(chain[last - table[1]] & 1))
        last++;
    return last + 1;
}
