/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/format/portal.h"
#include "tests/unit/make_record.h"

#define HOST  "https://security.microsoft.com"
#define TID   "tid=" MADE_TENANT_ID
#define BUILT HOST "/alerts/da1_1?" TID
#define OTHER "99999999-2222-3333-4444-555555555555"

static const struct {
	const char *says, *given, *want;
} cases[] = {
	{ "a good link is used", HOST "/alerts/x?" TID, HOST "/alerts/x?" TID },
	{ "with what else it has", HOST "/alerts/x?a=b&" TID "&c=d",
	    HOST "/alerts/x?a=b&" TID "&c=d" },
	{ "tid is added", HOST "/alerts/x", HOST "/alerts/x?" TID },
	{ "behind other parameters", HOST "/alerts/x?a=b", HOST "/alerts/x?a=b&" TID },
	{ "scheme and host in any case are written in ours",
	    "HTTPS://Security.Microsoft.Com/x?" TID, HOST "/x?" TID },
	{ "tid in any case", HOST "/x?TID=" MADE_TENANT_ID, HOST "/x?TID=" MADE_TENANT_ID },
	{ "no path", HOST, HOST "/?" TID },
	{ "no path but a query", HOST "?a=b", HOST "/?a=b&" TID },
	{ "none is built", NULL, BUILT },
	{ "an empty one is built", "", BUILT },
	{ "plain http", "http://security.microsoft.com/alerts/x?" TID, BUILT },
	{ "another host", "https://evil.example/alerts/x?" TID, BUILT },
	{ "a host that begins like ours", HOST ".evil.example/x?" TID, BUILT },
	{ "a host that ends like ours", "https://evilsecurity.microsoft.com/x?" TID, BUILT },
	{ "our host as a user", HOST "@evil.example/x?" TID, BUILT },
	{ "our host as a user and password", HOST ":pw@evil.example/x?" TID, BUILT },
	{ "a port", HOST ":444/x?" TID, BUILT },
	{ "a backslash for a slash", HOST "\\@evil.example/x?" TID, BUILT },
	{ "another tenant", HOST "/x?tid=" OTHER, BUILT },
	{ "another tenant behind ours", HOST "/x?" TID "&tid=" OTHER, BUILT },
	{ "another tenant behind another mark", HOST "/x?" TID "?tid=" OTHER, BUILT },
	{ "another tenant behind a semicolon", HOST "/x?" TID ";Tid=" OTHER, BUILT },
	{ "another tenant in disguise", HOST "/x?%74id=" OTHER "&" TID, BUILT },
	{ "an empty tid", HOST "/x?tid=", BUILT },
	{ "tid without a value", HOST "/x?tid", BUILT },
	{ "a fragment", HOST "/x#?" TID, BUILT },
	{ "a space", HOST "/x y?" TID, BUILT },
	{ "a line end", HOST "/x\n?" TID, BUILT },
	{ "a quote", HOST "/\"onclick=\"x?" TID, BUILT },
	{ "angle brackets", HOST "/<script>?" TID, BUILT },
	{ "other letters", HOST "/\xc3\xa9?" TID, BUILT },
	{ "no host", "https:///x?" TID, BUILT },
	{ "no URL", "javascript:alert(1)", BUILT },
};

START_TEST(test_alert_link)
{
	struct buf out = BUF_INIT(PORTAL_LINK_MAX);
	struct made m;

	make_alert(&m);
	m.record.alert.alert_web_url = str_of(cases[_i].given);
	portal_link(&out, &m.event);
	ck_assert_msg(strcmp(out.p, cases[_i].want) == 0, "%s: %s", cases[_i].says, out.p);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *says;
	struct str id;
	const char *want;
} ids[] = {
	{ "letters, digits and some signs stay", STR("da-1_2.3~4"),
	    HOST "/alerts/da-1_2.3~4?" TID },
	{ "all else is encoded", STR("a/b?c#d%e=f\n\xc3\xa9 \\"),
	    HOST "/alerts/a%2Fb%3Fc%23d%25e%3Df%0A%C3%A9%20%5C?" TID },
	{ "NUL as well", STR("a\0b"), HOST "/alerts/a%00b?" TID },
	{ "no id", STR(""), HOST "/alerts?" TID },
	{ "an id that would climb", STR(".."), HOST "/alerts?" TID },
	{ "an id that would stay", STR("."), HOST "/alerts?" TID },
	{ "a very long id",
	    STR("0123456789012345678901234567890123456789012345678901234567890123456789"
		"01234567890123456789012345678901234567890123456789012345678"),
	    HOST "/alerts?" TID },
};

START_TEST(test_id)
{
	struct buf out = BUF_INIT(PORTAL_LINK_MAX);
	struct made m;

	make_alert(&m);
	m.record.id = ids[_i].id;
	portal_link(&out, &m.event);
	ck_assert_msg(strcmp(out.p, ids[_i].want) == 0, "%s: %s", ids[_i].says, out.p);
	buf_release(&out);
}
END_TEST

START_TEST(test_unreadable)
{
	struct buf out = BUF_INIT(PORTAL_LINK_MAX);
	struct made m;

	make_unreadable(&m, "da1_1", "why");
	portal_link(&out, &m.event);
	ck_assert_str_eq(out.p, BUILT);
	buf_clear(&out);
	m.record.id = STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	portal_link(&out, &m.event);
	ck_assert_str_eq(out.p, HOST "/alerts?" TID);
	buf_release(&out);
}
END_TEST

START_TEST(test_other_cloud)
{
	struct buf out = BUF_INIT(PORTAL_LINK_MAX);
	struct made m;

	make_alert(&m);
	m.origin.portal_host = (char *)"security.microsoft.us";
	m.record.alert.alert_web_url = str_of(HOST "/alerts/x?" TID);
	portal_link(&out, &m.event);
	ck_assert_str_eq(out.p, "https://security.microsoft.us/alerts/da1_1?" TID);
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("portal");
	TCase *tc = tcase_create("portal");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_alert_link, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_id, 0, (int)ARRAY_LEN(ids));
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_other_cloud);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
