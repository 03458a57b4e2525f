/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_conf.h"

#include <stdlib.h>

#include "daemon/certificates.h"
#include "daemon/delivery/sink_kafka_props.h"
#include "lib/base/str.h"
#include "lib/format/format.h"
#include "lib/format/template.h"

#define SECOND 1000

/* ---- checks of one text ------------------------------------------------------------- */

static bool
is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 5 && text[n] == '\0' && strtol(text, NULL, 10) >= 1
	    && strtol(text, NULL, 10) <= 65535;
}

/* host, host:port, [address]:port; librdkafka takes more than that, and guesses. */
static bool
check_broker(const char *text, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = text[0] == '[' ? strcspn(text, "]") + 1 : strspn(text, letters);
	const char *rest = n <= strlen(text) ? text + n : "";

	if (strstr(text, "://") != NULL)
		return err_set(err, ERR_CONF, "\"%.100s\" has a scheme; write host:port, and"
		    " security.protocol below rdkafka", text);
	return (n > 0 && (rest[0] == '\0' || (rest[0] == ':' && is_port(rest + 1))))
	    || err_set(err, ERR_CONF, "\"%.100s\" is no broker; write host or host:port", text);
}

static bool
check_topic(const char *text, struct err *err)
{
	if (text[0] == '\0')
		return err_set(err, ERR_CONF, "is empty; write a topic's name");
	return template_check(text, err);
}

/* ---- the tables ---------------------------------------------------------------------- */

#define F(field) offsetof(struct sink_kafka_tls, field)
static const struct conf_opt tls_rows[] = {
	{ .name = "ca_file", .type = CONF_STR, .off = F(ca_file),
	  .help = "PEM file of the authorities that may have issued the brokers' certificates."
	    " Without it, those of the system." },
	{ .name = "certificate_file", .type = CONF_STR, .off = F(certificate_file),
	  .help = "PEM file of our own certificate, followed by its chain, for brokers that ask for one." },
	{ .name = "key_file", .type = CONF_SECRET, .off = F(key_file), .max = 1,
	  .help = "PEM file of that certificate's private key: an absolute path, or the name of a"
	    " systemd credential." },
	{ .name = "key_password_file", .type = CONF_SECRET, .off = F(key_password_file), .max = 1,
	  .help = "File of the key's passphrase, where it has one." },
	{ .name = NULL },
};
#undef F

#define F(field) offsetof(struct sink_kafka_conf, field)
const struct conf_opt sink_kafka_options[] = {
	{ .name = "brokers", .type = CONF_LIST, .off = F(brokers), .flags = CONF_REQUIRED,
	  .min = 1, .max = 64, .check = check_broker,
	  .help = "Brokers to ask first, as host:port (9092); the others are learned from them." },
	{ .name = "topic", .type = CONF_STR, .off = F(topic), .flags = CONF_REQUIRED,
	  .check = check_topic,
	  .help = "Topic, or a template of one, as defender.{customer}. What no topic's name may have in"
	    " it becomes _." },
	{ .name = "format", .type = CONF_STR, .off = F(format), .def = "ocsf", .check = format_check,
	  .help = FORMATS_HELP },
	{ .name = "raw_data", .type = CONF_BOOL, .off = F(raw_data), .def = "true",
	  .help = RAW_DATA_HELP },
	{ .name = "username", .type = CONF_STR, .off = F(username),
	  .help = "User for SASL. The mechanism is SCRAM-SHA-512 unless sasl.mechanism below rdkafka says"
	    " another, as PLAIN." },
	{ .name = "password_file", .type = CONF_SECRET, .off = F(password_file), .max = 1,
	  .help = "File of that user's password: an absolute path, or the name of a systemd credential." },
	{ .name = "oauth_token_file", .type = CONF_SECRET, .off = F(oauth_token_file), .max = 1,
	  .help = "File of a token (JWT) for SASL's OAUTHBEARER, that something else renews; read again"
	    " each time the brokers want a new one." },
	{ .name = "oauth_secret_file", .type = CONF_SECRET, .off = F(oauth_secret_file), .max = 1,
	  .help = "File of the client's secret for OAUTHBEARER with sasl.oauthbearer.method: oidc below"
	    " rdkafka, where librdkafka has it." },
	{ .name = "tls", .type = CONF_MAP, .off = F(tls), .sub = tls_rows,
	  .help = "Certificates. With any of these, or with SASL, connections are TLS unless"
	    " security.protocol below rdkafka says otherwise." },
	{ .name = "connect_timeout", .type = CONF_TIME, .off = F(connect_timeout_ms), .def = "15s",
	  .min = 1 * SECOND, .max = 300 * SECOND,
	  .help = "The link counts as down when no broker has answered for this long." },
	{ .name = "rdkafka", .type = CONF_PAIRS, .off = F(rdkafka), .check_pair = kafka_prop_check,
	  .help = "Any property of librdkafka, by its name, as compression.type: zstd (none where it is"
	    " not said). Those that the promises of delivery rest on cannot be changed." },
	{ .name = NULL },
};
#undef F

/* ---- what one option alone cannot show ----------------------------------------------- */

static bool
check_certificates(const char *name, const char *path, struct err *err)
{
	if (path == NULL)
		return true;
	if (path[0] != '/')
		return err_set(err, ERR_CONF, "tls: %s: %.200s is not an absolute path", name, path);
	return certificates_check(path, err) || err_wrap(err, "tls: %s", name);
}

static bool
check_together(const struct sink_kafka_conf *c, struct err *err)
{
	bool has_certificate = c->tls.certificate_file != NULL;

	if (has_certificate != (c->tls.key_file.n > 0))
		return err_set(err, ERR_CONF, "tls: certificate_file and key_file go together; %s is missing",
		    has_certificate ? "key_file" : "certificate_file");
	if (c->tls.key_password_file.n > 0 && c->tls.key_file.n == 0)
		return err_set(err, ERR_CONF, "tls: key_password_file is there, but no key_file");
	if ((c->username != NULL) != (c->password_file.n > 0))
		return err_set(err, ERR_CONF, "username and password_file go together; %s is missing",
		    c->username != NULL ? "password_file" : "username");
	return check_certificates("ca_file", c->tls.ca_file, err)
	    && check_certificates("certificate_file", c->tls.certificate_file, err);
}

bool
sink_kafka_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
    struct err *err)
{
	const struct sink_kafka_conf *c = conf;

	return check_together(c, err) && kafka_props_try(c, warn, arg, err);
}
