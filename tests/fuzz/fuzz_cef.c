/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/format/moment.h"
#include "tests/fuzz/fuzz_input.h"

/* Fuzzers are linked with the archives only: what they share with unit tests comes along here. */
#include "tests/unit/cef_parse.c"
#include "tests/unit/make_record.c"

/*
 * Events made of any bytes at all. The line must be one that the strictest
 * parser takes, not longer than allowed, and must say exactly what was meant:
 * every value comes back, cut at most, and no key that was not intended.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reader should see of a text: this file's own words for the rules. */
static void
normalise(struct buf *out, struct str s)
{
	size_t len, begin = 0;

	for (size_t i = 0; i < s.n; i += len) {
		uint32_t cp;

		len = utf8_next(s.s + i, s.n - i, &cp);
		if (len == 0) {
			len = 1;
			buf_puts(out, "\xef\xbf\xbd");
		} else if (cp == '\r' || cp == '\n') {
			len += cp == '\r' && i + 1 < s.n && s.s[i + 1] == '\n';
			buf_byte(out, '\n');
		} else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029) {
			buf_byte(out, ' ');
		} else {
			buf_add(out, s.s + i, len);
		}
	}
	while (out->n > 0 && (out->p[out->n - 1] == ' ' || out->p[out->n - 1] == '\n'))
		buf_cut(out, out->n - 1);
	while (begin < out->n && (out->p[begin] == ' ' || out->p[begin] == '\n'))
		begin++;
	if (begin > 0) {
		memmove(out->p, out->p + begin, out->n - begin);
		buf_cut(out, out->n - begin);
	}
}

struct intended {
	const char *key, *label;
	struct str text;
	bool is_whole;
};

/* Checks one value; returns how many keys it accounts for. */
static size_t
check_intended(const struct cef_parsed *p, const struct intended *want, bool may_drop)
{
	struct buf text = BUF_INIT(1 << 22);
	struct str got = cef_get(p, want->key);
	bool is_cut;

	normalise(&text, want->text);
	is_cut = got.n >= 3 && memcmp(got.s + got.n - 3, "...", 3) == 0 && got.n < text.n + 3 &&
	         memcmp(got.s, buf_peek(&text).s, got.n - 3) == 0 && !want->is_whole;
	if (text.n == 0 && got.s != NULL)
		BUG("%s out of nothing", want->key);
	if (text.n != 0 && got.s == NULL && !may_drop && !want->is_whole)
		BUG("%s is missing", want->key);
	if (got.s != NULL && !is_cut && !str_same(got, buf_peek(&text)))
		BUG("%s is <%.*s>, not <%.*s>", want->key, STR_ARG(got), STR_ARG(buf_peek(&text)));
	buf_release(&text);
	return got.s == NULL ? 0 : want->label != NULL ? 2 : 1;
}

/* The keys that are there by themselves: rt, act, cs3, cs4, flexString1, cn2, and labels. */
#define ALWAYS 10

static void
check_line(const struct event *ev, const struct format_opts *opts, const struct intended *want,
    size_t n, bool may_drop)
{
	struct buf out = BUF_INIT(1 << 20);
	struct cef_parsed p;
	const char *wrong;
	size_t keys = 0;

	if (!format_cef.write(&out, ev, opts)) {
		if (!may_drop)
			BUG("nothing was written");
		buf_release(&out);
		return;
	}
	if (out.n > opts->max_bytes)
		BUG("%zu bytes, not %zu", out.n, opts->max_bytes);
	wrong = cef_parse(&p, buf_peek(&out));
	if (wrong != NULL)
		BUG("%s: %s", wrong, out.p);
	for (size_t i = 0; i < n; i++)
		keys += check_intended(&p, &want[i], may_drop);
	if (!may_drop && p.n != keys + ALWAYS)
		BUG("%zu keys, not %zu: %s", p.n, keys + ALWAYS, out.p);
	if (!str_is(cef_get(&p, "cs3"), MADE_TENANT_ID) || cef_get(&p, "flexString2").n == 0)
		BUG("whose is it? %s", out.p);
	cef_parsed_release(&p);
	buf_release(&out);
}

/* ---- an alert of which every value is known ------------------------------------------------ */

/* What stands in a known alert beside what make_alert() gave. */
enum { DEVICE, USER, PROCESS, FILE_, URL, MESSAGE, KNOWN_EVIDENCE };
struct known {
	struct made m;
	struct evidence e[KNOWN_EVIDENCE];
	char id[151];
};

static void
known_names(struct known *k, struct input *in)
{
	struct alert *a = &k->m.record.alert;
	struct str s;

	k->m.event.kind = (enum event_kind)(take_byte(in) % (KIND_REOPENED + 1));
	s = take_text(in);
	s.n = s.n < sizeof(k->id) - 1 ? s.n : sizeof(k->id) - 1;
	k->id[0] = 'x';
	memcpy(k->id + 1, s.s, s.n);
	k->m.record.id = (struct str){ k->id, 1 + s.n };
	a->title = take_text(in);
	a->detector_id = take_text(in);
	a->created = TICKS_NONE;
}

static void
known_evidence(struct known *k, struct input *in)
{
	struct alert *a = &k->m.record.alert;
	struct evidence *e = k->e;

	e[DEVICE] = make_evidence(EVIDENCE_DEVICE);
	e[DEVICE].device.dns_name = take_text(in);
	e[DEVICE].device.mde_device_id = take_text(in);
	e[DEVICE].device.last_ip = STR("10.0.0.1 x=y");
	e[USER] = make_evidence(EVIDENCE_USER);
	e[USER].user.account.upn = take_text(in);
	e[USER].user.account.domain_name = take_text(in);
	e[PROCESS] = make_evidence(EVIDENCE_PROCESS);
	e[PROCESS].process.command_line = take_text(in);
	e[FILE_] = make_evidence(EVIDENCE_FILE);
	e[FILE_].file.details.name = take_text(in);
	e[FILE_].file.details.path = take_text(in);
	e[URL] = make_evidence(EVIDENCE_URL);
	e[URL].url.url = take_text(in);
	e[MESSAGE] = make_evidence(EVIDENCE_MESSAGE);
	e[MESSAGE].message.recipient = take_text(in);
	a->evidence = e;
	a->nevidence = a->nevidence_all = KNOWN_EVIDENCE;
}

static void
known_texts(struct alert *a, struct input *in)
{
	a->description = take_text(in);
	a->recommended_actions = take_text(in);
	a->category = take_text(in);
	a->threat_display_name = take_text(in);
	a->status_text = take_text(in);
	a->classification = take_text(in);
	a->service_source = take_text(in);
	a->actor_display_name = take_text(in);
	a->alert_web_url = take_text(in);
}

static void
check_known(const struct known *k, const struct format_opts *opts)
{
	const struct format_opts all = { .max_bytes = 1 << 20 };
	const struct alert *a = &k->m.record.alert;
	const struct evidence *e = k->e;
	struct buf event = BUF_INIT(4096);

	event_id(&event, &k->m.event);
	const struct intended want[] = {
		{ "externalId", NULL, k->m.record.id, true },
		{ "flexString2", "flexString2Label", k->m.record.id, false },
		{ "MicrosoftDefenderEventId", NULL, buf_peek(&event), false },
		{ "shost", NULL, e[DEVICE].device.dns_name, false },
		{ "dvchost", NULL, e[DEVICE].device.dns_name, true },
		{ "deviceExternalId", NULL, e[DEVICE].device.mde_device_id, false },
		{ "suser", NULL, e[USER].user.account.upn, false },
		{ "sntdom", NULL, e[USER].user.account.domain_name, false },
		{ "MicrosoftDefenderCommandLine", NULL, e[PROCESS].process.command_line, false },
		{ "fname", NULL, e[FILE_].file.details.name, false },
		{ "filePath", NULL, e[FILE_].file.details.path, false },
		{ "request", NULL, e[URL].url.url, false },
		{ "duser", NULL, e[MESSAGE].message.recipient, false },
		{ "msg", NULL, a->description, false },
		{ "reason", NULL, a->recommended_actions, false },
		{ "cat", NULL, a->category, false },
		{ "cs1", "cs1Label", a->threat_display_name, false },
		{ "cs5", "cs5Label", a->status_text, false },
		{ "cs6", "cs6Label", a->classification, false },
		{ "sourceServiceName", NULL, a->service_source, false },
		{ "MicrosoftDefenderActor", NULL, a->actor_display_name, false },
	};
	check_line(&k->m.event, &all, want, ARRAY_LEN(want), false);
	check_line(&k->m.event, opts, want, ARRAY_LEN(want), true);
	buf_release(&event);
}

static void
known_alert(struct input *in, const struct format_opts *opts)
{
	struct known k;

	make_alert(&k.m);
	known_names(&k, in);
	known_evidence(&k, in);
	known_texts(&k.m.record.alert, in);
	check_known(&k, opts);
}

/* ---- any event at all ------------------------------------------------------------------------ */

static int64_t
take_number(struct input *in)
{
	int64_t v = 0;

	if (in->end - in->p >= (ptrdiff_t)sizeof(v)) {
		memcpy(&v, in->p, sizeof(v));
		in->p += sizeof(v);
	}
	return v;
}

static void
any_account(struct input *in, struct user_account *u)
{
	u->account_name = take_text(in);
	u->domain_name = take_text(in);
	u->sid = take_text(in);
}

static struct evidence
any_evidence(struct input *in)
{
	static struct str ips[2];
	struct evidence e =
	    make_evidence((enum evidence_kind)(take_byte(in) % (EVIDENCE_HOLDER + 1)));

	e.is_primary = take_byte(in) & 1;
	if (e.kind == EVIDENCE_DEVICE) {
		ips[0] = take_text(in);
		ips[1] = take_text(in);
		e.device.ips = (struct str_list){ ips, 2 };
		e.device.host_name = take_text(in);
		e.device.last_external_ip = take_text(in);
	} else if (e.kind == EVIDENCE_PROCESS) {
		e.process.image.path = take_text(in);
		e.process.image.name = take_text(in);
		e.process.pid = take_number(in);
		any_account(in, &e.process.account);
	} else if (e.kind == EVIDENCE_USER) {
		any_account(in, &e.user.account);
	} else if (e.kind == EVIDENCE_FILE) {
		e.file.details.size = take_number(in);
		e.file.details.sha256 = take_text(in);
	} else if (e.kind == EVIDENCE_FILE_HASH) {
		e.hash.algorithm = take_byte(in) & 1 ? STR("sha256") : take_text(in);
		e.hash.value = take_text(in);
	} else if (e.kind == EVIDENCE_IP) {
		e.ip.address = take_text(in);
	} else if (e.kind == EVIDENCE_MESSAGE) {
		e.message.p1.address = take_text(in);
		e.message.p2.address = take_text(in);
	} else if (e.kind == EVIDENCE_MAILBOX) {
		e.mailbox.upn = take_text(in);
	} else if (e.kind == EVIDENCE_OAUTH_APP) {
		e.oauth_app.display_name = take_text(in);
	}
	return e;
}

static void
any_alert(struct input *in, struct alert *a, struct evidence *e, size_t n)
{
	static struct str techniques[2];

	a->severity = (enum severity)(take_byte(in) % (SEVERITY_OTHER + 1));
	a->title = take_text(in);
	a->incident_id = take_text(in);
	a->determination = take_text(in);
	a->classification = take_text(in);
	a->threat_family_name = take_text(in);
	a->service_source = take_byte(in) & 1 ? STR("microsoft365Defender") : take_text(in);
	a->categories = techniques;
	a->ncategories = take_byte(in) & 1;
	techniques[0] = take_text(in);
	techniques[1] = take_text(in);
	a->mitre_techniques = techniques;
	a->nmitre_techniques = 2;
	a->created = take_number(in);
	a->updated = take_number(in);
	a->resolved = take_number(in);
	a->first_activity = take_number(in);
	a->last_activity = take_number(in);
	for (size_t i = 0; i < n; i++)
		e[i] = any_evidence(in);
	e[n - 2].children = &e[n - 1];
	e[n - 2].nchildren = 1;
	a->evidence = e;
	a->nevidence = n - 1;
	a->nevidence_all = take_byte(in);
}

static void
any_incident(struct input *in, struct incident *i)
{
	static struct str tags[2];

	tags[0] = take_text(in);
	tags[1] = take_text(in);
	*i = (struct incident){ .id = take_text(in),
		.name = take_text(in),
		.description = take_text(in),
		.summary = take_text(in),
		.determination = take_text(in),
		.classification = take_text(in),
		.redirect_id = take_text(in),
		.resolving_comment = take_text(in),
		.web_url = take_text(in),
		.status_text = take_text(in),
		.severity = (enum severity)(take_byte(in) % (SEVERITY_OTHER + 1)),
		.priority = take_number(in),
		.created = take_number(in),
		.custom_tags = tags,
		.ncustom_tags = 2 };
}

static void
any_event(struct input *in, const struct format_opts *opts)
{
	struct buf out = BUF_INIT(take_byte(in) * 100);
	struct evidence e[6];
	struct cef_parsed p;
	struct made m;
	const char *wrong;

	make_alert(&m);
	m.event.kind = (enum event_kind)(take_byte(in) % KIND_COUNT);
	m.event.changed = take_byte(in) | take_byte(in) % 2 << 8;
	m.event.flags = take_byte(in) & 3;
	m.event.journalled = take_number(in);
	m.record.type = (enum record_type)(take_byte(in) % (RECORD_UNREADABLE + 1));
	m.record.id = take_text(in);
	m.record.id.n = m.record.id.n < 500 ? m.record.id.n : 500;
	m.record.version = take_number(in);
	if (m.record.type == RECORD_UNREADABLE) {
		m.record.unreadable = (struct unreadable){ .id = m.record.id,
			.title = take_text(in),
			.severity_text = take_text(in),
			.why = take_text(in),
			.created = take_number(in) };
	} else if (m.record.type == RECORD_HEALTH) {
		m.record.health = (struct health){ .about = take_text(in),
			.state = take_text(in),
			.was = take_text(in),
			.summary = take_text(in),
			.what = take_text(in),
			.remedy = take_text(in),
			.level = (enum health_level)(take_byte(in) % HEALTH_LEVELS),
			.since = take_number(in) };
	} else if (m.record.type == RECORD_INCIDENT) {
		any_incident(in, &m.record.incident);
	} else {
		any_alert(in, &m.record.alert, e, ARRAY_LEN(e));
	}
	if (format_cef.write(&out, &m.event, opts)) {
		wrong = cef_parse(&p, buf_peek(&out));
		if (wrong != NULL || out.n > opts->max_bytes)
			BUG("%s: %s", wrong != NULL ? wrong : "too long", out.p);
		cef_parsed_release(&p);
	} else if (out.n != 0 || !buf_ok(&out)) {
		BUG("not written, but something is there: %s", out.p);
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena longer;
	struct input in = { .p = data, .end = data + size, .longer = &longer };
	unsigned what = take_byte(&in);
	struct format_opts opts = { .cef_plain_header = what & 1,
		.max_bytes = 480 + take_byte(&in) * 40 };

	arena_init(&longer);
	if (what & 2)
		any_event(&in, &opts);
	else
		known_alert(&in, &opts);
	arena_release(&longer);
	return 0;
}
