/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"

#define GRAVES_MS 500

/* What is under way is waited for. */
static void
renew_later(void *arg)
{
	struct sink *s = arg;

	if (s->state != STATE_UP || s->is_draining)
		return;
	s->is_renewing = true;
	if (s->in_flight == 0)
		kafka_sink_link_ended(s, NULL);
	else
		timer_set(s->env->timers, &s->grace, KAFKA_SINK_GRACE_MS);
}

/* New secrets and certificates hold from the next connection on. */
static void
on_refresh(struct sink *s)
{
	const struct sink_kafka_conf *c = s->conf;

	if (c->password_file.n + c->oauth_secret_file.n + c->tls.key_file.n > 0 || c->tls.ca_file != NULL)
		loop_defer(s->env->loop, renew_later, s);
}

/*
 * Whoever is on the way may have forgotten the connections, and librdkafka would wait a minute for
 * their answers: its clock stood still. Answers that are there already, or come soon, still count.
 */
static void
on_woke(void *arg, int64_t ms)
{
	struct sink *s = arg;

	if (s->state != STATE_UP || s->is_renewing || s->is_draining)
		return;
	log_info(sink_log(s->owner), "the machine slept, or msspd stood still, for %" PRId64 " s; the "
	    "connections to Kafka are made anew", ms / 1000);
	s->is_renewing = true;
	loop_defer(s->env->loop, renew_later, s);
}

static bool
is_nap_wanted(void *arg)
{
	const struct sink *s = arg;

	return s->state == STATE_UP;
}

static void
drain_later(void *arg)
{
	struct sink *s = arg;

	kafka_sink_report_answers(s);
	if (s->in_flight == 0)
		kafka_sink_link_ended(s, NULL);
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
	kafka_sink_hang_up(s);
	loop_forget(s->env->loop, drain_later, s);
	loop_forget(s->env->loop, renew_later, s);
	loop_forget(s->env->loop, kafka_sink_on_failed, s);
}

static void
on_close(struct sink *s)
{
	on_cancel(s);
	nap_release(&s->nap);
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
	kafka_message_init(&s->message, KAFKA_SINK_FLIGHT_BYTES);
	buf_init(&s->topic, KAFKA_SINK_FLIGHT_BYTES);
	kafka_topics_init(&s->topics, KAFKA_SINK_FLIGHT_BYTES, KAFKA_SINK_BURST_BYTES);
	kafka_slots_init(&s->slots);
	fifo_init(&s->answers, sizeof(struct kafka_sink_answer));
	timer_init(&s->look, kafka_sink_on_look, s);
	timer_init(&s->grace, kafka_sink_on_grace, s);
	timer_init(&s->wake, kafka_sink_on_wake, s);
	s->nap = (struct nap){ .woke = on_woke, .is_wanted = is_nap_wanted, .arg = s };
	nap_init(&s->nap, env);
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
	.start = kafka_sink_start,
	.send = kafka_sink_send,
	.drain = on_drain,
	.cancel = on_cancel,
	.means = on_means,
	.refresh = on_refresh,
	.close = on_close,
};
