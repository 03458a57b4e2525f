/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/intake/graph.h"
#include "lib/base/str.h"

#define LONG_CODE "CodeCodeCodeCodeCodeCodeCodeCodeCodeCodeCodeCodeCodeCodeCodeCode"
#define EIGHT(x) x x x x x x x x
#define TOKEN "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2dyYXBoIn0.c2ln"

static const struct paging_ask ordered = { .with_order = true }, unordered = { .top = 1 };

/* What an answer means, and what of its body a person is told. */
static const struct {
	const char *says;
	int status;
	const char *type, *body;
	enum graph_answer answer;
	const char *why; /* NULL: a page */
} answers[] = {
	{ "a page is for the splitter", 200, "application/json", "{", GRAPH_PAGE, NULL },
	{ "200 with HTML is none", 200, "text/html", "<html>", GRAPH_ODD,
	    "HTTP 200 with text/html is no page of alerts" },
	{ "part of an answer is none", 206, "application/json", "{}", GRAPH_ODD,
	    "HTTP 206: the API says that the answer is partial" },
	{ "code and message are told, the last stop is ours", 403, "application/json",
	    "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Missing roles.\"}}", GRAPH_FORBIDDEN,
	    "HTTP 403: Forbidden: Missing roles" },
	{ "a message alone", 403, "application/json", "{\"error\":{\"message\":\"No\"}}", GRAPH_FORBIDDEN,
	    "HTTP 403: No" },
	{ "a body that is no JSON", 502, "text/html", "<b>Bad gateway</b>", GRAPH_DOWN,
	    "HTTP 502: <b>Bad gateway</b>" },
	{ "no body", 500, "", "", GRAPH_BROKEN, "HTTP 500" },
	{ "an error of another type", 401, "application/json", "{\"error\":[1]}", GRAPH_UNAUTHORIZED, "HTTP 401" },
	{ "a refused order is told from other bad requests", 400, "application/json",
	    "{\"error\":{\"code\":\"BadRequest\",\"message\":\"$OrderBy is odd\"}}", GRAPH_ORDER_REFUSED,
	    "HTTP 400: BadRequest: $OrderBy is odd" },
	{ "controls are blanks", 403, "application/json", "{\"error\":{\"code\":\"a\\u001b[2J\\u009bb\"}}",
	    GRAPH_FORBIDDEN, "HTTP 403: a [2J  b" },
	{ "so is what turns text or cannot be seen", 403, "application/json",
	    "{\"error\":{\"code\":\"a\\u202eb\\u200bc\"}}", GRAPH_FORBIDDEN, "HTTP 403: a   b   c" },
	{ "a token that a proxy repeats is not told", 502, "text/plain", "for Bearer " TOKEN " no",
	    GRAPH_DOWN, "HTTP 502: for Bearer *** no" },
	{ "a code beyond all measure hides no message", 403, "application/json",
	    "{\"error\":{\"code\":\"" EIGHT(EIGHT(LONG_CODE)) "\",\"message\":\"the reason\"}}", GRAPH_FORBIDDEN,
	    "HTTP 403: " LONG_CODE "CodeCodeCodeCodeCodeCodeCodeCodeCode: the reason" },
};

START_TEST(test_answer)
{
	struct fetch_reply reply = { .status = answers[_i].status };
	struct err why = { .kind = ERR_NONE };
	enum graph_answer got;

	snprintf(reply.content_type, sizeof(reply.content_type), "%s", answers[_i].type);
	got = graph_judge(&reply, str_of(answers[_i].body), &ordered, &why);
	ck_assert_msg(got == answers[_i].answer, "%s: %d", answers[_i].says, got);
	ck_assert_msg(strcmp(why.text, answers[_i].why != NULL ? answers[_i].why : "") == 0, "%s: %s",
	    answers[_i].says, why.text);
}
END_TEST

START_TEST(test_order_that_was_not_asked_for_is_not_refused)
{
	struct fetch_reply reply = { .status = 400 };
	struct err why;

	ck_assert_int_eq(graph_judge(&reply, STR("{\"error\":{\"message\":\"orderby\"}}"), &unordered, &why),
	    GRAPH_BAD_REQUEST);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("graph");
	TCase *tc = tcase_create("graph");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_order_that_was_not_asked_for_is_not_refused);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
