/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_TROUBLE_H
#define FETCH_TROUBLE_H

#include <curl/curl.h>

#include "daemon/intake/fetch.h"
#include "daemon/intake/fetch_proxy.h"

/*
 * fetch_trouble: why there is no answer, in words, from what curl says. Inside
 * fetch only.
 */
struct fetch_trouble {
	CURL *easy;
	CURLcode code;
	const char *detail; /* curl's own words; "" */
	const char *host;
	const char *ca_file; /* NULL: the system's */
	const struct fetch_proxy *proxy;
	const char *issuer;  /* of a certificate that was refused; "": not known */
	int socket_errnum;   /* of a socket() that failed; 0 */
};

/* Fills reply's err and is_refused_tls. */
void fetch_explain(const struct fetch_trouble *t, struct fetch_reply *reply);

#endif
