/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/ticks.h"
#include "lib/format/escape.h"
#include "lib/format/header.h"
#include "lib/format/moment.h"
#include "lib/format/template.h"

#define HOST_MAX 255 /* RFC 5424 section 6.2.4 */
#define APP_MAX  48  /* section 6.2.5 */

/* "Nothing at 2 or under: those page people." */
unsigned
header_severity(const struct event *ev)
{
	static const unsigned char of[] = {
		[SEVERITY_UNKNOWN] = 6,
		[SEVERITY_INFORMATIONAL] = 6,
		[SEVERITY_LOW] = 5,
		[SEVERITY_MEDIUM] = 4,
		[SEVERITY_HIGH] = 3,
		[SEVERITY_OTHER] = 4,
	};

	switch (ev->record->type) {
	case RECORD_ALERT:
	case RECORD_INCIDENT:
		return of[record_severity(ev->record)];
	case RECORD_UNREADABLE:
	case RECORD_HEALTH:
		return 4;
	case RECORD_CANARY:
		break;
	}
	return 6;
}

/*
 * A name as the RFCs allow it: printable ASCII without space, at most max bytes;
 * each other character is a "-". An RFC 3164 host also has no colon, which would
 * end a tag there.
 */
static void
write_clean(struct buf *out, struct str text, size_t max, bool allow_colon, const char *fallback)
{
	size_t start = out->n, len;

	for (size_t i = 0; i < text.n && out->n - start < max; i += len) {
		char c = text.s[i];

		len = utf8_next(text.s + i, text.n - i, NULL);
		len = len != 0 ? len : 1;
		buf_byte(out, c > ' ' && c < 0x7f && (allow_colon || c != ':') ? c : '-');
		if (!buf_ok(out))
			return;
	}
	if (out->n == start)
		buf_puts(out, fallback);
}

static void
write_name(struct buf *out, const struct event *ev, const char *template, const char *host,
    size_t max, bool allow_colon, const char *fallback)
{
	char room[1024];
	struct buf name = { .p = room, .room = sizeof(room), .max = sizeof(room) - 1 };

	room[0] = '\0';
	if (template != NULL)
		template_write(&name, template, ev->origin, host);
	write_clean(out, buf_peek(&name), max, allow_colon, fallback);
}

/* "Nov  2 05:40:00", in local time. */
static void
write_3164_time(struct buf *out, int64_t ticks, const struct zone *zone)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct ticks_date d;

	if (zone != NULL)
		ticks += zone_offset(zone, ticks_to_sec(ticks)) * TICKS_SEC;
	ticks_date(ticks, &d);
	buf_printf(out, "%.3s %2u %02u:%02u:%02u", months + 3 * (d.month - 1), d.day, d.hour,
	    d.minute, d.second);
}

static void
write_3164(struct buf *out, const struct event *ev, const struct header_opts *o)
{
	write_3164_time(out, moment_of(ev), o->zone);
	buf_byte(out, ' ');
	write_name(out, ev, o->hostname, o->host, HOST_MAX, false, "msspd");
	buf_byte(out, ' ');
}

/* ---- structured data, RFC 5424 section 6.3 ------------------------------------------------ */

#define VALUE_MAX 1200

/* A value without controls, with its quotes, backslashes and closing brackets escaped. */
static void
write_param(struct buf *out, const char *name, struct str value)
{
	char room[VALUE_MAX + 1];
	struct buf plain = { .p = room, .room = sizeof(room), .max = sizeof(room) - 1 };

	escape_plain(&plain, value, VALUE_MAX);
	if (plain.n == 0)
		return;
	buf_printf(out, " %s=\"", name);
	for (size_t i = 0; i < plain.n; i++) {
		if (strchr("\"\\]", room[i]) != NULL)
			buf_byte(out, '\\');
		buf_byte(out, room[i]);
	}
	buf_byte(out, '"');
}

static struct str
severity_word(const struct record *r)
{
	if (r->type == RECORD_ALERT)
		return r->alert.severity_text;
	return r->type == RECORD_INCIDENT ? r->incident.severity_text : (struct str){ NULL, 0 };
}

static void
write_sd(struct buf *out, const struct event *ev, const char *sd_id)
{
	const struct origin *o = ev->origin;
	struct buf id = BUF_INIT(4096);

	event_id(&id, ev);
	buf_printf(out, "[%s", sd_id);
	write_param(out, "tenant", str_of(o->tenant));
	write_param(out, "tenant_id", str_of(o->tenant_id));
	write_param(out, "customer", str_of(o->customer));
	write_param(out, "stream", str_of(o->stream));
	write_param(out, "kind", str_of(kind_names[ev->kind]));
	write_param(out, "severity", severity_word(ev->record));
	write_param(out, "event_id", buf_peek(&id));
	buf_byte(out, ']');
	buf_release(&id);
}

bool
header_sd_id_check(const char *text, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t name = strspn(text, letters);
	const char *number = text + name + (text[name] == '@');
	size_t digits = strspn(number, "0123456789.");

	if (name > 0 && digits > 0 && text[name] == '@' && number[digits] == '\0' &&
	    strlen(text) <= 32)
		return true;
	return err_set(err, ERR_CONF,
	    "\"%.40s\" names no structured data; write a name, @, and your organization's private "
	    "enterprise number, as msspd@32473",
	    text);
}

static void
write_5424(struct buf *out, const struct event *ev, const struct header_opts *o)
{
	buf_puts(out, "1 ");
	ticks_write(out, moment_of(ev), 6);
	buf_byte(out, ' ');
	write_name(out, ev, o->hostname, o->host, HOST_MAX, true, "-");
	buf_byte(out, ' ');
	write_name(out, ev, o->app_name, o->host, APP_MAX, true, "-");
	buf_byte(out, ' ');
	buf_int(out, o->pid);
	buf_byte(out, ' ');
	buf_puts(out, kind_names[ev->kind]);
	buf_byte(out, ' ');
	if (o->sd_id != NULL)
		write_sd(out, ev, o->sd_id);
	else
		buf_byte(out, '-');
	buf_byte(out, ' ');
}

void
header_write(struct buf *out, const struct event *ev, const struct header_opts *o)
{
	buf_byte(out, '<');
	buf_int(out, o->facility * 8 + header_severity(ev));
	buf_byte(out, '>');
	switch (o->kind) {
	case HEADER_RFC5424:
		write_5424(out, ev, o);
		break;
	case HEADER_RFC3164:
		write_3164(out, ev, o);
		break;
	}
}

void
frame_write(struct buf *out, struct str message, enum framing framing)
{
	if (framing == FRAMING_OCTET) {
		buf_int(out, (int64_t)message.n);
		buf_byte(out, ' ');
	}
	buf_str(out, message);
	if (framing == FRAMING_LF)
		buf_byte(out, '\n');
}
