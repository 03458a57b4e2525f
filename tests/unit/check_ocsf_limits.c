/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/ocsf_stage.h"

/* ---- too long ------------------------------------------------------------------------------------ */

#define LONG_ID SHA256 SHA256 SHA256 SHA256 SHA256

static struct record *
big_alert(struct made *m)
{
	struct buf slice = BUF_INIT(PLENTY);
	struct record *r;

	buf_puts(&slice,
	    "{\"id\":\"da1_1\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\","
	    "\"incidentId\":\"" LONG_ID
	    "\",\"title\":\"A title\",\"severity\":\"high\",\"additionalData\":{\"a\":1},"
	    "\"description\":\"");
	for (unsigned i = 0; i < 300; i++)
		buf_puts(&slice, "\\u00e9\\\"\\n\xe2\x80\xa8");
	buf_puts(&slice, "\",\"evidence\":[");
	for (unsigned i = 0; i < 40; i++)
		buf_printf(&slice,
		    "%s{\"@odata.type\":\"#microsoft.graph.security.%s\",\"hostName\":\"host%u\","
		    "\"url\":\"http://h/%u\",\"resourceName\":\"n\"}",
		    i > 0 ? "," : "",
		    i % 4 == 0   ? "deviceEvidence"
		    : i % 4 == 1 ? "urlEvidence"
		    : i % 4 == 2 ? "azureResourceEvidence"
				 : "newEvidence",
		    i, i);
	buf_puts(&slice, "]}");
	r = make_from_json(m, buf_peek(&slice));
	buf_release(&slice);
	ck_assert_int_eq(r->type, RECORD_ALERT);
	return r;
}

/* In the order in which they go. */
static const char *const parts[] = { "raw_data", "evidences[3].data.hostName",
	"unmapped.additionalData", "observables", "evidences", "remediation" };

START_TEST(test_every_size)
{
	struct made m;
	struct record *r = big_alert(&m);
	size_t gone = ARRAY_LEN(parts);

	for (size_t max = 60000; max >= LEAST; max -= max / 97) {
		json_t *top = write_ocsf(&m.event, max);
		size_t first = 0;

		assert_at(top, "never cut", "metadata.uid",
		    "\"" MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0900000Z\"");
		assert_at(top, "nor this", "finding_info.title", "\"A title\"");
		assert_at(top, "nor this", "severity_id", "4");
		if (json_at(top, "tickets") != NULL)
			assert_at(top, "nor this", "tickets[0].uid", "\"" LONG_ID "\"");
		while (first < ARRAY_LEN(parts) - 1 && json_at(top, parts[first]) == NULL)
			first++;
		for (size_t i = first; i < ARRAY_LEN(parts) - 1; i++)
			ck_assert_msg(json_at(top, parts[i]) != NULL || i > 4,
			    "%s is gone before %s", parts[i], parts[first]);
		ck_assert_msg(
		    gone == ARRAY_LEN(parts) || first >= gone, "%s is back", parts[first]);
		ck_assert_int_eq(first > 0, json_is_true(json_at(top, "metadata.is_truncated")));
		gone = first;
		json_decref(top);
	}
	record_unref(r);
}
END_TEST

START_TEST(test_no_room)
{
	struct format_opts opts = { .max_bytes = 200 };
	struct buf out = BUF_INIT(300);
	struct made m;

	make_alert(&m);
	ck_assert_ptr_null(try_write(&m.event, &opts));
	buf_puts(&out, "before");
	opts.max_bytes = PLENTY;
	ck_assert(!format_ocsf.write(&out, &m.event, &opts));
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

/* ---- hostile --------------------------------------------------------------------------------------- */

START_TEST(test_controls)
{
	struct made m;
	json_t *top;

	make_alert(&m);
	m.record.alert.title = STR("a\n\0\x1b\x7f\xc2\x85\xe2\x80\xa8\xff\"\\b");
	m.record.alert.assigned_to = STR("x\",\"severity_id\":1,\"y\":\"@z.example");
	m.origin.customer_name = (char *)(uintptr_t) "C\xff\n\"";
	top = write_ocsf(&m.event, PLENTY);
	assert_at(top, "every character comes back", "message",
	    "\"a\\n\\u0000\\u001B\x7f\xc2\x85\xe2\x80\xa8\xef\xbf\xbd\\\"\\\\b\"");
	assert_at(top, "and no member more", "severity_id", "4");
	json_decref(top);
}
END_TEST

/* Readers that recurse refuse what is too deep, and with it the whole event. */
START_TEST(test_deep)
{
	struct buf slice = BUF_INIT(PLENTY);
	struct record *r;
	struct made m;
	json_t *top;

	buf_puts(&slice, "{\"id\":\"da1_1\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\","
			 "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.newEvidence\","
			 "\"x\":");
	for (unsigned i = 0; i < 5000; i++)
		buf_byte(&slice, '[');
	for (unsigned i = 0; i < 5000; i++)
		buf_byte(&slice, ']');
	buf_puts(&slice, "}]}");
	r = make_from_json(&m, buf_peek(&slice));
	top = write_ocsf(&m.event, PLENTY);
	ck_assert(json_is_string(json_at(top, "evidences[0].data.json")));
	json_decref(top);
	record_unref(r);
	buf_release(&slice);
}
END_TEST

static size_t
depth_of(json_t *value)
{
	size_t most = 0, i, n;
	const char *name;
	json_t *inner;

	json_object_foreach(value, name, inner)
	{
		n = depth_of(inner);
		most = n > most ? n : most;
	}
	json_array_foreach(value, i, inner)
	{
		n = depth_of(inner);
		most = n > most ? n : most;
	}
	return most + (json_is_object(value) || json_is_array(value));
}

static void
put_nested(struct buf *out, int n)
{
	for (int i = 0; i < n; i++)
		buf_byte(out, '[');
	for (int i = 0; i < n; i++)
		buf_byte(out, ']');
}

/* json-c, which syslog-ng and rsyslog read with, takes 31 levels. */
START_TEST(test_no_deeper_than_readers_go)
{
	struct buf slice = BUF_INIT(PLENTY);
	struct record *r;
	struct made m;
	json_t *top;

	buf_puts(&slice, "{\"id\":\"da1_1\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\","
			 "\"customDetails\":{\"x\":");
	put_nested(&slice, _i);
	buf_puts(&slice, "},\"evidence\":[{\"x\":");
	put_nested(&slice, _i);
	buf_puts(&slice, "}]}");
	r = make_from_json(&m, buf_peek(&slice));
	top = write_ocsf(&m.event, PLENTY);
	ck_assert_uint_le(depth_of(top), 31);
	ck_assert_int_eq(json_is_object(json_at(top, "unmapped.customDetails")), _i < 28);
	ck_assert_int_eq(json_is_string(json_at(top, "evidences[0].data.json")), _i >= 28);
	json_decref(top);
	record_unref(r);
	buf_release(&slice);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ocsf_limits");
	TCase *tc = tcase_create("limits");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_every_size);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_controls);
	tcase_add_test(tc, test_deep);
	tcase_add_loop_test(tc, test_no_deeper_than_readers_go, 20, 60);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
