/*
 * Exporters: one row each in exporters.c, found by name; one file each. An exporter is a sink of the call
 * tree that writes a file format; it never sees bytes of the trace.
 */
#ifndef KP_COLLECTOR_EXPORT_EXPORTER_H
#define KP_COLLECTOR_EXPORT_EXPORTER_H

#include <stdbool.h>
#include <stdio.h>

#include "c_functions.h"
#include "model/calltree.h"
#include "trace/reader.h"

/* What `convert` was asked for beyond the format; each exporter uses what concerns it. */
struct kp_export_options {
    bool weight_calls;                  /* collapsed: weigh stacks by calls, not by own time */
    struct kp_c_functions *c_functions; /* what tells raw values as arguments; NULL: nothing does */
    const char *command;                /* for messages */
    const char *folder;                 /* of exporters that make one */
    const char *application;            /* Kieker: the name of the application; NULL: none */
    const char *compression;            /* Kieker: of data files, a row of compression.h; NULL: none */
    bool executions;                    /* Kieker: a record per call */
    uint64_t records_per_file, bytes_per_file, records_per_trace; /* Kieker; 0: no limit */
};

struct kp_exporter {
    const char *name;
    const char *summary;                 /* for help: the format and who reads it */
    const struct kp_calltree_ops *calls; /* NULL: items say all it needs */
    bool folder;                         /* writes into options->folder, not to a file */
    /* A new export to `file` (NULL for those that write into a folder), which stays the caller's. NULL: the
     * folder cannot be written, which was said. */
    void *(*create)(FILE *file, const struct kp_export_options *options);
    /* Any item, before the call tree takes it; NULL: not needed. */
    void (*item)(void *export, const struct kp_item *item);
    /* Everything was fed: writes what is left. False: the folder could not be written, which was said. */
    bool (*finish)(void *export);
    void (*destroy)(void *export);
};

extern const struct kp_exporter *const kp_exporters[]; /* ends with NULL */

/* The row with that name, or NULL. */
const struct kp_exporter *kp_exporter_find(const char *name);

extern const struct kp_exporter kp_exporter_chrome, kp_exporter_collapsed, kp_exporter_csv,
    kp_exporter_kieker, kp_exporter_kieker_binary;

/* The names of all rows, for the choices of --type. Must agree with the table; a test holds them together. */
#define KP_EXPORTER_CHOICES "chrome|collapsed|csv|kieker|kieker-binary"

#endif
