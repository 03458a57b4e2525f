/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_PARTS_H
#define SINK_KAFKA_PARTS_H

#include "daemon/delivery/fifo.h"
#include "daemon/delivery/sink.h"
#include "daemon/delivery/sink_kafka_blame.h"
#include "daemon/delivery/sink_kafka_client.h"
#include "daemon/delivery/sink_kafka_conf.h"
#include "daemon/delivery/sink_kafka_message.h"
#include "daemon/delivery/sink_kafka_props.h"
#include "daemon/delivery/sink_kafka_slots.h"
#include "daemon/delivery/sink_kafka_topics.h"
#include "daemon/env.h"
#include "daemon/loop.h"
#include "daemon/nap.h"
#include "daemon/timer.h"

/*
 * sink_kafka_parts: what the files of the Kafka sink share; private to them.
 *
 *   sink_kafka.c         its life
 *   sink_kafka_link.c    the producers: coming up, trouble, going down
 *   sink_kafka_send.c    entries on their way to librdkafka
 *   sink_kafka_report.c  what became of them, on its way to delivery
 */
#define KAFKA_SINK_FLIGHT_BYTES (16 * 1024 * 1024) /* on their way, at most */
#define KAFKA_SINK_BURST_BYTES  2000000 /* of a topic: two batches; librdkafka has five under way at most */
#define KAFKA_SINK_GRACE_MS     5000 /* without brokers for so long it is down: nothing is repeated before */
#define KAFKA_SINK_TAKE_MAX     256

/* What send() found out, to be told when it has returned. */
struct kafka_sink_answer {
	uint64_t ticket;
	enum sink_verdict verdict;
	int64_t wait_ms;
	const char *memo;
	struct err why;
};

enum kafka_sink_state { STATE_OFF, STATE_STARTING, STATE_UP };

struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	const struct sink_kafka_conf *conf;
	struct kafka_message_opts message_opts;
	struct kafka_message message;
	struct buf topic; /* a template's result */
	size_t queue_bytes;

	enum kafka_sink_state state;
	struct kafka_client *client;
	struct kafka_client *alone; /* for batches of one; NULL until one is needed */
	struct kafka_graves graves;
	struct timer look;          /* starting: has a broker answered? */
	int64_t deadline;           /* of starting */
	struct timer grace;         /* up: all brokers are gone, or what is under way is waited for */
	struct timer wake;
	struct nap nap;

	struct err trouble;         /* what librdkafka said last; "" when nothing */
	bool is_refused;            /* it was that the brokers do not know us, or we them */
	bool is_failed;             /* the producer is of no use any more: see trouble */

	struct kafka_topics topics;
	struct kafka_slots slots;
	size_t in_flight, alone_in_flight;
	uint64_t accepted[KAFKA_SINK_TAKE_MAX];
	size_t naccepted;
	struct fifo answers;
	size_t nasked;
	bool wants_ready, is_draining, is_renewing;
};

static inline int64_t
kafka_sink_now(const struct sink *s)
{
	return clock_mono(s->env->clock);
}

/* ---- sink_kafka_report.c ------------------------------------------------------------- */

/* The memo of an entry whose batch was refused: whether it is to blame shows when it is alone. */
extern const char kafka_sink_alone[];

/* Tells what was accepted so far. */
void kafka_sink_report_accepted(struct sink *s);
/* Keeps an answer until the loop's next turn, when kafka_sink_report_answers() tells it. */
void kafka_sink_answer_later(struct sink *s, const struct kafka_sink_answer *a);
void kafka_sink_report_answers(void *arg);
/* For struct kafka_client_user. */
void kafka_sink_on_delivered(void *arg, const rd_kafka_message_t *m);

/* The topic takes nothing for now. */
void kafka_sink_topic_failed(struct sink *s, struct kafka_topic *t, const char *why);
/* How long its entries are to wait; 0: no longer. */
int64_t kafka_sink_wait_of(const struct sink *s, const struct kafka_topic *t);
struct err kafka_sink_reason(const struct kafka_topic *t, rd_kafka_resp_err_t code);

/* ---- sink_kafka_link.c --------------------------------------------------------------- */

/* NULL: it cannot be made. */
struct kafka_client *kafka_sink_open_client(struct sink *s, enum kafka_props_for what,
    struct err *err);
/* Ends the producers and forgets what is under way, without a word. */
void kafka_sink_hang_up(struct sink *s);
/* The same, and says so. why NULL: we ended it, to begin anew. */
void kafka_sink_link_ended(struct sink *s, const struct err *why);
/* What to say when the link ends. */
void kafka_sink_keep_trouble(struct sink *s, enum kafka_blame blame, rd_kafka_resp_err_t code,
    const char *text);
void kafka_sink_start(struct sink *s);
/* Of its timers. */
void kafka_sink_on_look(void *arg);
void kafka_sink_on_grace(void *arg);
void kafka_sink_on_wake(void *arg);

/* ---- sink_kafka_send.c --------------------------------------------------------------- */

size_t kafka_sink_send(struct sink *s, const struct sink_item *items, size_t n);
/* Deferred, where sending showed that the producer is of no use. */
void kafka_sink_on_failed(void *arg);

#endif
