/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/mail.h"
#include "tests/fuzz/fuzz_input.h"

/* Fuzzers are linked with the archives only: what they share with unit tests comes along here. */
#include "tests/unit/mail_parse.c"
#include "tests/unit/make_record.c"

/*
 * Mails and digests of records of any bytes at all, and templates of any text: one event in is
 * one message out, which has no field that is not ours, no tag, no link elsewhere, and the
 * event's id.
 *
 * The input: what to write, switches, kind of event, kind of record, then the record's text
 * (or the template's).
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORTAL "security.microsoft.com"

static void
any_alert(struct made *m, struct input *in)
{
	static struct evidence e[6];
	struct alert *a = &m->record.alert;
	struct str *const texts[] = { &a->title, &a->description, &a->category, &a->severity_text,
		&a->status_text, &a->classification, &a->assigned_to, &a->incident_id,
		&a->recommended_actions, &a->alert_web_url, &e[0].device.dns_name,
		&e[1].user.account.upn, &e[1].verdict, &e[2].process.command_line,
		&e[2].process.image.path, &e[3].url.url, &e[4].message.subject,
		&e[4].message.p2.address, &e[5].type };
	static const enum evidence_kind kinds[] = { EVIDENCE_DEVICE, EVIDENCE_USER,
		EVIDENCE_PROCESS, EVIDENCE_URL, EVIDENCE_MESSAGE, EVIDENCE_GENERIC };

	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		e[i] = make_evidence(kinds[i]);
	any_texts(in, texts, ARRAY_LEN(texts));
	a->severity = SEVERITY_OTHER;
	a->evidence = e;
	a->nevidence = a->nevidence_all = ARRAY_LEN(e);
}

static void
any_health(struct made *m, struct input *in)
{
	struct health *h = &m->record.health;
	struct str *const texts[] = { &h->summary, &h->state, &h->was, &h->what, &h->remedy };

	h->level = (enum health_level)(take_byte(in) % HEALTH_LEVELS);
	any_texts(in, texts, ARRAY_LEN(texts));
}

/* A record of its own, or NULL where m holds it. */
static struct record *
any_record(struct made *m, struct input *in)
{
	struct record *r = NULL;

	switch (take_byte(in) % 6) {
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
		m->event.kind = KIND_CANARY;
		break;
	case 4:
		make_unreadable(m, "da9_9", "it is broken");
		m->record.unreadable.title = take_text(in);
		m->record.unreadable.severity_text = take_text(in);
		break;
	default:
		make_alert(m);
		any_alert(m, in);
		break;
	}
	return NULL;
}

static void
check_message(const struct buf *message)
{
	const char *fault = mail_fault(buf_peek(message), PORTAL);

	if (fault != NULL)
		BUG("%s:\n%s", fault, message->p);
}

/* As it is, where it is printable: what is not is an encoded word. */
static void
check_id(const struct buf *message, const struct event *ev)
{
	struct buf id = BUF_INIT(8192), got = BUF_INIT(16384);
	bool is_plain = true;

	event_id(&id, ev);
	for (size_t i = 0; i < id.n; i++)
		is_plain = is_plain && id.p[i] > ' ' && id.p[i] < 0x7f;
	if (strstr(id.p, "=?") != NULL)
		is_plain = false;
	if (!mail_header(&got, buf_peek(message), "X-Msspd-Event-Id"))
		BUG("no event id");
	if (is_plain && id.n < 900 && !str_same(buf_peek(&id), buf_peek(&got)))
		BUG("the event's id is another one: %s", got.p);
	buf_release(&id);
	buf_release(&got);
}

static void
write_event(const struct mail_style *style, const struct mail_to *to, const struct event *ev)
{
	const struct mail_item item = { .event = ev };
	struct buf out = BUF_INIT(MAIL_MAX);
	struct err err;

	if (!mail_write(&out, style, to, &item, &err))
		BUG("%s", err.text);
	check_message(&out);
	check_id(&out, ev);
	buf_release(&out);
}

/* Of another customer, and with a title of its own. */
static void
add_another(struct mail_digest *d, unsigned i)
{
	struct made m;
	const struct mail_item item = { .event = &m.event };
	char title[20];

	make_alert(&m);
	snprintf(title, sizeof(title), "T%u", i % 60);
	m.record.alert.title = str_of(title);
	m.record.alert.severity = (enum severity)(i % SEVERITY_OTHER);
	m.origin.customer = title;
	mail_digest_add(d, &item);
}

static void
write_digest(
    const struct mail_style *style, const struct mail_to *to, const struct event *ev, unsigned n)
{
	const struct mail_item item = { .event = ev };
	struct mail_digest *d = mail_digest_new();
	struct buf out = BUF_INIT(MAIL_MAX);
	struct err err;

	mail_digest_add(d, &item);
	for (unsigned i = 0; i < n; i++)
		add_another(d, i);
	if (!mail_digest_write(&out, style, to, d, (enum mail_digest_why)(n % 2), "1 hour", &err))
		BUG("%s", err.text);
	check_message(&out);
	buf_release(&out);
	mail_digest_free(d);
}

/* What a template says is the user's own; it is read, and it ends. */
static void
write_template(struct mail_style style, const struct mail_to *to, struct input *in)
{
	enum mail_template_kind kind = (enum mail_template_kind)(take_byte(in) % 3);
	struct mail_template *t;
	struct buf out = BUF_INIT(MAIL_MAX);
	struct err err = { .kind = ERR_NONE };
	struct made m;
	const struct mail_item item = { .event = &m.event };

	make_alert(&m);
	t = mail_template_new(kind, take_rest(in), &err);
	if (t == NULL && (err.kind != ERR_CONF || err.text[0] == '\0'))
		BUG("refused without a word");
	*(kind == MAIL_SUBJECT  ? &style.subject
	    : kind == MAIL_TEXT ? &style.text
				: &style.html) = t;
	if (t != NULL && !mail_write(&out, &style, to, &item, &err))
		BUG("%s", err.text);
	if (t != NULL && kind == MAIL_SUBJECT)
		check_message(&out);
	mail_template_free(t);
	buf_release(&out);
}

static void
check_addresses(struct str text)
{
	struct err err;
	char *s = xstrndup(text.s != NULL ? text.s : "", text.n);

	if (mail_address_check(s, &err)) {
		struct made m;
		const struct mail_style style = { .from = s };
		const struct mail_to to = { .to = s, .rule = s };

		make_alert(&m);
		write_event(&style, &to, &m.event);
	}
	free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .p = data, .end = data + size };
	unsigned what = take_byte(&in) % 8, bits = take_byte(&in), kind = take_byte(&in);
	const struct mail_style style = { .from = "a@b.example",
		.without_organization = bits & 1,
		.without_portal_link = bits & 2,
		.with_device = bits & 4 };
	const struct mail_to to = { .to = "c@d.example", .rule = "r" };
	struct buf page = BUF_INIT(1 << 20);
	struct made m;
	struct record *r = NULL;

	if (size == 0)
		mail_manual(&page);
	buf_release(&page);
	if (what == 0)
		write_template(style, &to, &in);
	else if (what == 1)
		check_addresses(take_rest(&in));
	if (what < 2)
		return 0;
	r = any_record(&m, &in);
	m.event.changed = kind * 37 % (1u << PART_COUNT);
	m.event.flags = bits >> 3 & 3;
	if (m.event.kind < KIND_HEALTH)
		m.event.kind = (enum event_kind)(kind % KIND_HEALTH);
	if (what == 2)
		write_digest(&style, &to, &m.event, bits);
	else
		write_event(&style, &to, &m.event);
	record_unref(r);
	return 0;
}
