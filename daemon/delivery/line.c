/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/line.h"

#include <unistd.h>

#define LINE_ROOM (256 * 1024) /* for what a format writes before it shortens */

bool
line_init(struct line *l, const struct sink_syslog_conf *c, const char *host,
    enum transport transport, struct err *err)
{
	int facility = facility_find(c->facility);

	*l = (struct line) {
		.format = format_find(c->format),
		.format_opts = {
			.cef_plain_header = c->cef_plain_header,
			.without_raw = !c->raw_data,
		},
		.header = {
			.kind = (enum header_kind)c->header,
			.facility = (unsigned)facility,
			.hostname = c->hostname,
			.app_name = c->app_name,
			.sd_id = c->structured_data,
			.host = host,
			.pid = (unsigned)getpid(),
		},
		.framing = sink_syslog_framing(c, transport),
		.max = (size_t)c->max_message,
	};
	if (transport == TRANSPORT_UDP && l->max > LINE_MAX_UDP)
		l->max = LINE_MAX_UDP;
	if (l->format == NULL)
		return err_set(err, ERR_CONF, "format: there is no format %s", c->format);
	if (facility < 0)
		return err_set(err, ERR_CONF, "facility: there is no facility %s", c->facility);
	if (c->header == HEADER_RFC3164 && strcmp(c->time_zone, "UTC") != 0) {
		l->zone = zone_open(c->time_zone, err);
		if (l->zone == NULL)
			return err_wrap(err, "time_zone");
		l->header.zone = l->zone;
	}
	buf_init(&l->message, LINE_ROOM);
	return true;
}

void
line_release(struct line *l)
{
	zone_close(l->zone);
	buf_release(&l->message);
	*l = (struct line) { 0 };
}

/* Header and message; false where they need more than max bytes. */
static bool
write_message(struct line *l, const struct event *ev, const struct header_opts *header, size_t max)
{
	struct buf *m = &l->message;

	buf_clear(m);
	header_write(m, ev, header);
	if (!buf_ok(m) || m->n >= max)
		return false;
	l->format_opts.max_bytes = max - m->n;
	return l->format->write(m, ev, &l->format_opts) && buf_ok(m);
}

bool
line_write(struct line *l, struct buf *out, const struct event *ev, size_t max, struct err *err)
{
	struct buf *m = &l->message;
	size_t before = out->n;

	if (!write_message(l, ev, &l->header, max)) {
		struct header_opts bare = l->header;

		/* The message says all that structured data says. */
		bare.sd_id = NULL;
		if (!write_message(l, ev, &bare, max))
			return err_set(err, ERR_PERM,
			    "even its shortest form as %s is longer than %zu bytes", l->format->name, max);
	}
	frame_write(out, buf_peek(m), l->framing);
	if (buf_ok(out))
		return true;
	buf_cut(out, before);
	return err_set(err, ERR_PERM, "a frame of %zu bytes does not fit", m->n);
}
