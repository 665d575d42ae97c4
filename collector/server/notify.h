/* Words to systemd, by a datagram to $NOTIFY_SOCKET (sd_notify(3)); nothing without it. */
#ifndef KP_COLLECTOR_SERVER_NOTIFY_H
#define KP_COLLECTOR_SERVER_NOTIFY_H

void kp_notify(const char *state);

#endif
