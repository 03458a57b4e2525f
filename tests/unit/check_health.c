/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/format/format.h"
#include "tests/unit/make_record.h"

/* Written, kept by the journal, and read again. */
static struct record *
read_again(const struct health *h, struct buf *body)
{
	health_write(body, h);
	ck_assert(buf_ok(body));
	return record_from_entry(RECORD_HEALTH, STR("tenant"), 5, buf_peek(body));
}

START_TEST(test_round_trip)
{
	const struct str names[] = { STR("a"), STR("b \"c\"") };
	struct buf body = BUF_INIT(4096);
	struct record *r;
	struct health *h;
	struct made m;

	make_health(&m);
	h = &m.record.health;
	h->count = 2;
	h->of = 9;
	h->names = names;
	h->nnames = 2;
	r = read_again(h, &body);
	ck_assert_int_eq(r->type, RECORD_HEALTH);
	ck_assert(str_is(r->id, "tenant") && r->version == 5 && !r->is_repaired);
	ck_assert(str_same(r->health.about, h->about) && str_same(r->health.name, h->name));
	ck_assert(str_same(r->health.state, h->state) && str_same(r->health.was, h->was));
	ck_assert(str_same(r->health.what, h->what) && str_same(r->health.remedy, h->remedy));
	ck_assert(str_same(r->health.summary, h->summary));
	ck_assert_int_eq(r->health.level, HEALTH_PROBLEM);
	ck_assert_int_eq(r->health.since, h->since);
	ck_assert_int_eq(r->health.lasted_sec, 7200);
	ck_assert(r->health.count == 2 && r->health.of == 9);
	ck_assert_uint_eq(r->health.nnames, 2);
	ck_assert(str_is(r->health.names[1], "b \"c\""));
	record_unref(r);
	buf_release(&body);
}
END_TEST

START_TEST(test_absent)
{
	struct buf body = BUF_INIT(4096);
	struct health h = HEALTH_INIT;
	struct record *r = read_again(&h, &body);

	ck_assert_str_eq(body.p, "{\"level\":\"well\"}");
	ck_assert(r->health.state.n == 0 && r->health.since == TICKS_NONE);
	ck_assert(r->health.count < 0 && r->health.of < 0 && r->health.lasted_sec < 0);
	ck_assert_uint_eq(r->health.nnames, 0);
	record_unref(r);
	buf_release(&body);
}
END_TEST

static const struct {
	const char *says, *body;
	enum health_level level;
} odd[] = {
	{ "no JSON", "anything", HEALTH_PROBLEM },
	{ "cut", "{\"level\":\"alarm\",\"st", HEALTH_PROBLEM },
	{ "nothing", "", HEALTH_PROBLEM },
	{ "a level of a later version", "{\"level\":\"catastrophe\"}", HEALTH_PROBLEM },
	{ "a member of a later version", "{\"level\":\"alarm\",\"x\":[{}]}", HEALTH_ALARM },
};

START_TEST(test_odd)
{
	struct record *r = record_from_entry(RECORD_HEALTH, STR("h"), 5, str_of(odd[_i].body));

	ck_assert_msg(r->health.level == odd[_i].level, "%s", odd[_i].says);
	ck_assert(r->health.state.n == 0);
	record_unref(r);
}
END_TEST

START_TEST(test_raw)
{
	const struct format_opts opts = { .max_bytes = 8192 };
	struct buf body = BUF_INIT(4096), out = BUF_INIT(8192);
	struct made m;
	json_t *top, *h;

	make_health(&m);
	health_write(&body, &m.record.health);
	m.record.raw = buf_peek(&body);
	ck_assert(format_raw.write(&out, &m.event, &opts));
	top = json_loads(out.p, 0, NULL);
	h = json_object_get(top, "health");
	ck_assert_ptr_null(json_object_get(top, "alert"));
	ck_assert_str_eq(json_string_value(json_object_get(h, "state")), "consent withdrawn");
	ck_assert_str_eq(json_string_value(json_object_get(h, "do")), "Ask | the = customer");
	ck_assert_str_eq(
	    json_string_value(json_object_get(json_object_get(top, "msspd"), "kind")), "health");
	json_decref(top);
	buf_release(&body);
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("health");
	TCase *tc = tcase_create("health");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_absent);
	tcase_add_loop_test(tc, test_odd, 0, ARRAY_LEN(odd));
	tcase_add_test(tc, test_raw);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
