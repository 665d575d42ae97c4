/* What a server tells of itself. */
#ifndef KP_COLLECTOR_SERVER_STATUS_H
#define KP_COLLECTOR_SERVER_STATUS_H

#include <stdio.h>

#include "server.h"

void kp_server_status_text(const struct kp_server *server, FILE *file);
void kp_server_status_json(const struct kp_server *server, FILE *file);
void kp_server_status_prometheus(const struct kp_server *server, FILE *file);

#endif
