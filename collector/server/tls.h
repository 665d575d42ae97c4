/*
 * TLS between the bytes of a connection and what they say, by OpenSSL over memory: no file descriptor, no
 * event loop in here. TLS 1.2 at least.
 */
#ifndef KP_COLLECTOR_SERVER_TLS_H
#define KP_COLLECTOR_SERVER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_tls_files {
    const char *certificate, *key; /* PEM; a server needs them, a client may have them */
    const char *authorities; /* PEM: those of the other side; NULL: clients are not asked, servers are checked
                                by those of the system */
    bool client_required;    /* server: peers without a certificate are refused */
};

struct kp_tls_context;

/* NULL, and `error` says why. */
struct kp_tls_context *kp_tls_context_create(bool server, const struct kp_tls_files *files, char *error,
                                             size_t bytes);
void kp_tls_context_destroy(struct kp_tls_context *context);

struct kp_tls;

struct kp_tls_ops {
    void (*plain)(void *user, const uint8_t *bytes, size_t count);
    void (*sealed)(void *user, const uint8_t *bytes, size_t count); /* to be sent */
};

/* `host`: the name that the server's certificate must have (client); NULL for a server. NULL: no memory. */
struct kp_tls *kp_tls_create(struct kp_tls_context *context, const char *host, const struct kp_tls_ops *ops,
                             void *user);
/* Bytes that came. False: the connection is to be dropped, kp_tls_error says why. An op may set *stop, to
 * which `stop` points, so that nothing more is handed out. */
bool kp_tls_feed(struct kp_tls *tls, const uint8_t *bytes, size_t count, const bool *stop);
/* A client's first words. */
bool kp_tls_start(struct kp_tls *tls);
bool kp_tls_write(struct kp_tls *tls, const void *bytes, size_t count);
/* Says good bye. */
void kp_tls_end(struct kp_tls *tls);
bool kp_tls_is_open(const struct kp_tls *tls);
/* The other side said good bye. */
bool kp_tls_is_over(const struct kp_tls *tls);
/* Whether the other side showed a certificate, and it is good. */
bool kp_tls_is_certified(const struct kp_tls *tls);
const char *kp_tls_error(const struct kp_tls *tls);
void kp_tls_destroy(struct kp_tls *tls);

#endif
