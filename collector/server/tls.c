#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kp_tls_context {
    SSL_CTX *context;
    bool server;
};

struct kp_tls {
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    const struct kp_tls_ops *ops;
    void *user;
    char error[200];
};

static const char *newest_error(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "no reason given";
}

static bool load(SSL_CTX *context, bool server, const struct kp_tls_files *files, char *error, size_t bytes)
{
    const char *what = NULL, *which = "";
    if (files->certificate && SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1) {
        what = "certificate";
        which = files->certificate;
    } else if (files->key && (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
                              SSL_CTX_check_private_key(context) != 1)) {
        what = "key";
        which = files->key;
    } else if (files->authorities && SSL_CTX_load_verify_file(context, files->authorities) != 1) {
        what = "list of authorities";
        which = files->authorities;
    } else if (!server && !files->authorities && SSL_CTX_set_default_verify_paths(context) != 1) {
        what = "system's list of authorities";
    }
    if (what)
        snprintf(error, bytes, "the %s %s cannot be used: %s", what, which, newest_error());
    return !what;
}

struct kp_tls_context *kp_tls_context_create(bool server, const struct kp_tls_files *files, char *error,
                                             size_t bytes)
{
    static const unsigned char session_name[] = "kprobe";
    struct kp_tls_context *context = calloc(1, sizeof *context);
    ERR_clear_error();
    SSL_CTX *ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!context || !ssl || SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) {
        snprintf(error, bytes, "TLS cannot be used: %s", newest_error());
    } else if (load(ssl, server, files, error, bytes)) {
        int mode = !server ? SSL_VERIFY_PEER
                   : files->authorities
                       ? SSL_VERIFY_PEER | (files->client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
                       : SSL_VERIFY_NONE;
        SSL_CTX_set_verify(ssl, mode, NULL);
        SSL_CTX_set_session_id_context(ssl, session_name, sizeof session_name - 1);
        SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        context->context = ssl;
        context->server = server;
        return context;
    }
    SSL_CTX_free(ssl);
    free(context);
    return NULL;
}

void kp_tls_context_destroy(struct kp_tls_context *context)
{
    if (context)
        SSL_CTX_free(context->context);
    free(context);
}

static bool check_name(SSL *ssl, const char *host)
{
    struct in6_addr ip;
    if (inet_pton(AF_INET, host, &ip) == 1 || inet_pton(AF_INET6, host, &ip) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct kp_tls *kp_tls_create(struct kp_tls_context *context, const char *host, const struct kp_tls_ops *ops,
                             void *user)
{
    struct kp_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->ops = ops;
    tls->user = user;
    tls->ssl = SSL_new(context->context);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    if (context->server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    if (host && !check_name(tls->ssl, host)) {
        kp_tls_destroy(tls);
        return NULL;
    }
    return tls;
}

static void send_sealed(struct kp_tls *tls)
{
    char *bytes;
    long count = BIO_get_mem_data(tls->out, &bytes);
    if (count <= 0)
        return;
    tls->ops->sealed(tls->user, (const uint8_t *)bytes, (size_t)count);
    (void)BIO_reset(tls->out);
}

/* Whether the result of an SSL function only means that more bytes are needed. */
static bool is_fine(struct kp_tls *tls, int result)
{
    int why = SSL_get_error(tls->ssl, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_ZERO_RETURN)
        return true;
    long verdict = SSL_get_verify_result(tls->ssl);
    if (verdict != X509_V_OK)
        snprintf(tls->error, sizeof tls->error, "TLS: %s", X509_verify_cert_error_string(verdict));
    else
        snprintf(tls->error, sizeof tls->error, "TLS: %s", newest_error());
    return false;
}

static bool handshake(struct kp_tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    bool fine = result == 1 || is_fine(tls, result);
    send_sealed(tls); /* an alert, too */
    return fine;
}

bool kp_tls_start(struct kp_tls *tls)
{
    return handshake(tls);
}

static bool read_plain(struct kp_tls *tls, const bool *stop)
{
    uint8_t plain[16384];
    while (!*stop) {
        ERR_clear_error();
        int result = SSL_read(tls->ssl, plain, sizeof plain);
        if (result <= 0) {
            bool fine = is_fine(tls, result);
            send_sealed(tls);
            return fine;
        }
        tls->ops->plain(tls->user, plain, (size_t)result);
    }
    return true;
}

bool kp_tls_feed(struct kp_tls *tls, const uint8_t *bytes, size_t count, const bool *stop)
{
    if (BIO_write(tls->in, bytes, (int)count) != (int)count) {
        snprintf(tls->error, sizeof tls->error, "TLS: no memory");
        return false;
    }
    if (!SSL_is_init_finished(tls->ssl) && !handshake(tls))
        return false;
    return !SSL_is_init_finished(tls->ssl) || read_plain(tls, stop);
}

bool kp_tls_write(struct kp_tls *tls, const void *bytes, size_t count)
{
    ERR_clear_error();
    int result = count ? SSL_write(tls->ssl, bytes, (int)count) : 1;
    bool fine = result > 0 || is_fine(tls, result);
    send_sealed(tls);
    return fine;
}

void kp_tls_end(struct kp_tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl);
    send_sealed(tls);
}

bool kp_tls_is_open(const struct kp_tls *tls)
{
    return SSL_is_init_finished(tls->ssl);
}

bool kp_tls_is_over(const struct kp_tls *tls)
{
    return (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool kp_tls_is_certified(const struct kp_tls *tls)
{
    X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
    bool good = certificate && SSL_get_verify_result(tls->ssl) == X509_V_OK;
    X509_free(certificate);
    return good;
}

const char *kp_tls_error(const struct kp_tls *tls)
{
    return tls->error;
}

void kp_tls_destroy(struct kp_tls *tls)
{
    if (tls)
        SSL_free(tls->ssl);
    free(tls);
}
