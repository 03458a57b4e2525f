/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

START_TEST(test_set)
{
	struct err err = { 0 };

	ck_assert(!err_set(&err, ERR_TEMP, "HTTP %d", 503));
	ck_assert_int_eq(err.kind, ERR_TEMP);
	ck_assert_str_eq(err.text, "HTTP 503");
	ck_assert(!err_wrap(&err, "tenant %s", "contoso"));
	ck_assert(!err_wrap(&err, "100%% sure"));
	ck_assert_int_eq(err.kind, ERR_TEMP);
	ck_assert_str_eq(err.text, "100% sure: tenant contoso: HTTP 503");
	ck_assert(!err_sys(&err, ERR_CONF, ENOENT, "cannot open %s", "x"));
	ck_assert_int_eq(err.kind, ERR_CONF);
	ck_assert_str_eq(err.text, "cannot open x: No such file or directory");
}
END_TEST

START_TEST(test_nobody_listens)
{
	ck_assert(!err_set(NULL, ERR_TEMP, "x"));
	ck_assert(!err_sys(NULL, ERR_TEMP, EIO, "x"));
	ck_assert(!err_wrap(NULL, "x"));
}
END_TEST

/* A text that is too long ends between characters, whichever call made it so long. */
START_TEST(test_cut)
{
	char text[ERR_TEXT + 40];
	struct err err = { 0 };

	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 4);
		text[sizeof(text) - 1] = '\0';
		err_set(&err, ERR_PERM, "%s", text);
		ck_assert_uint_gt(strlen(err.text), ERR_TEXT - 6);
		ck_assert(utf8_valid(err.text, strlen(err.text)));
		err_wrap(&err, "y");
		ck_assert(utf8_valid(err.text, strlen(err.text)));
		err_set(&err, ERR_PERM, "%.*s", (int)(ERR_TEXT - 20), text);
		err_wrap(&err, "%s", "a context of its own");
		ck_assert(utf8_valid(err.text, strlen(err.text)));
		err_sys(&err, ERR_PERM, EIO, "%s", text);
		ck_assert(utf8_valid(err.text, strlen(err.text)));
	}
	err_wrap(&err, "%s", text);
	ck_assert(utf8_valid(err.text, strlen(err.text)));
	ck_assert_int_eq(err.kind, ERR_PERM);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("err");
	TCase *tc = tcase_create("err");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_set);
	tcase_add_test(tc, test_nobody_listens);
	tcase_add_test(tc, test_cut);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
