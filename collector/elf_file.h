/* An ELF file as the loader would see it, read with libelf. One file open at a time per struct. */
#ifndef KP_COLLECTOR_ELF_FILE_H
#define KP_COLLECTOR_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_elf {
    int file;
    struct Elf *elf;
    unsigned machine;    /* EM_X86_64, ... */
    unsigned bits;       /* 32 or 64 */
    bool executable;     /* ET_EXEC, or ET_DYN with an entry point */
    char loader[256];    /* PT_INTERP, "" for none */
    char soname[256];    /* "" for none */
    char run_path[1024]; /* DT_RUNPATH or DT_RPATH, "" for none */
    bool inherited;      /* it is DT_RPATH: it counts for what the libraries need, too */
    bool symbolic;       /* linked with -Bsymbolic: calls of own functions use no slots */
    bool full_relro;     /* its slots are bound at start and read-only then */
    char build_id[129];  /* as hex text, "" for none */
};

/* False when it cannot be read or is no ELF file: errno is 0 in the latter case. */
bool kp_elf_open(struct kp_elf *elf, const char *path);
void kp_elf_close(struct kp_elf *elf);

/* Name number `index` of DT_NEEDED; NULL behind the last. Lives as long as the file is open. */
const char *kp_elf_needed(const struct kp_elf *elf, size_t index);

/* Is the symbol defined, in .dynsym or .symtab? */
bool kp_elf_defines(const struct kp_elf *elf, const char *symbol);

/* The first 8 bytes of a defined data symbol; false when there is none, or when its section has no bytes. */
bool kp_elf_read_word(const struct kp_elf *elf, const char *symbol, uint64_t *word);

/* The first place in the read-only data where `text` begins, with the rest of that string; NULL for none. */
const char *kp_elf_find_text(const struct kp_elf *elf, const char *text);

/* "x86-64", "i386", "aarch64", ... */
const char *kp_elf_machine_name(unsigned machine);

#endif
