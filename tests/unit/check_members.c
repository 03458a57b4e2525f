/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ops/members.h"
#include "lib/base/str.h"

static const struct members takes = {
	.texts = { "tenant", "sink" },
	.numbers = { "number", "timeout_ms" },
	.bools = { "all" },
};

/* want: "" when all is well. */
static const struct {
	const char *says, *request, *want;
} cases[] = {
	{ "the verb is no member of its own", "{\"verb\":\"act\"}", "" },
	{ "all that there are", "{\"verb\":\"act\",\"tenant\":\"a\",\"sink\":\"\",\"number\":7,\"all\":false}", "" },
	{ "null is absent", "{\"tenant\":null,\"number\":null,\"all\":null}", "" },
	{ "0 is a number", "{\"number\":0}", "" },
	{ "a number below 0 is not taken for none", "{\"number\":-1}", "\"number\" is below 0" },
	{ "a number as text is not taken for none", "{\"number\":\"7\"}", "\"number\" is no whole number" },
	{ "nor is a fraction", "{\"number\":7.5}", "\"number\" is no whole number" },
	{ "nor is a list as text", "{\"tenant\":[\"a\"]}", "\"tenant\" is no text" },
	{ "nor is a number as truth", "{\"all\":1}", "\"all\" is no true or false" },
	{ "a member that is misspelt", "{\"tennant\":\"a\"}", "act knows no \"tennant\"; did you mean \"tenant\"?" },
	{ "a number that is misspelt", "{\"timeout\":5}", "act knows no \"timeout\"; did you mean \"timeout_ms\"?" },
	{ "letters are what they are", "{\"Tenant\":\"a\"}", "act knows no \"Tenant\"; did you mean \"tenant\"?" },
	{ "a truth that is misspelt, beside what is right", "{\"sink\":\"a\",\"alll\":true}",
	    "act knows no \"alll\"; did you mean \"all\"?" },
	{ "one that is like none, null or not", "{\"xyzzy\":null}",
	    "act knows no \"xyzzy\"; it takes tenant, sink, number, timeout_ms, all" },
};

START_TEST(test_members)
{
	json_t *request = json_loads(cases[_i].request, 0, NULL);
	struct err err = { 0 };
	bool ok = members_check(request, "act", &takes, &err);

	ck_assert_msg(ok == (cases[_i].want[0] == '\0') && strcmp(err.text, cases[_i].want) == 0, "%s: %s",
	    cases[_i].says, err.text);
	json_decref(request);
}
END_TEST

/* It is cut between two characters, so that the answer is JSON. */
START_TEST(test_long)
{
	char name[200] = "x"; /* and then characters of two bytes */
	json_t *request = json_object();
	struct err err = { 0 };

	for (size_t i = 1; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	json_object_set_new(request, name, json_true());
	ck_assert_int_eq(json_object_size(request), 1);
	ck_assert(!members_check(request, "act", &takes, &err));
	ck_assert_msg(utf8_valid(err.text, strlen(err.text)), "%s", err.text);
	json_decref(request);
}
END_TEST

START_TEST(test_nothing)
{
	json_t *request = json_pack("{s:s, s:b}", "verb", "act", "sure", 1);
	struct err err = { 0 };

	ck_assert(!members_check(request, "act", &(struct members){ { NULL }, { NULL }, { NULL } }, &err));
	ck_assert_str_eq(err.text, "act knows no \"sure\"; it takes nothing");
	json_decref(request);
}
END_TEST

/* What a request has: what is of another type counts as absent, as nobody but members_check() judges it. */
static const struct {
	const char *says, *value, *text;
	uint64_t number;
} values[] = {
	{ "a text", "\"a\"", "a", 0 },
	{ "an empty one is there", "\"\"", "", 0 },
	{ "a number", "7", NULL, 7 },
	{ "none below 0", "-1", NULL, 0 },
	{ "the largest", "9223372036854775807", NULL, INT64_MAX },
	{ "null is neither", "null", NULL, 0 },
	{ "nor is a truth", "true", NULL, 0 },
};

START_TEST(test_values)
{
	json_t *request = json_pack("{s:o}", "it", json_loads(values[_i].value, JSON_DECODE_ANY, NULL));
	const char *text = members_text(request, "it"), *want = values[_i].text;

	ck_assert_msg(want == NULL ? text == NULL : text != NULL && strcmp(text, want) == 0, "%s",
	    values[_i].says);
	ck_assert_msg(members_number(request, "it") == values[_i].number, "%s", values[_i].says);
	ck_assert_ptr_null(members_text(request, "other"));
	ck_assert_uint_eq(members_number(request, "other"), 0);
	json_decref(request);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("members");
	TCase *tc = tcase_create("members");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_members, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, test_long);
	tcase_add_loop_test(tc, test_values, 0, ARRAY_LEN(values));
	tcase_add_test(tc, test_nothing);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
