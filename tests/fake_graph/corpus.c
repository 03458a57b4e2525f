/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/str.h"
#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/evidence.h"
#include "tests/fake_graph/hostile.h"
#include "tests/fake_graph/incident.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/maker.h"
#include "tests/fake_graph/rules.h"

static const char *const endings[] = { "", "", "", " on multiple endpoints", " involving one user",
	" reported by multiple sources" };

/* Tuned to 5.2 KB an alert and a ratio of 6.6 in pages of 200. */
#define BENCH_EVIDENCE 3
#define BENCH_VARIETY  40
static const char *const bench_evidence[] = { "deviceEvidence", "processEvidence", "userEvidence",
	"fileEvidence", "ipEvidence" };
/* The small parts of the mixture: how many items an alert starts with. */
#define MANY_EVIDENCE 44

const char *
severity_name(enum severity s)
{
	static const char *const names[] = { "informational", "low", "medium", "high" };

	return names[s];
}

const char *
status_name(enum status s)
{
	static const char *const names[] = { "new", "inProgress", "resolved" };

	return names[s];
}

static const struct rule *
rule_of(const struct alert *a)
{
	return &rules[rng_child(a->seed, 1) % nrules];
}

bool
corpus_is_mde(const struct alert *a)
{
	return !a->is_incident && a->hostile == NULL &&
	       strcmp(rule_of(a)->product->service, "microsoftDefenderForEndpoint") == 0;
}

int64_t
corpus_round(struct rng *r, int64_t ticks)
{
	unsigned die = rng_below(r, 100);
	int64_t sec = ticks / TICKS_SEC * TICKS_SEC, part = ticks - sec;

	if (die < 60) /* 1/300 s: .0033333, .0066667, .01 */
		return sec + (part * 300 / TICKS_SEC * TICKS_SEC + 150) / 300;
	if (die < 70)
		return sec;
	if (die < 75)
		return ticks - part % (10 * TICKS_MS);
	if (die < 81)
		return ticks - part % TICKS_MS;
	if (die < 83)
		return ticks - part % (TICKS_MS / 10);
	if (die < 85)
		return ticks - part % (TICKS_MS / 100);
	if (die < 95)
		return ticks - part % 10;
	return ticks;
}

static unsigned
first_evidence(struct rng *r, bool is_bench)
{
	unsigned die = rng_below(r, 100);

	if (is_bench)
		return BENCH_EVIDENCE + rng_below(r, 2);
	if (die < 5)
		return 0;
	if (die < 88)
		return 1 + rng_below(r, 6);
	if (die < 98)
		return 8 + rng_below(r, 12);
	return MANY_EVIDENCE;
}

void
corpus_first_facts(const struct alert *a, struct facts *f, bool is_bench)
{
	struct rng r = { rng_child(a->seed, 2) };
	int severity = (int)rule_of(a)->severity;
	unsigned die = rng_below(&r, 100);

	if (die < 15 && severity > SEV_INFORMATIONAL)
		severity--;
	else if (die > 90 && severity < SEV_HIGH)
		severity++;
	die = rng_below(&r, 100);
	*f = (struct facts){
		.resolved = TICKS_NONE,
		.severity = (enum severity)severity,
		.status = die < 80   ? STATUS_NEW
		          : die < 88 ? STATUS_IN_PROGRESS
		                     : STATUS_RESOLVED,
		.change = CHANGE_NEW,
		.nevidence = a->is_incident ? 0 : first_evidence(&r, is_bench),
		.note = rng_next(&r),
	};
}

void
corpus_title(struct buf *b, const struct alert *a)
{
	const struct hostile *h = a->hostile;

	if (a->is_incident) {
		incident_title(b, a);
	} else if (h != NULL && h->truth_title != NULL) {
		buf_puts(b, h->truth_title);
	} else if (h != NULL && h->title != NULL) {
		buf_puts(b, h->title);
	} else {
		buf_printf(b, "\"%s%s\"", rule_of(a)->title,
		    endings[rng_child(a->seed, 3) % ARRAY_LEN(endings)]);
	}
}

/* Puts text with "@", "~" and "#" replaced by what they stand for. */
static void
put_template(struct buf *b, const char *text, const char *value, const struct alert *a)
{
	for (; *text != '\0'; text++) {
		if (*text == '@')
			buf_puts(b, value);
		else if (*text == '~')
			buf_puts(b, a->id);
		else if (*text == '#')
			buf_int(b, a->serial);
		else
			buf_byte(b, *text);
	}
}

/* A member that a hostile alert may say in its own way. */
static void
member(struct buf *b, const struct alert *a, const char *name, const char *own, const char *value)
{
	if (own == NULL) {
		j_raw(b, name, value);
		return;
	}
	j_comma(b);
	put_template(b, own, value, a);
}

void
corpus_id(struct buf *b, const struct alert *a)
{
	if (a->hostile != NULL && a->hostile->truth_id != NULL)
		put_template(b, a->hostile->truth_id, "", a);
	else
		j_text(b, str_of(a->id));
}

static void
put_ids(struct buf *b, const struct alert *a, const char *quoted_id)
{
	const struct hostile *h = a->hostile;

	member(b, a, "id", h != NULL ? h->id : NULL, quoted_id);
	j_raw(b, "providerAlertId", quoted_id);
	j_key(b, "incidentId");
	buf_printf(b, "\"%u\"", FIRST_INCIDENT + a->serial / 3);
}

static void
put_state(struct buf *b, const struct alert *a, const struct facts *f, bool has_newer_enums)
{
	static const char *const determinations[] = { "malware", "phishing", "securityTesting",
		"confirmedUserActivity", "notMalicious", "compromisedAccount" };
	static const char *const classes[] = { "truePositive", "falsePositive",
		"informationalExpectedActivity" };
	const struct product *p = rule_of(a)->product;
	const struct hostile *h = a->hostile;
	bool is_judged = f->status == STATUS_RESOLVED && f->note % 4 != 0;

	j_strs(b, "status", status_name(f->status));
	if (h != NULL && h->severity != NULL)
		j_raw(b, "severity", h->severity);
	else
		j_strs(b, "severity", severity_name(f->severity));
	j_strs(b, "classification", is_judged ? classes[f->note % ARRAY_LEN(classes)] : NULL);
	j_strs(b, "determination",
	    is_judged ? determinations[f->note / 4 % ARRAY_LEN(determinations)] : NULL);
	j_strs(b, "serviceSource",
	    p->is_newer && !has_newer_enums ? "unknownFutureValue" : p->service);
	j_strs(b, "detectionSource",
	    p->is_newer && !has_newer_enums ? "unknownFutureValue" : p->detection);
	j_strs(b, "productName", p->name);
}

static void
put_story(struct maker *m, const struct alert *a)
{
	static const char *const advice[] = {
		"1. Isolate the device.\\n2. Reset the user's credentials.\\n\\t\xe2\x80\xa2 "
		"Review the sign-in logs.",
		"A. Validate the alert.\\r\\nB. Scope the incident.\\r\\nC. Contact your incident "
		"response team.",
		"Review the process tree \xef\xbf\xbd and submit files for deep analysis."
	};
	struct buf *b = m->b;

	j_key(b, "detectorId");
	make_guid(m, NULL);
	j_strs(b, "tenantId", a->tenant->guid);
	j_key(b, "title");
	if (a->hostile != NULL && a->hostile->title != NULL)
		buf_puts(b, a->hostile->title);
	else
		corpus_title(b, a);
	j_key(b, "description");
	make_text(m, NULL);
	buf_cut(b, b->n - 1);
	buf_puts(b, "\\nReview the evidence.\\t\xe2\x80\xa2 First seen today.\"");
	j_key(b, "recommendedActions");
	buf_printf(b, "\"%s\"", advice[a->seed % ARRAY_LEN(advice)]);
	j_strs(b, "category", rule_of(a)->category);
	j_key(b, "categories");
	buf_printf(b, "[\"%s\"]", rule_of(a)->category);
}

/* Mostly as Microsoft writes it; sometimes without tid, and once in a while on a foreign host. */
static void
put_links(struct buf *b, const struct alert *a)
{
	uint64_t die = rng_child(a->seed, 4) % 100;
	const char *host = die == 99 ? "portal.attacker.example" : "security.microsoft.com";

	j_key(b, "alertWebUrl");
	buf_printf(b, "\"https://%s/alerts/%s", host, a->id);
	if (die < 90)
		buf_printf(b, "?tid=%s", a->tenant->guid);
	buf_byte(b, '"');
	j_key(b, "incidentWebUrl");
	buf_printf(
	    b, "\"https://%s/incidents/%u?tid=%s\"", host, FIRST_INCIDENT + a->serial / 3, a->tenant->guid);
}

static void
put_people(struct buf *b, const struct alert *a, const struct facts *f)
{
	static const char *const states[] = { "queued", "running", "pendingApproval", "benign",
		"unsupportedAlertType", "successfullyRemediated" };

	if (f->assignee != 0)
		j_key(b, "assignedTo"), buf_printf(b, "\"analyst%u@soc.example\"", f->assignee);
	else
		j_raw(b, "assignedTo", "null");
	j_raw(b, "alertPolicyId", "null");
	j_raw(b, "actorDisplayName", a->seed % 40 == 0 ? "\"Midnight Blizzard\"" : "null");
	j_raw(b, "threatDisplayName", a->seed % 8 == 0 ? "\"Trojan:Win32/Emotet!ml\"" : "null");
	j_raw(b, "threatFamilyName", a->seed % 8 == 0 ? "\"Emotet\"" : "null");
	j_key(b, "mitreTechniques");
	if (a->seed % 11 == 0)
		buf_puts(b, "null");
	else
		buf_printf(b, "[\"%s\"]", rule_of(a)->technique);
	j_raw(b, "systemTags", a->seed % 16 == 0 ? "[\"Defender Experts\"]" : "[]");
	if (a->seed % 3 == 0)
		j_raw(b, "investigationState", "null");
	else
		j_strs(b, "investigationState", states[f->verdicts % ARRAY_LEN(states)]);
}

static void
put_times(struct buf *b, const struct alert *a, const struct facts *f)
{
	bool is_trimmed = a->seed % 10 != 0;
	const struct hostile *h = a->hostile;
	struct buf stamp = BUF_INIT(64);

	j_key(b, "createdDateTime");
	put_stamp(b, a->created, is_trimmed);
	put_stamp(&stamp, f->updated, is_trimmed);
	member(b, a, "lastUpdateDateTime", h != NULL ? h->stamp : NULL, stamp.p);
	buf_release(&stamp);
	j_key(b, "resolvedDateTime");
	if (f->resolved == TICKS_NONE)
		buf_puts(b, "null");
	else
		put_stamp(b, f->resolved, true);
	j_key(b, "firstActivityDateTime");
	put_stamp(b, a->created - (int64_t)(a->seed % 3600) * TICKS_SEC - 8840000, true);
	j_key(b, "lastActivityDateTime");
	put_stamp(b, a->created - a->created % TICKS_SEC - TICKS_SEC, true);
}

static void
put_comments(struct buf *b, const struct alert *a, const struct facts *f)
{
	if (a->hostile != NULL && a->hostile->comments != NULL) {
		j_raw(b, "comments", a->hostile->comments);
		return;
	}
	j_key(b, "comments");
	buf_byte(b, '[');
	for (unsigned i = 0; i < f->ncomments; i++) {
		j_comma(b);
		buf_printf(b,
		    "{\"comment\":\"Looked at it, call %u.\\nTicket #%llu\","
		    "\"createdByDisplayName\":\"analyst%u@soc.example\","
		    "\"createdDateTime\":",
		    i + 1, (unsigned long long)(a->seed % 100000 + i), i % 4 + 1);
		put_stamp(b, a->created + (int64_t)(i + 1) * 61 * TICKS_SEC, true);
		buf_byte(b, '}');
	}
	buf_byte(b, ']');
}

/* The rule's own evidence first, then one of every kind in turn, then whatever. */
static const struct evidence_kind *
evidence_of(const struct alert *a, unsigned i, bool is_bench)
{
	const struct rule *rule = rule_of(a);

	if (is_bench)
		return evidence_kind(bench_evidence[i % ARRAY_LEN(bench_evidence)]);
	if (i == 1)
		return &evidence_kinds[a->serial % nevidence_kinds];
	if (i < ARRAY_LEN(rule->evidence))
		return evidence_kind(rule->evidence[i]);
	return &evidence_kinds[rng_child(a->seed, 100 + i) % nevidence_kinds];
}

static void
put_evidence(struct maker *m, const struct alert *a, const struct facts *f, bool is_bench)
{
	struct buf *b = m->b;

	if (a->hostile != NULL && a->hostile->evidence != NULL) {
		j_raw(b, "evidence", a->hostile->evidence);
		return;
	}
	j_key(b, "evidence");
	if (f->nevidence == 0 && a->seed % 2 == 0) {
		buf_puts(b, "null");
		return;
	}
	buf_byte(b, '[');
	for (unsigned i = 0; i < f->nevidence; i++) {
		m->rng.state = rng_child(a->seed, 1000 + i);
		/* A revision touches the first items, not all of them. */
		m->verdicts = i < 2 ? f->verdicts : 0;
		j_comma(b);
		make_evidence(m, evidence_of(a, i, is_bench));
	}
	buf_byte(b, ']');
}

static void
put_extras(struct buf *b, const struct alert *a)
{
	const struct hostile *h = a->hostile;

	if (h != NULL && h->extra != NULL) {
		j_comma(b);
		buf_puts(b, h->extra);
	}
	if (h != NULL && h->more != NULL)
		h->more(b);
	if (h != NULL)
		return;
	j_raw(b, "customDetails",
	    a->seed % 6 == 0 ? "{\"Ticket\":[\"4711\"],\"Zone\":[\"dmz\",\"eu|1\"]}" : "{}");
	j_raw(b, "additionalData",
	    a->seed % 5 == 0 ? "{\"Score\":0.87,\"Tags\":null,\"Rule\":{\"v\":[1,2,{\"x\":true}]}}"
			     : "null");
}

void
corpus_render(struct buf *b, const struct alert *a, const struct facts *f, bool has_newer_enums,
    bool is_bench)
{
	struct maker m = {
		.b = b,
		.rng = { rng_child(a->seed, 5) },
		.cast = rng_child(a->seed, 6),
		.org = a->tenant->name,
		.tenant_guid = a->tenant->guid,
		.when = a->created,
		.variety = is_bench ? BENCH_VARIETY : 0,
		.null_percent = is_bench ? 16 : (unsigned)(a->seed % 25),
		.has_newer_enums = has_newer_enums,
	};
	struct buf id = BUF_INIT(128);

	if (a->is_incident) {
		incident_render(b, a, f);
		return;
	}
	if (a->hostile != NULL && a->hostile->whole != NULL) {
		buf_puts(b, a->hostile->whole);
		return;
	}
	j_text(&id, str_of(a->id));
	buf_byte(b, '{');
	put_ids(b, a, id.p);
	put_state(b, a, f, has_newer_enums);
	put_story(&m, a);
	put_links(b, a);
	put_people(b, a, f);
	put_times(b, a, f);
	put_comments(b, a, f);
	put_evidence(&m, a, f, is_bench);
	put_extras(b, a);
	buf_byte(b, '}');
	buf_release(&id);
}
