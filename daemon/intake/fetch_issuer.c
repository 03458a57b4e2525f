/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_issuer.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/base/str.h"

/* Control characters and quotes would break a line of the log. */
static void
copy_name(X509_NAME *name, char out[FETCH_ISSUER_MAX])
{
	int n = X509_NAME_get_text_by_NID(name, NID_commonName, out, FETCH_ISSUER_MAX);

	if (n < 0)
		n = X509_NAME_get_text_by_NID(name, NID_organizationName, out, FETCH_ISSUER_MAX);
	if (n < 0)
		out[0] = '\0';
	for (char *p = out; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == '"' || *p == 0x7f)
			*p = '?';
	}
}

static int
on_verify(int is_good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	char *issuer = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!is_good && cert != NULL && issuer != NULL && issuer[0] == '\0')
		copy_name(X509_get_issuer_name(cert), issuer);
	return is_good;
}

/* A second handshake on a connection could come when the request is gone. */
static CURLcode
on_context(CURL *easy, void *ssl_ctx, void *issuer)
{
	SSL_CTX *ctx = ssl_ctx;

	(void)easy;
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_app_data(ctx, issuer);
	SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), on_verify);
	return CURLE_OK;
}

void
fetch_issuer_watch(CURL *easy, char issuer[FETCH_ISSUER_MAX])
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	if (v->ssl_version == NULL || !str_starts(str_of(v->ssl_version), "OpenSSL/"))
		return;
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, issuer);
}
