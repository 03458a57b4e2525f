/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_H
#define WEB_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

/*
 * web: an HTTP/1.1 server on loopback inside a test, that answers whatever the
 * test says, also what no server should. With or without TLS.
 */
struct web;

enum web_end { WEB_KEEP, WEB_CLOSE, WEB_RESET, WEB_HANG };

struct web_answer {
	const char *
	    head; /* status line and header fields, each with CR LF; NULL: nothing at all is sent */
	struct str body;  /* Content-Length is added for it */
	size_t promise;   /* another Content-Length, when not 0 */
	bool is_raw;      /* head and body as they are, nothing added */
	enum web_end end; /* what happens to the connection after it */
	int delay_ms;
};
/* request: head and body as they came. */
typedef void web_choose(void *arg, const char *request, struct web_answer *out);

struct web_tls; /* a key and a certificate that signs itself */
struct web_tls *
web_tls_new(const char *dns_name, int days); /* NULL: IP 127.0.0.1; days < 0: expired */
void web_tls_free(struct web_tls *tls);
/* The certificate's file, for ca_file. */
const char *web_tls_file(const struct web_tls *tls);

struct web *web_new(struct event_base *base, struct web_tls *tls, web_choose *choose, void *arg);
void web_free(struct web *w);

/* "http://127.0.0.1:port", or "https://localhost:port" and so on by the host given. */
const char *web_url(struct web *w, const char *host);
unsigned web_connections(const struct web *w); /* accepted since the start */
unsigned web_requests(const struct web *w);
unsigned web_open(const struct web *w);
const char *web_last(const struct web *w); /* the newest request */

#endif
