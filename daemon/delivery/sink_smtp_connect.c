/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_lane_parts.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/secret.h"
#include "lib/base/alloc.h"

#define DNS_CACHE_SEC 60
#define UNREACHED_MS  1000000 /* curl's own timeouts: ours come first */

/* ---- sockets ---------------------------------------------------------------------- */

void
connect_cut(struct lane *l)
{
	for (size_t i = 0; i < l->nsockets; i++)
		(void)shutdown(l->sockets[i], SHUT_RDWR);
}

static curl_socket_t
lane_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct lane *l = arg;
	int fd = l->nsockets < LANE_SOCKETS ?
	    socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol) : -1;

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	l->sockets[l->nsockets++] = fd;
	return fd;
}

static int
lane_on_close(void *arg, curl_socket_t fd)
{
	struct lane *l = arg;

	for (size_t i = 0; i < l->nsockets; i++) {
		if (l->sockets[i] == fd)
			l->sockets[i] = l->sockets[--l->nsockets];
	}
	return close(fd);
}

/* ---- what curl says ------------------------------------------------------------------ */

static const struct {
	const char *verb;
	enum lane_phase phase;
} verbs[] = {
	{ "EHLO", PHASE_HELLO }, { "HELO", PHASE_HELLO }, { "STARTTLS", PHASE_STARTTLS },
	{ "AUTH", PHASE_AUTH }, { "NOOP", PHASE_NOOP }, { "MAIL", PHASE_MAIL }, { "RCPT", PHASE_RCPT },
	{ "DATA", PHASE_DATA }, { "RSET", PHASE_RSET }, { "QUIT", PHASE_QUIT },
};

/*
 * After 334 it is a secret, and not a command. curl waits for the answer to QUIT,
 * and the loop with it: so nobody is left to answer. The place where things went
 * wrong is not QUIT.
 */
static void
note_command(struct lane *l, struct str line)
{
	if (l->phase == PHASE_AUTH && l->reply == 334)
		return;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!str_starts(line, verbs[i].verb))
			continue;
		if (verbs[i].phase == PHASE_QUIT)
			connect_cut(l);
		else
			l->phase = verbs[i].phase;
		return;
	}
}

static int
lane_on_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
	(void)easy;
	if (type == CURLINFO_HEADER_OUT)
		note_command(arg, (struct str){ p, n });
	return 0;
}

static void
keep_text(struct lane *l, const char *p, size_t n)
{
	if (l->text.n > 0)
		buf_byte(&l->text, ' ');
	for (size_t i = 0; i < n; i++)
		buf_byte(&l->text, p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '?');
}

void
connect_note_reply(struct lane *l, const char *p, size_t n)
{
	unsigned code = 0;
	size_t skip;

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (l->is_reply_over)
		buf_clear(&l->text);
	for (size_t i = 0; i < 3 && i < n && p[i] >= '0' && p[i] <= '9'; i++)
		code = code * 10 + (unsigned)(p[i] - '0');
	l->is_reply_over = n < 4 || p[3] != '-';
	l->reply = code;
	l->replies += l->is_reply_over;
	skip = l->text.n > 0 && n >= 4 ? 4 : 0;
	keep_text(l, p + skip, n - skip);
}

static size_t
lane_on_reply(char *p, size_t size, size_t n, void *arg)
{
	connect_note_reply(arg, p, n * size);
	return n * size;
}

/* curl hands the text of replies here as well. */
static size_t
lane_on_body(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return n * size;
}

/* ---- setting up ------------------------------------------------------------------------- */

static void
set_server(struct lane *l)
{
	const struct lane_opts *o = l->opts;
	CURL *e = l->easy;

	(void)curl_easy_setopt(e, CURLOPT_URL, l->url);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	if (l->connect_to != NULL)
		(void)curl_easy_setopt(e, CURLOPT_CONNECT_TO, l->connect_to);
	/* Without these two a resolver that hangs would hold the loop. */
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_SEC);
	(void)curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)UNREACHED_MS);
	(void)curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)UNREACHED_MS / 1000);
}

static void
set_callbacks(struct lane *l)
{
	CURL *e = l->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, l);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->detail);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, lane_on_open);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, l);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, lane_on_close);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, l);
	(void)curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, lane_on_debug);
	(void)curl_easy_setopt(e, CURLOPT_DEBUGDATA, l);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, lane_on_reply);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, l);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, lane_on_body);
}

static bool
set_client_key(struct lane *l, struct err *err)
{
	const struct tls_opts *t = l->opts->tls;
	char *key;

	if (t->certificate_file == NULL)
		return true;
	/* curl reads it by itself, whoever else may. */
	key = secret_check(t->key_file.v[0], err) ? secret_path(t->key_file.v[0], err) : NULL;
	if (key == NULL)
		return err_wrap(err, "tls: key_file");
	(void)curl_easy_setopt(l->easy, CURLOPT_SSLCERT, t->certificate_file);
	(void)curl_easy_setopt(l->easy, CURLOPT_SSLKEY, key);
	free(key);
	return true;
}

static bool
has_ca_bundle(void)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	return v->cainfo != NULL && access(v->cainfo, R_OK) == 0;
}

static bool
set_tls(struct lane *l, struct err *err)
{
	const struct lane_opts *o = l->opts;
	bool has_tls = o->is_implicit_tls || o->mode == LANE_TLS_STARTTLS;
	CURL *e = l->easy;

	(void)curl_easy_setopt(e, CURLOPT_USE_SSL, (long)(has_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	(void)curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)(o->tls->min_version == TLS_VERSION_1_3 ?
	    CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, (long)o->tls->verify);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, o->tls->verify ? 2L : 0L);
	if (o->tls->ca_file != NULL)
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, o->tls->ca_file);
	/* With its directory too, curl would read all authorities for each connection. */
	if (o->tls->ca_file != NULL || has_ca_bundle())
		(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	return set_client_key(l, err);
}

static bool
set_credentials(struct lane *l, struct err *err)
{
	const struct lane_opts *o = l->opts;
	bool is_token = o->token_file != NULL;
	struct buf secret = BUF_INIT(SECRET_MAX);
	bool ok;

	if (o->username == NULL)
		return true;
	ok = secret_read(is_token ? o->token_file : o->password_file, &secret, err);
	if (ok) {
		(void)curl_easy_setopt(l->easy, CURLOPT_USERNAME, o->username);
		(void)curl_easy_setopt(l->easy, CURLOPT_LOGIN_OPTIONS, o->login_options);
		(void)curl_easy_setopt(l->easy, is_token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
		    secret.p);
	} else {
		(void)err_wrap(err, "%s", is_token ? "oauth_token_file" : "password_file");
	}
	buf_wipe(&secret);
	return ok;
}

/* A reset would leave a copy of what was set before. */
void
connect_forget(struct lane *l)
{
	curl_easy_cleanup(l->easy);
	l->easy = curl_easy_init();
	BUG_IF(l->easy == NULL);
}

bool
connect_set_up(struct lane *l, struct err *err)
{
	set_server(l);
	set_callbacks(l);
	return set_tls(l, err) && set_credentials(l, err);
}

/* The name in the URL is the one that the certificate must have; where to connect may be another. */
void
connect_write_url(struct lane *l)
{
	const struct lane_opts *o = l->opts;
	const char *open = o->is_ipv6 ? "[" : "", *close_ = o->is_ipv6 ? "]" : "";
	const char *name = o->tls->server_name;
	char *to;

	l->url = name != NULL ?
	    xasprintf("%s://%s:%u/%s", o->is_implicit_tls ? "smtps" : "smtp", name, o->port,
	    o->helo != NULL ? o->helo : "") :
	    xasprintf("%s://%s%s%s:%u/%s", o->is_implicit_tls ? "smtps" : "smtp", open, o->host, close_,
	    o->port, o->helo != NULL ? o->helo : "");
	if (name == NULL)
		return;
	to = xasprintf("::%s%s%s:%u", open, o->host, close_, o->port);
	l->connect_to = curl_slist_append(NULL, to);
	free(to);
}
