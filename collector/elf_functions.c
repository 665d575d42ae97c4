#include "elf_functions.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { VERSION_HIDDEN = 0x8000 };

struct table {
    GElf_Shdr header;
    Elf_Data *data;
    Elf_Data *versions; /* of .dynsym; NULL: none */
};

static Elf_Scn *next_of_type(const struct kp_elf *elf, Elf_Scn *section, GElf_Word type, GElf_Shdr *header)
{
    while ((section = elf_nextscn(elf->elf, section)))
        if (gelf_getshdr(section, header) && header->sh_type == type)
            return section;
    return NULL;
}

static bool open_table(const struct kp_elf *elf, GElf_Word type, struct table *table)
{
    GElf_Shdr header;
    Elf_Scn *section = next_of_type(elf, NULL, type, &table->header);
    table->data = section ? elf_getdata(section, NULL) : NULL;
    Elf_Scn *versions = type == SHT_DYNSYM ? next_of_type(elf, NULL, SHT_GNU_versym, &header) : NULL;
    table->versions = versions ? elf_getdata(versions, NULL) : NULL;
    return table->data;
}

static bool is_function(const GElf_Sym *symbol)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF && symbol->st_value;
}

static bool is_exported(const GElf_Sym *symbol)
{
    unsigned visibility = GELF_ST_VISIBILITY(symbol->st_other);
    return GELF_ST_BIND(symbol->st_info) != STB_LOCAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static bool has_old_version(const struct table *table, int index)
{
    GElf_Versym version;
    return table->versions && gelf_getversym(table->versions, index, &version) && version & VERSION_HIDDEN;
}

static void visit_table(const struct kp_elf *elf, const struct table *table, bool exported,
                        kp_elf_visit_function *visit, void *user)
{
    GElf_Sym symbol;
    for (int i = 1; gelf_getsym(table->data, i, &symbol); i++) {
        const char *name = elf_strptr(elf->elf, table->header.sh_link, symbol.st_name);
        if (!is_function(&symbol) || !name || !*name || is_exported(&symbol) != exported)
            continue;
        struct kp_elf_function function = {.name = name,
                                           .address = symbol.st_value,
                                           .bytes = symbol.st_size,
                                           .exported = exported,
                                           .indirect = GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC,
                                           .old_version = has_old_version(table, i)};
        visit(user, &function);
    }
}

void kp_elf_each_function(const struct kp_elf *elf, bool locals, kp_elf_visit_function *visit, void *user)
{
    struct table table;
    if (open_table(elf, SHT_DYNSYM, &table))
        visit_table(elf, &table, true, visit, user);
    if (locals && open_table(elf, SHT_SYMTAB, &table))
        visit_table(elf, &table, false, visit, user);
}

/* --- slots --- */

struct slot {
    uint64_t address;
    const char *name;
    bool calls, data;
};

struct slots {
    struct slot *all; /* those that are no PLT slots, by address */
    size_t count, capacity;
};

static int compare_slots(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;
    return a->address < b->address ? -1 : a->address > b->address;
}

static struct slot *find_slot(const struct slots *slots, uint64_t address)
{
    struct slot key = {.address = address};
    return slots->count ? bsearch(&key, slots->all, slots->count, sizeof key, compare_slots) : NULL;
}

/*
 * Every place of the text taken as the displacement of an instruction: a slot that one of them hits is used
 * by it. Too many are found rather than too few, as in the shim.
 */
static void scan_text(const struct slots *slots, const unsigned char *text, size_t bytes, uint64_t address)
{
    uint64_t first = slots->all[0].address, last = slots->all[slots->count - 1].address;
    for (size_t i = 2; i + 4 <= bytes; i++) {
        int32_t displacement;
        memcpy(&displacement, text + i, sizeof displacement);
        uint64_t target = address + i + 4 + (uint64_t)(int64_t)displacement;
        bool relative = (text[i - 1] & 0xc7) == 0x05; /* modrm of an address relative to rip */
        struct slot *slot = relative && target >= first && target <= last ? find_slot(slots, target) : NULL;
        if (!slot)
            continue;
        bool call = text[i - 2] == 0xff && (text[i - 1] == 0x15 || text[i - 1] == 0x25);
        slot->calls |= call;
        slot->data |= !call;
    }
}

static void scan_texts(const struct kp_elf *elf, const struct slots *slots)
{
    GElf_Shdr header;
    Elf_Scn *section = NULL;
    while (slots->count && (section = next_of_type(elf, section, SHT_PROGBITS, &header))) {
        Elf_Data *data = header.sh_flags & SHF_EXECINSTR ? elf_rawdata(section, NULL) : NULL;
        if (data && data->d_buf)
            scan_text(slots, data->d_buf, data->d_size, header.sh_addr);
    }
}

static const char *slot_name(const struct kp_elf *elf, const struct table *symbols, uint64_t info)
{
    GElf_Sym symbol;
    if (!symbols->data || !gelf_getsym(symbols->data, (int)GELF_R_SYM(info), &symbol))
        return NULL;
    unsigned type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
        return NULL;
    const char *name = elf_strptr(elf->elf, symbols->header.sh_link, symbol.st_name);
    return name && *name ? name : NULL;
}

static void take_relocation(const struct kp_elf *elf, const struct table *symbols, const GElf_Rela *entry,
                            struct slots *slots, kp_elf_visit_slot *visit, void *user)
{
    uint64_t type = GELF_R_TYPE(entry->r_info);
    bool plt = type == R_X86_64_JUMP_SLOT;
    const char *name = plt || type == R_X86_64_GLOB_DAT ? slot_name(elf, symbols, entry->r_info) : NULL;
    if (name && plt) {
        visit(user, name, KP_SLOT_PLT);
    } else if (name) {
        slots->all = kp_grow(slots->all, &slots->capacity, slots->count, sizeof *slots->all);
        slots->all[slots->count++] = (struct slot){.address = entry->r_offset, .name = name};
    }
}

static enum kp_slot_use use_of(const struct slot *slot)
{
    if (slot->calls)
        return slot->data ? KP_SLOT_BOTH : KP_SLOT_CALLS;
    return slot->data ? KP_SLOT_TAKEN : KP_SLOT_UNUSED;
}

void kp_elf_each_slot(const struct kp_elf *elf, kp_elf_visit_slot *visit, void *user)
{
    struct slots slots = {0};
    struct table symbols;
    GElf_Shdr header;
    GElf_Rela entry;
    if (elf->machine != EM_X86_64 || elf->bits != 64 || !open_table(elf, SHT_DYNSYM, &symbols))
        return;
    for (Elf_Scn *section = NULL; (section = next_of_type(elf, section, SHT_RELA, &header));) {
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 0; data && gelf_getrela(data, i, &entry); i++)
            take_relocation(elf, &symbols, &entry, &slots, visit, user);
    }
    if (slots.count)
        qsort(slots.all, slots.count, sizeof *slots.all, compare_slots);
    scan_texts(elf, &slots);
    for (size_t i = 0; i < slots.count; i++)
        visit(user, slots.all[i].name, use_of(&slots.all[i]));
    free(slots.all);
}
