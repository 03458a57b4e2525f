/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/format/format.h"
#include "tests/unit/make_record.h"

#define HEAD \
	"{\"id\":\"da1_1\",\"title\":\"Thing\",\"severity\":\"high\",\"lastUpdateDateTime\":" \
	"\"2026-11-22T04:10:46Z\""

/* Writes it, checks that it is one line of JSON, and returns the JSON. */
static json_t *
write_raw(const struct event *ev, size_t max_bytes, struct buf *out)
{
	struct format_opts opts = { .max_bytes = max_bytes };
	json_error_t error;
	json_t *top;

	buf_clear(out);
	ck_assert(format_raw.write(out, ev, &opts));
	ck_assert_uint_le(out->n, max_bytes);
	for (size_t i = 0, len; i < out->n; i += len) {
		uint32_t cp;

		len = utf8_next(out->p + i, out->n - i, &cp);
		ck_assert_uint_ne(len, 0);
		ck_assert_msg(
		    cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0) && cp != 0x2028 && cp != 0x2029,
		    "U+%04x in %s", cp, out->p);
	}
	top = json_loadb(out->p, out->n, JSON_ALLOW_NUL, &error);
	ck_assert_msg(top != NULL, "%s: %s", error.text, out->p);
	return top;
}

static const struct {
	const char *says;
	struct str slice;
	const char *title; /* as it comes back; NULL: not asked */
	const char *part;  /* to be found in the line; NULL: not asked */
} cases[] = {
	{ "the object as it came", STR(HEAD ",\"x\":{\"y\":[1,1e5,\"\\u00e9\"]}}"), "Thing",
	    "\"x\":{\"y\":[1,1e5,\"\\u00e9\"]}}}" },
	{ "line ends and tabs between tokens are spaces",
	    STR("{\r\n\t\"id\":\"a\",\n\"title\":\"b c\"\n,"
		"\"lastUpdateDateTime\":\"2026-11-22T04:10:46Z\"}"),
	    "b c", "{   \"id\":\"a\", \"title\":\"b c\" ," },
	{ "spaces in strings stay",
	    STR("{\"id\":\"a\",\"title\":\"b  "
	        "c\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46Z\"}"),
	    "b  c", NULL },
	{ "separators and C1 are written as escapes",
	    STR("{\"id\":\"a\",\"title\":\"b\xe2\x80\xa8"
		"c\xc2\x85"
		"d\x7f\","
		"\"lastUpdateDateTime\":\"2026-11-22T04:10:46Z\"}"),
	    "b\xe2\x80\xa8"
	    "c\xc2\x85"
	    "d\x7f",
	    "b\\u2028c\\u0085d\\u007f" },
	{ "quotes and backslashes in strings",
	    STR("{\"id\":\"a\",\"title\":\"b\\\\\\\"\",\n\"lastUpdateDateTime\":\"2026-11-22T04:10:"
	        "46Z\"}"),
	    "b\\\"", "\", \"last" },
	{ "bytes that are not UTF-8 are U+FFFD",
	    STR("{\"id\":\"a\",\"title\":\"b\xff"
		"c\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46Z\"}"),
	    "b\xef\xbf\xbd"
	    "c",
	    NULL },
	{ "control characters in strings too",
	    STR("{\"id\":\"a\",\"title\":\"b\nc\",\"lastUpdateDateTime\":\"2026-11-22T04:10:"
	        "46Z\"}"),
	    "b\nc", NULL },
	{ "half a pair is made whole",
	    STR("{\"id\":\"a\",\"title\":\"b\\ud800c\",\"lastUpdateDateTime\":\"2026-11-22T04:10:"
	        "46Z\"}"),
	    "b\xef\xbf\xbd"
	    "c",
	    NULL },
};

START_TEST(test_alert)
{
	struct buf out = BUF_INIT(20000);
	struct made m;
	struct record *r = make_from_json(&m, cases[_i].slice);
	json_t *top, *title;

	ck_assert_int_eq(r->type, RECORD_ALERT);
	top = write_raw(&m.event, 20000, &out);
	title = json_object_get(json_object_get(top, "alert"), "title");
	ck_assert_msg(
	    json_is_string(title) && strcmp(json_string_value(title), cases[_i].title) == 0,
	    "%s: %s", cases[_i].says, out.p);
	if (cases[_i].part != NULL)
		ck_assert_msg(
		    strstr(out.p, cases[_i].part) != NULL, "%s: %s", cases[_i].says, out.p);
	json_decref(top);
	buf_release(&out);
	record_unref(r);
}
END_TEST

static const struct {
	const char *name, *want;
} envelope[] = {
	{ "event_id", MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0000000Z" },
	{ "kind", "updated" },
	{ "tenant", "contoso-eu" },
	{ "tenant_id", MADE_TENANT_ID },
	{ "customer", "contoso" },
	{ "customer_name", "Contoso \xe2\x80\xa8 Ltd" },
	{ "cloud", "global" },
	{ "stream", "alerts" },
	{ "journalled", "2026-11-22T04:11:00.0000000Z" },
};

START_TEST(test_envelope)
{
	struct buf out = BUF_INIT(20000);
	struct made m;
	struct record *r = make_from_json(&m, STR(HEAD "}"));
	json_t *top, *e;

	m.event.kind = KIND_UPDATED;
	m.event.changed = 1u << PART_STATUS | 1u << PART_EVIDENCE;
	m.event.flags = EVENT_BACKFILL;
	m.origin.customer_name = (char *)"Contoso \xe2\x80\xa8 Ltd";
	top = write_raw(&m.event, 20000, &out);
	e = json_object_get(top, "msspd");
	for (size_t i = 0; i < ARRAY_LEN(envelope); i++)
		ck_assert_str_eq(
		    json_string_value(json_object_get(e, envelope[i].name)), envelope[i].want);
	ck_assert(json_is_true(json_object_get(e, "backfill")));
	ck_assert(json_is_false(json_object_get(e, "replay")));
	ck_assert_ptr_null(json_object_get(e, "instance"));
	e = json_object_get(e, "changed");
	ck_assert_uint_eq(json_array_size(e), 2);
	ck_assert_str_eq(json_string_value(json_array_get(e, 0)), "status");
	ck_assert_str_eq(json_string_value(json_array_get(e, 1)), "evidence");
	json_decref(top);
	buf_release(&out);
	record_unref(r);
}
END_TEST

START_TEST(test_unreadable)
{
	struct buf out = BUF_INIT(20000);
	struct made m;
	struct record *r = make_from_json(&m, STR("{\"id\":\"da1_1\",\n\xff\x1b\xc2\x85 {"));
	json_t *top, *u;

	ck_assert_int_eq(r->type, RECORD_UNREADABLE);
	top = write_raw(&m.event, 20000, &out);
	u = json_object_get(top, "unreadable");
	ck_assert(json_is_null(json_object_get(top, "alert")));
	ck_assert_str_eq(json_string_value(json_object_get(u, "text")),
	    "{\"id\":\"da1_1\",\n\xef\xbf\xbd\x1b\xc2\x85 {");
	ck_assert_int_eq(json_integer_value(json_object_get(u, "size")), 21);
	ck_assert_uint_gt(strlen(json_string_value(json_object_get(u, "why"))), 5);
	json_decref(top);
	buf_release(&out);
	record_unref(r);
}
END_TEST

/* Neither an alert nor an unreadable text may make a line longer than it may be. */
START_TEST(test_too_large)
{
	struct buf slice = BUF_INIT(100000), out = BUF_INIT(100000);
	struct record *r;
	struct made m;
	json_t *top, *large;

	buf_puts(&slice, HEAD ",\"description\":\"");
	for (unsigned i = 0; i < 5000; i++)
		buf_puts(&slice, "\xe2\x80\xa8");
	buf_puts(&slice, "\"}");
	r = make_from_json(&m, buf_peek(&slice));
	for (size_t max = 1200; max < 40000; max += 2999) {
		top = write_raw(&m.event, max, &out);
		large = json_object_get(top, "too_large");
		ck_assert_int_eq(large != NULL, json_is_null(json_object_get(top, "alert")));
		ck_assert_int_eq(large != NULL, max < 30500);
		if (large != NULL) {
			ck_assert_int_eq(json_integer_value(json_object_get(large, "size")),
			    (json_int_t)slice.n);
			ck_assert_str_eq(
			    json_string_value(json_object_get(large, "title")), "Thing");
		}
		json_decref(top);
	}
	record_unref(r);
	buf_cut(&slice, slice.n - 1);
	r = make_from_json(&m, buf_peek(&slice));
	ck_assert_int_eq(r->type, RECORD_UNREADABLE);
	for (size_t max = 1200; max < 40000; max += 2999) {
		top = write_raw(&m.event, max, &out);
		ck_assert(json_is_object(json_object_get(top, "unreadable")));
		json_decref(top);
	}
	record_unref(r);
	buf_release(&slice);
	buf_release(&out);
}
END_TEST

START_TEST(test_no_room)
{
	struct format_opts opts = { .max_bytes = 100 };
	struct buf out = BUF_INIT(1000);
	struct made m;

	make_alert(&m);
	buf_puts(&out, "before");
	ck_assert(!format_raw.write(&out, &m.event, &opts));
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

START_TEST(test_formats)
{
	ck_assert_ptr_eq(format_find("cef"), &format_cef);
	ck_assert_ptr_eq(format_find("raw"), &format_raw);
	ck_assert_ptr_null(format_find("CEF"));
	for (const struct format *const *f = formats; *f != NULL; f++)
		ck_assert((*f)->write != NULL && strlen((*f)->help) > 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("raw");
	TCase *tc = tcase_create("raw");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_alert, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_envelope);
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_formats);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
