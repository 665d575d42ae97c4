/* The environment as options and rules. */
#ifndef KP_SHIM_CONFIG_H
#define KP_SHIM_CONFIG_H

#include <stdbool.h>

#include "trace/options.h"
#include "trace/pattern.h"

/*
 * Read all KPROBE_* variables. An unknown one is a warning; a bad value is an error and false: better no
 * trace than one that is not what was asked for. Also configures the log.
 */
bool kp_config_read(struct kp_options *options, struct kp_rules *rules);

/* Compile the filter file and KPROBE_FILTER anew. False: one of them is wrong (said), *rules is unchanged. */
bool kp_config_rules(const struct kp_options *options, struct kp_rules *rules);

/* Modification time of the filter file in ns; 0 when there is none. */
unsigned long long kp_config_filter_time(const struct kp_options *options);

#endif
