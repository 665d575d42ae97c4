#include "elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    unsigned machine;
    const char *name;
} machines[] = {
    {EM_X86_64, "x86-64"}, {EM_386, "i386"},    {EM_AARCH64, "aarch64"}, {EM_ARM, "arm"},
    {EM_RISCV, "riscv"},   {EM_PPC64, "ppc64"}, {EM_S390, "s390"},       {EM_MIPS, "mips"},
};

const char *kp_elf_machine_name(unsigned machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return "an unknown processor";
}

/* The section of `type` after `section` (NULL: the first one). */
static Elf_Scn *next_section(const struct kp_elf *elf, Elf_Scn *section, GElf_Word type, GElf_Shdr *header)
{
    while ((section = elf_nextscn(elf->elf, section)))
        if (gelf_getshdr(section, header) && header->sh_type == type)
            return section;
    return NULL;
}

/* Entry number `index` with this tag in the dynamic section; the section of its texts in *texts. */
static bool find_dynamic(const struct kp_elf *elf, GElf_Sxword tag, size_t index, GElf_Dyn *entry,
                         size_t *texts)
{
    GElf_Shdr header;
    Elf_Scn *section = next_section(elf, NULL, SHT_DYNAMIC, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    if (!data)
        return false;
    *texts = header.sh_link;
    for (int i = 0; gelf_getdyn(data, i, entry) && entry->d_tag != DT_NULL; i++)
        if (entry->d_tag == tag && index-- == 0)
            return true;
    return false;
}

static const char *dynamic_text(const struct kp_elf *elf, GElf_Sxword tag, size_t index)
{
    GElf_Dyn entry;
    size_t texts;
    if (!find_dynamic(elf, tag, index, &entry, &texts))
        return NULL;
    return elf_strptr(elf->elf, texts, entry.d_un.d_val);
}

static bool is_symbolic(const struct kp_elf *elf)
{
    GElf_Dyn entry;
    size_t texts;
    return find_dynamic(elf, DT_SYMBOLIC, 0, &entry, &texts) ||
           (find_dynamic(elf, DT_FLAGS, 0, &entry, &texts) && entry.d_un.d_val & DF_SYMBOLIC);
}

static bool binds_at_start(const struct kp_elf *elf)
{
    GElf_Dyn entry;
    size_t texts;
    return find_dynamic(elf, DT_BIND_NOW, 0, &entry, &texts) ||
           (find_dynamic(elf, DT_FLAGS, 0, &entry, &texts) && entry.d_un.d_val & DF_BIND_NOW) ||
           (find_dynamic(elf, DT_FLAGS_1, 0, &entry, &texts) && entry.d_un.d_val & DF_1_NOW);
}

static void copy(char *to, size_t bytes, const char *from)
{
    snprintf(to, bytes, "%s", from ? from : "");
}

static void read_loader(struct kp_elf *elf, const GElf_Phdr *header)
{
    Elf_Data *data = elf_getdata_rawchunk(elf->elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_BYTE);
    if (data && data->d_size)
        snprintf(elf->loader, sizeof elf->loader, "%.*s", (int)data->d_size, (const char *)data->d_buf);
}

static void take_notes(struct kp_elf *elf, Elf_Data *data)
{
    GElf_Nhdr note;
    size_t at = 0, next, name, text;
    for (; data && (next = gelf_getnote(data, at, &note, &name, &text)) > 0; at = next) {
        const unsigned char *bytes = (const unsigned char *)data->d_buf + text;
        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
            memcmp((const char *)data->d_buf + name, "GNU", 4) != 0 ||
            2 * (size_t)note.n_descsz >= sizeof elf->build_id)
            continue;
        for (size_t i = 0; i < note.n_descsz; i++)
            snprintf(elf->build_id + 2 * i, 3, "%02x", bytes[i]);
    }
}

/* The program headers of a file with nothing but debug information point to bytes that are not there. */
static void read_build_id(struct kp_elf *elf)
{
    GElf_Shdr section_header;
    GElf_Phdr header;
    size_t count = 0;
    Elf_Scn *section = NULL;
    while ((section = next_section(elf, section, SHT_NOTE, &section_header)))
        take_notes(elf, elf_getdata(section, NULL));
    if (*elf->build_id || elf_getphdrnum(elf->elf, &count))
        return;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(elf->elf, (int)i, &header) && header.p_type == PT_NOTE)
            take_notes(elf, elf_getdata_rawchunk(elf->elf, (int64_t)header.p_offset, header.p_filesz,
                                                 header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR));
}

static void read_program_headers(struct kp_elf *elf)
{
    size_t count = 0;
    GElf_Phdr header;
    if (elf_getphdrnum(elf->elf, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(elf->elf, (int)i, &header))
            continue;
        if (header.p_type == PT_INTERP)
            read_loader(elf, &header);
        else if (header.p_type == PT_GNU_RELRO)
            elf->full_relro = binds_at_start(elf);
    }
}

bool kp_elf_open(struct kp_elf *elf, const char *path)
{
    GElf_Ehdr header;
    *elf = (struct kp_elf){.file = -1};
    elf_version(EV_CURRENT);
    elf->file = open(path, O_RDONLY | O_CLOEXEC);
    if (elf->file < 0)
        return false;
    elf->elf = elf_begin(elf->file, ELF_C_READ, NULL);
    if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF || !gelf_getehdr(elf->elf, &header)) {
        kp_elf_close(elf);
        errno = 0;
        return false;
    }
    elf->machine = header.e_machine;
    elf->bits = header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    elf->executable = header.e_type == ET_EXEC || (header.e_type == ET_DYN && header.e_entry);
    read_program_headers(elf);
    read_build_id(elf);
    copy(elf->soname, sizeof elf->soname, dynamic_text(elf, DT_SONAME, 0));
    const char *run_path = dynamic_text(elf, DT_RUNPATH, 0);
    copy(elf->run_path, sizeof elf->run_path, run_path ? run_path : dynamic_text(elf, DT_RPATH, 0));
    elf->inherited = !run_path && *elf->run_path;
    elf->symbolic = is_symbolic(elf);
    return true;
}

void kp_elf_close(struct kp_elf *elf)
{
    elf_end(elf->elf);
    if (elf->file >= 0)
        close(elf->file);
    elf->elf = NULL;
    elf->file = -1;
}

const char *kp_elf_needed(const struct kp_elf *elf, size_t index)
{
    return dynamic_text(elf, DT_NEEDED, index);
}

static bool find_in_table(const struct kp_elf *elf, GElf_Word type, const char *name, GElf_Sym *symbol)
{
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = next_section(elf, section, type, &header));) {
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 1; data && gelf_getsym(data, i, symbol); i++) {
            const char *found = elf_strptr(elf->elf, header.sh_link, symbol->st_name);
            if (symbol->st_shndx != SHN_UNDEF && found && !strcmp(found, name))
                return true;
        }
    }
    return false;
}

static bool find_symbol(const struct kp_elf *elf, const char *name, GElf_Sym *symbol)
{
    return find_in_table(elf, SHT_DYNSYM, name, symbol) || find_in_table(elf, SHT_SYMTAB, name, symbol);
}

bool kp_elf_defines(const struct kp_elf *elf, const char *symbol)
{
    GElf_Sym found;
    return find_symbol(elf, symbol, &found);
}

bool kp_elf_read_word(const struct kp_elf *elf, const char *name, uint64_t *word)
{
    GElf_Sym symbol;
    GElf_Shdr header;
    if (!find_symbol(elf, name, &symbol))
        return false;
    Elf_Scn *section = elf_getscn(elf->elf, symbol.st_shndx);
    Elf_Data *data = section && gelf_getshdr(section, &header) && header.sh_type != SHT_NOBITS
                         ? elf_rawdata(section, NULL)
                         : NULL;
    uint64_t offset = symbol.st_value - (data ? header.sh_addr : 0);
    if (!data || offset + sizeof *word > data->d_size || offset > data->d_size)
        return false;
    memcpy(word, (const char *)data->d_buf + offset, sizeof *word);
    return true;
}

const char *kp_elf_find_text(const struct kp_elf *elf, const char *text)
{
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = next_section(elf, section, SHT_PROGBITS, &header));) {
        Elf_Data *data = header.sh_flags & (SHF_WRITE | SHF_EXECINSTR) ? NULL : elf_rawdata(section, NULL);
        if (!data || !data->d_size || ((const char *)data->d_buf)[data->d_size - 1])
            continue;
        const char *found = memmem(data->d_buf, data->d_size, text, strlen(text));
        if (found)
            return found;
    }
    return NULL;
}
