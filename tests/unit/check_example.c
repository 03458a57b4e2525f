/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/settings.h"
#include "lib/base/buf.h"

static void
on_problem(void *arg, bool is_error, const char *line)
{
	(void)is_error;
	buf_printf(arg, "%s\n", line);
}

/* What people copy has no error, and gives nothing to warn of. Run from the root of the source. */
START_TEST(test_example)
{
	struct buf said = BUF_INIT(100000);
	struct settings *s = settings_load("conf/msspd.yaml", false, on_problem, &said);

	ck_assert_msg(s != NULL && said.n == 0, "%s", said.n != 0 ? said.p : "no settings");
	ck_assert_ptr_nonnull(settings_tenant(s, "fabrikam"));
	ck_assert_uint_eq(settings_tenant(s, "fabrikam")->nsinks, 2);
	settings_unref(s);
	buf_release(&said);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("example");
	TCase *tc = tcase_create("example");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_example);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
