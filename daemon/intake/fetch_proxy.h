/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_PROXY_H
#define FETCH_PROXY_H

#include <curl/curl.h>
#include <stdbool.h>

#include "lib/base/err.h"

struct proxy_conf;

/*
 * fetch_proxy: which proxy a request goes through, and as whom. Inside fetch
 * only.
 *
 * Everything goes by CONNECT, and the headers of a request never reach the
 * proxy. The environment's proxies are never used.
 */
struct fetch_proxy {
	char *url;     /* NULL: directly */
	char *place;   /* "host:port" of it, for messages */
	char *username, *password; /* NULL: none */
	char *ca_file;
};

/*
 * What conf says about a request to host ("host" or "host:port"). Reads the
 * password (a small file). On failure out is released.
 */
bool fetch_proxy_init(struct fetch_proxy *out, const struct proxy_conf *conf, const char *host,
    struct err *err) MUST_CHECK;
void fetch_proxy_release(struct fetch_proxy *p); /* wipes the password */

/* p stays until the handle is reset. */
void fetch_proxy_setup(CURL *easy, const struct fetch_proxy *p);

/* The proxy itself said no (or nothing): why, in words. False: it was not the proxy. */
bool fetch_proxy_explain(CURL *easy, CURLcode code, const struct fetch_proxy *p, const char *host,
    struct err *err);

#endif
