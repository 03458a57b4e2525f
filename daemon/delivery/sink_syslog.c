/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/delivery/accept.h"
#include "daemon/delivery/dgram.h"
#include "daemon/delivery/line.h"
#include "daemon/delivery/pace.h"
#include "daemon/delivery/rejects.h"
#include "daemon/delivery/sink_syslog_conf.h"
#include "daemon/delivery/stream.h"
#include "daemon/delivery/target.h"
#include "daemon/env.h"
#include "daemon/loop.h"
#include "daemon/nap.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

#define HIGH_BYTES  (256 * 1024) /* no more is taken while this much waits in the process */
#define LOW_BYTES   (HIGH_BYTES / 2)
#define POLL_MS     100          /* how often the kernel is asked what is acknowledged */
#define POLL_MIN_MS 10
#define SHORT_MS    1000         /* a link that ended sooner did not work: the next server's turn */
#define TAKE_MAX    256

struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	const struct sink_syslog_conf *conf;
	struct targets targets;
	struct line *lines; /* one for each target */
	SSL_CTX *tls;

	/* Starting: which server is tried, and what is wrong with those before it. */
	size_t first, tried, at;
	struct err trouble;
	bool is_refused;

	struct stream_opts stream_opts;
	struct stream *stream;
	struct dgram *dgram;
	bool is_up;
	int64_t up_since;
	bool has_accepted;    /* on this link */
	bool is_draining;     /* by delivery */
	bool is_renewing;     /* we end the link in order: back to the first server, or after a sleep */
	bool wants_ready;
	uint64_t written;     /* bytes on this stream */
	struct pace pace;     /* of streams */
	struct buf out;

	struct accept accept; /* datagrams: only its queue */
	struct timer poll;
	struct nap nap;
	struct rejects rejects;
	bool is_failed;       /* a datagram's end of link, to be reported */
	struct err failed;

	struct stream_opts probe_opts;
	struct stream *probe;
	struct timer failback;
};

static const struct target *
current(const struct sink *s)
{
	return &s->targets.v[s->at];
}

/* ---- reports -------------------------------------------------------------------------- */

static void
report_accepted(struct sink *s)
{
	uint64_t tickets[TAKE_MAX];
	size_t n;

	for (n = accept_take(&s->accept, tickets, TAKE_MAX); n > 0;
	    n = accept_take(&s->accept, tickets, TAKE_MAX)) {
		s->has_accepted = true;
		pace_accepted(&s->pace);
		sink_accepted(s->owner, tickets, n);
	}
}

static void
hang_up(struct sink *s)
{
	stream_close(s->stream);
	stream_close(s->probe);
	dgram_close(s->dgram);
	s->stream = s->probe = NULL;
	s->dgram = NULL;
	s->is_up = s->wants_ready = s->is_renewing = s->is_failed = false;
	accept_reset(&s->accept);
	rejects_release(&s->rejects);
	timer_unset(s->env->timers, &s->poll);
	timer_unset(s->env->timers, &s->failback);
}

/* The link was up and is not any more. err NULL: we ended it to go to another server. */
static void
link_ended(struct sink *s, bool is_refused, const struct err *err)
{
	bool worked = s->has_accepted || clock_mono(s->env->clock) - s->up_since >= SHORT_MS;
	bool is_draining = s->is_draining;
	struct err why = { 0 };

	if (err != NULL) {
		why = *err;
		(void)err_wrap(&why, "%s", current(s)->text);
	}
	if (err != NULL && !s->has_accepted)
		pace_barren(&s->pace, s->accept.tickets.n);
	s->first = err == NULL || (worked && s->stream != NULL) ? 0 : (s->at + 1) % s->targets.n;
	hang_up(s);
	if (is_draining)
		sink_drained(s->owner);
	else
		sink_link(s->owner, is_refused ? SINK_REFUSED : SINK_DOWN, err != NULL ? &why : NULL);
}

static void
on_report(void *arg)
{
	struct sink *s = arg;

	rejects_report(&s->rejects, s->owner);
	if (s->dgram == NULL)
		return;
	report_accepted(s);
	if (s->is_failed)
		link_ended(s, false, &s->failed);
}

static void
report_later(struct sink *s)
{
	loop_forget(s->env->loop, on_report, s);
	loop_defer(s->env->loop, on_report, s);
}

static void
keep_reject(struct sink *s, uint64_t ticket, const struct err *err)
{
	rejects_add(&s->rejects, ticket, err);
	report_later(s);
}

static void
tell_ready(struct sink *s)
{
	if (!s->wants_ready || pace_room(&s->pace, s->accept.tickets.n) == 0)
		return;
	s->wants_ready = false;
	sink_ready(s->owner);
}

/* ---- acceptance ------------------------------------------------------------------------- */

static int64_t
poll_interval(const struct sink *s)
{
	int64_t ms = s->conf->confirm_after_ms / 2;

	if (ms < POLL_MIN_MS)
		return POLL_MIN_MS;
	return ms < POLL_MS ? ms : POLL_MS;
}

static void
poll_start(struct sink *s)
{
	if (s->accept.tickets.n > 0 && !timer_is_set(&s->poll))
		timer_set(s->env->timers, &s->poll, poll_interval(s));
}

static void
on_poll(void *arg)
{
	struct sink *s = arg;
	int64_t now = clock_mono(s->env->clock);
	int64_t due;

	(void)nap_look(&s->nap); /* the time in which nobody looked confirms nothing */
	accept_acknowledged(&s->accept, stream_acknowledged(s->stream), now);
	due = accept_next(&s->accept);
	if (due >= 0 && due <= now && stream_is_healthy(s->stream)) {
		accept_healthy(&s->accept, now);
		report_accepted(s);
		tell_ready(s);
	}
	poll_start(s);
}

/* ---- links: one server after the other ------------------------------------------------------ */

static void try_server(struct sink *s);

/* "tcp://10.0.0.1:514: cannot connect": where the error begins with the same address, it is said
 * once. */
static const char *
without_address(const char *server, const char *text)
{
	const char *at = strstr(server, "://");
	size_t n = at != NULL ? strlen(at + 3) : 0;

	if (n == 0 || strncmp(text, at + 3, n) != 0 || strncmp(text + n, ": ", 2) != 0)
		return text;
	return text + n + 2;
}

static void
add_trouble(struct sink *s, bool is_refused, const struct err *err)
{
	const char *why = without_address(current(s)->text, err->text);
	struct err so_far = s->trouble;

	s->is_refused |= is_refused;
	if (s->tried == 0)
		(void)err_set(&s->trouble, ERR_TEMP, "%s: %s", current(s)->text, why);
	else
		(void)err_set(&s->trouble, ERR_TEMP, "%s; %s: %s", so_far.text, current(s)->text,
		    why);
}

static void
server_failed(struct sink *s, bool is_refused, const struct err *err)
{
	add_trouble(s, is_refused, err);
	hang_up(s);
	s->tried++;
	if (s->tried < s->targets.n) {
		try_server(s);
		return;
	}
	s->first = 0;
	sink_link(s->owner, s->is_refused ? SINK_REFUSED : SINK_DOWN, &s->trouble);
}

static void
on_link_up(void *arg, const char *note)
{
	struct sink *s = arg;
	struct err text = { 0 };

	s->is_up = true;
	s->has_accepted = false;
	s->up_since = clock_mono(s->env->clock);
	s->written = 0;
	if (s->stream != NULL)
		nap_watch(&s->nap);
	if (s->at > 0 && s->conf->failback_ms > 0)
		timer_set(s->env->timers, &s->failback, s->conf->failback_ms);
	(void)err_set(&text, ERR_NONE, "connected to %s (%s)", current(s)->text, note);
	sink_link(s->owner, SINK_UP, &text);
}

static void
on_link_down(void *arg, bool is_refused, const struct err *err)
{
	struct sink *s = arg;

	if (s->is_up)
		link_ended(s, is_refused, s->is_renewing ? NULL : err);
	else
		server_failed(s, is_refused, err);
}

static void
on_dgram_down(void *arg, const struct err *err)
{
	on_link_down(arg, false, err);
}

static void
on_writable(void *arg)
{
	tell_ready(arg);
}

/* The peer has read everything and closed after us: nothing of this link is in doubt. */
static void
on_finished(void *arg)
{
	struct sink *s = arg;

	accept_everything(&s->accept);
	report_accepted(s);
	link_ended(s, false, NULL);
}

static const struct stream_user stream_user = {
	.up = on_link_up,
	.down = on_link_down,
	.writable = on_writable,
	.finished = on_finished,
};

static const struct dgram_user dgram_user = {
	.up = on_link_up,
	.down = on_dgram_down,
	.writable = on_writable,
};

static struct stream_opts
options_for(const struct sink *s, const struct target *t)
{
	return (struct stream_opts) {
		.dial = {
			.host = t->host,
			.port = t->port,
			.timeout_ms = s->conf->connect_timeout_ms,
			.keepalive_ms = s->conf->keepalive_ms,
		},
		.tls = t->transport == TRANSPORT_TLS ? s->tls : NULL,
		.tls_opts = &s->conf->tls,
		.low = LOW_BYTES,
	};
}

static void
try_server(struct sink *s)
{
	const struct target *t;

	s->at = (s->first + s->tried) % s->targets.n;
	t = current(s);
	if (transport_is_stream(t->transport)) {
		s->stream_opts = options_for(s, t);
		s->stream = stream_open(s->env, &s->stream_opts, &stream_user, s);
	} else {
		s->dgram = dgram_open(s->env, t->host, t->port, &dgram_user, s);
	}
}

/* ---- back to the first server ---------------------------------------------------------------- */

static void
probe_end(struct sink *s)
{
	stream_close(s->probe);
	s->probe = NULL;
}

static void
on_probe_up(void *arg, const char *note)
{
	struct sink *s = arg;

	probe_end(s);
	log_info(sink_log(s->owner), "%s (%s) is there again; going back to it from %s",
	    s->targets.v[0].text, note, current(s)->text);
	s->is_renewing = true;
	stream_finish(s->stream);
}

static void
on_probe_down(void *arg, bool is_refused, const struct err *err)
{
	struct sink *s = arg;

	(void)is_refused;
	log_debug(sink_log(s->owner), "%s is not there yet: %s; looked at again in %.0fs",
	    s->targets.v[0].text, err->text, (double)s->conf->failback_ms / 1000);
	probe_end(s);
	timer_set(s->env->timers, &s->failback, s->conf->failback_ms);
}

static const struct stream_user probe_user = {
	.up = on_probe_up,
	.down = on_probe_down,
};

/* Datagrams cannot be probed: they simply go to the first server again. */
static void
on_failback(void *arg)
{
	struct sink *s = arg;

	if (s->dgram != NULL) {
		report_accepted(s);
		link_ended(s, false, NULL);
		return;
	}
	s->probe_opts = options_for(s, &s->targets.v[0]);
	s->probe = stream_open(s->env, &s->probe_opts, &probe_user, s);
}

/* ---- after the machine slept ------------------------------------------------------------------- */

/*
 * Whoever is on the way may have forgotten the connection, and the receiver may have gone without a
 * word that we heard: it is ended in order. A receiver that is there closes after us and has then
 * read everything; of one that is not, all that is not accepted goes again.
 */
static void
on_woke(void *arg, int64_t ms)
{
	struct sink *s = arg;

	if (!s->is_up || s->stream == NULL || s->is_renewing || s->is_draining)
		return;
	log_info(sink_log(s->owner), "the machine slept, or msspd stood still, for %" PRId64 " s; the "
	    "connection to %s is made anew", ms / 1000, current(s)->text);
	timer_unset(s->env->timers, &s->failback);
	probe_end(s);
	s->is_renewing = true;
	stream_finish(s->stream);
}

static bool
is_nap_wanted(void *arg)
{
	const struct sink *s = arg;

	return s->is_up && s->stream != NULL;
}

/* ---- sending ---------------------------------------------------------------------------------- */

static size_t
send_on_stream(struct sink *s, const struct sink_item *items, size_t n)
{
	struct line *line = &s->lines[s->at];
	size_t room = HIGH_BYTES - stream_pending(s->stream);
	struct err err;
	size_t i;

	buf_clear(&s->out);
	/* What is rejected is not in doubt: nobody would say when there is room again. */
	for (i = 0; i < n && s->out.n < room && pace_room(&s->pace, s->accept.tickets.n) > 0; i++) {
		if (line_write(line, &s->out, &items[i].event, line->max, &err))
			accept_add(&s->accept, items[i].ticket);
		else
			keep_reject(s, items[i].ticket, &err);
	}
	if (s->out.n > 0) {
		stream_write(s->stream, s->out.p, s->out.n);
		s->written += s->out.n;
		accept_written(&s->accept, s->written);
		poll_start(s);
	}
	return i;
}

/* Shortens what the kernel finds too long, as far as it goes. */
static enum dgram_sent
send_datagram(struct sink *s, const struct event *ev, struct err *err)
{
	struct line *line = &s->lines[s->at];
	enum dgram_sent sent = DGRAM_TOO_BIG;

	for (size_t max = line->max; sent == DGRAM_TOO_BIG && max >= LINE_MIN; max /= 2) {
		buf_clear(&s->out);
		if (!line_write(line, &s->out, ev, max, err))
			break;
		sent = dgram_send(s->dgram, buf_peek(&s->out), err);
	}
	return sent;
}

static size_t
send_datagrams(struct sink *s, const struct sink_item *items, size_t n)
{
	enum dgram_sent sent = DGRAM_SENT;
	struct err err;
	size_t i;

	report_later(s);
	for (i = 0; i < n; i++) {
		sent = send_datagram(s, &items[i].event, &err);
		if (sent == DGRAM_FULL || sent == DGRAM_FAILED)
			break;
		if (sent == DGRAM_SENT)
			accept_add(&s->accept, items[i].ticket);
		else
			keep_reject(s, items[i].ticket, &err);
	}
	accept_everything(&s->accept);
	s->is_failed = sent == DGRAM_FAILED;
	s->failed = s->is_failed ? err : (struct err) { 0 };
	return i;
}

static size_t
on_send(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t taken = 0;

	(void)nap_look(&s->nap);
	if (!s->is_up || s->is_renewing || s->is_failed)
		return 0;
	if (s->dgram != NULL)
		taken = send_datagrams(s, items, n);
	else if (stream_pending(s->stream) < HIGH_BYTES)
		taken = send_on_stream(s, items, n);
	s->wants_ready = taken < n;
	return taken;
}

/* ---- life --------------------------------------------------------------------------------------- */

static void
on_start(struct sink *s)
{
	s->tried = 0;
	s->is_refused = false;
	s->trouble = (struct err) { 0 };
	try_server(s);
}

static void
on_drained_later(void *arg)
{
	struct sink *s = arg;

	on_report(s);
	sink_drained(s->owner);
}

static void
on_drain(struct sink *s)
{
	s->is_draining = true;
	timer_unset(s->env->timers, &s->failback);
	probe_end(s);
	if (s->stream != NULL)
		stream_finish(s->stream);
	else
		loop_defer(s->env->loop, on_drained_later, s);
}

static void
on_cancel(struct sink *s)
{
	hang_up(s);
	loop_forget(s->env->loop, on_report, s);
	loop_forget(s->env->loop, on_drained_later, s);
}

static void
on_refresh(struct sink *s)
{
	struct err err = { 0 };
	SSL_CTX *tls;

	if (s->tls == NULL)
		return;
	tls = tls_context_new(&s->conf->tls, &err);
	if (tls == NULL) {
		log_error(sink_log(s->owner), "%s; the certificates read before stay in use", err.text);
		return;
	}
	SSL_CTX_free(s->tls);
	s->tls = tls;
}

static void
on_close(struct sink *s)
{
	if (s == NULL)
		return;
	on_cancel(s);
	for (size_t i = 0; i < s->targets.n; i++)
		line_release(&s->lines[i]);
	free(s->lines);
	nap_release(&s->nap);
	targets_release(&s->targets);
	SSL_CTX_free(s->tls);
	buf_release(&s->out);
	accept_release(&s->accept);
	free(s);
}

static bool
open_parts(struct sink *s, struct err *err)
{
	bool has_tls = false;

	if (!targets_parse(&s->targets, &s->conf->servers, err))
		return err_wrap(err, "servers");
	s->lines = xcalloc(s->targets.n, sizeof(*s->lines));
	for (size_t i = 0; i < s->targets.n; i++) {
		has_tls |= s->targets.v[i].transport == TRANSPORT_TLS;
		if (!line_init(&s->lines[i], s->conf, s->env->hostname, s->targets.v[i].transport, err))
			return false;
	}
	if (has_tls)
		s->tls = tls_context_new(&s->conf->tls, err);
	return !has_tls || s->tls != NULL;
}

static struct sink *
on_open(const struct engine_env *env, struct sink_owner *owner, const char *name, const void *conf,
    struct err *err)
{
	struct sink *s = xcalloc(1, sizeof(*s));

	(void)name;
	s->env = env;
	s->owner = owner;
	s->conf = conf;
	accept_init(&s->accept, s->conf->confirm_after_ms);
	pace_init(&s->pace);
	rejects_init(&s->rejects);
	buf_init(&s->out, HIGH_BYTES * 2);
	timer_init(&s->poll, on_poll, s);
	timer_init(&s->failback, on_failback, s);
	s->nap = (struct nap){ .woke = on_woke, .is_wanted = is_nap_wanted, .arg = s };
	nap_init(&s->nap, env);
	if (open_parts(s, err))
		return s;
	on_close(s);
	return NULL;
}

static const char *
on_means(const struct sink *s, bool *is_acknowledged)
{
	*is_acknowledged = transport_is_stream(current(s)->transport);
	if (!*is_acknowledged)
		return "this host's kernel took the datagram; nobody can know whether it arrived: look for "
		       "it at the receiver";
	return s->conf->confirm_after_ms > 0
	           ? "the receiver's TCP acknowledged it, and the connection was still healthy "
	             "confirm_after later; whether the receiver stored it is its own affair"
	           : "the receiver's TCP acknowledged it; whether the receiver read it is not known "
	             "(confirm_after is 0)";
}

const struct sink_kind sink_syslog = {
	.name = "syslog",
	.help = "Any of the formats to a SIEM or log collector over UDP, TCP, TLS or a unix socket.",
	.opts = sink_syslog_options,
	.conf_size = sizeof(struct sink_syslog_conf),
	.default_kinds = (1u << KIND_COUNT) - 1 - (1u << KIND_CANARY),
	.check = sink_syslog_check,
	.open = on_open,
	.start = on_start,
	.send = on_send,
	.drain = on_drain,
	.cancel = on_cancel,
	.means = on_means,
	.refresh = on_refresh,
	.close = on_close,
};
