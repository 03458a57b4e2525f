/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cef_stage.h"

/* Lines that are too long: what they give up, in which order, and what they keep. */

static void
make_full(struct made *m, struct evidence *e, char *text, size_t n)
{
	struct str s = { text, n };
	struct alert *a = &m->record.alert;

	memset(text, 'x', n);
	for (size_t i = 5; i < n; i += 7)
		memcpy(text + i - 5, "\xc3\xa9=\\\n", 5);
	make_alert(m);
	m->event.kind = KIND_RESOLVED;
	m->event.changed = 0x1ff;
	m->event.flags = EVENT_BACKFILL;
	a->description = a->recommended_actions = a->title = a->category = a->threat_display_name =
	    s;
	a->classification = a->determination = a->status_text = a->service_source = s;
	a->detection_source = a->actor_display_name = a->detector_id = s;
	a->incident_id = STR("123456789");
	a->resolved = a->first_activity = a->last_activity = a->updated;
	a->mitre_techniques = &a->description;
	a->nmitre_techniques = 1;
	e[0] = make_evidence(EVIDENCE_DEVICE);
	e[0].device.dns_name = e[0].device.dns_domain = e[0].device.mde_device_id = s;
	e[0].device.last_ip = STR("10.0.0.1");
	e[1] = make_evidence(EVIDENCE_PROCESS);
	e[1].process.command_line = e[1].process.image.path = e[1].process.image.name = s;
	e[1].process.account.upn = e[1].process.account.domain_name = e[1].process.account.sid = s;
	e[1].process.pid = INT64_MAX;
	e[2] = make_evidence(EVIDENCE_FILE);
	e[2].file.details.name = e[2].file.details.path = e[2].file.details.sha256 = s;
	e[3] = make_evidence(EVIDENCE_URL);
	e[3].url.url = s;
	e[4] = make_evidence(EVIDENCE_MESSAGE);
	e[4].message.recipient = s;
	e[5] = make_evidence(EVIDENCE_CLOUD_APP);
	e[5].cloud_app.display_name = s;
	a->evidence = e;
	a->nevidence = a->nevidence_all = 6;
}

static void
check_kept(const struct cef_parsed *p)
{
	static const char *const keys[] = { "rt", "act", "flexString2", "flexString2Label",
		"MicrosoftDefenderEventId", "cs3", "cs3Label", "cs4", "cs4Label" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ck_assert_msg(cef_get(p, keys[i]).n > 0, "%s is missing", keys[i]);
	ck_assert(str_is(cef_get(p, "flexString2"), "da1_1"));
	ck_assert(str_is(cef_get(p, "cs3"), MADE_TENANT_ID));
}

START_TEST(test_every_size)
{
	struct evidence e[6];
	char text[3000];
	struct made m;

	struct line whole;

	make_full(&m, e, text, sizeof(text));
	write_line(&whole, &m.event, &plenty);
	for (size_t max = 1600; max < whole.text.n + 100; max += max < 3000 ? 1 : 37) {
		struct format_opts opts = { .max_bytes = max };
		struct line l;

		write_line(&l, &m.event, &opts);
		check_kept(&l.cef);
		/* No more is given up than one whole key. */
		ck_assert(max < 10000 || max > whole.text.n || l.text.n > max - 1200);
		ck_assert_int_eq(max >= whole.text.n, l.text.n == whole.text.n);
		release(&l);
	}
	release(&whole);
}
END_TEST

/* A key that is begun and given up needs no room for that: a line may be as long as it may be. */
START_TEST(test_blank_at_the_end)
{
	struct evidence e[6];
	char text[3000];
	struct line whole, l;
	struct made m;

	make_full(&m, e, text, sizeof(text));
	m.record.alert.recommended_actions = STR(" \n ");
	write_line(&whole, &m.event, &plenty);
	for (size_t max = whole.text.n - 20; max < whole.text.n + 20; max++) {
		struct format_opts opts = { .max_bytes = max };

		write_line(&l, &m.event, &opts);
		ck_assert_uint_le(l.text.n, max);
		release(&l);
	}
	release(&whole);
}
END_TEST

START_TEST(test_long_class)
{
	char text[900];
	struct line l;
	struct made m;

	memset(text, 'd', sizeof(text));
	make_alert(&m);
	m.record.alert.detector_id = (struct str){ text, sizeof(text) };
	write_line(&l, &m.event, &(struct format_opts){ .max_bytes = 900 });
	release(&l);
}
END_TEST

/* 480 bytes, the least that RFC 5424 promises, hold an alert with an id of Microsoft's length. */
START_TEST(test_least_size)
{
	struct format_opts opts = { .max_bytes = 480 };
	struct evidence e[6];
	char text[300];
	struct made m;
	struct line l;

	make_full(&m, e, text, sizeof(text));
	m.record.alert.detector_id = STR("7f1c3609-a3ff-40e2-995b-c01770161d68");
	m.record.alert.service_source = STR("microsoftInsiderRiskManagement");
	m.record.id = STR("daefa1828b-dd4e-405c-8a3b-aa28596830dd_1");
	write_line(&l, &m.event, &opts);
	ck_assert(
	    str_is(cef_get(&l.cef, "flexString2"), "daefa1828b-dd4e-405c-8a3b-aa28596830dd_1"));
	ck_assert(str_is(cef_get(&l.cef, "act"), "resolved"));
	release(&l);
}
END_TEST

/* Reason goes first, then msg, then the rest of the long text, and nothing else meanwhile. */
START_TEST(test_shorten_order)
{
	static const char *const order[] = { "reason", "msg", "cs2", "cs1", "cs6", "cs5",
		"MicrosoftDefenderCommandLine" };
	size_t full[ARRAY_LEN(order)], floor_seen = 0;
	struct evidence e[6];
	char text[3000];
	struct made m;
	struct line l;

	make_full(&m, e, text, sizeof(text));
	write_line(&l, &m.event, &plenty);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		full[i] = cef_get(&l.cef, order[i]).n;
	for (size_t max = l.text.n; max > 22000; max -= 50) {
		struct format_opts opts = { .max_bytes = max };
		struct line s;
		size_t touched = 0;

		write_line(&s, &m.event, &opts);
		for (size_t i = 0; i < ARRAY_LEN(order); i++) {
			if (cef_get(&s.cef, order[i]).n < full[i])
				touched = i + 1;
		}
		for (size_t i = 0; i + 1 < touched; i++)
			ck_assert_msg(
			    cef_get(&s.cef, order[i]).n <= 64, "%s is not short", order[i]);
		ck_assert_uint_ge(touched, floor_seen);
		floor_seen = touched;
		release(&s);
	}
	ck_assert_uint_gt(floor_seen, 2);
	release(&l);
}
END_TEST

/* Too small for anything, or a buf without room: nothing is written, and the buf is as before. */
START_TEST(test_no_room)
{
	struct format_opts tiny = { .max_bytes = 200 };
	struct buf out = BUF_INIT(300);
	struct made m;

	make_alert(&m);
	buf_puts(&out, "before");
	ck_assert(!format_cef.write(&out, &m.event, &tiny));
	ck_assert_str_eq(out.p, "before");
	ck_assert(!format_cef.write(&out, &m.event, &plenty));
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cef_limits");
	TCase *tc = tcase_create("cef_limits");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_every_size);
	tcase_add_test(tc, test_blank_at_the_end);
	tcase_add_test(tc, test_long_class);
	tcase_add_test(tc, test_least_size);
	tcase_add_test(tc, test_shorten_order);
	tcase_add_test(tc, test_no_room);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
