/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_SETUP_H
#define FETCH_SETUP_H

#include <curl/curl.h>

#include "daemon/intake/fetch.h"

/*
 * fetch_setup: what is asked of curl for each request, and what is not let
 * through to it. Inside fetch only.
 */
struct fetch_home {
	bool has_ca_bundle; /* the system's authorities come as one file */
	char user_agent[64];
};
void fetch_home_init(struct fetch_home *h);

/*
 * The URL is http or https, and nothing in the headers could begin another.
 * *host, from malloc, also on failure: "host" or "host:port" for messages, "?"
 * where there is none.
 */
bool fetch_check(const struct fetch_req *req, char **host, struct err *err) MUST_CHECK;

/* Everything but the callbacks. req's strings and headers stay until the handle is reset. */
void fetch_setup(CURL *easy, const struct fetch_req *req, struct curl_slist *headers,
    const struct fetch_home *home);

#endif
