/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/sink_kafka_conf.h"
#include "daemon/delivery/sink_kafka_props.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/unit/pki.h"

/* One property at a time; want NULL: it is fine. librdkafka's words are its own. */
static const struct {
	const char *says, *name, *value, *want;
} one[] = {
	{ "any property", "linger.ms", "20", NULL },
	{ "of topics, too", "compression.level", "3", NULL },
	{ "zstd", "compression.type", "zstd", NULL },
	{ "lz4", "compression.codec", "lz4", NULL },
	{ "what it is anyway", "acks", "all", NULL },
	{ "the same in other words", "request.required.acks", "-1", NULL },
	{ "another partitioner that keeps a key together", "partitioner", "fnv1a", NULL },
	{ "no such property", "linger.mss", "20", "No such configuration property: \"linger.mss\"" },
	{ "a misspelt one", "compresion.codec", "lz4", "did you mean compression.codec?" },
	{ "not a number", "linger.ms", "soon", "Invalid value for configuration property" },
	{ "out of range", "linger.ms", "-3", "outside allowed range 0..900000" },
	{ "not one of its words", "compression.type", "zst", "Invalid value \"zst\"" },
	{ "a callback", "dr_cb", "x", "must be set through dedicated" },
	{ "fewer acknowledgements", "acks", "1", "is always all" },
	{ "fewer, in other words", "request.required.acks", "0", "is always all" },
	{ "no idempotence", "enable.idempotence", "false", "is always true" },
	{ "tries that end", "retries", "3", "message.timeout.ms" },
	{ "tries that end, in other words", "message.send.max.retries", "3", "message.timeout.ms" },
	{ "a partitioner that scatters", "partitioner", "random", "must meet in one partition" },
	{ "part of an allowed word", "partitioner", "murmur", "must meet in one partition" },
	{ "no reports", "delivery.report.only.error", "true", "delivery report" },
	{ "last in, first out", "queuing.strategy", "lifo", "mix up" },
	{ "transactions", "transactional.id", "x", "without transactions" },
	{ "brokers", "bootstrap.servers", "x", "write them as brokers" },
	{ "brokers, in other words", "metadata.broker.list", "x", "write them as brokers" },
	{ "a password", "sasl.password", "hush", "password_file" },
	{ "a key", "ssl.key.pem", "hush", "tls.key_file" },
	{ "a key's password", "ssl.key.password", "hush", "tls.key_password_file" },
	{ "a client's secret", "sasl.oauthbearer.client.secret", "hush", "oauth_secret_file" },
};

START_TEST(test_one)
{
	struct err err = { 0 };
	bool ok = kafka_prop_check(one[_i].name, one[_i].value, &err);

	ck_assert_msg(ok == (one[_i].want == NULL), "%s: %s", one[_i].says, err.text);
	if (one[_i].want != NULL)
		ck_assert_msg(strstr(err.text, one[_i].want) != NULL, "%s: %s", one[_i].says, err.text);
	ck_assert_ptr_null(strstr(err.text, "hush"));
}
END_TEST

/* ---- all together -------------------------------------------------------------------- */

static struct pki pki;
static const char ours[] = "of pki";

static void
make_pki(void)
{
	pki_make(&pki);
}

static void
remove_pki(void)
{
	pki_remove(&pki);
}

static const struct {
	const char *says;
	const char *broker, *username, *ca_file, *name, *value;
	const char *want, *warning; /* NULL: none */
} together[] = {
	{ "nothing but a broker", "127.0.0.1:9092", NULL, NULL, NULL, NULL, NULL, NULL },
	{ "in the clear", "kafka:9092", NULL, NULL, NULL, NULL, NULL, "alerts go in the clear" },
	{ "TLS", "kafka:9092", NULL, NULL, "security.protocol", "ssl", NULL, NULL },
	{ "a password goes over TLS by itself", "kafka:9092", "u", NULL, NULL, NULL, NULL, NULL },
	{ "a password in the clear", "kafka:9092", "u", NULL, "security.protocol", "sasl_plaintext", NULL,
	  "the way to sign in in the clear" },
	{ "a password that nobody wants", "kafka:9092", "u", NULL, "security.protocol", "ssl",
	  "have no effect: security.protocol is ssl", NULL },
	{ "TLS that checks nothing", "kafka:9092", "u", NULL, "enable.ssl.certificate.verification", "false",
	  NULL, "anybody on the way" },
	{ "authorities that nobody asks", "kafka:9092", NULL, ours, "security.protocol", "plaintext",
	  "tls has no effect", NULL },
	{ "authorities that are none", "kafka:9092", NULL, "/dev/null", NULL, NULL, "ca_file: /dev/null is not", NULL },
	{ "authorities that are not there", "kafka:9092", NULL, "/nowhere/ca", NULL, NULL,
	  "ca_file: cannot read /nowhere/ca", NULL },
	{ "what breaks idempotence", "127.0.0.1", NULL, NULL, "max.in.flight", "6", "must be set <= 5", NULL },
	{ "what consumers have", "127.0.0.1", NULL, NULL, "group.id", "x", NULL, "will be ignored" },
	{ "a mechanism that there is not", "[::1]:9092", "u", NULL, "sasl.mechanism", "ROT13", "mechanism",
	  NULL },
};

static void
on_warning(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text);
}

START_TEST(test_together)
{
	struct buf warnings = BUF_INIT(10000);
	struct err err = { 0 };
	char *broker = (char *)together[_i].broker, *secret = (char *)"/nowhere/secret";
	struct conf_pair pair = { (char *)together[_i].name, (char *)together[_i].value };
	struct sink_kafka_conf conf = {
		.brokers = { &broker, 1 },
		.username = (char *)together[_i].username,
		.password_file = { &secret, together[_i].username != NULL },
		.tls.ca_file = together[_i].ca_file == ours ? pki.ca : (char *)together[_i].ca_file,
		.rdkafka = { &pair, together[_i].name != NULL },
	};
	bool ok = sink_kafka_check(&conf, on_warning, &warnings, &err);
	const char *said = warnings.n > 0 ? warnings.p : "";

	ck_assert_msg(ok == (together[_i].want == NULL), "%s: %s", together[_i].says, err.text);
	if (together[_i].want != NULL)
		ck_assert_msg(strstr(err.text, together[_i].want) != NULL, "%s: %s", together[_i].says,
		    err.text);
	if (together[_i].warning != NULL)
		ck_assert_msg(strstr(said, together[_i].warning) != NULL, "%s: %s", together[_i].says, said);
	else
		ck_assert_msg(!ok || said[0] == '\0', "%s: %s", together[_i].says, said);
	buf_release(&warnings);
}
END_TEST

/* What is promised is so whatever the user wrote. */
START_TEST(test_promised)
{
	static const char *const promised[][2] = { { "acks", "-1" }, { "enable.idempotence", "true" },
		{ "delivery.report.only.error", "false" }, { "compression.type", "none" },
		{ "queue.buffering.max.kbytes", "16384" },
		{ "message.copy.max.bytes", "1024" } };
	char *broker = (char *)"127.0.0.1", value[100];
	const struct sink_kafka_conf conf = { .brokers = { &broker, 1 } };
	struct err err = { 0 };
	rd_kafka_conf_t *props = kafka_props_new(&conf, KAFKA_PROPS_BATCHES, "", &err);
	size_t n;

	ck_assert_msg(props != NULL, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(promised); i++) {
		n = sizeof(value);
		ck_assert_int_eq(rd_kafka_conf_get(props, promised[i][0], value, &n), RD_KAFKA_CONF_OK);
		ck_assert_str_eq(value, promised[i][1]);
	}
	ck_assert_int_eq(kafka_props_number(props, "message.max.bytes"), 1000000);
	rd_kafka_conf_destroy(props);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("kafka_props");
	TCase *tc = tcase_create("kafka_props");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_one, 0, ARRAY_LEN(one));
	tcase_add_unchecked_fixture(tc, make_pki, remove_pki);
	tcase_add_loop_test(tc, test_together, 0, ARRAY_LEN(together));
	tcase_add_test(tc, test_promised);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
