/*
 * The dispatch table of a running CPython: 256 addresses of code, one for each opcode, without symbols.
 */
#ifndef KP_SHIM_PYTHON_OPCODE_TABLE_H
#define KP_SHIM_PYTHON_OPCODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cpython_opcode.h"

/*
 * Look for it in the read-only and data segments of the object that holds `evaluator`: the only array of 256
 * pointers into that object's code in which all undefined opcodes have one address in common and (almost) no
 * defined one has it. That holds where opcodes are labels of one function (computed goto, or a switch that
 * was compiled to a table) and where they are functions (tail calls). NULL, with a reason: none, or more than
 * one.
 */
void **kp_opcode_table_find(void *evaluator, const struct kp_opcode_row *row, char *reason,
                            size_t reason_bytes);

/*
 * Put thunks into the entries of the row's opcodes, or the original code back. Other threads may be running:
 * each entry changes at once; starts are the last to come and the first to go. `shortest` and `cframe` as in
 * kp_thunk_address. False, with nothing changed: the table cannot be written.
 */
bool kp_opcode_table_install(void **table, const struct kp_opcode_row *row, bool shortest);
bool kp_opcode_table_restore(void **table, const struct kp_opcode_row *row);

/* One entry. False, with nothing changed: the table cannot be written. */
bool kp_opcode_table_set(void **table, unsigned opcode, void *target);

#endif
