/* What `kprobe irl` shows of a model instead of code. */
#ifndef KP_COLLECTOR_IRL_PRINT_H
#define KP_COLLECTOR_IRL_PRINT_H

#include <stdio.h>

#include "irl/irl.h"

/*
 * All of them show the declarations of the input files, in their order, and take models without errors only.
 *
 * list: a table for each package: record, serialVersionUID, SIZE, fields in the order of serialisation with
 * the letters of Kieker's documentation (J long, I int, S string, D double, F float, H short, B byte, C char,
 * Z boolean, E enum). json: everything, for programs. dot: who inherits from whom, for Graphviz. map: lines
 * `id=class` for the classic Data Bridge, ids from 32 on.
 */
void kp_irl_print_list(const struct kp_irl_model *model, FILE *file);
void kp_irl_print_json(const struct kp_irl_model *model, FILE *file);
void kp_irl_print_dot(const struct kp_irl_model *model, FILE *file);
void kp_irl_print_map(const struct kp_irl_model *model, FILE *file);

#endif
