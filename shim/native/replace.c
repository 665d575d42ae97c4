#include "replace.h"

#include <string.h>

#include "dynamic.h"

/* Where libc has them: old glibc in three objects. */
static const char *const homes[] = {"libc.so.6", "libdl.so.2", "libpthread.so.0"};

#define LOADER(name, call, stand_in)                                                                         \
    {                                                                                                        \
        {name, KP_NATIVE_ENTRY_ONLY, stand_in}, &kp_dl_real[call]                                            \
    }
#define FIRST(name, class)                                                                                   \
    {                                                                                                        \
        {name, class, NULL}, NULL                                                                            \
    }

static const struct row {
    struct kp_replace replace;
    void **real; /* told where it is */
} rows[] = {
    LOADER("dlopen", KP_DL_OPEN, kp_dl_open), LOADER("dlmopen", KP_DL_MOPEN, kp_dl_mopen),
    LOADER("dlsym", KP_DL_SYM, kp_dl_sym),    LOADER("dlvsym", KP_DL_VSYM, kp_dl_vsym),
    FIRST("longjmp", KP_NATIVE_JUMP),         FIRST("_longjmp", KP_NATIVE_JUMP),
    FIRST("siglongjmp", KP_NATIVE_JUMP),      FIRST("__longjmp_chk", KP_NATIVE_JUMP),
    FIRST("__libc_longjmp", KP_NATIVE_JUMP),  FIRST("__libc_siglongjmp", KP_NATIVE_JUMP),
    FIRST("_exit", KP_NATIVE_EXIT),           FIRST("_Exit", KP_NATIVE_EXIT),
    FIRST("quick_exit", KP_NATIVE_EXIT),      FIRST("execl", KP_NATIVE_EXEC),
    FIRST("execle", KP_NATIVE_EXEC),          FIRST("execlp", KP_NATIVE_EXEC),
    FIRST("execv", KP_NATIVE_EXEC),           FIRST("execve", KP_NATIVE_EXEC),
    FIRST("execveat", KP_NATIVE_EXEC),        FIRST("execvp", KP_NATIVE_EXEC),
    FIRST("execvpe", KP_NATIVE_EXEC),         FIRST("fexecve", KP_NATIVE_EXEC),
};

static bool learned[sizeof rows / sizeof *rows];

/* With their aliases of other versions. */
static struct place {
    uintptr_t address;
    const struct kp_replace *replace;
} places[64];
static unsigned place_count;

static bool is_home(const struct kp_elf *object)
{
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++)
        if (strcmp(object->name, homes[i]) == 0)
            return true;
    return false;
}

static void learn_row(const struct kp_elf *object, const struct row *row)
{
    struct kp_elf_name name = kp_elf_name(row->replace.name);
    uint32_t symbol = 0;

    while ((symbol = kp_elf_next(object, &name, symbol))) {
        uintptr_t address = object->base + object->symbols[symbol].st_value;

        learned[row - rows] = true;
        if (row->real)
            *row->real = (void *)address;
        if (!kp_replace_find(address) && place_count < sizeof places / sizeof *places)
            places[place_count++] = (struct place){address, &row->replace};
    }
}

void kp_replace_learn(const struct kp_elf *object, bool functions)
{
    if (!object->startup || !is_home(object))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (functions || rows[i].replace.stand_in)
            learn_row(object, &rows[i]);
}

const struct kp_replace *kp_replace_find(uintptr_t address)
{
    for (unsigned i = 0; i < place_count; i++)
        if (places[i].address == address)
            return places[i].replace;
    return NULL;
}

const struct kp_replace *kp_replace_named(const char *name)
{
    /* Not by place: several names may share one (longjmp, siglongjmp). */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (learned[i] && *rows[i].replace.name == *name && strcmp(rows[i].replace.name, name) == 0)
            return &rows[i].replace;
    return NULL;
}
