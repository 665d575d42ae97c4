#include "debug_info.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "elf_functions.h"
#include "separate.h"
#include "util/memory.h"

/* Scopes within scopes (namespaces, classes) that are looked into. */
enum { DEEPEST = 32 };

struct unit {
    Dwarf_Off offset; /* of its entry */
    bool indexed;
    bool in_aranges; /* the table of addresses knows it */
    bool has_files;
    char **files;
    Dwarf_Signed file_count;
    bool files_from_zero;
    const char *folder; /* of the compilation; NULL: unknown */
};

struct range {
    uint64_t start, end;
    Dwarf_Off unit;
};

/* A function: where its entry is, and what was read of it. */
struct entry {
    uint64_t address;
    Dwarf_Off offset;
    struct kp_debug_function *function;
};

struct kp_debug_info {
    Dwarf_Debug debug;
    struct kp_types *types;
    struct unit *units; /* by offset */
    size_t unit_count, unit_capacity;
    struct range *ranges; /* by start */
    size_t range_count, range_capacity;
    struct entry *entries; /* by address when `sorted` */
    size_t entry_count, entry_capacity;
    bool sorted;
    bool all_indexed;
    uint64_t *indirect; /* addresses of resolvers (IFUNC), sorted */
    size_t indirect_count, indirect_capacity;
};

/* --- units --- */

static bool next_unit(Dwarf_Debug debug)
{
    Dwarf_Error error = NULL;
    Dwarf_Unsigned length, type_offset, next;
    Dwarf_Half version, address_bytes, length_bytes, extension_bytes, type;
    Dwarf_Off abbreviations;
    Dwarf_Sig8 signature;
    int result =
        dwarf_next_cu_header_d(debug, true, &length, &version, &abbreviations, &address_bytes, &length_bytes,
                               &extension_bytes, &signature, &type_offset, &next, &type, &error);
    if (result == DW_DLV_ERROR)
        dwarf_dealloc_error(debug, error);
    return result == DW_DLV_OK;
}

static void read_units(struct kp_debug_info *info)
{
    while (next_unit(info->debug)) {
        Dwarf_Die die = NULL;
        if (!kp_die_next(info->debug, &die))
            continue;
        Dwarf_Half version = 0, offset_bytes = 0;
        dwarf_get_version_of_die(die, &version, &offset_bytes);
        info->units = kp_grow(info->units, &info->unit_capacity, info->unit_count, sizeof *info->units);
        info->units[info->unit_count++] =
            (struct unit){.offset = kp_die_offset(die), .files_from_zero = version >= 5};
        kp_die_close(info->debug, die);
    }
}

static int compare_unit(const void *key, const void *element)
{
    Dwarf_Off offset = *(const Dwarf_Off *)key, other = ((const struct unit *)element)->offset;
    return offset < other ? -1 : offset > other;
}

static struct unit *find_unit(const struct kp_debug_info *info, Dwarf_Off offset)
{
    return info->unit_count
               ? bsearch(&offset, info->units, info->unit_count, sizeof *info->units, compare_unit)
               : NULL;
}

/* --- .debug_aranges: which unit holds an address --- */

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void take_range(struct kp_debug_info *info, Dwarf_Arange arange)
{
    Dwarf_Error error = NULL;
    Dwarf_Unsigned segment, segment_bytes, length;
    Dwarf_Addr start;
    Dwarf_Off offset;
    if (dwarf_get_arange_info_b(arange, &segment, &segment_bytes, &start, &length, &offset, &error))
        return;
    struct unit *unit = find_unit(info, offset);
    if (!unit || !length)
        return;
    unit->in_aranges = true;
    info->ranges = kp_grow(info->ranges, &info->range_capacity, info->range_count, sizeof *info->ranges);
    info->ranges[info->range_count++] = (struct range){start, start + length, offset};
}

static void read_ranges(struct kp_debug_info *info)
{
    Dwarf_Error error = NULL;
    Dwarf_Arange *aranges = NULL;
    Dwarf_Signed count = 0;
    int result = dwarf_get_aranges(info->debug, &aranges, &count, &error);
    if (result == DW_DLV_ERROR)
        dwarf_dealloc_error(info->debug, error);
    if (result != DW_DLV_OK)
        return;
    for (Dwarf_Signed i = 0; i < count; i++) {
        take_range(info, aranges[i]);
        dwarf_dealloc(info->debug, aranges[i], DW_DLA_ARANGE);
    }
    dwarf_dealloc(info->debug, aranges, DW_DLA_LIST);
    if (info->range_count)
        qsort(info->ranges, info->range_count, sizeof *info->ranges, compare_ranges);
}

static struct unit *unit_of_address(const struct kp_debug_info *info, uint64_t address)
{
    size_t low = 0, high = info->range_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (info->ranges[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < info->ranges[low - 1].end ? find_unit(info, info->ranges[low - 1].unit) : NULL;
}

/* --- index of functions by address --- */

static bool is_scope(unsigned tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
           tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type || tag == DW_TAG_module;
}

static void index_children(struct kp_debug_info *info, Dwarf_Die parent, unsigned depth)
{
    Dwarf_Die child;
    if (depth > DEEPEST || !kp_die_child(parent, &child))
        return;
    do {
        uint64_t address;
        unsigned tag = kp_die_tag(child);
        if (is_scope(tag))
            index_children(info, child, depth + 1);
        if (tag != DW_TAG_subprogram || !kp_die_address(info->debug, child, &address) || !address)
            continue;
        info->entries =
            kp_grow(info->entries, &info->entry_capacity, info->entry_count, sizeof *info->entries);
        info->entries[info->entry_count++] =
            (struct entry){.address = address, .offset = kp_die_offset(child)};
        info->sorted = false;
    } while (kp_die_next(info->debug, &child));
}

static void index_unit(struct kp_debug_info *info, struct unit *unit)
{
    Dwarf_Die die;
    if (unit->indexed || !kp_die_open(info->debug, unit->offset, &die))
        return;
    unit->indexed = true;
    index_children(info, die, 0);
    kp_die_close(info->debug, die);
}

/* What the table of addresses does not know may be anywhere else (clang and rustc write none). */
static void index_rest(struct kp_debug_info *info)
{
    for (size_t i = 0; i < info->unit_count && !info->all_indexed; i++)
        if (!info->units[i].in_aranges)
            index_unit(info, &info->units[i]);
    info->all_indexed = true;
}

/* Of entries at one address the first in the file comes first. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static struct entry *find_entry(struct kp_debug_info *info, uint64_t address)
{
    size_t low = 0, high = info->entry_count;
    if (!info->sorted && info->entry_count)
        qsort(info->entries, info->entry_count, sizeof *info->entries, compare_entries);
    info->sorted = true;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (info->entries[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < info->entry_count && info->entries[low].address == address ? &info->entries[low] : NULL;
}

/* --- one function --- */

/* Opens what an attribute of `die` refers to and closes `die`; false leaves it open. */
static bool follow(Dwarf_Debug debug, Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Off offset;
    Dwarf_Die target;
    if (!kp_die_reference(debug, *die, attribute, &offset) || !kp_die_open(debug, offset, &target))
        return false;
    kp_die_close(debug, *die);
    *die = target;
    return true;
}

static void read_files(struct kp_debug_info *info, struct unit *unit)
{
    Dwarf_Error error = NULL;
    Dwarf_Die die;
    unit->has_files = true;
    if (!kp_die_open(info->debug, unit->offset, &die))
        return;
    unit->folder = kp_die_text(die, DW_AT_comp_dir);
    int result = dwarf_srcfiles(die, &unit->files, &unit->file_count, &error);
    if (result == DW_DLV_ERROR)
        dwarf_dealloc_error(info->debug, error);
    if (result != DW_DLV_OK)
        unit->file_count = 0;
    kp_die_close(info->debug, die);
}

/* Takes out "./" and "folder/../", which joining leaves; a link among the folders would be lost on the way.
 */
static char *tidy_path(const char *path)
{
    char *tidy = kp_copy_text(path), *found;
    while ((found = strstr(tidy, "/./")))
        memmove(found, found + 2, strlen(found + 2) + 1);
    for (char *from = tidy; (found = strstr(from, "/../"));) {
        char *folder = found;
        while (folder > tidy && folder[-1] != '/')
            folder--;
        if (folder == found || !strncmp(folder, "../", 3) || !strncmp(folder, "./", 2))
            from = found + 3; /* nothing in front of it that it could leave */
        else
            memmove(folder, found + 4, strlen(found + 4) + 1);
    }
    return tidy;
}

/*
 * libdwarf puts the folder of the compilation in front of relative paths, of DWARF 5 also in front of that
 * folder itself when it is relative.
 */
static const char *without_doubled_folder(const struct unit *unit, const char *path)
{
    size_t bytes = unit->folder ? strlen(unit->folder) : 0;
    if (!bytes || *unit->folder == '/' || strncmp(path, unit->folder, bytes) != 0 || path[bytes] != '/' ||
        strncmp(path + bytes + 1, unit->folder, bytes) != 0 || path[2 * bytes + 1] != '/')
        return path;
    return path + bytes + 1;
}

static char *file_number(struct kp_debug_info *info, Dwarf_Die die, uint64_t number)
{
    struct unit *unit = find_unit(info, kp_die_unit(die));
    if (!unit)
        return NULL;
    if (!unit->has_files)
        read_files(info, unit);
    if (!unit->files_from_zero && number-- == 0)
        return NULL;
    return number < (uint64_t)unit->file_count ? tidy_path(without_doubled_folder(unit, unit->files[number]))
                                               : NULL;
}

static void read_place(struct kp_debug_info *info, Dwarf_Die die, struct kp_debug_function *function)
{
    uint64_t number, line;
    if (!function->file && kp_die_unsigned(info->debug, die, DW_AT_decl_file, &number))
        function->file = file_number(info, die, number);
    if (!function->line && kp_die_unsigned(info->debug, die, DW_AT_decl_line, &line))
        function->line = (unsigned)line;
    if (!function->name)
        function->name = kp_die_name(die);
}

static uint64_t language_of(Dwarf_Debug debug, Dwarf_Die die)
{
    Dwarf_Die unit;
    uint64_t language = 0;
    if (kp_die_open(debug, kp_die_unit(die), &unit)) {
        kp_die_unsigned(debug, unit, DW_AT_language, &language);
        kp_die_close(debug, unit);
    }
    return language;
}

/* The assembler describes where a function is, not what it takes. */
static bool is_assembly(Dwarf_Debug debug, Dwarf_Die die)
{
    return language_of(debug, die) == DW_LANG_Mips_Assembler;
}

/* `die`: the entry with the function's names. */
static bool has_c_convention(Dwarf_Debug debug, Dwarf_Die die)
{
    switch (language_of(debug, die)) {
    case DW_LANG_Rust: { /* extern "C" functions keep their names */
        const char *symbol = kp_die_text(die, DW_AT_linkage_name), *name = kp_die_name(die);
        return !symbol || (name && !strcmp(symbol, name));
    }
    case DW_LANG_C:
    case DW_LANG_C89:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
        return true;
    default:
        return false;
    }
}

static void read_parameters(struct kp_debug_info *info, Dwarf_Die die, struct kp_prototype *prototype)
{
    Dwarf_Die child;
    if (!kp_die_child(die, &child))
        return;
    do {
        unsigned tag = kp_die_tag(child);
        const char *name = kp_die_name(child);
        prototype->variadic |= tag == DW_TAG_unspecified_parameters;
        if (tag != DW_TAG_formal_parameter)
            continue;
        prototype->parameters = kp_grow(prototype->parameters, &prototype->capacity, prototype->count,
                                        sizeof *prototype->parameters);
        prototype->parameters[prototype->count++] =
            (struct kp_parameter){name ? name : "", kp_type_of(info->types, child)};
    } while (kp_die_next(info->debug, &child));
}

/* `die` is the definition, `declared` the entry with the type of the result. */
static struct kp_prototype *read_prototype(struct kp_debug_info *info, Dwarf_Die die, Dwarf_Die declared)
{
    struct kp_prototype *prototype = kp_allocate_cleared(1, sizeof *prototype);
    prototype->result = kp_type_of(info->types, declared);
    prototype->c_convention = has_c_convention(info->debug, declared);
    read_parameters(info, die, prototype);
    char *parameters = kp_declare_parameters(info->debug, die);
    char *declarator = kp_format_text("\1(%s)", parameters);
    prototype->text = kp_declare(info->debug, declared, declarator);
    free(declarator);
    free(parameters);
    return prototype;
}

/* Through typedefs and qualifiers to an entry with this tag. */
static bool follow_type(Dwarf_Debug debug, Dwarf_Die *die, unsigned tag)
{
    for (unsigned depth = 0; depth < DEEPEST && follow(debug, die, DW_AT_type); depth++) {
        unsigned found = kp_die_tag(*die);
        if (found == tag)
            return true;
        if (found != DW_TAG_typedef && found != DW_TAG_const_type)
            return false;
    }
    return false;
}

static int compare_addresses(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static bool is_indirect(const struct kp_debug_info *info, uint64_t address)
{
    return info->indirect_count &&
           bsearch(&address, info->indirect, info->indirect_count, sizeof *info->indirect, compare_addresses);
}

/* A resolver gives back a pointer to the function that is called under its name. */
static struct kp_prototype *read_resolved(struct kp_debug_info *info, Dwarf_Die declared)
{
    Dwarf_Die die;
    struct kp_prototype *prototype = NULL;
    if (!kp_die_open(info->debug, kp_die_offset(declared), &die))
        return NULL;
    if (follow_type(info->debug, &die, DW_TAG_pointer_type) &&
        follow_type(info->debug, &die, DW_TAG_subroutine_type))
        prototype = read_prototype(info, die, die);
    kp_die_close(info->debug, die);
    return prototype;
}

static struct kp_debug_function *read_function(struct kp_debug_info *info, const struct entry *entry)
{
    Dwarf_Die die, declared;
    struct kp_debug_function *function = kp_allocate_cleared(1, sizeof *function);
    function->address = entry->address;
    if (kp_die_open(info->debug, entry->offset, &die)) {
        read_place(info, die, function);
        /* Names and types of a function that was inlined elsewhere stand in its abstract instance. */
        for (unsigned depth = 0; depth < DEEPEST && follow(info->debug, &die, DW_AT_abstract_origin); depth++)
            read_place(info, die, function);
        if (kp_die_open(info->debug, kp_die_offset(die), &declared)) {
            if (follow(info->debug, &declared, DW_AT_specification))
                read_place(info, declared, function);
            if (is_indirect(info, entry->address))
                function->prototype = read_resolved(info, declared);
            else if (!is_assembly(info->debug, die))
                function->prototype = read_prototype(info, die, declared);
            kp_die_close(info->debug, declared);
        }
        kp_die_close(info->debug, die);
    }
    if (!function->file)
        function->file = kp_copy_text("");
    return function;
}

const struct kp_debug_function *kp_debug_info_find(struct kp_debug_info *info, uint64_t address)
{
    struct unit *unit = unit_of_address(info, address);
    if (unit)
        index_unit(info, unit);
    struct entry *entry = find_entry(info, address);
    if (!entry) {
        index_rest(info);
        entry = find_entry(info, address);
    }
    if (entry && !entry->function)
        entry->function = read_function(info, entry);
    return entry ? entry->function : NULL;
}

/* --- the object --- */

static void take_indirect(void *user, const struct kp_elf_function *function)
{
    struct kp_debug_info *info = user;
    if (!function->indirect)
        return;
    info->indirect =
        kp_grow(info->indirect, &info->indirect_capacity, info->indirect_count, sizeof *info->indirect);
    info->indirect[info->indirect_count++] = function->address;
}

static struct kp_debug_info *open_file(const struct kp_elf *elf, const char *file)
{
    Dwarf_Debug debug = NULL;
    Dwarf_Error error = NULL;
    int result = dwarf_init_path(file, NULL, 0, DW_DLC_READ, DW_GROUPNUMBER_ANY, NULL, NULL, &debug, NULL, 0,
                                 NULL, &error);
    if (result == DW_DLV_ERROR)
        dwarf_dealloc_error(debug, error);
    if (result != DW_DLV_OK)
        return NULL;
    struct kp_debug_info *info = kp_allocate_cleared(1, sizeof *info);
    info->debug = debug;
    info->types = kp_types_create(debug);
    read_units(info);
    read_ranges(info);
    kp_elf_each_function(elf, true, take_indirect, info);
    if (info->indirect_count)
        qsort(info->indirect, info->indirect_count, sizeof *info->indirect, compare_addresses);
    return info;
}

struct kp_debug_info *kp_debug_info_open(const char *path, const char *build_id)
{
    char file[2 * PATH_MAX];
    struct kp_elf elf;
    struct kp_debug_info *info = NULL;
    if (!kp_elf_open(&elf, path))
        return NULL;
    bool same = !build_id || !strcmp(build_id, elf.build_id);
    if (same && kp_debug_file_find(&elf, path, file, sizeof file))
        info = open_file(&elf, file);
    kp_elf_close(&elf);
    return info;
}

static void free_function(struct kp_debug_function *function)
{
    if (!function)
        return;
    if (function->prototype) {
        free(function->prototype->text);
        free(function->prototype->parameters);
        free(function->prototype);
    }
    free(function->file);
    free(function);
}

static void free_files(Dwarf_Debug debug, struct unit *unit)
{
    for (Dwarf_Signed i = 0; i < unit->file_count; i++)
        dwarf_dealloc(debug, unit->files[i], DW_DLA_STRING);
    if (unit->files)
        dwarf_dealloc(debug, unit->files, DW_DLA_LIST);
}

void kp_debug_info_close(struct kp_debug_info *info)
{
    Dwarf_Error error = NULL;
    if (!info)
        return;
    for (size_t i = 0; i < info->entry_count; i++)
        free_function(info->entries[i].function);
    for (size_t i = 0; i < info->unit_count; i++)
        free_files(info->debug, &info->units[i]);
    kp_types_destroy(info->types);
    dwarf_finish(info->debug, &error);
    free(info->entries);
    free(info->units);
    free(info->ranges);
    free(info->indirect);
    free(info);
}

char *kp_prototype_declare(const struct kp_prototype *prototype, const char *name)
{
    const char *place = strchr(prototype->text, '\1');
    if (!place)
        return kp_copy_text(name);
    return kp_format_text("%.*s%s%s", (int)(place - prototype->text), prototype->text, name, place + 1);
}
