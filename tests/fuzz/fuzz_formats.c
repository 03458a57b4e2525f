/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/format/manual.h"
#include "tests/fuzz/fuzz_input.h"

/* Fuzzers are linked with the archives only: what they share with unit tests comes along here. */
#include "tests/unit/json_lines.c"
#include "tests/unit/leef_parse.c"
#include "tests/unit/make_record.c"

/*
 * Alerts, incidents and hand-made records of any bytes at all, in the formats that
 * are tables of members: one line, not longer than allowed, that a reader which is
 * not ours takes, with the event's id whole, and observables that are what stands
 * at their names; the same, where the room for it is as large as it may be.
 *
 * The input: format, size, kind of event, kind of record, then the record's text.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
any_alert(struct made *m, struct input *in)
{
	static struct evidence e[5];
	static struct str ips[2];
	struct alert *a = &m->record.alert;
	struct str *const fields[] = { &a->title, &a->description, &a->category, &a->severity_text,
		&a->status_text, &a->classification, &a->determination, &a->assigned_to,
		&a->incident_id, &a->incident_web_url, &e[0].device.dns_name, &ips[0], &ips[1],
		&e[0].device.os_platform, &e[1].user.account.upn, &e[1].user.account.account_name,
		&e[2].file.details.path, &e[2].file.details.sha1, &e[3].url.url,
		&e[4].message.recipient, &e[4].message.p2.address, &e[4].message.sender_ip };

	e[0] = make_evidence(EVIDENCE_DEVICE);
	e[1] = make_evidence(EVIDENCE_USER);
	e[2] = make_evidence(EVIDENCE_FILE);
	e[3] = make_evidence(EVIDENCE_URL);
	e[4] = make_evidence(EVIDENCE_MESSAGE);
	any_texts(in, fields, ARRAY_LEN(fields));
	e[0].device.ips = (struct str_list){ ips, 2 };
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		e[i].member = "evidence";
	a->evidence = e;
	a->nevidence = a->nevidence_all = ARRAY_LEN(e);
}

static void
any_health(struct made *m, struct input *in)
{
	struct health *h = &m->record.health;
	struct str *const fields[] = { &h->summary, &h->state, &h->was, &h->what, &h->remedy };

	h->level = (enum health_level)(take_byte(in) % HEALTH_LEVELS);
	any_texts(in, fields, ARRAY_LEN(fields));
}

/* A record of its own, or NULL where m holds it. */
static struct record *
any_record(struct made *m, struct input *in)
{
	struct record *r = NULL;

	switch (take_byte(in) % 5) {
	case 0:
		return make_from_json(m, take_rest(in));
	case 1:
		make_alert(m);
		r = record_from_incident(take_rest(in), true, ticks_at("2026-11-22T04:12:00Z"));
		m->event.record = r;
		return r;
	case 2:
		make_health(m);
		any_health(m, in);
		break;
	case 3:
		make_health(m);
		m->record.type = RECORD_CANARY;
		break;
	default:
		make_alert(m);
		any_alert(m, in);
		break;
	}
	return NULL;
}

/* ---- what must hold -------------------------------------------------------------------------- */

static void
check_ocsf(json_t *top, struct str id)
{
	json_t *uid = json_at(top, "metadata.uid");

	if (observables_fault(top) != NULL)
		BUG("%s", observables_fault(top));
	if (!json_is_integer(json_at(top, "class_uid")) ||
	    !json_is_integer(json_at(top, "severity_id")))
		BUG("something that is required is not there");
	if (!str_same(
		(struct str){ json_string_value(uid), json_string_length(uid) }, id) &&
	    utf8_valid(id.s, id.n))
		BUG("the event's id is another one");
}

/* What jansson does not take, though it is JSON: names with a NUL, numbers out of range. */
static bool
is_beyond(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_null_byte_in_key || code == json_error_numeric_overflow;
}

static void
check_json(struct str line, struct str id, void (*check)(json_t *top, struct str id))
{
	json_error_t error;
	json_t *top;

	if (line_fault(line) != NULL)
		BUG("%s: %.*s", line_fault(line), STR_ARG(line));
	top = json_loadb(line.s, line.n, JSON_ALLOW_NUL, &error);
	if (top == NULL && !is_beyond(&error))
		BUG("%s: %.*s", error.text, STR_ARG(line));
	if (top != NULL)
		check(top, id);
	json_decref(top);
}

static void
check_ocsf_line(struct str line, struct str id)
{
	check_json(line, id, check_ocsf);
}

static void
check_ecs(json_t *top, struct str id)
{
	json_t *uid = json_at(top, "msspd.event_id");

	if (!json_is_string(json_at(top, "@timestamp")) ||
	    !json_is_string(json_at(top, "message")) || !json_is_string(json_at(top, "event.kind")))
		BUG("something that is required is not there");
	if (!str_same((struct str){ json_string_value(uid), json_string_length(uid) }, id) &&
	    utf8_valid(id.s, id.n))
		BUG("the event's id is another one");
}

static void
check_ecs_line(struct str line, struct str id)
{
	check_json(line, id, check_ecs);
}

static void
check_leef_line(struct str line, struct str id)
{
	struct leef_parsed p;
	const char *wrong = leef_parse(&p, line);

	if (wrong != NULL)
		BUG("%s: %.*s", wrong, STR_ARG(line));
	if (leef_get(&p, "eventId").n == 0 || leef_get(&p, "tenantId").n == 0)
		BUG("no event id: %.*s", STR_ARG(id));
}

static const struct {
	const struct format *format;
	void (*check)(struct str line, struct str id);
} targets[] = {
	{ &format_ocsf, check_ocsf_line },
	{ &format_leef, check_leef_line },
	{ &format_ecs, check_ecs_line },
};

static void
check_manual(void)
{
	struct buf page = BUF_INIT(1 << 20);

	formats_manual(&page);
	if (!buf_ok(&page) || !utf8_valid(page.p, page.n))
		BUG("the page of the formats is broken");
	buf_release(&page);
}

/* Where there is room for what may be written and no more, it is the same. */
static void
check_tight(const struct format *format, const struct event *ev, const struct format_opts *opts)
{
	struct buf roomy = BUF_INIT(2 << 20), tight = BUF_INIT(opts->max_bytes);
	bool is_written = format->write(&roomy, ev, opts);

	if (format->write(&tight, ev, opts) != is_written ||
	    !str_same(buf_peek(&tight), buf_peek(&roomy)))
		BUG("%s in no more room than it needs: %.*s", format->name,
		    STR_ARG(buf_peek(&tight)));
	buf_release(&tight);
	buf_release(&roomy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .p = data, .end = data + size };
	size_t target = take_byte(&in) % ARRAY_LEN(targets), max = take_byte(&in);
	unsigned kind = take_byte(&in);
	struct format_opts opts = { .max_bytes = max == 255 ? 1 << 20 : 480 + max * 64,
		.without_raw = kind & 0x80 };
	struct buf out = BUF_INIT(2 << 20), id = BUF_INIT(8192);
	struct made m;
	struct record *r = any_record(&m, &in);

	if (size == 0)
		check_manual();
	m.event.changed = kind * 37 % (1u << PART_COUNT);
	m.event.flags = kind >> 5 & 3;
	if (m.event.kind < KIND_HEALTH)
		m.event.kind = (enum event_kind)(kind % KIND_HEALTH);
	if (!targets[target].format->write(&out, &m.event, &opts)) {
		if (out.n != 0 || !buf_ok(&out))
			BUG("not written, but something is there: %s", out.p);
	} else {
		if (out.n > opts.max_bytes)
			BUG("%zu bytes, not %zu", out.n, opts.max_bytes);
		event_id(&id, &m.event);
		targets[target].check(buf_peek(&out), buf_peek(&id));
		buf_release(&id);
	}
	buf_release(&out);
	check_tight(target == 0 ? &format_cef : targets[target].format, &m.event, &opts);
	record_unref(r);
	return 0;
}
