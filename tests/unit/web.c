/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/web.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"

struct web_tls {
	SSL_CTX *ctx;
	char path[32];
};

struct web_peer {
	TAILQ_ENTRY(web_peer) link;
	struct web *web;
	struct bufferevent *bev;
	struct event *later;
	struct web_answer answer;
	bool is_busy;
};

struct web {
	struct event_base *base;
	struct web_tls *tls;
	web_choose *choose;
	void *arg;
	struct evconnlistener *listener;
	TAILQ_HEAD(, web_peer) peers;
	unsigned connections, requests, open, port;
	char url[128];
	char last[128 * 1024];
};

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ck_assert_ptr_nonnull(e);
	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

static X509 *
make_certificate(EVP_PKEY *key, const char *dns_name, int days)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	char san[128];

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -(long)86400 * 30);
	X509_gmtime_adj(X509_getm_notAfter(cert), (long)86400 * days);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"web", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	(void)snprintf(san, sizeof(san), dns_name != NULL ? "DNS:%s" : "IP:127.0.0.1", dns_name);
	add_extension(cert, NID_subject_alt_name, san);
	add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
	ck_assert_int_ne(X509_sign(cert, key, EVP_sha256()), 0);
	return cert;
}

struct web_tls *
web_tls_new(const char *dns_name, int days)
{
	struct web_tls *tls = xcalloc(1, sizeof(*tls));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key, dns_name, days);
	FILE *f;

	memcpy(tls->path, "/tmp/check_web.XXXXXX", sizeof("/tmp/check_web.XXXXXX"));
	f = fdopen(mkstemp(tls->path), "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_X509(f, cert), 1);
	ck_assert_int_eq(fclose(f), 0);
	tls->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(tls->ctx, cert);
	SSL_CTX_use_PrivateKey(tls->ctx, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	return tls;
}

void
web_tls_free(struct web_tls *tls)
{
	if (tls == NULL)
		return;
	(void)unlink(tls->path);
	SSL_CTX_free(tls->ctx);
	free(tls);
}

const char *
web_tls_file(const struct web_tls *tls)
{
	return tls->path;
}

static void
peer_free(struct web_peer *p)
{
	TAILQ_REMOVE(&p->web->peers, p, link);
	p->web->open--;
	event_free(p->later);
	bufferevent_free(p->bev);
	free(p);
}

static void
peer_reset(struct web_peer *p)
{
	struct linger at_once = { .l_onoff = 1 };

	(void)setsockopt(
	    bufferevent_getfd(p->bev), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	peer_free(p);
}

static void
peer_on_written(struct bufferevent *bev, void *arg)
{
	struct web_peer *p = arg;

	(void)bev;
	if (!p->is_busy)
		return;
	p->is_busy = p->answer.end == WEB_HANG;
	if (p->answer.end == WEB_CLOSE)
		peer_free(p);
	else if (p->answer.end == WEB_RESET)
		peer_reset(p);
}

static void
peer_on_delay(evutil_socket_t fd, short what, void *arg)
{
	struct web_peer *p = arg;
	struct web_answer *a = &p->answer;
	struct evbuffer *out = bufferevent_get_output(p->bev);

	(void)fd;
	(void)what;
	if (a->head == NULL) {
		peer_on_written(p->bev, p);
		return;
	}
	evbuffer_add(out, a->head, strlen(a->head));
	if (!a->is_raw)
		evbuffer_add_printf(
		    out, "Content-Length: %zu\r\n\r\n", a->promise != 0 ? a->promise : a->body.n);
	evbuffer_add(out, a->body.s, a->body.n);
}

/* Length of the whole request at the start of p, or 0. */
static size_t
request_length(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4), *length;
	size_t want;

	if (end == NULL)
		return 0;
	want = (size_t)(end - p) + 4;
	length = memmem(p, want, "Content-Length: ", 16);
	if (length != NULL)
		want += strtoul(length + 16, NULL, 10);
	return want <= n ? want : 0;
}

static void
peer_on_read(struct bufferevent *bev, void *arg)
{
	struct web_peer *p = arg;
	struct web *w = p->web;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = request_length((const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in));
	struct timeval delay;

	if (n == 0 || p->is_busy)
		return;
	ck_assert_uint_lt(n, sizeof(w->last));
	evbuffer_remove(in, w->last, n);
	w->last[n] = '\0';
	w->requests++;
	p->is_busy = true;
	p->answer = (struct web_answer){ .head = "HTTP/1.1 404 Not Found\r\n", .body = STR("") };
	w->choose(w->arg, w->last, &p->answer);
	delay = (struct timeval){ p->answer.delay_ms / 1000, p->answer.delay_ms % 1000 * 1000 };
	evtimer_add(p->later, &delay);
}

static void
peer_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		peer_free(arg);
}

static void
web_on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct web *w = arg;
	struct web_peer *p = xcalloc(1, sizeof(*p));

	(void)l;
	(void)sa;
	(void)n;
	p->web = w;
	w->connections++;
	w->open++;
	TAILQ_INSERT_TAIL(&w->peers, p, link);
	p->later = evtimer_new(w->base, peer_on_delay, p);
	p->bev = w->tls == NULL ? bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE)
	                        : bufferevent_openssl_socket_new(w->base, fd, SSL_new(w->tls->ctx),
				      BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(p->bev, peer_on_read, peer_on_written, peer_on_event, p);
	bufferevent_enable(p->bev, EV_READ | EV_WRITE);
}

struct web *
web_new(struct event_base *base, struct web_tls *tls, web_choose *choose, void *arg)
{
	struct web *w = xcalloc(1, sizeof(*w));
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t n = sizeof(sin);

	w->base = base;
	w->tls = tls;
	w->choose = choose;
	w->arg = arg;
	TAILQ_INIT(&w->peers);
	w->listener = evconnlistener_new_bind(base, web_on_accept, w,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 512, (struct sockaddr *)&sin,
	    sizeof(sin));
	ck_assert_ptr_nonnull(w->listener);
	ck_assert_int_eq(
	    getsockname(evconnlistener_get_fd(w->listener), (struct sockaddr *)&sin, &n), 0);
	w->port = ntohs(sin.sin_port);
	return w;
}

void
web_free(struct web *w)
{
	if (w == NULL)
		return;
	while (!TAILQ_EMPTY(&w->peers))
		peer_free(TAILQ_FIRST(&w->peers));
	evconnlistener_free(w->listener);
	free(w);
}

const char *
web_url(struct web *w, const char *host)
{
	(void)snprintf(
	    w->url, sizeof(w->url), "%s://%s:%u", w->tls != NULL ? "https" : "http", host, w->port);
	return w->url;
}

unsigned
web_connections(const struct web *w)
{
	return w->connections;
}

unsigned
web_requests(const struct web *w)
{
	return w->requests;
}

unsigned
web_open(const struct web *w)
{
	return w->open;
}

const char *
web_last(const struct web *w)
{
	return w->last;
}
