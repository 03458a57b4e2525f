/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_parts.h"

#include "lib/format/template.h"

/* Entries on their way to librdkafka, and which of them wait instead. */

#define WAKE_MS   250 /* a sink that is full looks again, also when nothing comes back */
#define ALONE_MAX 16  /* at once, in batches of their own */

/* What became of one item: taken, or not, for now. */
enum taken { TAKEN, NOT_TAKEN };

static enum taken
put_off(struct sink *s, const struct sink_item *item, const struct kafka_topic *t)
{
	struct kafka_sink_answer a = { .ticket = item->ticket, .verdict = SINK_RETRY,
		.wait_ms = kafka_sink_wait_of(s, t) };

	if (t->why != NULL)
		(void)err_set(&a.why, ERR_TEMP, "topic %s: %s", t->name, t->why);
	else
		(void)err_set(&a.why, ERR_TEMP, "topic %s has not answered for a while", t->name);
	a.memo = item->memo != NULL && strcmp(item->memo, kafka_sink_alone) == 0 ? kafka_sink_alone : NULL;
	kafka_sink_answer_later(s, &a);
	return TAKEN;
}

static enum taken
reject(struct sink *s, const struct sink_item *item, const struct err *why)
{
	kafka_sink_answer_later(s, &(struct kafka_sink_answer) { .ticket = item->ticket,
	    .verdict = SINK_REJECT, .why = *why });
	return TAKEN;
}

/* librdkafka did not take it. */
static enum taken
not_sent(struct sink *s, const struct sink_item *item, struct kafka_topic *t, rd_kafka_resp_err_t code)
{
	struct err why = kafka_sink_reason(t, code);

	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return NOT_TAKEN;
	switch (kafka_blame(code)) {
	case KAFKA_BLAME_MESSAGE:
		return reject(s, item, &why);
	case KAFKA_BLAME_PRODUCER:
		s->is_failed = true;
		kafka_sink_keep_trouble(s, KAFKA_BLAME_PRODUCER, code, why.text);
		return NOT_TAKEN;
	case KAFKA_BLAME_TOPIC:
		kafka_sink_topic_failed(s, t, rd_kafka_err2str(code));
		return put_off(s, item, t);
	case KAFKA_BLAME_NONE:
	case KAFKA_BLAME_PASSING:
	case KAFKA_BLAME_LINK:
	case KAFKA_BLAME_RIGHTS:
		break;
	}
	kafka_sink_answer_later(s, &(struct kafka_sink_answer) { .ticket = item->ticket,
	    .verdict = SINK_RETRY, .why = why });
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
	kafka_topics_sent(&s->topics, t, slot.bytes, kafka_sink_now(s));
	return TAKEN;
}

/* True when the producer for batches of one is there. */
static bool
has_alone(struct sink *s, const struct sink_item *item)
{
	struct err why = { 0 };

	if (s->alone == NULL)
		s->alone = kafka_sink_open_client(s, KAFKA_PROPS_ALONE, &why);
	if (s->alone == NULL)
		kafka_sink_answer_later(s, &(struct kafka_sink_answer) { .ticket = item->ticket,
		    .verdict = SINK_RETRY, .memo = kafka_sink_alone, .why = why });
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
	bool is_alone = item->memo != NULL && strcmp(item->memo, kafka_sink_alone) == 0;
	struct kafka_topic *t = topic_of(s, &item->event);
	struct err why = { 0 };

	if (t == NULL)
		return NOT_TAKEN;
	switch (kafka_topics_room(&s->topics, t, kafka_sink_now(s))) {
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
void
kafka_sink_on_failed(void *arg)
{
	struct sink *s = arg;

	if (s->is_failed)
		kafka_sink_link_ended(s, &s->trouble);
}

size_t
kafka_sink_send(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t i = 0;

	(void)nap_look(&s->nap);
	if (s->state != STATE_UP || s->is_renewing || s->is_failed)
		return 0;
	while (i < n && take(s, &items[i]) == TAKEN)
		i++;
	s->wants_ready = i < n;
	if (s->wants_ready)
		timer_set(s->env->timers, &s->wake, WAKE_MS);
	if (s->is_failed)
		loop_defer(s->env->loop, kafka_sink_on_failed, s);
	return i;
}
