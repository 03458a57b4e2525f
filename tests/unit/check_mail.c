/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_parts.h"
#include "tests/unit/golden.h"
#include "tests/unit/mail_stage.h"

#define GMAIL_SHOWS 102000 /* bytes of HTML */

/* For readers that are not ours: MSSPD_MAILS names a folder that messages are written to. */
static void
keep(const char *name, const char *suffix, const struct buf *message)
{
	const char *folder = getenv("MSSPD_MAILS");
	char *path;
	FILE *f;

	if (folder == NULL)
		return;
	path = xasprintf("%s/%s%s", folder, name, suffix);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(message->p, 1, message->n, f), message->n);
	fclose(f);
	free(path);
}

/* ---- one event ------------------------------------------------------------------------------ */

#define EVIDENCE(type, members) \
	"\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security." type "\"," members "}]"
#define DEVICE EVIDENCE("deviceEvidence", "\"deviceDnsName\":\"ws-1.contoso.example\"")
#define PROCESS \
	EVIDENCE("processEvidence", \
	    "\"processId\":7,\"processCommandLine\":\"x http://evil.example/y\"," \
	    "\"imageFile\":{\"fileName\":\"x.exe\",\"filePath\":\"C:\\\\T\"}")

static const struct {
	const char *says, *members, *text; /* text: in the text part; "!" before it: not there */
} cases[] = {
	{ "severity, what, customer", "\"severity\":\"high\"", "High: New alert, Contoso Ltd\n" },
	{ "the title", "\"title\":\"A thing\"", "\nA thing\n" },
	{ "or what stands for it", "\"title\":null", "\nMicrosoft Defender alert\n" },
	{ "a severity of next year", "\"severity\":\"dire\"", "dire: New alert" },
	{ "the time, in UTC where nothing is said",
	    "\"createdDateTime\":\"2026-11-22T04:10:30.7Z\"", "2026-11-22 04:10:30 +00:00 (UTC)" },
	{ "the link", "\"x\":1",
	    "https://security.microsoft.com/alerts/da1_1?tid=" MADE_TENANT_ID "\n" },
	{ "a link elsewhere is not used", "\"alertWebUrl\":\"https://evil.example/alerts/1\"",
	    "!evil.example" },
	{ "what happened", "\"description\":\"One.\\nTwo.\"", "WHAT HAPPENED\n  One.\n  Two.\n" },
	{ "what to do", "\"recommendedActions\":\"Look.\"", "WHAT TO DO\n  Look.\n" },
	{ "a user",
	    EVIDENCE(
		"userEvidence", "\"userAccount\":{\"userPrincipalName\":\"a@contoso.example\"}"),
	    "User a@contoso.example\n" },
	{ "a user of a domain",
	    EVIDENCE("userEvidence",
		"\"userAccount\":{\"accountName\":\"ana\",\"domainName\":\"CONTOSO\"}"),
	    "User CONTOSO\\ana\n" },
	{ "no device, where device information is off", DEVICE, "!ws-1" },
	{ "an unknown verdict is none", "\"classification\":\"unknown\"", "!Verdict" },
	{ "a verdict", "\"classification\":\"truePositive\",\"determination\":\"malware\"",
	    "truePositive/malware" },
	{ "a process, its addresses broken", PROCESS,
	    "C:\\T\\x.exe (process 7): x hxxp://evil[.]example/y" },
	{ "a kind that nobody knows",
	    EVIDENCE("kubernetesPodEvidence", "\"verdict\":\"malicious\""),
	    "Kubernetes pod  see the portal [malicious]" },
	{ "a long kind of other letters",
	    EVIDENCE("xx\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	             "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
	             "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	             "\xc3\xa9\xc3\xa9\xc3\xa9",
		"\"verdict\":\"malicious\""),
	    "Xx\xc3\xa9\xc3\xa9" },
	{ "direction is shown", "\"title\":\"x\\u202egnp.exe\"", "\nx[U+202E]gnp.exe\n" },
	{ "a line end makes no line of a title", "\"title\":\"x\\r\\nBcc: a@b.example\"",
	    "\nx Bcc: a[@]b[.]example\n" },
};

static struct record *
made_of(struct made *m, const char *members)
{
	char *slice = xasprintf("{\"id\":\"da1_1\",\"lastUpdateDateTime\":"
				"\"2026-11-22T04:10:46.09Z\",%s}",
	    members);
	struct record *r = make_from_json(m, str_of(slice));

	free(slice);
	ck_assert_int_eq(r->type, RECORD_ALERT);
	return r;
}

START_TEST(test_text)
{
	const char *want = cases[_i].text;
	struct made m;
	struct record *rec = made_of(&m, cases[_i].members);
	struct read r;

	write_one(&r, &plain, &m.event);
	if (want[0] == '!')
		ck_assert_msg(!has(&r.text, want + 1), "%s:\n%s", cases[_i].says, r.text.p);
	else
		ck_assert_msg(has(&r.text, want), "%s:\n%s", cases[_i].says, r.text.p);
	release(&r);
	record_unref(rec);
}
END_TEST

START_TEST(test_html)
{
	struct made m;
	struct record *rec =
	    made_of(&m, "\"title\":\"<script>x</script> & \\\"y\\\"\","
			"\"description\":\"</td>\\n<img src=x>\",\"severity\":\"high\"");
	struct read r;

	write_one(&r, &plain, &m.event);
	ck_assert(has(&r.html, "&lt;script&gt;x&lt;/script&gt; &amp; &quot;y&quot;"));
	ck_assert(has(&r.html, "&lt;/td&gt;<br>\n&lt;img src=x&gt;"));
	ck_assert(has(&r.html, "bgcolor=\"#c62828\" height=\"6\""));
	ck_assert(has(&r.html, "prefers-color-scheme: dark"));
	ck_assert(!has(&r.html, "http://"));
	release(&r);
	record_unref(rec);
}
END_TEST

START_TEST(test_headers)
{
	struct made m;
	struct read r;

	make_alert(&m);
	m.record.alert.incident_id = STR("40817");
	write_one(&r, &plain, &m.event);
	assert_header(&r, "", "Date", "Sun, 22 Nov 2026 04:11:02 +0000");
	assert_header(&r, "", "From", "\"Alerts\" <alerts@soc.example>");
	assert_header(&r, "", "To", "\"Oncall\" <oncall@soc.example>");
	assert_header(&r, "", "Subject", "[High] Contoso Ltd: Suspicious thing");
	assert_header(&r, "", "List-Id", "<msspd.soc.example>");
	assert_header(&r, "", "Auto-Submitted", "auto-generated");
	assert_header(&r, "", "Importance", "high");
	assert_header(&r, "", "X-Msspd-Kind", "new");
	assert_header(&r, "", "X-Msspd-Type", "alert");
	assert_header(&r, "", "X-Msspd-Customer", "contoso");
	assert_header(&r, "", "X-Msspd-Tenant", "contoso-eu");
	assert_header(&r, "", "X-Msspd-Tenant-Id", MADE_TENANT_ID);
	assert_header(&r, "", "X-Msspd-Severity", "High");
	assert_header(&r, "", "X-Msspd-Incident-Id", "40817");
	assert_header(&r, "", "X-Msspd-Rule", "oncall");
	assert_header(
	    &r, "", "X-Msspd-Event-Id", MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0900000Z");
	release(&r);
}
END_TEST

START_TEST(test_switches)
{
	struct made m;
	struct record *rec = made_of(&m, "\"title\":\"T\"," DEVICE);
	struct mail_style style = { .from = "alerts@soc.example",
		.list_id = "a.b.example",
		.without_organization = true,
		.without_portal_link = true };
	struct read r;

	write_one(&r, &style, &m.event);
	ck_assert(!has(&r.message, "ontoso") && !has(&r.message, "https://"));
	assert_header(&r, "no name", "Subject", "[Unknown] T");
	assert_header(&r, "the id is not the name", "X-Msspd-Tenant-Id", MADE_TENANT_ID);
	assert_header(&r, "a list id of one's own", "List-Id", "<a.b.example>");
	assert_header(&r, "not urgent", "Importance", NULL);
	release(&r);
	write_one(&r, &devices, &m.event);
	ck_assert(has(&r.text, "Device ws-1\n"));
	ck_assert(has(&r.text, "ws-1.contoso.example"));
	release(&r);
	record_unref(rec);
}
END_TEST

static char *
header_of(const struct read *r, const char *name)
{
	struct buf got = BUF_INIT(4096);

	ck_assert(mail_header(&got, buf_peek(&r->message), name));
	return buf_take(&got);
}

/* The same event has the same id, another or to another has another; one thread for all. */
START_TEST(test_ids)
{
	struct made m;
	struct read r;
	char *id, *thread, *other;

	make_alert(&m);
	m.record.alert.incident_id = STR("40817");
	write_one(&r, &plain, &m.event);
	id = header_of(&r, "Message-ID");
	thread = header_of(&r, "References");
	release(&r);
	write_one(&r, &devices, &m.event);
	other = header_of(&r, "Message-ID");
	ck_assert_str_eq(id, other);
	free(other);
	release(&r);
	m.record.version++;
	m.event.kind = KIND_UPDATED;
	m.record.alert.id = m.record.id = STR("da2_2");
	write_one(&r, &plain, &m.event);
	other = header_of(&r, "Message-ID");
	ck_assert_str_ne(id, other);
	free(other);
	other = header_of(&r, "In-Reply-To");
	ck_assert_str_eq(thread, other);
	free(other);
	release(&r);
	m.origin.tenant_id = (char *)(uintptr_t) "99999999-2222-3333-4444-555555555555";
	write_one(&r, &plain, &m.event);
	other = header_of(&r, "References");
	ck_assert_str_ne(thread, other);
	free(other);
	release(&r);
	free(id);
	free(thread);
}
END_TEST

START_TEST(test_incident_is_of_its_alerts_thread)
{
	struct made m;
	struct read r;
	char *thread, *other;

	make_alert(&m);
	m.record.alert.incident_id = STR("40817");
	write_one(&r, &plain, &m.event);
	thread = header_of(&r, "References");
	release(&r);
	m.event.record = record_from_incident(
	    STR("{\"id\":\"40817\",\"displayName\":\"I\",\"severity\":\"medium\","
		"\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\"}"),
	    true, 0);
	m.event.kind = KIND_UPDATED;
	m.event.changed = 1u << PART_SEVERITY | 1u << PART_ASSIGNEE;
	write_one(&r, &plain, &m.event);
	other = header_of(&r, "References");
	ck_assert_str_eq(thread, other);
	assert_header(&r, "", "Subject", "[Medium] Contoso Ltd: Updated: Incident 40817: I");
	ck_assert_msg(has(&r.text, "WHAT CHANGED\n  Severity        now Medium\n"
				   "  Assigned to     nobody\n"),
	    "%s", r.text.p);
	release(&r);
	free(thread);
	free(other);
	record_unref((struct record *)(uintptr_t)m.event.record);
}
END_TEST

START_TEST(test_other_records)
{
	struct made m;
	struct read r;

	make_health(&m);
	write_one(&r, &plain, &m.event);
	assert_header(
	    &r, "health", "Subject", "[Problem] Contoso Ltd: Tenant contoso-eu: consent withdrawn");
	ck_assert(has(&r.text, "Ask | the = customer"));
	ck_assert(!has(&r.text, "https://"));
	release(&r);
	make_unreadable(&m, "da9_9", "it is broken");
	write_one(&r, &plain, &m.event);
	assert_header(&r, "unreadable", "Subject",
	    "[Unreadable] Contoso Ltd: An alert that msspd could not read");
	ck_assert(has(&r.text, "it is broken") && has(&r.text, "/alerts/da9_9?tid="));
	release(&r);
	make_health(&m);
	m.record.type = RECORD_CANARY;
	m.event.kind = KIND_CANARY;
	write_one(&r, &plain, &m.event);
	assert_header(&r, "a test", "Subject", "[Test] Contoso Ltd: Test message of msspd");
	assert_header(&r, "of no thread", "References", NULL);
	keep("canary", ".eml", &r.message);
	release(&r);
}
END_TEST

START_TEST(test_zone)
{
	struct err err;
	struct zone *z = zone_open("Europe/Berlin", &err);
	struct buf out = BUF_INIT(MAIL_MAX), text = BUF_INIT(MAIL_MAX);
	struct made m;
	struct mail_item item = { .event = &m.event, .zone = z, .zone_name = "Europe/Berlin" };

	ck_assert_msg(z != NULL, "%s", err.text);
	make_alert(&m);
	ck_assert(mail_write(&out, &plain, &someone, &item, &err));
	ck_assert(mail_part(&text, buf_peek(&out), "text/plain"));
	ck_assert_msg(has(&text, "2026-11-22 05:10:30 +01:00 (Europe/Berlin)"), "%s", text.p);
	buf_release(&out);
	buf_release(&text);
	zone_close(z);
}
END_TEST

START_TEST(test_overlong)
{
	static char text[300000];
	static struct evidence e[EVIDENCE_MAX];
	struct made m;
	struct read r;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "<&'\"x"[i % 5];
	make_alert(&m);
	m.record.alert.title = m.record.alert.description = m.record.alert.recommended_actions =
	    m.record.alert.assigned_to = m.record.alert.category =
		(struct str){ text, sizeof(text) };
	for (size_t i = 0; i < EVIDENCE_MAX; i++) {
		e[i] = make_evidence(EVIDENCE_PROCESS);
		e[i].process.command_line = (struct str){ text, sizeof(text) };
	}
	m.record.alert.evidence = e;
	m.record.alert.nevidence = EVIDENCE_MAX;
	m.record.alert.nevidence_all = 300;
	write_one(&r, &devices, &m.event);
	ck_assert(has(&r.text, "[cut: "));
	ck_assert_msg(has(&r.text, " more; see the portal"), "%s", r.text.p);
	ck_assert_msg(r.html.n < GMAIL_SHOWS, "%zu", r.html.n);
	keep("largest", ".eml", &r.message);
	release(&r);
}
END_TEST

START_TEST(test_no_room)
{
	struct buf out = BUF_INIT(2000);
	struct err err;
	struct made m;
	const struct mail_item item = { .event = &m.event };

	make_alert(&m);
	buf_puts(&out, "before");
	ck_assert(!mail_write(&out, &plain, &someone, &item, &err));
	ck_assert_int_eq(err.kind, ERR_PERM);
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

/* ---- digests ------------------------------------------------------------------------------- */

START_TEST(test_digest)
{
	struct mail_digest *d = digest_of(8, false);
	struct read r;
	const char *high, *medium, *low;

	write_digest(&r, &plain, d, MAIL_DIGEST_PERIOD);
	assert_header(&r, "", "Subject", "[High] Contoso Ltd: 8 alerts: 2 high, 2 medium, 4 low");
	assert_header(&r, "", "X-Msspd-Kind", "digest");
	assert_header(&r, "", "X-Msspd-Count", "8");
	assert_header(&r, "", "X-Msspd-Customer", "contoso");
	assert_header(&r, "a digest is of no incident", "References", NULL);
	ck_assert(has(&r.text, "A digest of the last 15 minutes."));
	ck_assert(has(&r.text, "/alerts/da7_1?tid=" MADE_TENANT_ID));
	high = strstr(r.text.p, "da7_1");
	medium = strstr(r.text.p, "da1_1");
	low = strstr(r.text.p, "da0_1");
	ck_assert(high < medium && medium < low);
	ck_assert(!has(&r.text, "BY TITLE") && !has(&r.html, "by title"));
	release(&r);
	mail_digest_free(d);
}
END_TEST

/* What has no row is counted, and the titles' numbers are all there is. */
START_TEST(test_storm)
{
	struct mail_digest *d = digest_of(10000, false);
	struct read r;
	unsigned long sum = 0;
	const char *at;

	write_digest(&r, &plain, d, MAIL_DIGEST_LIMIT);
	assert_header(&r, "", "Subject",
	    "[High] Contoso Ltd: 10000 alerts: 2500 high, 2500 medium, 5000 low");
	ck_assert(has(&r.text, "9940 more have no line of their own"));
	ck_assert(has(&r.html, "<b>9940 more</b>"));
	at = strstr(r.text.p, "ALL 10000 BY TITLE\n");
	ck_assert_ptr_nonnull(at);
	for (at = strchr(at, '\n') + 1; *at == ' '; at = strchr(at, '\n') + 1)
		sum += strtoul(at, NULL, 10);
	ck_assert_uint_eq(sum, 10000);
	ck_assert_uint_lt(r.html.n, 100 * 1024);
	release(&r);
	mail_digest_free(d);
}
END_TEST

/* Whoever writes titles of nothing but markup does not make a page that is hidden. */
START_TEST(test_digest_overlong)
{
	static char text[600];
	static struct evidence e;
	struct mail_digest *d = mail_digest_new();
	struct made m;
	struct read r;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "<&'\"x"[i % 5];
	make_alert(&m);
	e = make_evidence(EVIDENCE_USER);
	e.user.account.upn = m.record.alert.title = (struct str){ text, sizeof(text) };
	m.record.alert.evidence = &e;
	m.record.alert.nevidence = m.record.alert.nevidence_all = 1;
	for (unsigned i = 0; i < 100; i++) {
		const struct mail_item item = { .event = &m.event };

		text[0] = (char)('!' + i % 90);
		mail_digest_add(d, &item);
	}
	write_digest(&r, &devices, d, MAIL_DIGEST_LIMIT);
	ck_assert_msg(r.html.n < GMAIL_SHOWS, "%zu", r.html.n);
	assert_header(&r, "all are counted", "X-Msspd-Count", "100");
	ck_assert(has(&r.html, " more</b> have no row") && !has(&r.html, "<title></title>"));
	keep("digest-largest", ".eml", &r.message);
	release(&r);
	mail_digest_free(d);
}
END_TEST

START_TEST(test_mixed)
{
	struct mail_digest *d = digest_of(4, true);
	struct mail_style unnamed = { .from = "a@b.example", .without_organization = true };
	struct read r;

	write_digest(&r, &plain, d, MAIL_DIGEST_PERIOD);
	assert_header(&r, "", "Subject", "[High] 4 alerts: 1 high, 1 medium, 2 low");
	assert_header(&r, "", "X-Msspd-Customer", NULL);
	ck_assert(has(&r.text, "Fabrikam & Co") && has(&r.html, "Fabrikam &amp; Co"));
	ck_assert(has(&r.text, "Contoso Ltd"));
	release(&r);
	write_digest(&r, &unnamed, d, MAIL_DIGEST_PERIOD);
	ck_assert(!has(&r.message, "Contoso") && !has(&r.message, "Fabrikam"));
	release(&r);
	mail_digest_free(d);
}
END_TEST

/* ---- golden --------------------------------------------------------------------------------- */

static void
check_text(const char *name, const struct golden *g)
{
	const struct mail_item item = { .event = &g->made.event };
	struct buf text = BUF_INIT(1 << 20);
	struct mail_sheet s;

	mail_sheet_init(&s, &devices);
	mail_sheet_fill(&s, &item);
	mail_text_body(&text, &s);
	keep(name, ".txt", &text);
	ck_assert_msg(str_same(buf_peek(&text), g->want), "%s gives\n%s", name, text.p);
	mail_sheet_release(&s);
	buf_release(&text);
}

START_TEST(test_golden_text)
{
	ck_assert_uint_ge(golden_each("tests/data/mail", check_text), 12);
}
END_TEST

static void
check_whole(const char *name, const struct golden *g)
{
	struct read r;

	write_one(&r, &devices, &g->made.event);
	keep(name, ".eml", &r.message);
	ck_assert_msg(str_same(buf_peek(&r.message), g->want), "%s: another one", name);
	release(&r);
}

START_TEST(test_golden_whole)
{
	ck_assert_uint_ge(golden_each("tests/data/mail-whole", check_whole), 3);
}
END_TEST

START_TEST(test_keep_incident)
{
	static const char text[] =
	    "{\"id\":\"40817\",\"displayName\":\"Multi-stage incident on several endpoints\","
	    "\"severity\":\"high\",\"status\":\"active\",\"classification\":\"truePositive\","
	    "\"determination\":\"multiStagedAttack\",\"assignedTo\":\"ana@soc.example\","
	    "\"description\":\"A document started a script, which fetched another.\","
	    "\"customTags\":[\"finance\"],\"priorityScore\":81,"
	    "\"createdDateTime\":\"2026-11-22T03:58:30Z\","
	    "\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\"}";
	struct made m;
	struct read r;

	make_alert(&m);
	m.event.record = record_from_incident(str_of(text), true, 0);
	m.event.kind = KIND_ESCALATED;
	m.event.changed = 1u << PART_SEVERITY | 1u << PART_ASSIGNEE;
	write_one(&r, &devices, &m.event);
	keep("incident", ".eml", &r.message);
	release(&r);
	record_unref((struct record *)(uintptr_t)m.event.record);
}
END_TEST

START_TEST(test_keep_health)
{
	struct made m;
	struct read r;

	make_health(&m);
	m.record.health.summary = STR("Tenant contoso-eu: consent withdrawn");
	m.record.health.what = STR("Microsoft refuses the app (AADSTS65001): nobody in the tenant "
				   "has consented to it any more. No alerts come until then.");
	m.record.health.remedy = STR("Ask an administrator of the customer to consent again:\n"
				     "msspctl onboard contoso-eu prints the link to send.");
	write_one(&r, &plain, &m.event);
	keep("health", ".eml", &r.message);
	release(&r);
}
END_TEST

/* As people have them: a few titles, users, devices. */
static struct mail_digest *
usual_digest(void)
{
	static const struct {
		enum severity severity;
		struct str title;
	} rows[] = {
		{ SEVERITY_MEDIUM, STR("Suspicious PowerShell command line") },
		{ SEVERITY_HIGH, STR("Possible credential theft") },
		{ SEVERITY_LOW, STR("Anomalous token") },
		{ SEVERITY_LOW, STR("A user clicked through to a malicious URL") },
		{ SEVERITY_INFORMATIONAL, STR("Malware was detected") },
		{ SEVERITY_LOW, STR("Impossible travel activity — two countries") },
	};
	struct evidence e[] = { make_evidence(EVIDENCE_USER), make_evidence(EVIDENCE_DEVICE) };
	struct mail_digest *d = mail_digest_new();
	struct made m;

	e[0].user.account.upn = STR("ana.ruiz@contoso.example");
	e[1].device.dns_name = STR("ws-0412.contoso.example");
	for (unsigned i = 0; i < 18; i++) {
		const struct mail_item item = { .event = &m.event };

		make_alert(&m);
		m.record.alert.title = rows[i % ARRAY_LEN(rows)].title;
		m.record.alert.severity = rows[i % ARRAY_LEN(rows)].severity;
		m.record.alert.created += 17 * i * TICKS_SEC;
		m.record.alert.evidence = e;
		m.record.alert.nevidence = m.record.alert.nevidence_all = i % 3;
		mail_digest_add(d, &item);
	}
	return d;
}

START_TEST(test_keep_digests)
{
	struct mail_digest *d = usual_digest(), *mixed = digest_of(30, true),
			   *storm = digest_of(10000, false);
	struct read r;

	write_digest(&r, &devices, d, MAIL_DIGEST_PERIOD);
	keep("digest", ".eml", &r.message);
	release(&r);
	write_digest(&r, &devices, mixed, MAIL_DIGEST_PERIOD);
	keep("mixed", ".eml", &r.message);
	release(&r);
	mail_digest_free(mixed);
	write_digest(&r, &devices, storm, MAIL_DIGEST_LIMIT);
	keep("storm", ".eml", &r.message);
	release(&r);
	mail_digest_free(d);
	mail_digest_free(storm);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail");
	TCase *tc = tcase_create("mail");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_text, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_html);
	tcase_add_test(tc, test_headers);
	tcase_add_test(tc, test_switches);
	tcase_add_test(tc, test_ids);
	tcase_add_test(tc, test_incident_is_of_its_alerts_thread);
	tcase_add_test(tc, test_other_records);
	tcase_add_test(tc, test_zone);
	tcase_add_test(tc, test_overlong);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_digest);
	tcase_add_test(tc, test_storm);
	tcase_add_test(tc, test_digest_overlong);
	tcase_add_test(tc, test_mixed);
	tcase_add_test(tc, test_golden_text);
	tcase_add_test(tc, test_golden_whole);
	tcase_add_test(tc, test_keep_incident);
	tcase_add_test(tc, test_keep_health);
	tcase_add_test(tc, test_keep_digests);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
