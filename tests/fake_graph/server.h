/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_SERVER_H
#define FAKE_GRAPH_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/http.h>

#include "lib/base/err.h"
#include "tests/fake_graph/assertion.h"
#include "tests/fake_graph/faults.h"
#include "tests/fake_graph/gzip.h"
#include "tests/fake_graph/options.h"
#include "tests/fake_graph/query.h"
#include "tests/fake_graph/raw.h"
#include "tests/fake_graph/story.h"
#include "tests/fake_graph/token.h"
#include "tests/fake_graph/truth.h"
#include "tests/fake_graph/world.h"

/*
 * server: the listener, and the way of a request to entra, graph or control.
 *
 * Everything happens on one event loop. A request becomes a struct ask, which
 * lives until it is answered; faults that delay it keep it in server.asks.
 */
struct ssl_ctx_st;
struct ask;
struct bend;

#define MAX_STRAYS 32

struct server {
	const struct options *opt;
	struct event_base *base;
	struct evhttp *http;
	struct ssl_ctx_st *tls;
	struct event *tick, *sigint, *sigterm, *report;
	char *url;       /* scheme://host:port */
	char *authority; /* host:port */
	uint16_t port;
	unsigned char key[TOKEN_KEY];
	int64_t start_ms;
	struct assertions assertions;
	struct world world;
	struct story story;
	struct truth *truth;
	struct faults faults;
	struct policy *policies; /* one a tenant */
	struct gzip_cache *gzip;
	struct raw_set raws;
	struct ask *asks; /* those that wait */
	struct rng rng;   /* request ids and whatever is random on the wire */
	uint64_t requests;
	uint64_t nstrays; /* bearer tokens at places that must not see them */
	char *strays[MAX_STRAYS];
};

struct ask {
	struct server *server;
	struct evhttp_request *req;
	struct tenant *tenant; /* or NULL */
	char *path;            /* without the query */

	struct str query; /* as it came */
	struct fault_plan plan;
	void (*go_on)(struct ask *a); /* after the delay */
	struct event *timer;
	struct ask *next, **at; /* in server.asks */
	char request_id[37];
};

bool server_init(struct server *s, const struct options *opt, struct err *err) MUST_CHECK;
/* Listens, and hears signals; s->url and s->port are known then. */
bool server_listen(struct server *s, struct err *err) MUST_CHECK;
/* Until SIGINT or SIGTERM. */
void server_run(struct server *s);
void server_release(struct server *s);

/* The steps of server_init and server_listen: setup.c, listen.c. */
bool server_set_up(struct server *s, struct err *err) MUST_CHECK;
bool server_load_tls(struct server *s, struct err *err) MUST_CHECK;
void server_make_http(struct server *s);
bool server_bind(struct server *s, struct err *err) MUST_CHECK;
/* evhttp's callback; arg is the server. */
void server_on_request(struct evhttp_request *req, void *arg);

/* Plans the faults of a request, then calls go_on, at once or after their latency. */
void ask_plan(struct ask *a, enum fault_scope scope, void (*go_on)(struct ask *a));
/* The request is answered or gone: frees a. */
void ask_done(struct ask *a);

/* The places a request can come to, and control.h; each answers and ends the ask. */
void entra_ask(struct ask *a, struct str tenant);
void graph_ask(struct ask *a);
void mde_ask(struct ask *a);
/* Whose token it is; without a good one the ask is answered, and that is false. */
bool ask_authenticate(struct ask *a, struct token_claims *c);
/* What its faults do to a page; link and tenant_id hold what bend points to. */
void ask_bend(struct bend *bend, struct buf *link, struct buf *tenant_id, const struct ask *a);
/* The index of a tenant by index, GUID or name, or 0; arg is the server. */
unsigned server_resolve_tenant(struct str who, void *arg);
/* "TENANT:paging=skip", "*:orderby=ignore" */
bool server_set_policy(struct server *s, const char *text, struct err *err) MUST_CHECK;
/* A token was sent where it has no business. */
void server_note_stray(struct server *s, const struct ask *a);

#endif
