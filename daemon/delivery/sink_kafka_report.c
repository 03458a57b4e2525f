/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_parts.h"

#include <sys/random.h>

/* What became of entries: of those that send() could answer itself, and of those that librdkafka
 * reports on. */

#define ASKED_MAX 64 /* topics whose replicas are asked for */

const char kafka_sink_alone[] = "alone";

/* ---- reports ------------------------------------------------------------------------- */

void
kafka_sink_report_accepted(struct sink *s)
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

void
kafka_sink_report_answers(void *arg)
{
	struct sink *s = arg;
	const struct kafka_sink_answer *a;

	while (s->answers.n > 0) {
		a = fifo_at(&s->answers, 0);
		report(s, a->ticket, a->verdict, a->wait_ms, a->memo, &a->why);
		fifo_drop(&s->answers, 1);
	}
}

void
kafka_sink_answer_later(struct sink *s, const struct kafka_sink_answer *a)
{
	if (s->answers.n == 0)
		loop_defer(s->env->loop, kafka_sink_report_answers, s);
	*(struct kafka_sink_answer *)fifo_push(&s->answers) = *a;
}

/* ---- topics, and what a delivery report says ----------------------------------------- */

static uint32_t
random_number(void)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	return r;
}

void
kafka_sink_topic_failed(struct sink *s, struct kafka_topic *t, const char *why)
{
	if (!kafka_topic_failed(t, why, kafka_sink_now(s), random_number()))
		return;
	(t->fails == 1 ? log_error : log_debug)(sink_log(s->owner), "topic %s takes nothing: %s; its"
	    " alerts wait, those of others go on; next try in %.1fs", t->name, why,
	    (double)(t->again_at - kafka_sink_now(s)) / 1000);
	if (t->handle != NULL)
		rd_kafka_topic_destroy(t->handle);
	t->handle = NULL; /* a new one asks anew whether the topic is there */
}

static void
topic_worked(struct sink *s, struct kafka_topic *t)
{
	if (kafka_topic_worked(t))
		log_info(sink_log(s->owner), "topic %s takes alerts again", t->name);
	/* Before connections are made anew one answer says nothing of the others. */
	if (!s->is_renewing)
		timer_unset(s->env->timers, &s->grace);
	if (t->is_asked || s->nasked == ASKED_MAX)
		return;
	t->is_asked = true;
	s->nasked++;
	kafka_client_ask_replicas(s->client, t->name);
}

struct err
kafka_sink_reason(const struct kafka_topic *t, rd_kafka_resp_err_t code)
{
	struct err why = { 0 };

	(void)err_set(&why, ERR_TEMP, "topic %s: %s (%s)", t->name, rd_kafka_err2str(code),
	    rd_kafka_err2name(code));
	return why;
}

int64_t
kafka_sink_wait_of(const struct sink *s, const struct kafka_topic *t)
{
	int64_t wait_ms = t->fails > 0 ? t->again_at - kafka_sink_now(s) : 0;

	return wait_ms > 0 ? wait_ms : 0;
}

static void
add_accepted(struct sink *s, uint64_t ticket)
{
	s->accepted[s->naccepted++] = ticket;
	if (s->naccepted == KAFKA_SINK_TAKE_MAX)
		kafka_sink_report_accepted(s);
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
	struct err why = m->err != RD_KAFKA_RESP_ERR_NO_ERROR ? kafka_sink_reason(slot->topic, m->err) :
	    (struct err) { 0 };

	switch (blame_of(m)) {
	case KAFKA_BLAME_NONE:
		topic_worked(s, slot->topic);
		add_accepted(s, slot->ticket);
		break;
	case KAFKA_BLAME_MESSAGE:
		report(s, slot->ticket, slot->is_alone ? SINK_REJECT : SINK_RETRY, 0,
		    slot->is_alone ? NULL : kafka_sink_alone, &why);
		break;
	case KAFKA_BLAME_TOPIC:
		kafka_sink_topic_failed(s, slot->topic, rd_kafka_err2str(m->err));
		report(s, slot->ticket, SINK_RETRY, kafka_sink_wait_of(s, slot->topic), NULL, &why);
		break;
	case KAFKA_BLAME_PASSING:
	case KAFKA_BLAME_LINK:
	case KAFKA_BLAME_RIGHTS:
		report(s, slot->ticket, SINK_RETRY, 0, NULL, &why);
		break;
	case KAFKA_BLAME_PRODUCER:
		s->is_failed = true;
		kafka_sink_keep_trouble(s, KAFKA_BLAME_PRODUCER, m->err, why.text);
		break;
	}
}

void
kafka_sink_on_delivered(void *arg, const rd_kafka_message_t *m)
{
	struct sink *s = arg;
	struct kafka_slot slot = kafka_slots_take(&s->slots, m->_private);

	s->in_flight--;
	s->alone_in_flight -= slot.is_alone;
	kafka_topics_back(&s->topics, slot.topic, slot.bytes, kafka_sink_now(s));
	judge(s, &slot, m);
}
