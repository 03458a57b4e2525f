/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_syslog_conf.h"

#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/format/template.h"

#define SECOND 1000
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

/* In the order of their enums. */
static const char *const headers[] = { "rfc5424", "rfc3164", NULL };
static const char *const framings[] = { "auto", "octet-counting", "lf", NULL };

/* By number, RFC 5424 table 1; 12 to 15 have no name that is used everywhere. */
static const char *const facilities[24] = { "kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
	"news", "uucp", "cron", "authpriv", "ftp", [16] = "local0", "local1", "local2", "local3",
	"local4", "local5", "local6", "local7" };

int
facility_find(const char *text)
{
	for (int i = 0; i < (int)ARRAY_LEN(facilities); i++) {
		if (facilities[i] != NULL && strcmp(text, facilities[i]) == 0)
			return i;
	}
	if (text[0] == '\0' || strlen(text) > 2 || strspn(text, "0123456789") != strlen(text)
	    || strtol(text, NULL, 10) >= (long)ARRAY_LEN(facilities))
		return -1;
	return (int)strtol(text, NULL, 10);
}

enum framing
sink_syslog_framing(const struct sink_syslog_conf *c, enum transport transport)
{
	if (!transport_is_stream(transport))
		return FRAMING_NONE;
	if (c->framing == SINK_FRAMING_AUTO)
		return transport == TRANSPORT_TLS ? FRAMING_OCTET : FRAMING_LF;
	return c->framing == SINK_FRAMING_OCTET ? FRAMING_OCTET : FRAMING_LF;
}

/* ---- checks of one text ------------------------------------------------------------- */

static bool
check_server(const char *text, struct err *err)
{
	char *one = (char *)text;
	const struct conf_list list = { .v = &one, .n = 1 };
	struct targets ts;

	if (!targets_parse(&ts, &list, err))
		return false;
	targets_release(&ts);
	return true;
}

static bool
check_facility(const char *text, struct err *err)
{
	return facility_find(text) >= 0
	    || err_set(err, ERR_CONF, "\"%.40s\" is no facility; write a name as local4, or 0 to 23", text);
}

static bool
check_zone(const char *text, struct err *err)
{
	struct zone *z = zone_open(text, err);

	zone_close(z);
	return z != NULL;
}

/* ---- the table ------------------------------------------------------------------------ */

#define F(field) offsetof(struct sink_syslog_conf, field)
const struct conf_opt sink_syslog_options[] = {
	{ .name = "servers", .type = CONF_LIST, .off = F(servers), .flags = CONF_REQUIRED,
	  .min = 1, .max = 16, .check = check_server,
	  .help = "Receivers as udp://host, tcp://host, tls://host (each with :port where it is not 514,"
	    " or 6514 for tls) or unix:///path of a datagram socket. The first that answers is used,"
	    " in this order." },
	{ .name = "format", .type = CONF_STR, .off = F(format), .def = "cef", .check = format_check,
	  .help = FORMATS_HELP },
	{ .name = "raw_data", .type = CONF_BOOL, .off = F(raw_data), .def = "true",
	  .help = RAW_DATA_HELP },
	{ .name = "header", .type = CONF_CHOICE, .off = F(header), .def = "rfc5424", .choices = headers,
	  .help = "Form of what stands before the message. Older collectors want rfc3164." },
	{ .name = "framing", .type = CONF_CHOICE, .off = F(framing), .def = "auto", .choices = framings,
	  .help = "How messages are told apart on tcp and tls (RFC 6587). auto: octet counting on tls,"
	    " lines on tcp." },
	{ .name = "hostname", .type = CONF_STR, .off = F(hostname), .def = "{customer}",
	  .check = template_check,
	  .help = "Template of the header's host name. Many SIEMs tell customers apart by it." },
	{ .name = "app_name", .type = CONF_STR, .off = F(app_name), .def = "msspd",
	  .check = template_check, .help = "Template of the header's application name (rfc5424)." },
	{ .name = "structured_data", .type = CONF_STR, .off = F(structured_data),
	  .check = header_sd_id_check,
	  .help = "Puts tenant, tenant_id, customer, stream, kind, severity and event_id before the message"
	    " of an rfc5424 header, where receivers have them without reading it. The text is the id of"
	    " that element: a name and your organization's private enterprise number, as msspd@32473." },
	{ .name = "time_zone", .type = CONF_STR, .off = F(time_zone), .def = "UTC", .check = check_zone,
	  .help = "Zone of the times in an rfc3164 header, which cannot name it, as Europe/Berlin." },
	{ .name = "facility", .type = CONF_STR, .off = F(facility), .def = "local4",
	  .check = check_facility, .help = "Syslog facility, by name or number." },
	{ .name = "max_message", .type = CONF_SIZE, .off = F(max_message), .def = "8192",
	  .min = 1024, .max = 65535,
	  .help = "Longest message, header included. Longer ones lose their least useful parts;"
	    " none is cut." },
	{ .name = "cef_plain_header", .type = CONF_BOOL, .off = F(cef_plain_header), .def = "false",
	  .help = "For readers that do not know CEF's escapes: | \\ = in the CEF header become / / :." },
	{ .name = "confirm_after", .type = CONF_TIME, .off = F(confirm_after_ms), .def = "10s",
	  .min = 0, .max = 600 * SECOND,
	  .help = "On tcp and tls an alert counts as accepted when the connection is still healthy this"
	    " long after the receiver's TCP took it. If it breaks earlier, the alert is sent again." },
	{ .name = "connect_timeout", .type = CONF_TIME, .off = F(connect_timeout_ms), .def = "5s",
	  .min = 100, .max = 120 * SECOND,
	  .help = "Longest wait for a name, for each of its addresses, and for TLS's handshake." },
	{ .name = "failback", .type = CONF_TIME, .off = F(failback_ms), .def = "60s",
	  .min = 0, .max = DAY,
	  .help = "How often the first server is looked at while another is in use. 0: never." },
	{ .name = "keepalive", .type = CONF_TIME, .off = F(keepalive_ms), .def = "60s",
	  .min = 0, .max = HOUR,
	  .help = "A connection whose receiver is gone, or does not read, ends after about this long."
	    " 0: as the system has it." },
	{ .name = "tls", .type = CONF_MAP, .off = F(tls), .sub = tls_options,
	  .help = "For tls:// servers." },
	{ .name = NULL },
};
#undef F

/* ---- what one option alone cannot show --------------------------------------------------- */

static bool
has_transport(const struct targets *ts, enum transport transport)
{
	for (size_t i = 0; i < ts->n; i++) {
		if (ts->v[i].transport == transport)
			return true;
	}
	return false;
}

static bool
leaves_in_the_clear(const struct target *t)
{
	return t->transport == TRANSPORT_TCP && strncmp(t->host, "127.", 4) != 0
	    && strcmp(t->host, "::1") != 0 && strcmp(t->host, "localhost") != 0;
}

#define OCSF_ROOMY 16384 /* what a usual alert needs with its own text in it */

static void
warn_about(const struct sink_syslog_conf *c, const struct targets *ts,
    void (*warn)(void *arg, const char *text), void *arg)
{
	bool has_tls = has_transport(ts, TRANSPORT_TLS);
	bool is_stream = transport_is_stream(ts->v[0].transport);

	if (!is_stream)
		warn(arg, "udp and unix sockets promise no delivery: an alert that the receiver loses or"
		    " is not there for is lost; use tcp or tls where that matters");
	if (is_stream && c->confirm_after_ms == 0)
		warn(arg, "confirm_after: 0 loses what a receiver had taken but not read when it was killed");
	for (size_t i = 0; i < ts->n; i++) {
		if (!leaves_in_the_clear(&ts->v[i]))
			continue;
		warn(arg, "tcp sends alerts in the clear; use tls where the network is not trusted");
		break;
	}
	if (strcmp(c->format, format_ocsf.name) == 0 && c->raw_data && c->max_message < OCSF_ROOMY)
		warn(arg, "ocsf with raw_data is longer than max_message for most alerts, which lose"
		    " raw_data first; raise max_message to 65535, or say raw_data: false");
	if (has_tls && !c->tls.verify)
		warn(arg, "tls.verify: false: anybody on the way can read and change the alerts");
	if (!has_tls && (c->tls.ca_file != NULL || c->tls.certificate_file != NULL))
		warn(arg, "tls has no effect: no server begins with tls://");
	if (!is_stream && c->framing != SINK_FRAMING_AUTO)
		warn(arg, "framing has no effect: each message is a datagram of its own");
	if (c->header == HEADER_RFC3164 && c->structured_data != NULL)
		warn(arg, "structured_data has no effect: an rfc3164 header has no place for it");
	if (c->header == HEADER_RFC5424 && strcmp(c->time_zone, "UTC") != 0)
		warn(arg, "time_zone has no effect: an rfc5424 header is in UTC and says so");
}

bool
sink_syslog_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
    struct err *err)
{
	const struct sink_syslog_conf *c = conf;
	struct targets ts;

	if (!targets_parse(&ts, &c->servers, err))
		return err_wrap(err, "servers");
	warn_about(c, &ts, warn, arg);
	targets_release(&ts);
	return tls_check(&c->tls, err);
}
