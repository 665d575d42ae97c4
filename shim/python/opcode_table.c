#include "opcode_table.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../arch/x86_64/text.h"
#include "../arch/x86_64/thunks.h"

#define OPCODES 256u

/* Defined opcodes that may share the target of the undefined ones: RESERVED, CACHE and the like. */
#define SHARED_MAX   8u
#define SEGMENTS_MAX 16

/* Reads a whole segment, what lies between its variables included. */
#define READS_ALL __attribute__((no_sanitize("address")))

/* The object that holds the evaluator. */
struct object {
    uintptr_t evaluator;
    struct range {
        uintptr_t start, end;
    } code[SEGMENTS_MAX], data[SEGMENTS_MAX];
    unsigned codes, datas;
};

static bool is_in(const struct range *range, const void *place)
{
    return (uintptr_t)place >= range->start && (uintptr_t)place < range->end;
}

static bool holds(const struct object *object, uintptr_t address)
{
    for (unsigned i = 0; i < object->codes; i++)
        if (is_in(&object->code[i], (const void *)address))
            return true;
    return false;
}

static int look_at_object(struct dl_phdr_info *info, size_t bytes, void *user)
{
    struct object *object = user;

    (void)bytes;
    object->codes = object->datas = 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_R))
            continue;
        /* Only what comes from the file: a table is initialised. */
        if ((segment->p_flags & PF_X) && object->codes < SEGMENTS_MAX)
            object->code[object->codes++] = (struct range){.start = start, .end = start + segment->p_memsz};
        else if (object->datas < SEGMENTS_MAX)
            object->data[object->datas++] = (struct range){.start = start, .end = start + segment->p_filesz};
    }
    return holds(object, object->evaluator);
}

static bool is_defined(const struct kp_opcode_row *row, unsigned opcode)
{
    return row->defined[opcode / 64] >> (opcode % 64) & 1;
}

/* Opcodes have code of their own, apart from a few. Other switches that were compiled to tables have not. */
READS_ALL static bool is_varied(void *const *table, const struct kp_opcode_row *row)
{
    unsigned defined = 0, repeated = 0;

    for (unsigned i = 0; i < OPCODES; i++) {
        unsigned before = 0;

        if (!is_defined(row, i))
            continue;
        while (before < i && table[before] != table[i])
            before++;
        defined++;
        repeated += before < i;
    }
    return repeated * 4 < defined;
}

READS_ALL static bool is_table(void *const *table, const struct kp_opcode_row *row, void *undefined)
{
    unsigned shared = 0;

    for (unsigned i = 0; i < OPCODES && shared <= SHARED_MAX; i++) {
        if (is_defined(row, i))
            shared += table[i] == undefined;
        else if (table[i] != undefined)
            return false;
    }
    return shared <= SHARED_MAX && is_varied(table, row);
}

/*
 * Every place in a segment. All entries must lead to code, so a word that does not excludes all tables that
 * would hold it: looked for from the end, that skips most of a segment. `first` and `last` are the outermost
 * undefined opcodes.
 */
READS_ALL static unsigned search(const struct object *object, const struct range *range,
                                 const struct kp_opcode_row *row, unsigned first, unsigned last,
                                 void ***found)
{
    void **table = (void **)((range->start + 7) & ~(uintptr_t)7);
    unsigned count = 0, known = 0; /* entries from the first on that are known to lead to code */

    while ((uintptr_t)(table + OPCODES) <= range->end) {
        unsigned foreign = OPCODES;

        while (foreign > known && holds(object, (uintptr_t)table[foreign - 1]))
            foreign--;
        if (foreign > known) {
            table += foreign;
            known = 0;
            continue;
        }
        known = OPCODES - 1;
        if (table[first] == table[last] && is_table(table, row, table[first])) {
            *found = table;
            count++;
        }
        table++;
    }
    return count;
}

void **kp_opcode_table_find(void *evaluator, const struct kp_opcode_row *row, char *reason,
                            size_t reason_bytes)
{
    struct object object = {.evaluator = (uintptr_t)evaluator};
    unsigned first = 0, last = OPCODES - 1, count = 0;
    void **found = NULL;

    if (dl_iterate_phdr(look_at_object, &object) == 0) {
        snprintf(reason, reason_bytes, "the object that holds its evaluator was not found");
        return NULL;
    }
    while (first < last && is_defined(row, first))
        first++;
    while (last > first && is_defined(row, last))
        last--;
    for (unsigned i = 0; i < object.datas; i++)
        count += search(&object, &object.data[i], row, first, last, &found);
    if (count == 1)
        return found;
    snprintf(reason, reason_bytes, "%u arrays look like its dispatch table, there must be one", count);
    return NULL;
}

/* The two pages that a table can lie in, by its ends. */
#define ENDS 2

static bool protect(void **table, int protection)
{
    static int before[ENDS]; /* 0: not looked at; 1: read-only; 2: writable, and left so */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    int saved = errno;
    bool good = true;

    for (unsigned end = 0; end < ENDS; end++) {
        void **place = end ? &table[OPCODES - 1] : table;

        if (!before[end])
            before[end] = kp_text_is_writable(place) ? 2 : 1;
    }
    for (unsigned end = 0; end < ENDS; end++) {
        uintptr_t place = (uintptr_t)(end ? &table[OPCODES - 1] : table);

        if (before[end] == 1 && mprotect((void *)(place & ~(page - 1)), page, protection) < 0)
            good = false;
    }
    errno = saved;
    return good;
}

static void set(void **table, unsigned opcode, void *target)
{
    __atomic_store_n(&table[opcode], target, __ATOMIC_RELEASE);
}

static void each(void **table, const struct kp_opcode_row *row, unsigned kind, bool install, bool shortest)
{
    for (unsigned slot = 0; slot < K_SLOTS && row->opcodes[kind][slot]; slot++) {
        unsigned opcode = row->opcodes[kind][slot];
        void **target = &kp_thunk_targets[K_SLOTS * kind + slot];

        if (!install) {
            set(table, opcode, *target);
            continue;
        }
        *target = table[opcode];
        set(table, opcode, kp_thunk_address(kind, slot, shortest, row->thread_cframe != 0));
    }
}

bool kp_opcode_table_install(void **table, const struct kp_opcode_row *row, bool shortest)
{
    if (!protect(table, PROT_READ | PROT_WRITE))
        return false;
    for (unsigned kind = K_KINDS; kind-- > 0;)
        each(table, row, kind, true, shortest);
    protect(table, PROT_READ);
    return true;
}

bool kp_opcode_table_restore(void **table, const struct kp_opcode_row *row)
{
    if (!protect(table, PROT_READ | PROT_WRITE))
        return false;
    for (unsigned kind = 0; kind < K_KINDS; kind++)
        each(table, row, kind, false, false);
    protect(table, PROT_READ);
    return true;
}

bool kp_opcode_table_set(void **table, unsigned opcode, void *target)
{
    if (!protect(table, PROT_READ | PROT_WRITE))
        return false;
    set(table, opcode, target);
    protect(table, PROT_READ);
    return true;
}
