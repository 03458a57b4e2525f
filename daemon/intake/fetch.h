/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/env.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * fetch: HTTP(S) requests over curl's multi interface on our event loop. The
 * only module of intake that knows curl.
 *
 * It knows nothing of tenants, tokens or alerts. Redirects are never followed;
 * only http and https; https is checked against the system's authorities or
 * ca_file. Through a proxy everything goes by CONNECT; the environment's proxies
 * are not used. Bodies are asked for as gzip, except of forms, and decoded while they
 * arrive, into the memory of whoever asks; one in another encoding is an error. Every
 * handle has NOSIGNAL and QUICK_EXIT, so a hanging resolver stops nothing.
 * Connections are bounded and re-used, but not after a long silence, nor after the
 * machine slept: what was on its way then, and has no answer yet, is asked again.
 * HTTP/2 where offered, with one request at a time on a connection.
 *
 * Asynchronous: on_done comes exactly once, later; after fetch_cancel() nothing
 * comes. Callbacks run on the loop's thread and may start and cancel
 * requests, but not free the fetcher.
 */
struct fetcher;
struct fetch;
struct proxy_conf;

struct fetcher *fetcher_new(const struct engine_env *env);
void fetcher_free(struct fetcher *f); /* cancels what is left */
/* Drops idle connections, as after a reload of CA files. */
void fetcher_refresh(struct fetcher *f);

/* Of requests since the start, by how they ended. */
enum fetch_class {
	FETCH_2XX,
	FETCH_3XX,
	FETCH_4XX, /* but for 429 */
	FETCH_429,
	FETCH_5XX,
	FETCH_FAILED, /* no answer, or one that HTTP does not know */
	FETCH_CLASSES
};

struct fetch_figures {
	uint64_t answers[FETCH_CLASSES];
	uint64_t wire_bytes; /* that came, as they came */
};
const struct fetch_figures *fetcher_figures(const struct fetcher *f);

struct fetch_reply {
	int status;             /* HTTP; 0: no answer (err says why, ERR_TEMP or ERR_CONF) */
	struct err err;         /* filled when status is 0 or is_too_large */
	bool is_too_large;      /* the decoded body is larger than it may be; cut */
	bool is_refused_tls;    /* certificate or name check failed */
	int64_t retry_after_ms; /* lib/policy/retry_after.h; -1: none */
	int64_t server_date;    /* ticks of Date; TICKS_NONE */
	char content_type[64];  /* lower case, without parameters; "" */
	char request_id[64];    /* Graph's request-id; "" */
	char location[256]; /* of a redirect that was not followed: its host only, for the log */
	int64_t took_ms;
	uint64_t wire_bytes;
};

struct fetch_req {
	const char *url;    /* copied */
	const char *bearer; /* NULL: none. Never logged, wiped after use */
	const char *post;   /* form body; NULL: GET. Wiped after use */
	const char *prefer; /* Prefer header; NULL */
	const char *client_request_id;
	const char *ca_file; /* NULL: the system's */
	const struct proxy_conf *proxy; /* daemon/settings.h; copied; NULL: none */
	bool is_fresh;       /* on a new connection (after 503) */
	int64_t timeout_ms;  /* whole request */
	size_t max_body;     /* decoded bytes that on_done gets at most */
	/*
	 * Only for status 200 (of others on_done gets the first 64 KiB): asked once, when the
	 * body begins, where it shall go. What is decoded is appended there, up to that buf's
	 * max, until on_done or fetch_cancel(). NULL: on_done gets the body of every answer.
	 */
	struct buf *(*on_body)(void *arg);
	/* A piece of it as gzip, before it is decoded. NULL: not wanted so. */
	void (*on_packed)(void *arg, struct str piece);
	/* More of it is there. False stops the request (too large). */
	bool (*on_more)(void *arg);
	/* body: of an answer that on_body was not asked for; valid during the call. */
	void (*on_done)(void *arg, const struct fetch_reply *reply, struct str body);
	void *arg;
};
struct fetch *fetch_start(struct fetcher *f, const struct fetch_req *req);
void fetch_cancel(struct fetch *x);

#endif
