/*
 * Aligned text tables. Columns are as wide as their cells; on a narrow terminal columns are left out by their
 * rank and elastic ones are cut in the middle. Without a terminal nothing is left out and nothing cut.
 */
#ifndef KP_COLLECTOR_REPORT_TABLE_H
#define KP_COLLECTOR_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/color.h"

struct kp_table_column {
    const char *title; /* NULL ends the list */
    bool right;        /* aligned to the right */
    unsigned least;    /* may be cut to so many columns; 0: never cut */
    unsigned rank;     /* higher ones are left out first; 0: never */
    enum kp_color color;
};

struct kp_table;

/* `columns` must outlive the table. */
struct kp_table *kp_table_create(const struct kp_table_column *columns);
void kp_table_destroy(struct kp_table *table);

/* Adds a cell; rows fill up from left to right. `text` (printable, see escape.h) is copied. */
void kp_table_add(struct kp_table *table, const char *text);

/* `width` columns of the terminal, 0 for none. */
void kp_table_print(const struct kp_table *table, FILE *file, unsigned width, bool color);

/*
 * `text` cut to `columns` with an ellipsis in the middle, in new memory. Short text is copied as it is.
 */
char *kp_cut_middle(const char *text, size_t columns);

#endif
