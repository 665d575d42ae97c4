#include "ctype.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { DEEPEST = 24, BUCKETS = 1024 };

struct kp_types {
    Dwarf_Debug debug;
    struct kp_type *buckets[BUCKETS]; /* by offset */
};

static const struct kp_type no_type = {.kind = KP_TYPE_VOID};

struct kp_types *kp_types_create(Dwarf_Debug debug)
{
    struct kp_types *types = kp_allocate_cleared(1, sizeof *types);
    types->debug = debug;
    return types;
}

void kp_types_destroy(struct kp_types *types)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (types->buckets[i]) {
            struct kp_type *next = types->buckets[i]->next;
            free(types->buckets[i]->enumerators);
            free(types->buckets[i]->members);
            free(types->buckets[i]);
            types->buckets[i] = next;
        }
    free(types);
}

/* --- through names and qualifiers to the type itself --- */

static bool is_alias(unsigned tag)
{
    return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
           tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

/* Opens the type that `die` refers to; false: void. */
static bool open_type(Dwarf_Debug debug, Dwarf_Die die, Dwarf_Die *type)
{
    Dwarf_Off offset;
    if (!kp_die_reference(debug, die, DW_AT_type, &offset) || !kp_die_open(debug, offset, type))
        return false;
    for (unsigned depth = 0; is_alias(kp_die_tag(*type)); depth++) {
        Dwarf_Die target;
        bool found = depth < DEEPEST && kp_die_reference(debug, *type, DW_AT_type, &offset) &&
                     kp_die_open(debug, offset, &target);
        kp_die_close(debug, *type);
        if (!found)
            return false;
        *type = target;
    }
    return true;
}

static unsigned bytes_of(Dwarf_Debug debug, Dwarf_Die die)
{
    uint64_t bytes;
    return kp_die_unsigned(debug, die, DW_AT_byte_size, &bytes) && bytes < 1u << 30 ? (unsigned)bytes : 0;
}

/* --- classification: psABI 3.2.3 --- */

static void merge(enum kp_place *place, enum kp_place other)
{
    if (*place == KP_PLACE_NONE || other == KP_PLACE_MEMORY)
        *place = other;
    else if (*place != KP_PLACE_MEMORY && other != *place && other != KP_PLACE_NONE)
        *place = *place == KP_PLACE_X87 || other == KP_PLACE_X87 ? KP_PLACE_MEMORY : KP_PLACE_INTEGER;
}

/* A scalar of `bytes` at byte `at` of a value. */
static void place_scalar(enum kp_place places[2], unsigned at, unsigned bytes, enum kp_place place)
{
    if (bytes == 0)
        return;
    if (at + bytes > 16 || (bytes <= 8 && at / 8 != (at + bytes - 1) / 8)) {
        places[0] = KP_PLACE_MEMORY;
        return;
    }
    merge(&places[at / 8], place);
    if (bytes > 8)
        merge(&places[(at + bytes - 1) / 8], place);
}

static void place_die(Dwarf_Debug debug, Dwarf_Die type, unsigned at, enum kp_place places[2],
                      unsigned depth);

static void place_target(Dwarf_Debug debug, Dwarf_Die die, unsigned at, enum kp_place places[2],
                         unsigned depth)
{
    Dwarf_Die type;
    if (depth > DEEPEST || !open_type(debug, die, &type))
        return;
    place_die(debug, type, at, places, depth + 1);
    kp_die_close(debug, type);
}

static void place_members(Dwarf_Debug debug, Dwarf_Die type, unsigned at, enum kp_place places[2],
                          unsigned depth)
{
    Dwarf_Die child;
    if (!kp_die_child(type, &child))
        return;
    do {
        uint64_t offset = 0, bits = 0;
        unsigned tag = kp_die_tag(child);
        if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
            kp_die_flag(debug, child, DW_AT_external)) /* static */
            continue;
        kp_die_unsigned(debug, child, DW_AT_data_member_location, &offset);
        if (offset >= 16)
            places[0] = KP_PLACE_MEMORY;
        else if (kp_die_unsigned(debug, child, DW_AT_data_bit_offset, &bits) && bits < 128)
            merge(&places[(at + bits / 8) / 8 & 1], KP_PLACE_INTEGER);
        else
            place_target(debug, child, at + (unsigned)offset, places, depth);
    } while (kp_die_next(debug, &child));
}

static uint64_t elements_of(Dwarf_Debug debug, Dwarf_Die array)
{
    Dwarf_Die child;
    uint64_t elements = 1, count;
    if (!kp_die_child(array, &child))
        return 0;
    do {
        if (kp_die_tag(child) != DW_TAG_subrange_type)
            continue;
        if (!kp_die_unsigned(debug, child, DW_AT_count, &count))
            count = kp_die_unsigned(debug, child, DW_AT_upper_bound, &count) ? count + 1 : 0;
        elements *= count < 1u << 16 ? count : 1u << 16;
    } while (kp_die_next(debug, &child) && elements <= 16);
    kp_die_close(debug, child);
    return elements;
}

static void place_array(Dwarf_Debug debug, Dwarf_Die array, unsigned at, enum kp_place places[2],
                        unsigned depth)
{
    Dwarf_Die element;
    uint64_t elements = elements_of(debug, array);
    if (elements > 16) {
        places[0] = KP_PLACE_MEMORY;
        return;
    }
    if (depth > DEEPEST || !open_type(debug, array, &element))
        return;
    unsigned bytes = bytes_of(debug, element);
    for (unsigned i = 0; i < elements && places[0] != KP_PLACE_MEMORY; i++)
        place_die(debug, element, at + i * bytes, places, depth + 1);
    kp_die_close(debug, element);
}

/* Of the types of 16 bytes only this one is not in a vector register. */
static bool is_x87(Dwarf_Die type, unsigned bytes)
{
    const char *name = kp_die_name(type);
    return bytes == 16 && name && !strcmp(name, "long double");
}

static void place_base(Dwarf_Debug debug, Dwarf_Die type, unsigned at, enum kp_place places[2])
{
    uint64_t encoding = 0;
    unsigned bytes = bytes_of(debug, type);
    kp_die_unsigned(debug, type, DW_AT_encoding, &encoding);
    if (encoding == DW_ATE_complex_float) {
        if (bytes > 16)
            places[0] = KP_PLACE_MEMORY;
        place_scalar(places, at, bytes / 2, KP_PLACE_VECTOR);
        place_scalar(places, at + bytes / 2, bytes / 2, KP_PLACE_VECTOR);
    } else if (encoding == DW_ATE_float && is_x87(type, bytes)) {
        place_scalar(places, at, bytes, KP_PLACE_X87);
    } else if (encoding == DW_ATE_float || encoding == DW_ATE_decimal_float) {
        place_scalar(places, at, bytes < 8 ? bytes : 8, KP_PLACE_VECTOR); /* 16 bytes are in one register */
    } else {
        place_scalar(places, at, bytes, KP_PLACE_INTEGER);
    }
}

static void place_die(Dwarf_Debug debug, Dwarf_Die type, unsigned at, enum kp_place places[2], unsigned depth)
{
    switch (kp_die_tag(type)) {
    case DW_TAG_base_type:
        place_base(debug, type, at, places);
        break;
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        if (bytes_of(debug, type) > 16)
            places[0] = KP_PLACE_MEMORY;
        else
            place_members(debug, type, at, places, depth);
        break;
    case DW_TAG_array_type:
        if (kp_die_flag(debug, type, DW_AT_GNU_vector))
            merge(&places[0], KP_PLACE_VECTOR); /* its upper part goes with it */
        else
            place_array(debug, type, at, places, depth);
        break;
    case DW_TAG_ptr_to_member_type:
        place_scalar(places, at, bytes_of(debug, type) == 16 ? 16 : 8, KP_PLACE_INTEGER);
        break;
    case DW_TAG_enumeration_type:
        place_scalar(places, at, bytes_of(debug, type), KP_PLACE_INTEGER);
        break;
    default:
        place_scalar(places, at, 8, KP_PLACE_INTEGER);
    }
}

static void finish_places(struct kp_type *type)
{
    enum kp_place *places = type->places;
    bool x87_in_struct =
        type->kind == KP_TYPE_STRUCT && (places[0] == KP_PLACE_X87 || places[1] == KP_PLACE_X87);
    if (places[1] == KP_PLACE_MEMORY || (x87_in_struct && type->bytes > 16))
        places[0] = KP_PLACE_MEMORY;
}

/* --- kinds --- */

static enum kp_type_kind kind_of_base(Dwarf_Debug debug, Dwarf_Die die, unsigned bytes)
{
    uint64_t encoding = 0;
    kp_die_unsigned(debug, die, DW_AT_encoding, &encoding);
    switch (encoding) {
    case DW_ATE_boolean:
        return KP_TYPE_BOOL;
    case DW_ATE_signed:
        return KP_TYPE_SIGNED;
    case DW_ATE_unsigned:
    case DW_ATE_address:
        return KP_TYPE_UNSIGNED;
    case DW_ATE_signed_char:
    case DW_ATE_unsigned_char: { /* int8_t and uint8_t are numbers */
        const char *name = kp_die_name(die);
        if (name && strcmp(name, "char") != 0)
            return encoding == DW_ATE_signed_char ? KP_TYPE_SIGNED : KP_TYPE_UNSIGNED;
        return KP_TYPE_CHARACTER;
    }
    case DW_ATE_UTF:
        return KP_TYPE_CHARACTER;
    case DW_ATE_float:
        return bytes == 4 || bytes == 8 ? KP_TYPE_FLOAT
               : is_x87(die, bytes)     ? KP_TYPE_LONG_DOUBLE
                                        : KP_TYPE_UNKNOWN;
    case DW_ATE_complex_float:
        return KP_TYPE_STRUCT;
    default:
        return KP_TYPE_UNKNOWN;
    }
}

static enum kp_type_kind kind_of(Dwarf_Debug debug, Dwarf_Die die, unsigned bytes)
{
    switch (kp_die_tag(die)) {
    case DW_TAG_base_type:
        return kind_of_base(debug, die, bytes);
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
        return KP_TYPE_POINTER;
    case DW_TAG_enumeration_type:
        return KP_TYPE_ENUM;
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_array_type:
        return KP_TYPE_STRUCT;
    case DW_TAG_unspecified_type: /* std::nullptr_t */
        return KP_TYPE_POINTER;
    default:
        return KP_TYPE_UNKNOWN;
    }
}

static void read_enumerators(Dwarf_Debug debug, Dwarf_Die die, struct kp_type *type)
{
    Dwarf_Die child;
    if (!kp_die_child(die, &child))
        return;
    do {
        int64_t value;
        const char *name = kp_die_name(child);
        if (kp_die_tag(child) != DW_TAG_enumerator || !name ||
            !kp_die_signed(debug, child, DW_AT_const_value, &value))
            continue;
        type->enumerators = kp_grow(type->enumerators, &type->enumerator_capacity, type->enumerator_count,
                                    sizeof *type->enumerators);
        type->enumerators[type->enumerator_count++] = (struct kp_enumerator){name, value};
    } while (kp_die_next(debug, &child));
}

static bool is_scalar(const struct kp_type *type)
{
    return type->kind != KP_TYPE_VOID && type->kind != KP_TYPE_STRUCT && type->kind != KP_TYPE_LONG_DOUBLE &&
           type->kind != KP_TYPE_UNKNOWN && type->bytes && type->bytes <= 8;
}

/* Only when all of them can be shown: scalars that overlap nothing. */
static void read_members(struct kp_types *types, Dwarf_Die die, struct kp_type *type)
{
    Dwarf_Die child;
    bool simple = kp_die_tag(die) == DW_TAG_structure_type && type->bytes && type->bytes <= 16;
    if (!simple || !kp_die_child(die, &child))
        return;
    do {
        uint64_t at = 0, bits;
        if (kp_die_tag(child) != DW_TAG_member)
            continue;
        const struct kp_type *member = kp_type_of(types, child);
        const char *name = kp_die_name(child);
        simple = is_scalar(member) && kp_die_unsigned(types->debug, child, DW_AT_data_member_location, &at) &&
                 at + member->bytes <= type->bytes &&
                 !kp_die_unsigned(types->debug, child, DW_AT_bit_size, &bits);
        type->members =
            kp_grow(type->members, &type->member_capacity, type->member_count, sizeof *type->members);
        type->members[type->member_count++] = (struct kp_member){name ? name : "", (unsigned)at, member};
    } while (simple && kp_die_next(types->debug, &child));
    if (!simple) {
        kp_die_close(types->debug, child);
        type->member_count = 0;
    }
}

static struct kp_type *read_type(struct kp_types *types, Dwarf_Die die)
{
    uint64_t convention = 0;
    struct kp_type *type = kp_allocate_cleared(1, sizeof *type);
    type->offset = kp_die_offset(die);
    type->bytes = bytes_of(types->debug, die);
    type->kind = kind_of(types->debug, die, type->bytes);
    if (type->kind == KP_TYPE_POINTER)
        type->bytes = 8;
    kp_die_unsigned(types->debug, die, DW_AT_calling_convention, &convention);
    type->by_address = convention == DW_CC_pass_by_reference;
    if (type->by_address)
        type->places[0] = KP_PLACE_INTEGER;
    else
        place_die(types->debug, die, 0, type->places, 0);
    finish_places(type);
    if (type->kind == KP_TYPE_ENUM)
        read_enumerators(types->debug, die, type);
    return type;
}

const struct kp_type *kp_type_of(struct kp_types *types, Dwarf_Die die)
{
    Dwarf_Die opened;
    if (!open_type(types->debug, die, &opened))
        return &no_type;
    Dwarf_Off offset = kp_die_offset(opened);
    struct kp_type **bucket = &types->buckets[offset / 4 % BUCKETS], *type = *bucket;
    while (type && type->offset != offset)
        type = type->next;
    if (!type) {
        type = read_type(types, opened);
        type->next = *bucket;
        *bucket = type;
        if (type->kind == KP_TYPE_STRUCT)
            read_members(types, opened, type);
    }
    kp_die_close(types->debug, opened);
    return type;
}
