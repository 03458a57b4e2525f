/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_parts.h"

/* The producers of the sink, and whether there is anybody to talk to. */

#define LOOK_MS 50   /* how often it is looked whether a broker has answered */
#define DOWN_MS 2000 /* a start that no broker could be reached for so long failed */

/* ---- up and down --------------------------------------------------------------------- */

static void
tell_ready(struct sink *s)
{
	if (!s->wants_ready || s->state != STATE_UP || s->is_renewing)
		return;
	s->wants_ready = false;
	sink_ready(s->owner);
}

void
kafka_sink_hang_up(struct sink *s)
{
	kafka_topics_reset(&s->topics);
	kafka_client_close(s->client, &s->graves);
	kafka_client_close(s->alone, &s->graves);
	s->client = s->alone = NULL;
	kafka_slots_reset(&s->slots);
	s->in_flight = s->alone_in_flight = s->naccepted = 0;
	loop_forget(s->env->loop, kafka_sink_report_answers, s);
	fifo_release(&s->answers);
	timer_unset(s->env->timers, &s->look);
	timer_unset(s->env->timers, &s->grace);
	timer_unset(s->env->timers, &s->wake);
	s->state = STATE_OFF;
	s->is_failed = s->is_renewing = s->wants_ready = false;
}

/* why NULL: we ended it, to begin anew. */
void
kafka_sink_link_ended(struct sink *s, const struct err *why)
{
	struct err text = why != NULL ? *why : (struct err) { 0 };

	kafka_sink_report_accepted(s);
	kafka_sink_hang_up(s);
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
	nap_watch(&s->nap);
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
	kafka_sink_link_ended(s, &s->trouble);
}

void
kafka_sink_on_look(void *arg)
{
	struct sink *s = arg;

	if (s->client == NULL)
		start_failed(s);
	else if (kafka_client_is_connected(s->client))
		link_is_up(s);
	else if (kafka_sink_now(s) >= s->deadline)
		start_failed(s);
	else
		timer_set(s->env->timers, &s->look, LOOK_MS);
}

/*
 * Nothing came back since all brokers went; or what was under way took too long. Where nothing was
 * under way nothing could come back: then a broker that is there again, after a restart or a
 * connection closed for want of use, is enough.
 */
void
kafka_sink_on_grace(void *arg)
{
	struct sink *s = arg;

	if (s->in_flight == 0 && !s->is_renewing && kafka_client_is_reachable(s->client))
		s->trouble = (struct err) { 0 };
	else
		kafka_sink_link_ended(s, s->trouble.text[0] != '\0' && !s->is_renewing ? &s->trouble : NULL);
}

void
kafka_sink_on_wake(void *arg)
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
void
kafka_sink_keep_trouble(struct sink *s, enum kafka_blame blame, rd_kafka_resp_err_t code, const char *text)
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
	int64_t soon = kafka_sink_now(s) + DOWN_MS;

	if (soon < s->deadline)
		s->deadline = soon;
}

static void
on_trouble(void *arg, rd_kafka_resp_err_t code, const char *text)
{
	struct sink *s = arg;
	enum kafka_blame blame = kafka_blame(code);

	kafka_sink_keep_trouble(s, blame, code, text);
	log_debug(sink_log(s->owner), "%s", text);
	if (blame == KAFKA_BLAME_PRODUCER)
		s->is_failed = true;
	else if (s->state == STATE_STARTING && (blame == KAFKA_BLAME_RIGHTS
	    || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN))
		hurry(s);
	else if (s->state == STATE_UP && code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN
	    && !timer_is_set(&s->grace))
		timer_set(s->env->timers, &s->grace, KAFKA_SINK_GRACE_MS);
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

static void
on_settled(void *arg)
{
	struct sink *s = arg;

	kafka_sink_report_accepted(s);
	if (s->is_failed)
		kafka_sink_link_ended(s, &s->trouble);
	else if (s->in_flight > 0 || (!s->is_draining && !s->is_renewing))
		tell_ready(s);
	else
		kafka_sink_link_ended(s, NULL);
}

static const struct kafka_client_user user = {
	.delivered = kafka_sink_on_delivered,
	.trouble = on_trouble,
	.replicas = on_replicas,
	.settled = on_settled,
};

/* ---- producers ----------------------------------------------------------------------- */

struct kafka_client *
kafka_sink_open_client(struct sink *s, enum kafka_props_for what, struct err *err)
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

void
kafka_sink_start(struct sink *s)
{
	s->state = STATE_STARTING;
	s->trouble = (struct err) { 0 };
	s->is_refused = false;
	s->client = kafka_sink_open_client(s, KAFKA_PROPS_BATCHES, &s->trouble);
	s->topics.max_bytes = s->queue_bytes < KAFKA_SINK_FLIGHT_BYTES ? s->queue_bytes :
	    KAFKA_SINK_FLIGHT_BYTES;
	s->deadline = kafka_sink_now(s) + s->conf->connect_timeout_ms;
	timer_set(s->env->timers, &s->look, 0);
}
