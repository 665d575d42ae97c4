/* The token that native peers show: one line of a file that nobody else may read. */
#ifndef KP_COLLECTOR_SERVER_TOKEN_H
#define KP_COLLECTOR_SERVER_TOKEN_H

#include <stddef.h>

/* The caller frees; NULL: `error` says why. */
char *kp_token_read(const char *path, char *error, size_t bytes);

#endif
