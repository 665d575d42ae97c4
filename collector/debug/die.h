/* Reading single entries of DWARF with libdwarf: what is missing or broken reads as "not there". */
#ifndef KP_COLLECTOR_DEBUG_DIE_H
#define KP_COLLECTOR_DEBUG_DIE_H

#include <stdbool.h>
#include <stdint.h>

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>

/* Entries are to be closed; kp_die_next closes the entry it moves away from. */
bool kp_die_open(Dwarf_Debug debug, Dwarf_Off offset, Dwarf_Die *die);
void kp_die_close(Dwarf_Debug debug, Dwarf_Die die);
bool kp_die_child(Dwarf_Die die, Dwarf_Die *child);
bool kp_die_next(Dwarf_Debug debug, Dwarf_Die *die);

unsigned kp_die_tag(Dwarf_Die die); /* 0: broken */
Dwarf_Off kp_die_offset(Dwarf_Die die);
Dwarf_Off kp_die_unit(Dwarf_Die die);   /* offset of its compilation unit's entry */
const char *kp_die_name(Dwarf_Die die); /* NULL: none; lives as long as `debug` */

/* Attributes. */
bool kp_die_reference(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, Dwarf_Off *offset);
bool kp_die_unsigned(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, uint64_t *value);
bool kp_die_signed(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute, int64_t *value);
bool kp_die_flag(Dwarf_Debug debug, Dwarf_Die die, unsigned attribute);
const char *kp_die_text(Dwarf_Die die, unsigned attribute);

/* Where its code starts: the low address, or the begin of the first range. */
bool kp_die_address(Dwarf_Debug debug, Dwarf_Die die, uint64_t *address);

#endif
