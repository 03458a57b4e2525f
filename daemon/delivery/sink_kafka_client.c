/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/loop.h"
#include "daemon/secret.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/ticks.h"
#include "lib/policy/jwt_look.h"

#define EVENTS_A_TURN 64
#define REASON_TEXT   512
#define TOKEN_MS      (5 * 60 * 1000) /* of a token that does not say when it ends */
#define ASK_MS        10000
#define LOOK_MS       1

struct kafka_client {
	const struct engine_env *env;
	const struct kafka_client_user *user;
	void *arg;
	const char *token_file;
	const struct log_ctx *log;
	rd_kafka_t *producer;
	rd_kafka_queue_t *queue;
	int fd;
	struct event *on_event;
};

/* ---- what comes ---------------------------------------------------------------------- */

static void
on_delivered(struct kafka_client *c, rd_kafka_event_t *ev)
{
	const rd_kafka_message_t *m;

	for (m = rd_kafka_event_message_next(ev); m != NULL; m = rd_kafka_event_message_next(ev))
		c->user->delivered(c->arg, m);
}

static void
on_trouble(struct kafka_client *c, rd_kafka_event_t *ev)
{
	rd_kafka_resp_err_t code = rd_kafka_event_error(ev);
	char text[REASON_TEXT];

	if (code != RD_KAFKA_RESP_ERR__FATAL) {
		c->user->trouble(c->arg, code, rd_kafka_event_error_string(ev));
		return;
	}
	(void)rd_kafka_fatal_error(c->producer, text, sizeof(text));
	c->user->trouble(c->arg, code, text);
}

/* Its troubles come as events, too; these lines are for who looks closer. */
static void
on_log(struct kafka_client *c, rd_kafka_event_t *ev)
{
	const char *facility, *text;
	int level;

	if (rd_kafka_event_log(ev, &facility, &text, &level) == 0)
		log_debug(c->log, "librdkafka: %s: %s", facility, text);
}

static int
min_in_sync(const rd_kafka_ConfigResource_t *topic)
{
	size_t n;
	const rd_kafka_ConfigEntry_t **v = rd_kafka_ConfigResource_configs(topic, &n);
	const char *value;

	for (size_t i = 0; i < n; i++) {
		value = rd_kafka_ConfigEntry_value(v[i]);
		if (strcmp(rd_kafka_ConfigEntry_name(v[i]), "min.insync.replicas") == 0 && value != NULL)
			return (int)strtol(value, NULL, 10);
	}
	return 0;
}

static void
on_replicas(struct kafka_client *c, rd_kafka_event_t *ev)
{
	const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(ev);
	const rd_kafka_ConfigResource_t **v;
	size_t n = 0;

	v = result != NULL ? rd_kafka_DescribeConfigs_result_resources(result, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		c->user->replicas(c->arg, rd_kafka_ConfigResource_name(v[i]), min_in_sync(v[i]));
}

/* ---- tokens -------------------------------------------------------------------------- */

static bool
set_token(struct kafka_client *c, const struct buf *token, struct err *err)
{
	int64_t now_ms = clock_wall(c->env->clock) / ticks_from_ms(1), ends_ms;
	char reason[REASON_TEXT];
	struct jwt_look jwt;

	(void)jwt_look(buf_peek(token), &jwt);
	ends_ms = jwt.exp > 0 ? jwt.exp * 1000 : now_ms + TOKEN_MS;
	if (ends_ms <= now_ms)
		return err_set(err, ERR_AUTH, "the token in %s has ended", c->token_file);
	return rd_kafka_oauthbearer_set_token(c->producer, token->p, ends_ms, "msspd", NULL, 0, reason,
	    sizeof(reason)) == RD_KAFKA_RESP_ERR_NO_ERROR
	    || err_set(err, ERR_AUTH, "the token in %s cannot be used: %s", c->token_file, reason);
}

static void
on_token_wanted(struct kafka_client *c)
{
	struct buf token = BUF_INIT(SECRET_MAX);
	struct err err = { 0 };

	if (!secret_read(c->token_file, &token, &err) || !set_token(c, &token, &err)) {
		(void)rd_kafka_oauthbearer_set_token_failure(c->producer, err.text);
		c->user->trouble(c->arg, RD_KAFKA_RESP_ERR__AUTHENTICATION, err.text);
	}
	buf_wipe(&token);
}

/* ---- events -------------------------------------------------------------------------- */

static void
dispatch(struct kafka_client *c, rd_kafka_event_t *ev)
{
	rd_kafka_event_type_t type = rd_kafka_event_type(ev);

	if (type == RD_KAFKA_EVENT_DR)
		on_delivered(c, ev);
	else if (type == RD_KAFKA_EVENT_ERROR)
		on_trouble(c, ev);
	else if (type == RD_KAFKA_EVENT_LOG)
		on_log(c, ev);
	else if (type == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT)
		on_replicas(c, ev);
	else if (type == RD_KAFKA_EVENT_STATS)
		log_debug(c->log, "librdkafka: %s", rd_kafka_event_stats(ev));
	else if (type == RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH && c->token_file != NULL)
		on_token_wanted(c);
}

/* The descriptor tells only that the queue is no longer empty: it is read first, then the
 * queue until it is empty, or later. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct kafka_client *c = arg;
	rd_kafka_event_t *ev = NULL;
	uint64_t count;
	size_t n;

	(void)what;
	while (read(fd, &count, sizeof(count)) > 0)
		continue;
	for (n = 0; n < EVENTS_A_TURN; n++) {
		ev = rd_kafka_queue_poll(c->queue, 0);
		if (ev == NULL)
			break;
		dispatch(c, ev);
		rd_kafka_event_destroy(ev);
	}
	if (ev != NULL)
		event_active(c->on_event, EV_READ, 0);
	if (n > 0)
		c->user->settled(c->arg);
}

/* ---- asking -------------------------------------------------------------------------- */

rd_kafka_t *
kafka_client_producer(const struct kafka_client *c)
{
	return c->producer;
}

bool
kafka_client_is_connected(const struct kafka_client *c)
{
	char *id = rd_kafka_clusterid(c->producer, 0);

	if (id != NULL)
		rd_kafka_mem_free(c->producer, id);
	return id != NULL;
}

/* Asked for metadata, librdkafka says at once when there is no broker that it could ask; the answer
 * itself is of no interest, and need not come in time. */
bool
kafka_client_is_reachable(const struct kafka_client *c)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code = rd_kafka_metadata(c->producer, 0, NULL, &metadata, LOOK_MS);

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_metadata_destroy(metadata);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

void
kafka_client_ask_replicas(struct kafka_client *c, const char *topic)
{
	rd_kafka_ConfigResource_t *about = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_AdminOptions_t *opts = rd_kafka_AdminOptions_new(c->producer,
	    RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	char reason[REASON_TEXT];

	(void)rd_kafka_AdminOptions_set_request_timeout(opts, ASK_MS, reason, sizeof(reason));
	rd_kafka_DescribeConfigs(c->producer, &about, 1, opts, c->queue);
	rd_kafka_AdminOptions_destroy(opts);
	rd_kafka_ConfigResource_destroy(about);
}

/* ---- life ---------------------------------------------------------------------------- */

static rd_kafka_t *
new_producer(const struct kafka_client_opts *opts, struct err *err)
{
	int events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS;
	char reason[REASON_TEXT];
	rd_kafka_t *producer;

	if (opts->token_file != NULL)
		events |= RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH;
	rd_kafka_conf_set_events(opts->props, events);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, opts->props, reason, sizeof(reason));
	if (producer == NULL) {
		rd_kafka_conf_destroy(opts->props);
		(void)err_set(err, ERR_CONF, "librdkafka cannot start: %s", reason);
	}
	return producer;
}

struct kafka_client *
kafka_client_open(const struct engine_env *env, const struct kafka_client_opts *opts,
    const struct kafka_client_user *user, void *arg, struct err *err)
{
	rd_kafka_t *producer = new_producer(opts, err);
	const uint64_t one = 1;
	struct kafka_client *c;

	if (producer == NULL)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	*c = (struct kafka_client) {
		.env = env,
		.user = user,
		.arg = arg,
		.token_file = opts->token_file,
		.log = opts->log,
		.producer = producer,
		.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};
	BUG_IF(c->fd < 0);
	(void)rd_kafka_set_log_queue(producer, NULL);
	c->queue = rd_kafka_queue_get_main(producer);
	rd_kafka_queue_io_event_enable(c->queue, c->fd, &one, sizeof(one));
	c->on_event = event_new(env->base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	BUG_IF(c->on_event == NULL || event_add(c->on_event, NULL) != 0);
	/* What came before the descriptor was there is not told by it. */
	event_active(c->on_event, EV_READ, 0);
	return c;
}

/* ---- the end ------------------------------------------------------------------------- */

static void *
bury(void *producer)
{
	rd_kafka_destroy(producer);
	return NULL;
}

bool
kafka_graves_have_room(struct kafka_graves *g)
{
	for (size_t i = 0; i < g->n;) {
		if (pthread_tryjoin_np(g->threads[i], NULL) == 0)
			g->threads[i] = g->threads[--g->n];
		else
			i++;
	}
	return g->n < KAFKA_GRAVES;
}

void
kafka_graves_release(struct kafka_graves *g, int wait_ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	for (size_t i = 0; i < g->n; i++) {
		if (pthread_timedjoin_np(g->threads[i], NULL, &until) != 0)
			(void)pthread_detach(g->threads[i]);
	}
	g->n = 0;
}

/* With no room left it ends all the same, only that nobody waits for it. */
static void
bury_later(rd_kafka_t *producer, struct kafka_graves *g)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, bury, producer) != 0)
		rd_kafka_destroy(producer);
	else if (kafka_graves_have_room(g))
		g->threads[g->n++] = thread;
	else
		(void)pthread_detach(thread);
}

void
kafka_client_close(struct kafka_client *c, struct kafka_graves *g)
{
	if (c == NULL)
		return;
	event_free(c->on_event);
	rd_kafka_queue_io_event_enable(c->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(c->queue);
	close(c->fd);
	(void)rd_kafka_purge(c->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT
	    | RD_KAFKA_PURGE_F_NON_BLOCKING);
	bury_later(c->producer, g);
	free(c);
}
