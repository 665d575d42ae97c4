/*
 * The objects that the dynamic loader has in this process: what is in their dynamic section, and a symbol
 * lookup of our own, which skips undefined symbols: dlsym answers with the address of a PLT entry where a
 * program that is not position independent has one (its canonical address), and a hook of that would call
 * itself for ever.
 *
 * All functions but kp_elf_with_loader only from a task of kp_elf_pass: as long as it runs, the loader
 * removes no object. What is said of an object is true until the task ends.
 */
#ifndef KP_SHIM_NATIVE_ELF_H
#define KP_SHIM_NATIVE_ELF_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/pattern.h"

#define KP_ELF_TEXTS_MAX 4

struct kp_elf_range {
    uintptr_t low, high;
};

struct kp_elf {
    uintptr_t base;
    struct kp_elf_range mapped, relro;
    struct kp_elf_range texts[KP_ELF_TEXTS_MAX]; /* executable; those unused are empty */
    const ElfW(Dyn) * dynamic;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint16_t *versions;      /* by symbol; NULL: none */
    const uint8_t *needs, *offers; /* version definitions wanted and given; NULL: none */
    const uint32_t *gnu_hash, *sysv_hash;
    const ElfW(Rela) * slots, *relocations; /* DT_JMPREL, DT_RELA behind its relative ones */
    size_t slot_count, relocation_count;
    const char *name; /* soname, else the last part of the path */
    const char *path; /* as the loader has it */
    const uint8_t *build_id;
    unsigned build_id_bytes;
    bool main;    /* the program */
    bool startup; /* never unloaded, and first in everybody's scope */
    bool ignored; /* the shim, the loader, the vDSO: nothing in them is hooked or patched */
    bool has_rpath, has_runpath, symbolic;
    bool seen; /* in the walk that is under way */
    /* What the hooks keep. */
    enum kp_extent extent;    /* of its functions that are traced */
    bool taken;               /* its slots were looked at under the present rules */
    unsigned lazy_left;       /* slots that could match and are not bound yet */
    const uintptr_t *witness; /* a slot that was patched; NULL: none */
    uintptr_t witness_value;  /* what was written there */
};

/* A name to look up, hashed once for all tables but the old ones. */
struct kp_elf_name {
    const char *text;
    uint32_t gnu;
};

/* The version that a reference asks for; name NULL: none. */
struct kp_elf_version {
    const char *name;
    uint32_t hash;
};

/*
 * Bring the list of objects up to date, then run the task, all while the loader can add and remove nothing.
 * `settled`: the loader is not in the middle of loading (kp_elf_with_loader), so new objects may be added to
 * the list; else only those that vanished are taken out.
 */
void kp_elf_pass(bool settled, void (*task)(void *user), void *user);

/* Whether something was loaded or unloaded since the last settled pass. Any thread. */
bool kp_elf_changed(void);

/*
 * Run a task under the loader's own lock: no other thread is in dlopen or dlclose, and what was loaded is
 * relocated. The loader's locks are recursive: inside of dlopen (a constructor) it works too. Only where the
 * program itself is in a dl function, or in the constructor; resets dlerror().
 */
void kp_elf_with_loader(void (*task)(void *user), void *user);

/* Its other half: called by the loader, with its lock, when it is asked where `kprobe_under_loader_lock` is.
 */
void kp_elf_run_locked(void);

/* In the loader's order: the program, what was loaded with it, what came later. */
size_t kp_elf_count(void);
struct kp_elf *kp_elf_at(size_t index);

/* The object that is mapped at an address; NULL: none. */
struct kp_elf *kp_elf_holding(uintptr_t address);

/* How many symbols there are; 0: not known. */
uint32_t kp_elf_symbol_count(const struct kp_elf *object);

struct kp_elf_name kp_elf_name(const char *text);

/* The next defined symbol of that name behind number `after`; 0: none. Start with 0. */
uint32_t kp_elf_next(const struct kp_elf *object, const struct kp_elf_name *name, uint32_t after);

/*
 * Whether the object may call dlopen or dlsym: it asks for libdl, or for such a name in the version that libc
 * has since it has them (GLIBC_2.34), or for no versions at all. Cheaper than a look at its slots.
 */
bool kp_elf_may_load(const struct kp_elf *object);

/* A function (also chosen at run time, STT_GNU_IFUNC), or code without a type. */
bool kp_elf_is_code(const ElfW(Sym) * symbol);

/* The symbol of that name that stands for the code at `address`; 0: none. One chosen at run time stands for
 * any address. */
uint32_t kp_elf_find_code(const struct kp_elf *object, const struct kp_elf_name *name, uintptr_t address);

/* The version that symbol number `symbol`, undefined in the object, asks for. */
struct kp_elf_version kp_elf_wanted(const struct kp_elf *object, uint32_t symbol);

/* The version that a defined symbol has; name NULL: none, or the object's base version. */
struct kp_elf_version kp_elf_offered(const struct kp_elf *object, uint32_t symbol);

/* Whether the object names the other one as needed. */
bool kp_elf_needs(const struct kp_elf *object, const struct kp_elf *other);

/* The path with a folder, for those who read it later: in a buffer that the next call overwrites, if it must
 * be made.
 */
const char *kp_elf_full_path(const struct kp_elf *object);

#endif
