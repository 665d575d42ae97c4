/* The options of a recording: those given and those of the environment, checked before anything starts. */
#ifndef KP_COLLECTOR_RECORD_OPTIONS_H
#define KP_COLLECTOR_RECORD_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "trace/options.h"
#include "trace/pattern.h"

struct kp_record_options {
    const char *const *given;   /* by enum kp_option; NULL: not given */
    struct kp_options options;  /* as the program will see them */
    char output[2 * PATH_MAX];  /* absolute, with its scheme */
    char filter_file[PATH_MAX]; /* absolute, "" for none */
    char token_file[PATH_MAX];  /* the same */
    char spool[PATH_MAX];
    char log_file[PATH_MAX];
};

/*
 * Checks given values and KPROBE_ variables, rules included. False: `error` holds the sentence. Variables
 * that nobody knows are warned about on standard error. `given` must outlive `record`, which must not move.
 */
bool kp_record_options_check(struct kp_record_options *record, const char *const *given, char *error,
                             size_t error_bytes);

/* The KPROBE_ variables of the environment alone, as the shim reads them. False with the sentence. */
bool kp_record_environment_check(struct kp_options *options, char *error, size_t error_bytes);

/*
 * The rules of filter_file and filter compile. `given` as above, for the names in an error, or NULL. Rules
 * that were loaded are to be freed by kp_rules_fini, also after a failure.
 */
bool kp_record_rules_load(struct kp_rules *rules, const struct kp_options *options, const char *const *given,
                          char *error, size_t error_bytes);
bool kp_record_rules_check(const struct kp_options *options, const char *const *given, char *error,
                           size_t error_bytes);

/* Calls `unknown` with each KPROBE_ variable that is no option. */
void kp_record_environment_unknown(void (*unknown)(void *user, const char *variable), void *user);

/* Sets the variables for the child. 0, or -1 with errno. */
int kp_record_options_export(const struct kp_record_options *record);

#endif
