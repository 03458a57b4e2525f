/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_message.h"

#include "lib/base/alloc.h"

#define ID_MAX      (64 * 1024)
#define SPARE_BYTES 512 /* what librdkafka adds */
#define VALUE_MIN   480 /* format.h */
#define HEADER_MAX  1024 /* longer ones are cut: tenants' names are short, ids may be hostile */

void
kafka_message_init(struct kafka_message *m, size_t max_bytes)
{
	*m = (struct kafka_message) { 0 };
	buf_init(&m->key, ID_MAX);
	buf_init(&m->id, ID_MAX);
	buf_init(&m->value, max_bytes);
}

void
kafka_message_release(struct kafka_message *m)
{
	if (m->headers != NULL)
		rd_kafka_headers_destroy(m->headers);
	m->headers = NULL;
	buf_release(&m->key);
	buf_release(&m->id);
	buf_release(&m->value);
}

static void
add_header(struct kafka_message *m, struct str name, struct str value)
{
	size_t n = value.n > HEADER_MAX ? utf8_cut(value.s, value.n, HEADER_MAX) : value.n;

	if (value.s == NULL)
		return;
	(void)rd_kafka_header_add(m->headers, name.s, (ssize_t)name.n, n > 0 ? value.s : "", (ssize_t)n);
	m->bytes += name.n + n;
}

static void
add_headers(struct kafka_message *m, const struct format *format, const struct event *ev)
{
	const struct origin *o = ev->origin;
	const struct {
		struct str name, value;
	} all[] = {
		{ STR("tenant"), str_of(o->tenant) },
		{ STR("tenant-id"), str_of(o->tenant_id) },
		{ STR("customer"), str_of(o->customer) },
		{ STR("stream"), str_of(o->stream) },
		{ STR("event-kind"), str_of(kind_names[ev->kind]) },
		{ STR("event-id"), buf_peek(&m->id) },
		{ STR("format"), str_of(format->name) },
		{ STR("format-version"), str_of(format->version) },
		{ STR("content-type"), str_of(format->content_type) },
		{ STR("instance"), str_of(o->instance) },
	};

	if (m->headers != NULL)
		rd_kafka_headers_destroy(m->headers);
	m->headers = rd_kafka_headers_new(ARRAY_LEN(all));
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		add_header(m, all[i].name, all[i].value);
}

static void
write_key(struct buf *out, const struct event *ev)
{
	buf_clear(out);
	buf_puts(out, ev->origin->tenant_id);
	buf_byte(out, ':');
	buf_str(out, ev->record->id);
}

bool
kafka_message_make(struct kafka_message *m, const struct kafka_message_opts *opts,
    const struct event *ev, struct err *err)
{
	struct format_opts format = { .without_raw = opts->without_raw };
	size_t taken;

	buf_clear(&m->id);
	buf_clear(&m->value);
	event_id(&m->id, ev);
	write_key(&m->key, ev);
	if (!buf_ok(&m->key) || !buf_ok(&m->id))
		return err_set(err, ERR_PERM, "its id is longer than %d bytes", ID_MAX);
	m->bytes = m->key.n;
	add_headers(m, opts->format, ev);
	taken = m->bytes + SPARE_BYTES;
	format.max_bytes = opts->max_bytes > taken + VALUE_MIN ? opts->max_bytes - taken : VALUE_MIN;
	if (!opts->format->write(&m->value, ev, &format))
		return err_set(err, ERR_PERM, "even its shortest form as %s is longer than %zu bytes"
		    " (message.max.bytes)", opts->format->name, format.max_bytes);
	m->bytes += m->value.n;
	return true;
}

/* The value and the headers become librdkafka's when it takes the message. */
rd_kafka_resp_err_t
kafka_message_send(struct kafka_message *m, rd_kafka_t *producer, rd_kafka_topic_t *topic,
    const char *name, void *opaque)
{
	rd_kafka_vu_t v[6] = {
		{ .vtype = topic != NULL ? RD_KAFKA_VTYPE_RKT : RD_KAFKA_VTYPE_TOPIC },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_FREE },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { m->key.p, m->key.n } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { m->value.p, m->value.n } },
		{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = m->headers },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque },
	};
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_error_t *error;

	if (topic != NULL)
		v[0].u.rkt = topic;
	else
		v[0].u.cstr = name;
	error = rd_kafka_produceva(producer, v, ARRAY_LEN(v));
	if (error == NULL) {
		m->headers = NULL;
		buf_init(&m->value, m->value.max);
		return code;
	}
	code = rd_kafka_error_code(error);
	rd_kafka_error_destroy(error);
	return code;
}
