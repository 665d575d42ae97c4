#include "die.h"

#include <stddef.h>

/* libdwarf reports by a value and an object that wants to be freed; all that matters is whether it worked. */
static bool worked(Dwarf_Debug debug, int result, Dwarf_Error error)
{
    if (result == DW_DLV_ERROR && debug)
        dwarf_dealloc_error(debug, error);
    return result == DW_DLV_OK;
}

bool kp_die_open(Dwarf_Debug debug, Dwarf_Off offset, Dwarf_Die *die)
{
    Dwarf_Error error = NULL;
    return worked(debug, dwarf_offdie_b(debug, offset, true, die, &error), error);
}

void kp_die_close(Dwarf_Debug debug, Dwarf_Die die)
{
    if (die)
        dwarf_dealloc(debug, die, DW_DLA_DIE);
}

bool kp_die_child(Dwarf_Die die, Dwarf_Die *child)
{
    Dwarf_Error error = NULL;
    return worked(NULL, dwarf_child(die, child, &error), error);
}

bool kp_die_next(Dwarf_Debug debug, Dwarf_Die *die)
{
    Dwarf_Error error = NULL;
    Dwarf_Die next = NULL;
    bool found = worked(debug, dwarf_siblingof_b(debug, *die, true, &next, &error), error);
    kp_die_close(debug, *die);
    *die = found ? next : NULL;
    return found;
}

unsigned kp_die_tag(Dwarf_Die die)
{
    Dwarf_Error error = NULL;
    Dwarf_Half tag = 0;
    return worked(NULL, dwarf_tag(die, &tag, &error), error) ? tag : 0;
}

Dwarf_Off kp_die_offset(Dwarf_Die die)
{
    Dwarf_Error error = NULL;
    Dwarf_Off offset = 0;
    return worked(NULL, dwarf_dieoffset(die, &offset, &error), error) ? offset : 0;
}

Dwarf_Off kp_die_unit(Dwarf_Die die)
{
    Dwarf_Error error = NULL;
    Dwarf_Off offset = 0;
    return worked(NULL, dwarf_CU_dieoffset_given_die(die, &offset, &error), error) ? offset : 0;
}

const char *kp_die_text(Dwarf_Die die, unsigned attribute)
{
    Dwarf_Error error = NULL;
    char *text = NULL;
    return worked(NULL, dwarf_die_text(die, (Dwarf_Half)attribute, &text, &error), error) ? text : NULL;
}

const char *kp_die_name(Dwarf_Die die)
{
    return kp_die_text(die, DW_AT_name);
}

static bool open_attribute(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, Dwarf_Attribute *out)
{
    Dwarf_Error error = NULL;
    return worked(debug, dwarf_attr(die, (Dwarf_Half)attribute, out, &error), error);
}

bool kp_die_reference(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, Dwarf_Off *offset)
{
    Dwarf_Error error = NULL;
    Dwarf_Attribute opened = NULL;
    if (!open_attribute(debug, die, attribute, &opened))
        return false;
    bool found = worked(debug, dwarf_global_formref(opened, offset, &error), error);
    dwarf_dealloc(debug, opened, DW_DLA_ATTR);
    return found;
}

bool kp_die_signed(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, int64_t *value)
{
    Dwarf_Error error = NULL;
    Dwarf_Attribute opened = NULL;
    Dwarf_Signed found_signed = 0;
    if (!open_attribute(debug, die, attribute, &opened))
        return false;
    bool found = worked(debug, dwarf_formsdata(opened, &found_signed, &error), error);
    if (!found) {
        Dwarf_Unsigned found_unsigned = 0;
        error = NULL;
        found = worked(debug, dwarf_formudata(opened, &found_unsigned, &error), error);
        found_signed = (Dwarf_Signed)found_unsigned;
    }
    dwarf_dealloc(debug, opened, DW_DLA_ATTR);
    *value = found_signed;
    return found;
}

bool kp_die_unsigned(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, uint64_t *value)
{
    Dwarf_Error error = NULL;
    Dwarf_Attribute opened = NULL;
    Dwarf_Unsigned number = 0;
    if (!open_attribute(debug, die, attribute, &opened))
        return false;
    bool found = worked(debug, dwarf_formudata(opened, &number, &error), error);
    if (!found) { /* DW_FORM_implicit_const is signed to libdwarf */
        Dwarf_Signed found_signed = 0;
        error = NULL;
        found = worked(debug, dwarf_formsdata(opened, &found_signed, &error), error) && found_signed >= 0;
        number = (Dwarf_Unsigned)found_signed;
    }
    dwarf_dealloc(debug, opened, DW_DLA_ATTR);
    *value = number;
    return found;
}

bool kp_die_flag(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute)
{
    Dwarf_Error error = NULL;
    Dwarf_Attribute opened = NULL;
    Dwarf_Bool flag = false;
    if (!open_attribute(debug, die, attribute, &opened))
        return false;
    bool found = worked(debug, dwarf_formflag(opened, &flag, &error), error);
    dwarf_dealloc(debug, opened, DW_DLA_ATTR);
    return found && flag;
}

/* --- addresses --- */

static bool low_address(Dwarf_Debug debug, Dwarf_Die die, uint64_t *address)
{
    Dwarf_Error error = NULL;
    Dwarf_Addr low = 0;
    bool found = worked(debug, dwarf_lowpc(die, &low, &error), error);
    *address = low;
    return found;
}

/* DWARF 4: pairs relative to the base, which is the low address of the unit unless the list changes it. */
static bool first_range(Dwarf_Debug debug, Dwarf_Die die, Dwarf_Off list, uint64_t base, uint64_t *address)
{
    Dwarf_Error error = NULL;
    Dwarf_Ranges *ranges = NULL;
    Dwarf_Signed count = 0;
    Dwarf_Off real = 0;
    Dwarf_Unsigned bytes = 0;
    bool found = false;
    if (!worked(debug, dwarf_get_ranges_b(debug, list, die, &real, &ranges, &count, &bytes, &error), error))
        return false;
    for (Dwarf_Signed i = 0; i < count && !found && ranges[i].dwr_type != DW_RANGES_END; i++) {
        if (ranges[i].dwr_type == DW_RANGES_ADDRESS_SELECTION)
            base = ranges[i].dwr_addr2;
        else if (ranges[i].dwr_addr1 < ranges[i].dwr_addr2) {
            *address = base + ranges[i].dwr_addr1;
            found = true;
        }
    }
    dwarf_ranges_dealloc(debug, ranges, count);
    return found;
}

/* DWARF 5: libdwarf adds the base. */
static bool first_list_entry(Dwarf_Debug debug, Dwarf_Rnglists_Head head, Dwarf_Unsigned count,
                             uint64_t *address)
{
    for (Dwarf_Unsigned i = 0; i < count; i++) {
        Dwarf_Error error = NULL;
        unsigned length = 0, code = 0;
        Dwarf_Unsigned raw1 = 0, raw2 = 0, low = 0, high = 0;
        Dwarf_Bool unavailable = false;
        if (!worked(debug,
                    dwarf_get_rnglists_entry_fields_a(head, i, &length, &code, &raw1, &raw2, &unavailable,
                                                      &low, &high, &error),
                    error))
            return false;
        bool is_range = code == DW_RLE_startx_endx || code == DW_RLE_startx_length ||
                        code == DW_RLE_offset_pair || code == DW_RLE_start_end || code == DW_RLE_start_length;
        if (is_range && !unavailable && low < high) {
            *address = low;
            return true;
        }
    }
    return false;
}

static bool first_of_list(Dwarf_Debug debug, Dwarf_Attribute attribute, unsigned form, Dwarf_Unsigned value,
                          uint64_t *address)
{
    Dwarf_Error error = NULL;
    Dwarf_Rnglists_Head head = NULL;
    Dwarf_Unsigned count = 0, offset = 0;
    if (!worked(
            debug,
            dwarf_rnglists_get_rle_head(attribute, (Dwarf_Half)form, value, &head, &count, &offset, &error),
            error))
        return false;
    bool found = first_list_entry(debug, head, count, address);
    dwarf_dealloc_rnglists_head(head);
    return found;
}

static uint64_t unit_base(Dwarf_Debug debug, Dwarf_Die die)
{
    Dwarf_Die unit = NULL;
    uint64_t base = 0;
    if (kp_die_open(debug, kp_die_unit(die), &unit)) {
        low_address(debug, unit, &base);
        kp_die_close(debug, unit);
    }
    return base;
}

bool kp_die_address(Dwarf_Debug debug, Dwarf_Die die, uint64_t *address)
{
    Dwarf_Error error = NULL;
    Dwarf_Attribute ranges = NULL;
    Dwarf_Half form = 0, version = 0, offset_bytes = 0;
    Dwarf_Unsigned index = 0;
    Dwarf_Off offset = 0;
    if (low_address(debug, die, address))
        return true;
    if (!open_attribute(debug, die, DW_AT_ranges, &ranges))
        return false;
    bool found = worked(debug, dwarf_whatform(ranges, &form, &error), error) &&
                 !dwarf_get_version_of_die(die, &version, &offset_bytes);
    if (found && form == DW_FORM_rnglistx) {
        found = worked(debug, dwarf_formudata(ranges, &index, &error), error) &&
                first_of_list(debug, ranges, form, index, address);
    } else if (found) {
        found = worked(debug, dwarf_global_formref(ranges, &offset, &error), error) &&
                (version >= 5 ? first_of_list(debug, ranges, form, offset, address)
                              : first_range(debug, die, offset, unit_base(debug, die), address));
    }
    dwarf_dealloc(debug, ranges, DW_DLA_ATTR);
    return found;
}
