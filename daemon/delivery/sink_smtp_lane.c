#include "daemon/delivery/sink_smtp_lane.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/intake/fetch_pool.h"
#include "daemon/secret.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

#define REPLY_MAX     300  /* bytes of a server's reply that are kept */
#define REPLY_LINE    4096 /* RFC 5321 says 512 */
#define OUT_MAX       (4 * 1024 * 1024)
#define SOCKETS_MAX   8    /* that curl tries at a time, for a name with many addresses */
#define IDLE_MS       60000 /* a connection that was idle for so long is closed */
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
	struct curl_slist *connect_to;
	int sockets[SOCKETS_MAX];
	size_t nsockets;
	bool is_in_pool;
	bool is_connected;
	struct event *io;      /* of the connection, when it is ours */
	bool wants_write;
	bool needs_reset;      /* the last mail was not told to its end */
	struct timer timeout;  /* of a mail, or of being idle */

	/* Of the mail that is under way: */
	bool is_busy, is_probe;
	bool is_fresh;         /* its connection was made for it */
	const char *from, *to;
	struct str message;
	enum lane_phase phase;
	struct buf out;        /* what is being said */
	size_t sent;

	unsigned reply;        /* the last; 0: none since the last command */
	unsigned replies;      /* to this mail */
	bool is_reply_over;    /* the next line begins another */
	struct buf line, text; /* text: of the last reply */
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
	case PHASE_RSET:
	case PHASE_QUIT:
		return is_final ? LANE_REFUSED : LANE_DOWN;
	case PHASE_MAIL:
		/* 552: this message is too large; all else is about the sender, which is us. */
		if (is_final)
			return reply == 552 ? LANE_NEVER : LANE_REFUSED;
		return LANE_LATER;
	case PHASE_RCPT:
	case PHASE_DATA:
	case PHASE_BODY:
		return is_final ? LANE_NEVER : LANE_LATER;
	}
	return LANE_DOWN;
}

enum lane_end
lane_judge(const struct lane_facts *f)
{
	bool is_mail = f->phase >= PHASE_MAIL && f->phase <= PHASE_BODY;

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
	note_reply(arg, p, n * size);
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

static bool
set_up(struct lane *l, struct err *err)
{
	set_server(l);
	set_callbacks(l);
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
	return phase == PHASE_BODY ? "the message" : "greeting";
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

/* Without QUIT, or with what was said of it: nobody waits for an answer. */
static void
disconnect(struct lane *l)
{
	cut_sockets(l);
	if (l->io != NULL)
		event_free(l->io);
	l->io = NULL;
	if (l->is_in_pool)
		fetch_pool_remove(l->pool, l->easy);
	l->is_in_pool = l->is_connected = l->needs_reset = l->wants_write = false;
	buf_clear(&l->line);
}

static void
end_mail(struct lane *l)
{
	timer_unset(l->env->timers, &l->timeout);
	l->is_busy = false;
	l->from = l->to = NULL;
	l->message = (struct str){ NULL, 0 };
	if (l->is_connected)
		timer_set(l->env->timers, &l->timeout, IDLE_MS);
}

/* reply and phase say the rest. The connection is gone already where it is of no use any more. */
static void
report(struct lane *l, bool is_done, CURLcode code)
{
	const struct lane_facts facts = {
		.phase = l->phase, .reply = l->reply, .is_done = is_done,
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

static void connect_(struct lane *l);

/* The connection ended. One that was idle for a while may just have been closed: nothing of
 * the mail was answered, so it goes over another. */
static void
lost(struct lane *l, const char *why, CURLcode code)
{
	bool was_stale = l->is_busy && !l->is_fresh && l->replies == 0;

	disconnect(l);
	if (was_stale) {
		connect_(l);
		return;
	}
	timer_unset(l->env->timers, &l->timeout);
	if (!l->is_busy)
		return;
	if (l->reply < 400)
		l->reply = 0;
	snprintf(l->detail, sizeof(l->detail), "%s at %s", why, phase_text(l->phase));
	report(l, false, code);
}

/* ---- the mail -------------------------------------------------------------------------------- */

static void lane_on_io(evutil_socket_t fd, short what, void *arg);

static void
watch(struct lane *l, bool wants_write)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (l->io != NULL && l->wants_write == wants_write)
		return;
	if (l->io != NULL)
		event_free(l->io);
	(void)curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd);
	l->wants_write = wants_write;
	l->io = event_new(l->env->base, fd, (short)(EV_READ | EV_PERSIST | (wants_write ? EV_WRITE : 0)),
	    lane_on_io, l);
	if (l->io == NULL || event_add(l->io, NULL) != 0)
		BUG("no event for socket %d", (int)fd);
}

/* Written when the connection is ready for it, so never from inside a call of ours. */
static void
say(struct lane *l, enum lane_phase phase, const char *command)
{
	buf_clear(&l->out);
	buf_puts(&l->out, command);
	l->sent = 0;
	l->phase = phase;
	l->reply = 0;
	watch(l, true);
}

static void
say_path(struct lane *l, enum lane_phase phase, const char *command, const char *path)
{
	char line[600];

	snprintf(line, sizeof(line), "%s:<%s>\r\n", command, path);
	say(l, phase, line);
}

/* RFC 5321, 4.5.2: a line that begins with a dot gets another. */
static void
say_message(struct lane *l)
{
	const char *p = l->message.s, *end = p + l->message.n, *eol;

	say(l, PHASE_BODY, "");
	while (p < end) {
		eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol != NULL ? eol + 1 : end;
		if (*p == '.')
			buf_byte(&l->out, '.');
		buf_add(&l->out, p, (size_t)(eol - p));
		p = eol;
	}
	if (l->message.n < 2 || memcmp(end - 2, "\r\n", 2) != 0)
		buf_puts(&l->out, "\r\n");
	buf_puts(&l->out, ".\r\n");
	BUG_IF(!buf_ok(&l->out));
}

static void
say_first(struct lane *l)
{
	if (l->is_probe)
		say(l, PHASE_NOOP, "NOOP\r\n");
	else if (l->needs_reset)
		say(l, PHASE_RSET, "RSET\r\n");
	else
		say_path(l, PHASE_MAIL, "MAIL FROM", l->from);
}

/* What follows a reply that is as it should be. */
static void
go_on(struct lane *l)
{
	l->needs_reset = l->phase == PHASE_MAIL || l->phase == PHASE_RCPT || l->phase == PHASE_DATA;
	switch (l->phase) {
	case PHASE_RSET:
		say_path(l, PHASE_MAIL, "MAIL FROM", l->from);
		break;
	case PHASE_MAIL:
		say_path(l, PHASE_RCPT, "RCPT TO", l->to);
		break;
	case PHASE_RCPT:
		say(l, PHASE_DATA, "DATA\r\n");
		break;
	case PHASE_DATA:
		say_message(l);
		break;
	case PHASE_NOOP:
	case PHASE_BODY:
	case PHASE_CONNECT:
	case PHASE_HELLO:
	case PHASE_STARTTLS:
	case PHASE_AUTH:
	case PHASE_QUIT:
		report(l, true, CURLE_OK);
		break;
	}
}

static void
answer(struct lane *l)
{
	unsigned wanted = l->phase == PHASE_DATA ? 3 : 2;

	if (!l->is_busy || l->reply == 421 || l->reply < 200 || l->reply > 599 || l->sent < l->out.n)
		lost(l, "the server ended the connection", CURLE_WEIRD_SERVER_REPLY);
	else if (l->reply / 100 == wanted)
		go_on(l);
	else if (l->reply >= 400) {
		l->needs_reset = l->phase != PHASE_BODY;
		report(l, false, CURLE_OK);
	} else
		lost(l, "an answer that makes no sense", CURLE_WEIRD_SERVER_REPLY);
}

/* False: the connection is not what it was. */
static bool
take_byte(struct lane *l, char c)
{
	buf_byte(&l->line, c);
	if (!buf_ok(&l->line)) {
		lost(l, "an answer without an end", CURLE_WEIRD_SERVER_REPLY);
		return false;
	}
	if (c != '\n')
		return true;
	note_reply(l, l->line.p, l->line.n);
	buf_clear(&l->line);
	if (l->is_reply_over)
		answer(l);
	return l->is_connected;
}

static void
read_some(struct lane *l)
{
	char piece[1024];
	size_t n = 0;
	CURLcode code = curl_easy_recv(l->easy, piece, sizeof(piece), &n);

	while (code == CURLE_OK && n > 0) {
		for (size_t i = 0; i < n; i++) {
			if (!take_byte(l, piece[i]))
				return;
		}
		code = curl_easy_recv(l->easy, piece, sizeof(piece), &n);
	}
	if (code != CURLE_AGAIN)
		lost(l, "the connection ended", CURLE_RECV_ERROR);
}

static void
write_some(struct lane *l)
{
	CURLcode code = CURLE_OK;
	size_t n = 0;

	while (code == CURLE_OK && l->sent < l->out.n) {
		code = curl_easy_send(l->easy, l->out.p + l->sent, l->out.n - l->sent, &n);
		if (code == CURLE_OK)
			l->sent += n;
	}
	if (code != CURLE_OK && code != CURLE_AGAIN)
		lost(l, "the connection ended", CURLE_SEND_ERROR);
	else if (l->sent == l->out.n)
		watch(l, false);
}

static void
lane_on_io(evutil_socket_t fd, short what, void *arg)
{
	struct lane *l = arg;

	(void)fd;
	if ((what & EV_WRITE) != 0 && l->is_busy)
		write_some(l);
	/* TLS may hold something back that the socket does not show. */
	if (l->is_connected && (what & EV_READ) != 0)
		read_some(l);
}

/* ---- connecting -------------------------------------------------------------------------------- */

static void
lane_on_done(void *arg, CURL *easy, CURLcode code)
{
	struct lane *l = arg;

	(void)easy;
	if (code != CURLE_OK) {
		disconnect(l);
		report(l, false, code);
		return;
	}
	l->is_connected = l->is_fresh = true;
	l->replies = 0;
	l->is_reply_over = true;
	say_first(l);
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
lane_on_timeout(void *arg)
{
	struct lane *l = arg;

	if (l->is_busy)
		l->is_fresh = true; /* not worth another connection */
	else if (l->is_connected)
		(void)curl_easy_send(l->easy, "QUIT\r\n", 6, &(size_t){ 0 });
	l->reply = 0;
	lost(l, "no answer in time", CURLE_OPERATION_TIMEDOUT);
}

static void
connect_(struct lane *l)
{
	struct err err = { 0 };

	curl_easy_reset(l->easy);
	l->detail[0] = '\0';
	l->phase = PHASE_CONNECT;
	l->reply = l->replies = 0;
	l->is_reply_over = true;
	if (!set_up(l, &err)) {
		snprintf(l->detail, sizeof(l->detail), "%.250s", err.text);
		timer_init(&l->timeout, lane_on_unready, l);
		timer_set(l->env->timers, &l->timeout, 0);
		return;
	}
	l->is_in_pool = true;
	BUG_IF(!fetch_pool_add(l->pool, l->easy));
}

static void
begin(struct lane *l)
{
	timer_unset(l->env->timers, &l->timeout);
	timer_init(&l->timeout, lane_on_timeout, l);
	timer_set(l->env->timers, &l->timeout, l->opts->timeout_ms);
	l->is_busy = true;
	l->is_fresh = false;
	l->replies = 0;
	l->detail[0] = '\0';
	if (l->is_connected)
		say_first(l);
	else
		connect_(l);
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
	l->is_probe = true;
	begin(l);
}

void
lane_send(struct lane *l, const char *from, const char *to, struct str message)
{
	BUG_IF(l->is_busy);
	l->is_probe = false;
	l->from = from;
	l->to = to;
	l->message = message;
	begin(l);
}

void
lane_cancel(struct lane *l)
{
	disconnect(l);
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
	buf_init(&l->line, REPLY_LINE);
	buf_init(&l->out, OUT_MAX);
	timer_init(&l->timeout, lane_on_timeout, l);
	write_url(l);
	l->easy = curl_easy_init();
	BUG_IF(l->easy == NULL);
	l->pool = fetch_pool_new(env->base, lane_on_done, l);
	fetch_pool_keep_done(l->pool);
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
	curl_slist_free_all(l->connect_to);
	buf_release(&l->text);
	buf_release(&l->line);
	buf_release(&l->out);
	free(l->url);
	free(l);
	curl_global_cleanup();
}
