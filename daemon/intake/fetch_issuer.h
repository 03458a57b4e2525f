/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_ISSUER_H
#define FETCH_ISSUER_H

#include <curl/curl.h>

/*
 * fetch_issuer: who issued a certificate that is refused, which curl does not
 * tell: where a network inspects TLS, that is the name to look for. Inside fetch
 * only. Says nothing where curl was built with another TLS library.
 */
#define FETCH_ISSUER_MAX 200

/* issuer, "" until then, stays until the handle is reset and its connection has been made. */
void fetch_issuer_watch(CURL *easy, char issuer[FETCH_ISSUER_MAX]);

#endif
