/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/server.h"

/* The listener: TLS, addresses, and what the server is called in URLs. */

#define BACKLOG     4096
#define MAX_HEADERS 65536
#define MAX_BODY    (4u << 20)

static struct bufferevent *
server_make_stream(struct event_base *base, void *arg)
{
	struct server *s = arg;
	struct bufferevent *stream = bufferevent_openssl_socket_new(
	    base, -1, SSL_new(s->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

	if (stream != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

bool
server_load_tls(struct server *s, struct err *err)
{
	s->tls = SSL_CTX_new(TLS_server_method());
	if (s->tls == NULL)
		return err_set(err, ERR_CONF, "TLS: no context");
	SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(s->tls, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(s->tls, s->opt->tls_cert) != 1)
		return err_set(err, ERR_CONF, "--tls-cert %s: %s", s->opt->tls_cert,
		    ERR_reason_error_string(ERR_peek_last_error()));
	if (SSL_CTX_use_PrivateKey_file(s->tls, s->opt->tls_key, SSL_FILETYPE_PEM) != 1)
		return err_set(err, ERR_CONF, "--tls-key %s: %s", s->opt->tls_key,
		    ERR_reason_error_string(ERR_peek_last_error()));
	return true;
}

/* Out of file descriptors: the backlog holds the others for a moment. */
static void
server_on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

static void
server_on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct timeval moment = { 0, 100000 };
	struct server *s = arg;

	evconnlistener_disable(listener);
	event_base_once(s->base, -1, EV_TIMEOUT, server_on_accept_again, listener, &moment);
}

/* "127.0.0.1:8080", "[::1]:0", "localhost:0" */
static bool
resolve_listen(const char *text, struct sockaddr_storage *to, int *len, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
			*found = NULL;
	const char *colon = strrchr(text, ':');
	struct str host = { text, colon != NULL ? (size_t)(colon - text) : 0 };
	char *name;
	int wrong;

	if (colon == NULL)
		return err_set(err, ERR_CONF, "--listen %s: ADDR:PORT is wanted", text);
	if (host.n > 2 && host.s[0] == '[' && host.s[host.n - 1] == ']')
		host = (struct str){ host.s + 1, host.n - 2 };
	name = xstrndup(host.s, host.n);
	wrong = getaddrinfo(name[0] != '\0' ? name : NULL, colon + 1, &hints, &found);
	free(name);
	if (wrong != 0)
		return err_set(err, ERR_CONF, "--listen %s: %s", text, gai_strerror(wrong));
	memcpy(to, found->ai_addr, found->ai_addrlen);
	*len = (int)found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

/* What the address that was bound is called in URLs. */
static void
name_server(struct server *s, struct evconnlistener *listener)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char text[INET6_ADDRSTRLEN] = "";
	const char *scheme_end;

	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at, &len);
	if (at.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)&at;

		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		s->port = ntohs(in6->sin6_port);
		s->authority = xasprintf("[%s]:%u", text, s->port);
	} else {
		const struct sockaddr_in *in = (const void *)&at;

		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		s->port = ntohs(in->sin_port);
		s->authority = xasprintf("%s:%u", text, s->port);
	}
	s->url = s->opt->public_url != NULL
	             ? xstrdup(s->opt->public_url)
	             : xasprintf("%s://%s", s->tls != NULL ? "https" : "http", s->authority);
	scheme_end = strstr(s->url, "://");
	if (s->opt->public_url == NULL || scheme_end == NULL)
		return;
	free(s->authority);
	s->authority = xstrdup(scheme_end + 3);
}

bool
server_bind(struct server *s, struct err *err)
{
	struct sockaddr_storage to;
	struct evconnlistener *listener;
	int len = 0;

	if (!resolve_listen(s->opt->listen, &to, &len, err))
		return false;
	listener = evconnlistener_new_bind(s->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
	    (struct sockaddr *)&to, len);
	if (listener == NULL)
		return err_sys(err, ERR_CONF, errno, "--listen %s", s->opt->listen);
	if (evhttp_bind_listener(s->http, listener) == NULL) {
		evconnlistener_free(listener);
		return err_set(err, ERR_CONF, "--listen %s: no HTTP there", s->opt->listen);
	}
	evconnlistener_set_error_cb(listener, server_on_accept_error);
	name_server(s, listener);
	return true;
}

void
server_make_http(struct server *s)
{
	s->http = evhttp_new(s->base);
	evhttp_set_gencb(s->http, server_on_request, s);
	evhttp_set_timeout(s->http, (int)s->opt->keepalive);
	evhttp_set_max_headers_size(s->http, MAX_HEADERS);
	evhttp_set_max_body_size(s->http, MAX_BODY);
	evhttp_set_default_content_type(s->http, NULL);
	if (s->tls != NULL)
		evhttp_set_bevcb(s->http, server_make_stream, s);
}
