/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "lib/base/err.h"
#include "lib/config/option.h"

/*
 * tls: the client's side of TLS for sinks: its options, contexts and sessions
 * made from them, and what went wrong in words that say what to do.
 *
 * It knows nothing of sockets and of the loop. Making a context reads files and
 * blocks for that long; everything else does not block.
 */
enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

struct tls_opts {
	char *ca_file;          /* NULL: the system's authorities */
	char *certificate_file; /* ours, with its chain; NULL: none */
	struct conf_list key_file;
	bool verify;
	char *server_name;      /* NULL: the host's name */
	int min_version;        /* enum tls_version */
};

extern const struct conf_opt tls_options[];

/* Checks what one option alone cannot show. */
bool tls_check(const struct tls_opts *opts, struct err *err) MUST_CHECK;

/* NULL and ERR_CONF when a file cannot be used; the error names it. */
SSL_CTX *tls_context_new(const struct tls_opts *opts, struct err *err);

/* A client's session that checks host, or opts->server_name where that is set. */
SSL *tls_session_new(SSL_CTX *ctx, const struct tls_opts *opts, const char *host, struct err *err);

/*
 * Why a session failed: our check of the peer, the peer's alert, or else.
 * code: the first error of OpenSSL's, 0 when there is none. True: the far side
 * refuses us, or we it: nothing that a retry alone will cure.
 */
bool tls_explain(const SSL *ssl, const struct tls_opts *opts, const char *host, unsigned long code,
    struct err *err);

#endif
