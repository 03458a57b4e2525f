/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_props.h"

#include <stdlib.h>

#include "daemon/delivery/sink_kafka_conf.h"
#include "daemon/secret.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/config/nearest.h"

#define REASON_TEXT 512
#define VALUE_TEXT  512

/* ---- what is not the user's ---------------------------------------------------------- */

#define PROMISE_ACKS \
	"an alert counts as delivered only when every in-sync replica has it; it is always all"
#define PROMISE_TRIES \
	"tries are limited by time alone (message.timeout.ms), so that none is given up while its order holds"
#define PROMISE_REPORT "an alert is accepted when its delivery report says so; each is needed"
#define OUR_EVENTS     "msspd sets it: librdkafka's events come to its loop"
#define SECRET_IN      "is a secret, which does not belong in this file; write its file as "

static const struct rule {
	const char *name;
	const char *allowed; /* words between blanks; NULL: no value */
	const char *why;
} rules[] = {
	{ "bootstrap.servers", NULL, "write them as brokers" },
	{ "metadata.broker.list", NULL, "write them as brokers" },
	{ "acks", "all -1", PROMISE_ACKS },
	{ "request.required.acks", "all -1", PROMISE_ACKS },
	{ "enable.idempotence", "true",
	  "without it a retry repeats alerts and mixes up the versions of one; it is always true" },
	{ "partitioner", "murmur2_random murmur2 consistent_random consistent fnv1a_random fnv1a",
	  "the versions of an alert must meet in one partition; it may be murmur2_random, consistent_random,"
	  " fnv1a_random, or one of these without _random" },
	{ "retries", NULL, PROMISE_TRIES },
	{ "message.send.max.retries", NULL, PROMISE_TRIES },
	{ "queuing.strategy", "fifo", "it would mix up the versions of an alert; it is always fifo" },
	{ "delivery.report.only.error", "false", PROMISE_REPORT },
	{ "transactional.id", NULL, "msspd writes without transactions: each alert is accepted by itself" },
	{ "enabled_events", NULL, OUR_EVENTS },
	{ "log.queue", "true", OUR_EVENTS },
	{ "opaque", NULL, OUR_EVENTS },
	{ "sasl.password", NULL, SECRET_IN "password_file" },
	{ "ssl.key.pem", NULL, SECRET_IN "tls.key_file" },
	{ "ssl.key.password", NULL, SECRET_IN "tls.key_password_file" },
	{ "ssl.keystore.password", NULL,
	  SECRET_IN "tls.key_file, and the certificate as tls.certificate_file, both in PEM" },
	{ "sasl.oauthbearer.client.secret", NULL, SECRET_IN "oauth_secret_file" },
};

static bool
is_among(const char *words, const char *value)
{
	size_t n = strlen(value);

	for (const char *w = words; w != NULL && *w != '\0'; w += strspn(w, " ")) {
		size_t len = strcspn(w, " ");

		if (len == n && memcmp(w, value, n) == 0)
			return true;
		w += len;
	}
	return false;
}

static bool
check_rules(const char *name, const char *value, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (strcmp(rules[i].name, name) == 0 && !is_among(rules[i].allowed, value))
			return err_set(err, ERR_CONF, "%s%s", strncmp(rules[i].why, "is ", 3) == 0 ? "" :
			    "cannot be set to this: ", rules[i].why);
	}
	return true;
}

/* ---- librdkafka's own judgement ------------------------------------------------------ */

static void
offer_names(struct nearest *near, const char **names, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
		nearest_offer(near, names[i]);
}

static bool
unknown_name(const char *name, const char *reason, struct err *err)
{
	rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	size_t nconf, ntopic;
	const char **of_conf = rd_kafka_conf_dump(conf, &nconf);
	const char **of_topic = rd_kafka_topic_conf_dump(topic, &ntopic);
	struct nearest near;

	nearest_init(&near, name);
	offer_names(&near, of_conf, nconf);
	offer_names(&near, of_topic, ntopic);
	if (near.best != NULL)
		(void)err_set(err, ERR_CONF, "%s; did you mean %s?", reason, near.best);
	else
		(void)err_set(err, ERR_CONF, "%s; this is librdkafka %s", reason, rd_kafka_version_str());
	rd_kafka_conf_dump_free(of_conf, nconf);
	rd_kafka_conf_dump_free(of_topic, ntopic);
	rd_kafka_conf_destroy(conf);
	rd_kafka_topic_conf_destroy(topic);
	return false;
}

/* The value is in no message: it may be a secret. */
static bool
set_one(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
	char reason[REASON_TEXT];

	switch (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason))) {
	case RD_KAFKA_CONF_OK:
		return true;
	case RD_KAFKA_CONF_UNKNOWN:
		return unknown_name(name, reason, err);
	case RD_KAFKA_CONF_INVALID:
		break;
	}
	reason[strcspn(reason, "\n")] = '\0';
	return err_set(err, ERR_CONF, "%s", reason);
}

bool
kafka_prop_check(const char *name, const char *value, struct err *err)
{
	rd_kafka_conf_t *conf;
	bool ok;

	if (!check_rules(name, value, err))
		return false;
	conf = rd_kafka_conf_new();
	ok = set_one(conf, name, value, err);
	rd_kafka_conf_destroy(conf);
	return ok;
}

static bool
get_text(const rd_kafka_conf_t *conf, const char *name, char text[VALUE_TEXT])
{
	size_t n = VALUE_TEXT;

	text[0] = '\0';
	return rd_kafka_conf_get(conf, name, text, &n) == RD_KAFKA_CONF_OK;
}

int64_t
kafka_props_number(const rd_kafka_conf_t *props, const char *name)
{
	char text[VALUE_TEXT];

	return get_text(props, name, text) ? strtoll(text, NULL, 10) : 0;
}

/* ---- making them --------------------------------------------------------------------- */

static bool
has_tls(const struct sink_kafka_conf *c)
{
	return c->tls.ca_file != NULL || c->tls.certificate_file != NULL;
}

static bool
has_oauth(const struct sink_kafka_conf *c)
{
	return c->oauth_token_file.n > 0 || c->oauth_secret_file.n > 0;
}

/* A password or token goes over TLS where nobody says otherwise. */
static const char *
default_protocol(const struct sink_kafka_conf *c)
{
	if (c->username != NULL || has_oauth(c))
		return "sasl_ssl";
	return has_tls(c) ? "ssl" : "plaintext";
}

static const char *
default_mechanism(const struct sink_kafka_conf *c)
{
	if (has_oauth(c))
		return "OAUTHBEARER";
	return c->username != NULL ? "SCRAM-SHA-512" : NULL;
}

struct pair {
	const char *name, *value;
};

static bool
set_all(rd_kafka_conf_t *conf, const struct pair *pairs, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].value != NULL && !set_one(conf, pairs[i].name, pairs[i].value, err))
			return err_wrap(err, "%s", pairs[i].name);
	}
	return true;
}

/*
 * What a user may change. A little patience gathers batches; Nagle's algorithm
 * would hold their last piece back. The queue is what memory is bounded by: entries
 * wait in the journal, not here. A value is not copied into its batch first, only what is
 * compressed or sent of it: that copy is memory never touched before, a batch after the other.
 * Nothing is compressed, as with Kafka's own clients: consumers need no codec, and lz4 alone costs
 * as much CPU as half the way of an alert up to here.
 */
static bool
set_defaults(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, const char *instance,
    struct err *err)
{
	const struct pair pairs[] = {
		{ "client.id", instance != NULL && instance[0] != '\0' ? instance : "msspd" },
		{ "linger.ms", "5" },
		{ "socket.nagle.disable", "true" },
		{ "compression.type", "none" },
		{ "queue.buffering.max.kbytes", "16384" },
		{ "message.copy.max.bytes", "1024" },
		{ "message.timeout.ms", "60000" },
		{ "topic.metadata.propagation.max.ms", "5000" },
		{ "reconnect.backoff.max.ms", "5000" },
		{ "partitioner", "murmur2_random" },
		{ "security.protocol", default_protocol(c) },
		{ "sasl.mechanism", default_mechanism(c) },
		{ "sasl.username", c->username },
		{ "ssl.ca.location", c->tls.ca_file },
	};

	return set_all(conf, pairs, ARRAY_LEN(pairs), err);
}

static bool
set_users(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, struct err *err)
{
	for (size_t i = 0; i < c->rdkafka.n; i++) {
		if (!set_one(conf, c->rdkafka.v[i].key, c->rdkafka.v[i].value, err))
			return err_wrap(err, "rdkafka: %s", c->rdkafka.v[i].key);
	}
	return true;
}

static bool
set_promised(rd_kafka_conf_t *conf, enum kafka_props_for what, struct err *err)
{
	const struct pair pairs[] = {
		{ "acks", "all" },
		{ "enable.idempotence", "true" },
		{ "delivery.report.only.error", "false" },
		{ "log.queue", "true" },
		{ "batch.num.messages", what == KAFKA_PROPS_ALONE ? "1" : NULL },
	};

	return set_all(conf, pairs, ARRAY_LEN(pairs), err);
}

static bool
set_brokers(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, struct err *err)
{
	struct buf list = BUF_INIT(64 * 1024);
	bool ok;

	for (size_t i = 0; i < c->brokers.n; i++)
		buf_printf(&list, "%s%s", i != 0 ? "," : "", c->brokers.v[i]);
	ok = buf_ok(&list) ? set_one(conf, "bootstrap.servers", list.p, err) :
	    err_set(err, ERR_CONF, "brokers: they are too long together");
	buf_release(&list);
	return ok;
}

static bool
set_secret(rd_kafka_conf_t *conf, const char *name, const struct conf_list *file, struct err *err)
{
	struct buf secret = BUF_INIT(SECRET_MAX);
	bool ok;

	if (file->n == 0)
		return true;
	ok = secret_read(file->v[0], &secret, err) && set_one(conf, name, secret.p, err);
	buf_wipe(&secret);
	return ok;
}

static bool
set_certificate(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, struct err *err)
{
	return c->tls.certificate_file == NULL
	    || (set_secret(conf, "ssl.key.pem", &c->tls.key_file, err)
	        && set_secret(conf, "ssl.key.password", &c->tls.key_password_file, err)
	        && set_one(conf, "ssl.certificate.location", c->tls.certificate_file, err));
}

static bool
set_secrets(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, struct err *err)
{
	return set_secret(conf, "sasl.password", &c->password_file, err)
	    && set_secret(conf, "sasl.oauthbearer.client.secret", &c->oauth_secret_file, err)
	    && set_certificate(conf, c, err);
}

/* A trial goes without what can only be had when it matters. */
static bool
set_stand_ins(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, struct err *err)
{
	struct err unreadable;

	if (c->tls.key_file.n > 0 && secret_check(c->tls.key_file.v[0], &unreadable)
	    && !set_certificate(conf, c, err))
		return false;
	return c->password_file.n == 0 || set_one(conf, "sasl.password", "-", err);
}

static bool
fill(rd_kafka_conf_t *conf, const struct sink_kafka_conf *c, enum kafka_props_for what,
    const char *instance, struct err *err)
{
	if (!set_defaults(conf, c, instance, err) || !set_users(conf, c, err)
	    || !set_promised(conf, what, err))
		return false;
	if (what == KAFKA_PROPS_TRIAL)
		return set_stand_ins(conf, c, err);
	return set_brokers(conf, c, err) && set_secrets(conf, c, err);
}

rd_kafka_conf_t *
kafka_props_new(const struct sink_kafka_conf *c, enum kafka_props_for what, const char *instance,
    struct err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	if (fill(conf, c, what, instance, err))
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

/* ---- all of them together ------------------------------------------------------------ */

static bool
leaves_in_the_clear(const struct sink_kafka_conf *c)
{
	for (size_t i = 0; i < c->brokers.n; i++) {
		if (strncmp(c->brokers.v[i], "127.", 4) != 0 && strncmp(c->brokers.v[i], "[::1]", 5) != 0
		    && strncmp(c->brokers.v[i], "localhost", 9) != 0)
			return true;
	}
	return false;
}

static bool
judge_protocol(const rd_kafka_conf_t *conf, const struct sink_kafka_conf *c,
    void (*warn)(void *arg, const char *text), void *arg, struct err *err)
{
	char protocol[VALUE_TEXT], checked[VALUE_TEXT];
	bool is_sasl, is_tls;

	(void)get_text(conf, "security.protocol", protocol);
	is_sasl = strncmp(protocol, "sasl_", 5) == 0;
	is_tls = strstr(protocol, "ssl") != NULL;
	if (!is_sasl && (c->username != NULL || has_oauth(c)))
		return err_set(err, ERR_CONF, "username and tokens have no effect: security.protocol is %s;"
		    " leave it out, or write sasl_ssl", protocol);
	if (!is_tls && has_tls(c))
		return err_set(err, ERR_CONF, "tls has no effect: security.protocol is %s; leave it out, or"
		    " write %s", protocol, is_sasl ? "sasl_ssl" : "ssl");
	if (!is_tls && leaves_in_the_clear(c))
		warn(arg, is_sasl ? "security.protocol sends alerts and the way to sign in in the clear;"
		    " use sasl_ssl" : "alerts go in the clear; use security.protocol: ssl where the"
		    " network is not trusted");
	(void)get_text(conf, "enable.ssl.certificate.verification", checked);
	if (is_tls && strcmp(checked, "false") == 0)
		warn(arg, "enable.ssl.certificate.verification: false: anybody on the way can read and change"
		    " the alerts");
	return true;
}

/* Properties that have no effect: librdkafka says so when a producer is made. */
static void
tell_warnings(rd_kafka_t *producer, void (*warn)(void *arg, const char *text), void *arg)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_get_main(producer);
	const char *facility = "", *text = "";
	rd_kafka_event_t *ev;
	int level;

	(void)rd_kafka_set_log_queue(producer, NULL);
	for (ev = rd_kafka_queue_poll(queue, 0); ev != NULL; ev = rd_kafka_queue_poll(queue, 0)) {
		if (rd_kafka_event_log(ev, &facility, &text, &level) == 0
		    && strcmp(facility, "CONFWARN") == 0 && strstr(text, "`bootstrap.servers`") == NULL)
			warn(arg, strncmp(text, "[thrd:app]: ", 12) == 0 ? text + 12 : text);
		rd_kafka_event_destroy(ev);
	}
	rd_kafka_queue_destroy(queue);
}

bool
kafka_props_try(const struct sink_kafka_conf *c, void (*warn)(void *arg, const char *text),
    void *arg, struct err *err)
{
	rd_kafka_conf_t *conf = kafka_props_new(c, KAFKA_PROPS_TRIAL, "", err);
	char reason[REASON_TEXT];
	rd_kafka_t *producer;

	if (conf == NULL)
		return false;
	if (!judge_protocol(conf, c, warn, arg, err)) {
		rd_kafka_conf_destroy(conf);
		return false;
	}
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_ERROR
	    | RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
	if (producer == NULL) {
		rd_kafka_conf_destroy(conf);
		return err_set(err, ERR_CONF, "librdkafka refuses these together: %s", reason);
	}
	tell_warnings(producer, warn, arg);
	rd_kafka_destroy(producer);
	return true;
}
