/*
 * Old traces and logs of the output folder go: --keep-files, --keep-bytes, --keep-age. The folder itself says
 * what there is, so this holds over any number of servers.
 */
#ifndef KP_COLLECTOR_SERVER_RETENTION_H
#define KP_COLLECTOR_SERVER_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* Names of our Kieker logs. */
#define KP_LOG_BEGIN  "kieker-"
#define KP_LOG_ENDING "-kprobe"

enum { KP_TIDY_MS = 2000 }; /* how often */

/*
 * Nothing when nothing is to be kept back. Removes the oldest files ending in one of `endings` (NULL behind
 * the last), in `folder` and, if `deep`, in the folders in it; an emptied one goes, too. `is_busy`: files
 * that are being written. Returns how many went.
 */
uint64_t kp_retention_apply(const struct kp_serve_settings *settings, const char *folder, bool deep,
                            const char *const *endings, bool (*is_busy)(void *user, const char *path),
                            void *user);

#endif
