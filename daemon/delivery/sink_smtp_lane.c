#include "daemon/delivery/sink_smtp_lane.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/intake/fetch_pool.h"
#include "daemon/secret.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

#define REPLY_MAX     300 /* bytes of a server's reply that are kept */
#define SOCKETS_MAX   8   /* that curl tries at a time, for a name with many addresses */
#define IDLE_SEC      60  /* a connection that was idle for longer is not used again */
#define LIFE_SEC      3600
#define DNS_CACHE_SEC 60
#define UNREACHED_MS  1000000 /* curl's own timeouts: ours come first */

struct lane {
	const struct engine_env *env;
	const struct lane_opts *opts;
	lane_end_cb *cb;
	void *arg;
	struct fetch_pool *pool;
	CURL *easy;
	char *url;
	struct curl_slist *connect_to, *rcpt;
	int sockets[SOCKETS_MAX];
	size_t nsockets;
	struct timer timeout;

	/* Of the mail that is under way: */
	bool is_busy, is_probe, was_tried; /* was_tried: on a connection that was gone */
	const char *from, *to;
	struct str message;
	size_t sent;
	enum lane_phase phase;
	unsigned reply;
	unsigned replies;
	bool is_reply_over; /* the next line begins another */
	struct buf text;    /* of the last reply */
	char detail[CURL_ERROR_SIZE];
};

/* ---- what an end means --------------------------------------------------------- */

/* RFC 4954: authentication is required, refused, or needs more than it got. */
static bool
is_about_us(unsigned reply)
{
	return reply == 530 || reply == 534 || reply == 535 || reply == 538;
}

static enum lane_end
judge_reply(enum lane_phase phase, unsigned reply)
{
	bool is_final = reply >= 500;

	if (is_about_us(reply))
		return LANE_REFUSED;
	switch (phase) {
	case PHASE_CONNECT:
	case PHASE_HELLO:
	case PHASE_STARTTLS:
	case PHASE_AUTH:
	case PHASE_NOOP:
	case PHASE_QUIT:
		return is_final ? LANE_REFUSED : LANE_DOWN;
	case PHASE_MAIL:
		/* 552: this message is too large; all else is about the sender, which is us. */
		if (is_final)
			return reply == 552 ? LANE_NEVER : LANE_REFUSED;
		return LANE_LATER;
	case PHASE_RCPT:
	case PHASE_DATA:
		return is_final ? LANE_NEVER : LANE_LATER;
	}
	return LANE_DOWN;
}

enum lane_end
lane_judge(const struct lane_facts *f)
{
	bool is_mail = f->phase == PHASE_MAIL || f->phase == PHASE_RCPT || f->phase == PHASE_DATA;

	if (f->is_done)
		return LANE_ACCEPTED;
	if (f->reply >= 400 && f->reply != 421)
		return judge_reply(f->phase, f->reply);
	if (f->is_tls_refused || f->is_login_refused)
		return LANE_REFUSED;
	return is_mail ? LANE_CUT : LANE_DOWN;
}

/* ---- sockets ---------------------------------------------------------------------- */

/* From here on curl finds the connection ended, whatever it wants to wait for. */
static void
cut_sockets(struct lane *l)
{
	for (size_t i = 0; i < l->nsockets; i++)
		(void)shutdown(l->sockets[i], SHUT_RDWR);
}

static curl_socket_t
lane_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct lane *l = arg;
	int fd = l->nsockets < SOCKETS_MAX ?
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

/* ---- the dialogue -------------------------------------------------------------------- */

static const struct {
	const char *verb;
	enum lane_phase phase;
} verbs[] = {
	{ "EHLO", PHASE_HELLO }, { "HELO", PHASE_HELLO }, { "STARTTLS", PHASE_STARTTLS },
	{ "AUTH", PHASE_AUTH }, { "NOOP", PHASE_NOOP }, { "MAIL", PHASE_MAIL }, { "RCPT", PHASE_RCPT },
	{ "DATA", PHASE_DATA }, { "QUIT", PHASE_QUIT },
};

/*
 * What we say. After 334 it is a secret, and not a command. curl waits for the
 * answer to QUIT, and the loop with it: so nobody is left to answer. The
 * place where things went wrong is not QUIT.
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
			cut_sockets(l);
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

/* One line of a reply: "250-SIZE", "550 5.1.1 no such user". */
static void
note_reply(struct lane *l, const char *p, size_t n)
{
	unsigned code = 0;

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (l->is_reply_over)
		buf_clear(&l->text);
	for (size_t i = 0; i < 3 && i < n && p[i] >= '0' && p[i] <= '9'; i++)
		code = code * 10 + (unsigned)(p[i] - '0');
	l->is_reply_over = n < 4 || p[3] != '-';
	l->reply = code;
	l->replies += l->is_reply_over;
	keep_text(l, l->text.n == 0 || n < 4 ? p : p + 4, l->text.n == 0 || n < 4 ? n : n - 4);
}

static size_t
lane_on_reply(char *p, size_t size, size_t n, void *arg)
{
	note_reply(arg, p, n * size);
	return n * size;
}

static size_t
lane_on_read(char *out, size_t size, size_t n, void *arg)
{
	struct lane *l = arg;
	size_t left = l->message.n - l->sent, take = size * n < left ? size * n : left;

	memcpy(out, l->message.s + l->sent, take);
	l->sent += take;
	return take;
}

/* curl hands the text of replies here as well, with the body of a probe. */
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
	(void)curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_SEC);
	(void)curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, (long)LIFE_SEC);
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
	key = secret_path(t->key_file.v[0], err);
	if (key == NULL)
		return err_wrap(err, "tls: key_file");
	(void)curl_easy_setopt(l->easy, CURLOPT_SSLCERT, t->certificate_file);
	(void)curl_easy_setopt(l->easy, CURLOPT_SSLKEY, key);
	free(key);
	return true;
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
	if (o->tls->ca_file != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, o->tls->ca_file);
		(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	return set_client_key(l, err);
}

/* curl keeps a copy as long as the handle is not reset. */
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

static void
set_mail(struct lane *l)
{
	CURL *e = l->easy;

	curl_slist_free_all(l->rcpt);
	l->rcpt = NULL;
	if (l->is_probe) {
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "NOOP");
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	l->rcpt = curl_slist_append(NULL, l->to);
	(void)curl_easy_setopt(e, CURLOPT_MAIL_FROM, l->from);
	(void)curl_easy_setopt(e, CURLOPT_MAIL_RCPT, l->rcpt);
	(void)curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(e, CURLOPT_READFUNCTION, lane_on_read);
	(void)curl_easy_setopt(e, CURLOPT_READDATA, l);
	(void)curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)l->message.n);
}

static bool
set_up(struct lane *l, struct err *err)
{
	set_server(l);
	set_callbacks(l);
	set_mail(l);
	(void)curl_easy_setopt(l->easy, CURLOPT_FRESH_CONNECT, (long)l->was_tried);
	return set_tls(l, err) && set_credentials(l, err);
}

/* ---- the end ------------------------------------------------------------------------------ */

static bool
is_tls_refusal(CURLcode code)
{
	switch ((int)code) {
	case CURLE_USE_SSL_FAILED:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return true;
	}
	return false;
}

static const char *
phase_text(enum lane_phase phase)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (verbs[i].phase == phase)
			return verbs[i].verb;
	}
	return "its greeting";
}

static void
explain(const struct lane *l, CURLcode code, struct err *err)
{
	const char *host = l->opts->host;
	const char *curls = l->detail[0] != '\0' ? l->detail : curl_easy_strerror(code);

	if (l->reply >= 400)
		(void)err_set(err, ERR_TEMP, "%s:%u: %s: %s", host, l->opts->port, phase_text(l->phase),
		    buf_peek(&l->text).s);
	else if (code == CURLE_USE_SSL_FAILED)
		(void)err_set(err, ERR_TEMP, "%s:%u does not offer STARTTLS; use smtps:// where it speaks TLS"
		    " at once, or tls: {mode: off} to send in the clear", host, l->opts->port);
	else if (code == CURLE_LOGIN_DENIED)
		(void)err_set(err, ERR_TEMP, "%s:%u: no way to authenticate that both know (%s)", host,
		    l->opts->port, curls);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		(void)err_set(err, ERR_TEMP, "%s:%u: its certificate is refused (%s); set tls.ca_file to the"
		    " file of the authority that issued it, or tls.server_name to a name that is in it", host,
		    l->opts->port, curls);
	else
		(void)err_set(err, ERR_TEMP, "%s:%u: %s", host, l->opts->port, curls);
}

static void
end_mail(struct lane *l)
{
	timer_unset(l->env->timers, &l->timeout);
	l->is_busy = false;
	l->from = l->to = NULL;
	l->message = (struct str){ NULL, 0 };
}

static void begin(struct lane *l);

/* The server had closed an idle connection, and has seen nothing of this mail. */
static bool
was_stale(const struct lane *l, CURLcode code)
{
	long connects = 1;

	(void)curl_easy_getinfo(l->easy, CURLINFO_NUM_CONNECTS, &connects);
	return code != CURLE_OK && connects == 0 && l->replies == 0 && !l->was_tried;
}

static void
report(struct lane *l, CURLcode code)
{
	const struct lane_facts facts = {
		.phase = l->phase, .reply = l->reply, .is_done = code == CURLE_OK,
		.is_tls_refused = is_tls_refusal(code), .is_login_refused = code == CURLE_LOGIN_DENIED,
	};
	enum lane_end end = lane_judge(&facts);
	struct err err = { 0 };
	char note[320];

	if (end != LANE_ACCEPTED)
		explain(l, code, &err);
	snprintf(note, sizeof(note), "%.250s:%u (%s%s)", l->opts->host, l->opts->port,
	    l->opts->is_implicit_tls || l->opts->mode == LANE_TLS_STARTTLS ? "TLS" : "in the clear",
	    l->opts->username != NULL ? ", authenticated" : "");
	end_mail(l);
	l->cb(l->arg, l, end, note, end != LANE_ACCEPTED ? &err : NULL);
}

static void
lane_on_done(void *arg, CURL *easy, CURLcode code)
{
	struct lane *l = arg;

	(void)easy;
	if (was_stale(l, code)) {
		l->was_tried = true;
		begin(l);
		return;
	}
	report(l, code);
}

static void
lane_on_timeout(void *arg)
{
	struct lane *l = arg;

	cut_sockets(l);
	fetch_pool_remove(l->pool, l->easy);
	snprintf(l->detail, sizeof(l->detail), "no answer to %s in time", phase_text(l->phase));
	l->reply = 0;
	report(l, CURLE_OPERATION_TIMEDOUT);
}

/* What cannot even begin ends in the next turn, like all others. */
static void
lane_on_unready(void *arg)
{
	struct lane *l = arg;
	struct err err = { 0 };

	(void)err_set(&err, ERR_CONF, "%s", l->detail);
	end_mail(l);
	l->cb(l->arg, l, LANE_REFUSED, NULL, &err);
}

static void
begin(struct lane *l)
{
	struct err err = { 0 };

	curl_easy_reset(l->easy);
	buf_clear(&l->text);
	l->detail[0] = '\0';
	l->sent = 0;
	l->phase = PHASE_CONNECT;
	l->reply = l->replies = 0;
	l->is_reply_over = true;
	timer_init(&l->timeout, lane_on_timeout, l);
	if (!set_up(l, &err)) {
		snprintf(l->detail, sizeof(l->detail), "%.250s", err.text);
		timer_init(&l->timeout, lane_on_unready, l);
		timer_set(l->env->timers, &l->timeout, 0);
		return;
	}
	BUG_IF(!fetch_pool_add(l->pool, l->easy));
	timer_set(l->env->timers, &l->timeout, l->opts->timeout_ms);
}

/* ---- calls ---------------------------------------------------------------------------------- */

bool
lane_is_busy(const struct lane *l)
{
	return l->is_busy;
}

void
lane_probe(struct lane *l)
{
	BUG_IF(l->is_busy);
	l->is_busy = l->is_probe = true;
	l->was_tried = false;
	begin(l);
}

void
lane_send(struct lane *l, const char *from, const char *to, struct str message)
{
	BUG_IF(l->is_busy);
	l->is_busy = true;
	l->is_probe = l->was_tried = false;
	l->from = from;
	l->to = to;
	l->message = message;
	begin(l);
}

void
lane_cancel(struct lane *l)
{
	cut_sockets(l);
	if (l->is_busy && fetch_pool_count(l->pool) > 0)
		fetch_pool_remove(l->pool, l->easy);
	end_mail(l);
}

/* The name in the URL is the one that the certificate must have; where to connect may be another. */
static void
write_url(struct lane *l)
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

struct lane *
lane_new(const struct engine_env *env, const struct lane_opts *opts, lane_end_cb *cb, void *arg)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		BUG("curl cannot start");
	l->env = env;
	l->opts = opts;
	l->cb = cb;
	l->arg = arg;
	buf_init(&l->text, REPLY_MAX);
	timer_init(&l->timeout, lane_on_timeout, l);
	write_url(l);
	l->easy = curl_easy_init();
	BUG_IF(l->easy == NULL);
	l->pool = fetch_pool_new(env->base, lane_on_done, l);
	return l;
}

void
lane_free(struct lane *l)
{
	if (l == NULL)
		return;
	lane_cancel(l);
	curl_easy_cleanup(l->easy);
	fetch_pool_free(l->pool);
	BUG_IF(l->nsockets != 0);
	curl_slist_free_all(l->rcpt);
	curl_slist_free_all(l->connect_to);
	buf_release(&l->text);
	free(l->url);
	free(l);
	curl_global_cleanup();
}
