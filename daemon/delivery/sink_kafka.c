#include "daemon/delivery/sink.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/delivery/fifo.h"
#include "daemon/delivery/sink_kafka_blame.h"
#include "daemon/delivery/sink_kafka_client.h"
#include "daemon/delivery/sink_kafka_conf.h"
#include "daemon/delivery/sink_kafka_message.h"
#include "daemon/delivery/sink_kafka_props.h"
#include "daemon/delivery/sink_kafka_slots.h"
#include "daemon/delivery/sink_kafka_topics.h"
#include "daemon/env.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/format/template.h"

#define FLIGHT_BYTES (16 * 1024 * 1024) /* on their way, at most */
#define LOOK_MS      50    /* how often it is looked whether a broker has answered */
#define DOWN_MS      2000  /* a start that no broker could be reached for so long failed */
#define GRACE_MS     5000  /* a link without brokers for so long is down: until then nothing is repeated */
#define WAKE_MS      250   /* a sink that is full looks again, also when nothing comes back */
#define GRAVES_MS    500
#define TAKE_MAX     256
#define ALONE_MAX    16    /* at once, in batches of their own */
#define ASKED_MAX    64    /* topics whose replicas are asked for */

/* The memo of an entry whose batch was refused: whether it is to blame shows when it is alone. */
static const char alone_memo[] = "alone";

/* What send() found out, to be told when it has returned. */
struct answer {
	uint64_t ticket;
	enum sink_verdict verdict;
	int64_t wait_ms;
	const char *memo;
	struct err why;
};

enum state { STATE_OFF, STATE_STARTING, STATE_UP };

struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	const struct sink_kafka_conf *conf;
	struct kafka_message_opts message_opts;
	struct kafka_message message;
	struct buf topic; /* a template's result */
	size_t queue_bytes;

	enum state state;
	struct kafka_client *client;
	struct kafka_client *alone; /* for batches of one; NULL until one is needed */
	struct kafka_graves graves;
	struct timer look;          /* starting: has a broker answered? */
	int64_t deadline;           /* of starting */
	struct timer grace;         /* up: all brokers are gone, or what is under way is waited for */
	struct timer wake;

	struct err trouble;         /* what librdkafka said last; "" when nothing */
	bool is_refused;            /* it was that the brokers do not know us, or we them */
	bool is_failed;             /* the producer is of no use any more: see trouble */

	struct kafka_topics topics;
	struct kafka_slots slots;
	size_t in_flight, alone_in_flight;
	uint64_t accepted[TAKE_MAX];
	size_t naccepted;
	struct fifo answers;
	size_t nasked;
	bool wants_ready, is_draining, is_renewing;
};

static int64_t
now_of(const struct sink *s)
{
	return clock_mono(s->env->clock);
}

static uint32_t
random_number(void)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	return r;
}

/* ---- reports ------------------------------------------------------------------------- */

static void
report_accepted(struct sink *s)
{
	if (s->naccepted > 0)
		sink_accepted(s->owner, s->accepted, s->naccepted);
	s->naccepted = 0;
}

static void
report(struct sink *s, uint64_t ticket, enum sink_verdict verdict, int64_t wait_ms, const char *memo,
    const struct err *why)
{
	int64_t due = wait_ms > 0 ? clock_wall(s->env->clock) + ticks_from_ms(wait_ms) : TICKS_NONE;

	sink_result(s->owner, ticket, verdict, due, memo, why);
}

static void
report_answers(void *arg)
{
	struct sink *s = arg;
	const struct answer *a;

	while (s->answers.n > 0) {
		a = fifo_at(&s->answers, 0);
		report(s, a->ticket, a->verdict, a->wait_ms, a->memo, &a->why);
		fifo_drop(&s->answers, 1);
	}
}

static void
answer_later(struct sink *s, const struct answer *a)
{
	if (s->answers.n == 0)
		loop_defer(s->env->loop, report_answers, s);
	*(struct answer *)fifo_push(&s->answers) = *a;
}

static void
tell_ready(struct sink *s)
{
	if (!s->wants_ready || s->state != STATE_UP || s->is_renewing)
		return;
	s->wants_ready = false;
	sink_ready(s->owner);
}

/* ---- the link ------------------------------------------------------------------------ */

static void
hang_up(struct sink *s)
{
	kafka_topics_reset(&s->topics);
	kafka_client_close(s->client, &s->graves);
	kafka_client_close(s->alone, &s->graves);
	s->client = s->alone = NULL;
	kafka_slots_reset(&s->slots);
	s->in_flight = s->alone_in_flight = s->naccepted = 0;
	loop_forget(s->env->loop, report_answers, s);
	fifo_release(&s->answers);
	timer_unset(s->env->timers, &s->look);
	timer_unset(s->env->timers, &s->grace);
	timer_unset(s->env->timers, &s->wake);
	s->state = STATE_OFF;
	s->is_failed = s->is_renewing = s->wants_ready = false;
}

/* why NULL: we ended it, to begin anew. */
static void
link_ended(struct sink *s, const struct err *why)
{
	struct err text = why != NULL ? *why : (struct err) { 0 };

	report_accepted(s);
	hang_up(s);
	if (s->is_draining)
		sink_drained(s->owner);
	else
		sink_link(s->owner, s->is_refused && why != NULL ? SINK_REFUSED : SINK_DOWN,
		    why != NULL ? &text : NULL);
}

static void
link_is_up(struct sink *s)
{
	struct err note = { 0 };

	s->state = STATE_UP;
	s->trouble = (struct err) { 0 };
	s->is_refused = false;
	(void)err_set(&note, ERR_NONE, "connected to Kafka (brokers %s%s)", s->conf->brokers.v[0],
	    s->conf->brokers.n > 1 ? ", …" : "");
	sink_link(s->owner, SINK_UP, &note);
}

static void
start_failed(struct sink *s)
{
	if (s->trouble.text[0] == '\0')
		(void)err_set(&s->trouble, ERR_TEMP, "no broker has answered in %.0fs",
		    (double)s->conf->connect_timeout_ms / 1000);
	link_ended(s, &s->trouble);
}

static void
on_look(void *arg)
{
	struct sink *s = arg;

	if (s->client == NULL)
		start_failed(s);
	else if (kafka_client_is_connected(s->client))
		link_is_up(s);
	else if (now_of(s) >= s->deadline)
		start_failed(s);
	else
		timer_set(s->env->timers, &s->look, LOOK_MS);
}

/* Nothing came back since all brokers went; or what was under way took too long. */
static void
on_grace(void *arg)
{
	struct sink *s = arg;

	link_ended(s, s->trouble.text[0] != '\0' && !s->is_renewing ? &s->trouble : NULL);
}

static void
on_wake(void *arg)
{
	tell_ready(arg);
}

/* ---- trouble ------------------------------------------------------------------------- */

/* With TLS 1.3 the far side refuses our certificate after the handshake, which is a lost connection
 * to librdkafka: only its text tells. */
static bool
is_refusal_by_tls(const char *text)
{
	return strstr(text, "SSL routines:") != NULL && strstr(text, " alert ") != NULL;
}

/* A refusal is not covered by what follows from it. */
static void
keep_trouble(struct sink *s, enum kafka_blame blame, rd_kafka_resp_err_t code, const char *text)
{
	bool is_refusal = blame == KAFKA_BLAME_RIGHTS || is_refusal_by_tls(text);

	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && s->trouble.text[0] != '\0')
		return;
	if (s->is_refused && !is_refusal)
		return;
	s->is_refused |= is_refusal;
	(void)err_set(&s->trouble, is_refusal ? ERR_AUTH : ERR_TEMP, "%s", text);
}

static void
hurry(struct sink *s)
{
	int64_t soon = now_of(s) + DOWN_MS;

	if (soon < s->deadline)
		s->deadline = soon;
}

static void
on_trouble(void *arg, rd_kafka_resp_err_t code, const char *text)
{
	struct sink *s = arg;
	enum kafka_blame blame = kafka_blame(code);

	keep_trouble(s, blame, code, text);
	log_debug(sink_log(s->owner), "%s", text);
	if (blame == KAFKA_BLAME_PRODUCER)
		s->is_failed = true;
	else if (s->state == STATE_STARTING && (blame == KAFKA_BLAME_RIGHTS
	    || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN))
		hurry(s);
	else if (s->state == STATE_UP && code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN
	    && !timer_is_set(&s->grace))
		timer_set(s->env->timers, &s->grace, GRACE_MS);
}

static void
on_replicas(void *arg, const char *topic, int min_in_sync)
{
	struct sink *s = arg;

	if (min_in_sync == 1)
		log_warn(sink_log(s->owner), "topic %s has min.insync.replicas 1: an alert counts as"
		    " delivered when one broker has it, and is lost with that broker's disk; set it to 2",
		    topic);
}

/* ---- delivery reports ---------------------------------------------------------------- */

static void
topic_failed(struct sink *s, struct kafka_topic *t, const char *why)
{
	if (!kafka_topic_failed(t, why, now_of(s), random_number()))
		return;
	(t->fails == 1 ? log_error : log_debug)(sink_log(s->owner), "topic %s takes nothing: %s; its"
	    " alerts wait, those of others go on; next try in %.1fs", t->name, why,
	    (double)(t->again_at - now_of(s)) / 1000);
	if (t->handle != NULL)
		rd_kafka_topic_destroy(t->handle);
	t->handle = NULL; /* a new one asks anew whether the topic is there */
}

static void
topic_worked(struct sink *s, struct kafka_topic *t)
{
	if (kafka_topic_worked(t))
		log_info(sink_log(s->owner), "topic %s takes alerts again", t->name);
	timer_unset(s->env->timers, &s->grace);
	if (t->is_asked || s->nasked == ASKED_MAX)
		return;
	t->is_asked = true;
	s->nasked++;
	kafka_client_ask_replicas(s->client, t->name);
}

static struct err
reason(const struct kafka_topic *t, rd_kafka_resp_err_t code)
{
	struct err why = { 0 };

	(void)err_set(&why, ERR_TEMP, "topic %s: %s (%s)", t->name, rd_kafka_err2str(code),
	    rd_kafka_err2name(code));
	return why;
}

static int64_t
wait_of(const struct sink *s, const struct kafka_topic *t)
{
	int64_t wait_ms = t->fails > 0 ? t->again_at - now_of(s) : 0;

	return wait_ms > 0 ? wait_ms : 0;
}

static void
add_accepted(struct sink *s, uint64_t ticket)
{
	s->accepted[s->naccepted++] = ticket;
	if (s->naccepted == TAKE_MAX)
		report_accepted(s);
}

/* Whether an entry that timed out was written is not known when it had been sent. */
static enum kafka_blame
blame_of(const rd_kafka_message_t *m)
{
	if (m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT
	    && rd_kafka_message_status(m) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
		return KAFKA_BLAME_PRODUCER;
	return kafka_blame(m->err);
}

static void
judge(struct sink *s, const struct kafka_slot *slot, const rd_kafka_message_t *m)
{
	struct err why = m->err != RD_KAFKA_RESP_ERR_NO_ERROR ? reason(slot->topic, m->err) :
	    (struct err) { 0 };

	switch (blame_of(m)) {
	case KAFKA_BLAME_NONE:
		topic_worked(s, slot->topic);
		add_accepted(s, slot->ticket);
		break;
	case KAFKA_BLAME_MESSAGE:
		report(s, slot->ticket, slot->is_alone ? SINK_REJECT : SINK_RETRY, 0,
		    slot->is_alone ? NULL : alone_memo, &why);
		break;
	case KAFKA_BLAME_TOPIC:
		topic_failed(s, slot->topic, rd_kafka_err2str(m->err));
		report(s, slot->ticket, SINK_RETRY, wait_of(s, slot->topic), NULL, &why);
		break;
	case KAFKA_BLAME_PASSING:
	case KAFKA_BLAME_LINK:
	case KAFKA_BLAME_RIGHTS:
		report(s, slot->ticket, SINK_RETRY, 0, NULL, &why);
		break;
	case KAFKA_BLAME_PRODUCER:
		s->is_failed = true;
		keep_trouble(s, KAFKA_BLAME_PRODUCER, m->err, why.text);
		break;
	}
}

static void
on_delivered(void *arg, const rd_kafka_message_t *m)
{
	struct sink *s = arg;
	struct kafka_slot slot = kafka_slots_take(&s->slots, m->_private);

	s->in_flight--;
	s->alone_in_flight -= slot.is_alone;
	kafka_topics_back(&s->topics, slot.topic, slot.bytes, now_of(s));
	judge(s, &slot, m);
}

static void
on_settled(void *arg)
{
	struct sink *s = arg;

	report_accepted(s);
	if (s->is_failed)
		link_ended(s, &s->trouble);
	else if (s->in_flight > 0 || (!s->is_draining && !s->is_renewing))
		tell_ready(s);
	else
		link_ended(s, NULL);
}

static const struct kafka_client_user user = {
	.delivered = on_delivered,
	.trouble = on_trouble,
	.replicas = on_replicas,
	.settled = on_settled,
};

/* ---- producers ----------------------------------------------------------------------- */

static struct kafka_client *
open_client(struct sink *s, enum kafka_props_for what, struct err *err)
{
	rd_kafka_conf_t *props;
	struct kafka_client_opts opts = {
		.token_file = s->conf->oauth_token_file.n > 0 ? s->conf->oauth_token_file.v[0] : NULL,
		.log = sink_log(s->owner),
	};

	if (!kafka_graves_have_room(&s->graves)) {
		(void)err_set(err, ERR_TEMP, "%d producers of before have not ended yet", KAFKA_GRAVES);
		return NULL;
	}
	props = kafka_props_new(s->conf, what, s->env->instance, err);
	if (props == NULL)
		return NULL;
	s->message_opts.max_bytes = (size_t)kafka_props_number(props, "message.max.bytes");
	s->queue_bytes = (size_t)kafka_props_number(props, "queue.buffering.max.kbytes") * 1024;
	opts.props = props;
	return kafka_client_open(s->env, &opts, &user, s, err);
}

static void
on_start(struct sink *s)
{
	s->state = STATE_STARTING;
	s->trouble = (struct err) { 0 };
	s->is_refused = false;
	s->client = open_client(s, KAFKA_PROPS_BATCHES, &s->trouble);
	s->topics.max_bytes = s->queue_bytes < FLIGHT_BYTES ? s->queue_bytes : FLIGHT_BYTES;
	s->deadline = now_of(s) + s->conf->connect_timeout_ms;
	timer_set(s->env->timers, &s->look, 0);
}

/* ---- sending ------------------------------------------------------------------------- */

/* What became of one item: taken, or not, for now. */
enum taken { TAKEN, NOT_TAKEN };

static enum taken
put_off(struct sink *s, const struct sink_item *item, const struct kafka_topic *t)
{
	struct answer a = { .ticket = item->ticket, .verdict = SINK_RETRY, .wait_ms = wait_of(s, t) };

	if (t->why != NULL)
		(void)err_set(&a.why, ERR_TEMP, "topic %s: %s", t->name, t->why);
	else
		(void)err_set(&a.why, ERR_TEMP, "topic %s has not answered for a while", t->name);
	a.memo = item->memo != NULL && strcmp(item->memo, alone_memo) == 0 ? alone_memo : NULL;
	answer_later(s, &a);
	return TAKEN;
}

static enum taken
reject(struct sink *s, const struct sink_item *item, const struct err *why)
{
	answer_later(s, &(struct answer) { .ticket = item->ticket, .verdict = SINK_REJECT, .why = *why });
	return TAKEN;
}

/* librdkafka did not take it. */
static enum taken
not_sent(struct sink *s, const struct sink_item *item, struct kafka_topic *t, rd_kafka_resp_err_t code)
{
	struct err why = reason(t, code);

	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return NOT_TAKEN;
	switch (kafka_blame(code)) {
	case KAFKA_BLAME_MESSAGE:
		return reject(s, item, &why);
	case KAFKA_BLAME_PRODUCER:
		s->is_failed = true;
		keep_trouble(s, KAFKA_BLAME_PRODUCER, code, why.text);
		return NOT_TAKEN;
	case KAFKA_BLAME_TOPIC:
		topic_failed(s, t, rd_kafka_err2str(code));
		return put_off(s, item, t);
	case KAFKA_BLAME_NONE:
	case KAFKA_BLAME_PASSING:
	case KAFKA_BLAME_LINK:
	case KAFKA_BLAME_RIGHTS:
		break;
	}
	answer_later(s, &(struct answer) { .ticket = item->ticket, .verdict = SINK_RETRY, .why = why });
	return TAKEN;
}

static enum taken
hand_over(struct sink *s, const struct sink_item *item, struct kafka_topic *t, bool is_alone)
{
	rd_kafka_t *producer = kafka_client_producer(is_alone ? s->alone : s->client);
	const struct kafka_slot slot = {
		.ticket = item->ticket,
		.topic = t,
		.bytes = (uint32_t)s->message.bytes,
		.is_alone = is_alone,
	};
	void *opaque = kafka_slots_put(&s->slots, &slot);
	rd_kafka_resp_err_t code;

	if (t->handle == NULL && !is_alone)
		t->handle = rd_kafka_topic_new(producer, t->name, NULL);
	code = kafka_message_send(&s->message, producer, is_alone ? NULL : t->handle, t->name, opaque);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		(void)kafka_slots_take(&s->slots, opaque);
		return not_sent(s, item, t, code);
	}
	s->in_flight++;
	s->alone_in_flight += is_alone;
	kafka_topics_sent(&s->topics, t, slot.bytes, now_of(s));
	return TAKEN;
}

/* True when the producer for batches of one is there. */
static bool
has_alone(struct sink *s, const struct sink_item *item)
{
	struct err why = { 0 };

	if (s->alone == NULL)
		s->alone = open_client(s, KAFKA_PROPS_ALONE, &why);
	if (s->alone == NULL)
		answer_later(s, &(struct answer) { .ticket = item->ticket, .verdict = SINK_RETRY,
		    .memo = alone_memo, .why = why });
	return s->alone != NULL;
}

static struct kafka_topic *
topic_of(struct sink *s, const struct event *ev)
{
	buf_clear(&s->topic);
	template_write(&s->topic, s->conf->topic, ev->origin, s->env->hostname);
	return kafka_topics_get(&s->topics, buf_peek(&s->topic));
}

/* Entries are put off one by one for the sake of other topics'; where there are none, or no broker
 * is there for any, the sink as a whole waits, and no entry is charged with a try. */
static bool
is_worth_waiting(const struct sink *s)
{
	return strchr(s->conf->topic, '{') == NULL || timer_is_set(&s->grace);
}

static enum taken
take(struct sink *s, const struct sink_item *item)
{
	bool is_alone = item->memo != NULL && strcmp(item->memo, alone_memo) == 0;
	struct kafka_topic *t = topic_of(s, &item->event);
	struct err why = { 0 };

	if (t == NULL)
		return NOT_TAKEN;
	switch (kafka_topics_room(&s->topics, t, now_of(s))) {
	case KAFKA_ROOM_SOON:
		return NOT_TAKEN;
	case KAFKA_ROOM_LATER:
		return is_worth_waiting(s) ? NOT_TAKEN : put_off(s, item, t);
	case KAFKA_ROOM:
		break;
	}
	if (is_alone && s->alone_in_flight >= ALONE_MAX)
		return put_off(s, item, t);
	if (is_alone && !has_alone(s, item))
		return TAKEN;
	if (!kafka_message_make(&s->message, &s->message_opts, &item->event, &why))
		return reject(s, item, &why);
	return hand_over(s, item, t, is_alone);
}

/* A failure is told when send() has returned. */
static void
on_failed_later(void *arg)
{
	struct sink *s = arg;

	if (s->is_failed)
		link_ended(s, &s->trouble);
}

static size_t
on_send(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t i = 0;

	if (s->state != STATE_UP || s->is_renewing || s->is_failed)
		return 0;
	while (i < n && take(s, &items[i]) == TAKEN)
		i++;
	s->wants_ready = i < n;
	if (s->wants_ready)
		timer_set(s->env->timers, &s->wake, WAKE_MS);
	if (s->is_failed)
		loop_defer(s->env->loop, on_failed_later, s);
	return i;
}

/* ---- life ---------------------------------------------------------------------------- */

/* New secrets and certificates hold from the next connection on; what is under way is waited for. */
static void
renew_later(void *arg)
{
	struct sink *s = arg;

	if (s->state != STATE_UP || s->is_draining)
		return;
	s->is_renewing = true;
	if (s->in_flight == 0)
		link_ended(s, NULL);
	else
		timer_set(s->env->timers, &s->grace, GRACE_MS);
}

static void
on_refresh(struct sink *s)
{
	const struct sink_kafka_conf *c = s->conf;

	if (c->password_file.n + c->oauth_secret_file.n + c->tls.key_file.n > 0 || c->tls.ca_file != NULL)
		loop_defer(s->env->loop, renew_later, s);
}

static void
drain_later(void *arg)
{
	struct sink *s = arg;

	report_answers(s);
	if (s->in_flight == 0)
		link_ended(s, NULL);
}

static void
on_drain(struct sink *s)
{
	s->is_draining = true;
	loop_defer(s->env->loop, drain_later, s);
}

static void
on_cancel(struct sink *s)
{
	hang_up(s);
	loop_forget(s->env->loop, drain_later, s);
	loop_forget(s->env->loop, renew_later, s);
	loop_forget(s->env->loop, on_failed_later, s);
}

static void
on_close(struct sink *s)
{
	on_cancel(s);
	kafka_graves_release(&s->graves, GRAVES_MS);
	kafka_topics_release(&s->topics);
	kafka_slots_release(&s->slots);
	kafka_message_release(&s->message);
	buf_release(&s->topic);
	free(s);
}

static struct sink *
on_open(const struct engine_env *env, struct sink_owner *owner, const char *name, const void *conf,
    struct err *err)
{
	struct sink *s = xcalloc(1, sizeof(*s));

	(void)name;
	(void)err;
	s->env = env;
	s->owner = owner;
	s->conf = conf;
	s->message_opts.format = format_find(s->conf->format);
	s->message_opts.without_raw = !s->conf->raw_data;
	kafka_message_init(&s->message, FLIGHT_BYTES);
	buf_init(&s->topic, FLIGHT_BYTES);
	kafka_topics_init(&s->topics, FLIGHT_BYTES);
	kafka_slots_init(&s->slots);
	fifo_init(&s->answers, sizeof(struct answer));
	timer_init(&s->look, on_look, s);
	timer_init(&s->grace, on_grace, s);
	timer_init(&s->wake, on_wake, s);
	return s;
}

static const char *
on_means(const struct sink *s, bool *is_acknowledged)
{
	(void)s;
	*is_acknowledged = true;
	return "the delivery report says that every in-sync replica has it";
}

const struct sink_kind sink_kafka = {
	.name = "kafka",
	.help = "Any of the formats to topics of Apache Kafka, accepted when all in-sync replicas have it.",
	.opts = sink_kafka_options,
	.conf_size = sizeof(struct sink_kafka_conf),
	.default_kinds = (1u << KIND_COUNT) - 1 - (1u << KIND_CANARY),
	.check = sink_kafka_check,
	.open = on_open,
	.start = on_start,
	.send = on_send,
	.drain = on_drain,
	.cancel = on_cancel,
	.means = on_means,
	.refresh = on_refresh,
	.close = on_close,
};
