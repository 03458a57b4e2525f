/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_POOL_H
#define FETCH_POOL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct event_base;

/*
 * fetch_pool: one curl multi handle, its connections and its caches, run by our
 * event loop. Inside fetch and the mail sink's lanes only.
 *
 * It knows nothing of requests: it tells when an easy handle is done. A pool that
 * is retired takes no more handles; its connections go when the last one is done.
 */
struct fetch_pool;

/* The handle is done and already taken out (unless kept). Never from inside a call to curl. */
typedef void fetch_pool_done(void *arg, CURL *easy, CURLcode result);

struct fetch_pool *fetch_pool_new(struct event_base *base, fetch_pool_done *done, void *arg);
/* No handle may be inside any more. */
void fetch_pool_free(struct fetch_pool *p);

/* Handles that are done stay in until fetch_pool_remove(): those of CURLOPT_CONNECT_ONLY, whose
 * connection is used by somebody else then. */
void fetch_pool_keep_done(struct fetch_pool *p);

bool fetch_pool_add(struct fetch_pool *p, CURL *easy);
/* Not while fetch_pool_is_in_curl(): curl refuses it. */
void fetch_pool_remove(struct fetch_pool *p, CURL *easy);
/* A callback of curl is running. */
bool fetch_pool_is_in_curl(const struct fetch_pool *p);
size_t fetch_pool_count(const struct fetch_pool *p);

#endif
