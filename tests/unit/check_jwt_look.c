/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "lib/base/buf.h"
#include "lib/policy/jwt_look.h"
#include "lib/base/base64.h"

#define TID "11111111-2222-3333-4444-aaaaaaaaaaaa"

static const struct {
	const char *says, *payload;
	bool is_jwt;
	const char *tid;
	int64_t exp;
	size_t nroles;
} payloads[] = {
	{ "what Entra sends", "{\"tid\":\"" TID "\",\"exp\":1700000000,\"roles\":[\"a\",\"b\"]}",
	    true, TID, 1700000000, 2 },
	{ "tid in capitals", "{\"tid\":\"11111111-2222-3333-4444-AAAAAAAAAAAA\"}", true, TID, 0,
	    0 },
	{ "nothing inside", "{}", true, "", 0, 0 },
	{ "a tid that is no GUID", "{\"tid\":\"contoso.example\"}", true, "", 0, 0 },
	{ "a tid that is too long", "{\"tid\":\"" TID "0\"}", true, "", 0, 0 },
	{ "an end that overflows", "{\"exp\":9223372036854775807}", true, "", 0, 0 },
	{ "wrong types", "{\"tid\":1,\"exp\":\"x\",\"roles\":{\"a\":1}}", true, "", 0, 0 },
	{ "roles that are none", "{\"roles\":[1,null,[\"a\"],\"b\"]}", true, "", 0, 1 },
	{ "characters beyond base64", "{\"x\":\"\xc3\xbf\xc3\xbe>>>???\"}", true, "", 0, 0 },
	{ "an array", "[]", false, "", 0, 0 },
	{ "no JSON", "{", false, "", 0, 0 },
	{ "tid twice", "{\"tid\":\"" TID "\",\"tid\":\"x\"}", false, "", 0, 0 },
	{ "a NUL in a name", "{\"a\\u0000b\":1}", false, "", 0, 0 },
};

START_TEST(test_payload)
{
	struct buf b = BUF_INIT(4096);
	struct jwt_look jwt;
	bool ok;

	buf_puts(&b, "eyJhbGciOiJub25lIn0.");
	base64url(&b, str_of(payloads[_i].payload));
	buf_puts(&b, ".c2ln");
	ok = jwt_look(buf_peek(&b), &jwt);
	ck_assert_msg(ok == payloads[_i].is_jwt, "%s", payloads[_i].says);
	ck_assert_str_eq(jwt.tid, payloads[_i].tid);
	ck_assert_int_eq(jwt.exp, payloads[_i].exp);
	ck_assert_uint_eq(jwt.nroles, payloads[_i].nroles);
	buf_release(&b);
}
END_TEST

static const struct {
	const char *says, *token;
} others[] = {
	{ "nothing", "" },
	{ "no dot", "abc" },
	{ "one dot", "abc.e30" },
	{ "nothing between the dots", "abc..sig" },
	{ "padding", "abc.e30=.sig" },
	{ "base64 of the other kind", "abc.+/8a.sig" },
	{ "a length that cannot be", "abc.e30ae.sig" },
	{ "a character that is none", "abc.e3\n0.sig" },
};

START_TEST(test_no_jwt)
{
	struct jwt_look jwt;

	ck_assert_msg(!jwt_look(str_of(others[_i].token), &jwt), "%s", others[_i].says);
	ck_assert_str_eq(jwt.tid, "");
}
END_TEST

START_TEST(test_caps)
{
	struct buf json = BUF_INIT(2 * JWT_MAX), token = BUF_INIT(4 * JWT_MAX);
	struct jwt_look jwt;

	buf_puts(&json, "{\"roles\":[\"first\"");
	for (int i = 0; i < JWT_ROLES_MAX; i++)
		buf_printf(&json, ",\"role%d\"", i);
	buf_puts(&json, "]}");
	buf_puts(&token, "e30.");
	base64url(&token, buf_peek(&json));
	buf_puts(&token, ".sig");
	ck_assert(jwt_look(buf_peek(&token), &jwt));
	ck_assert_uint_eq(jwt.nroles, JWT_ROLES_MAX);
	ck_assert(jwt.has_more_roles);
	ck_assert(jwt_has_role(&jwt, "first"));
	ck_assert(jwt_has_role(&jwt, "perhaps the last one"));
	while (token.n <= JWT_MAX)
		buf_byte(&token, 'A');
	ck_assert(!jwt_look(buf_peek(&token), &jwt));
	buf_release(&json);
	buf_release(&token);
}
END_TEST

START_TEST(test_role)
{
	struct buf token = BUF_INIT(4096);
	static const char json[] = "{\"roles\":[\"SecurityAlert.Read.All\"]}";
	struct jwt_look jwt;

	buf_puts(&token, "e30.");
	base64url(&token, str_of(json));
	buf_puts(&token, ".sig");
	ck_assert(jwt_look(buf_peek(&token), &jwt));
	ck_assert(jwt_has_role(&jwt, "SecurityAlert.Read.All"));
	ck_assert(!jwt_has_role(&jwt, "SecurityAlert.Read"));
	ck_assert(!jwt_has_role(&jwt, "securityalert.read.all"));
	buf_release(&token);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jwt_look");
	TCase *tc = tcase_create("jwt_look");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_payload, 0, ARRAY_LEN(payloads));
	tcase_add_loop_test(tc, test_no_jwt, 0, ARRAY_LEN(others));
	tcase_add_test(tc, test_caps);
	tcase_add_test(tc, test_role);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
