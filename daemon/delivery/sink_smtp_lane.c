/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_lane_parts.h"
#include "daemon/wiping.h"

#include <event2/event.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/mail.h"

#define REPLY_MAX  300  /* bytes of a server's reply that are kept */
#define REPLY_LINE 4096 /* RFC 5321 says 512 */
#define REPLY_LINES 100
#define PIECES_A_TURN 16 /* then others have theirs, however much a server has to say */
#define OUT_MAX    (2 * MAIL_MAX) /* a dot more for each line at most */
#define OUT_KEEP   (64 * 1024)
#define IDLE_MS    60000 /* a connection that was idle for so long is closed */
#define WOKE_MS    5000  /* what a server that is still there may need to answer, after the machine slept */

/* ---- the end ------------------------------------------------------------------------------ */

/* Without QUIT, or with what was said of it: nobody waits for an answer. */
static void
disconnect(struct lane *l)
{
	connect_cut(l);
	if (l->io != NULL)
		event_free(l->io);
	l->io = NULL;
	if (l->is_in_pool) {
		fetch_pool_remove(l->pool, l->easy);
		connect_forget(l);
	}
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
	if (l->out.room > OUT_KEEP)
		buf_release(&l->out);
	if (l->is_connected)
		timer_set(l->env->timers, &l->timeout, IDLE_MS);
}

/* reply and phase say the rest. The connection is gone already where it is of no use any more. */
static void
report(struct lane *l, bool is_done, CURLcode code)
{
	const struct lane_facts facts = {
		.phase = l->phase, .reply = l->reply, .is_done = is_done,
		.is_tls_refused = lane_is_tls_refusal(code), .is_login_refused = code == CURLE_LOGIN_DENIED,
	};
	enum lane_end end = lane_judge(&facts);
	struct err err = { 0 };
	char note[320];

	if (end != LANE_ACCEPTED)
		lane_explain(l, code, &err);
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
	snprintf(l->detail, sizeof(l->detail), "%s at %s", why, lane_phase_text(l->phase));
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
	if (l->phase != PHASE_NOOP) /* which takes nothing back */
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
	connect_note_reply(l, l->line.p, l->line.n);
	buf_clear(&l->line);
	l->lines = l->is_reply_over ? 0 : l->lines + 1;
	if (l->is_reply_over)
		answer(l);
	else if (l->lines > REPLY_LINES)
		lost(l, "an answer without an end", CURLE_WEIRD_SERVER_REPLY);
	return l->is_connected;
}

static void
read_some(struct lane *l)
{
	char piece[1024];
	size_t n = 0;
	CURLcode code = CURLE_OK;

	for (unsigned k = 0; k < PIECES_A_TURN && code == CURLE_OK; k++) {
		code = curl_easy_recv(l->easy, piece, sizeof(piece), &n);
		if (code == CURLE_OK && n == 0)
			code = CURLE_RECV_ERROR;
		for (size_t i = 0; code == CURLE_OK && i < n; i++) {
			if (!take_byte(l, piece[i]))
				return;
		}
	}
	if (code == CURLE_OK) /* TLS may hold the rest already, and the socket not tell of it */
		event_active(l->io, EV_READ, 0);
	else if (code != CURLE_AGAIN)
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

/* ---- connecting -------------------------------------------------------------------------- */

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

	if (nap_look(&l->nap) && l->is_busy)
		return; /* it has had no time */
	if (l->is_busy && l->has_slept && l->phase != PHASE_BODY) {
		/* The server has nothing of it, and may know nothing of us any more. */
		l->is_fresh = l->has_slept = false;
		l->replies = 0;
		timer_set(l->env->timers, &l->timeout, l->opts->timeout_ms);
	} else if (l->is_busy) {
		l->is_fresh = true; /* not worth another connection */
	} else if (l->is_connected) {
		(void)curl_easy_send(l->easy, "QUIT\r\n", 6, &(size_t){ 0 });
	}
	l->reply = 0;
	lost(l, "no answer in time", CURLE_OPERATION_TIMEDOUT);
}

/* Whoever is on the way may have forgotten the connection; an answer may be there all the same. */
static void
lane_on_woke(void *arg, int64_t ms)
{
	struct lane *l = arg;

	(void)ms;
	if (l->is_busy) {
		l->has_slept = true;
		timer_set(l->env->timers, &l->timeout,
		    l->opts->timeout_ms < WOKE_MS ? l->opts->timeout_ms : WOKE_MS);
	} else if (l->is_connected) {
		disconnect(l);
		timer_unset(l->env->timers, &l->timeout);
	}
}

static bool
lane_wants_nap(void *arg)
{
	const struct lane *l = arg;

	return l->is_busy || l->is_connected;
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
	if (!connect_set_up(l, &err)) {
		snprintf(l->detail, sizeof(l->detail), "%.250s", err.text);
		timer_unset(l->env->timers, &l->timeout);
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
	(void)nap_look(&l->nap);
	nap_watch(&l->nap);
	timer_unset(l->env->timers, &l->timeout);
	timer_init(&l->timeout, lane_on_timeout, l);
	timer_set(l->env->timers, &l->timeout, l->opts->timeout_ms);
	l->is_busy = true;
	l->is_fresh = l->has_slept = false;
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

struct lane *
lane_new(const struct engine_env *env, const struct lane_opts *opts, lane_end_cb *cb, void *arg)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free,
		wiping_realloc, wiping_strdup, wiping_calloc) != CURLE_OK)
		BUG("curl cannot start");
	l->env = env;
	l->opts = opts;
	l->cb = cb;
	l->arg = arg;
	buf_init(&l->text, REPLY_MAX);
	buf_init(&l->line, REPLY_LINE);
	buf_init(&l->out, OUT_MAX);
	timer_init(&l->timeout, lane_on_timeout, l);
	l->nap = (struct nap){ .woke = lane_on_woke, .is_wanted = lane_wants_nap, .arg = l };
	nap_init(&l->nap, env);
	connect_write_url(l);
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
	nap_release(&l->nap);
	BUG_IF(l->nsockets != 0);
	curl_slist_free_all(l->connect_to);
	buf_release(&l->text);
	buf_release(&l->line);
	buf_release(&l->out);
	free(l->url);
	free(l);
	curl_global_cleanup();
}
