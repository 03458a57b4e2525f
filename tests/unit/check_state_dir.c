/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/state_dir.h"
#include "lib/base/alloc.h"

static char dir[] = "/tmp/check_state_dir.XXXXXX";
static char *state;

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	state = xasprintf("%s/state", dir);
}

static void
teardown(void)
{
	char *lock = xasprintf("%s/lock", state);

	(void)unlink(lock);
	(void)unlink(state);
	(void)rmdir(state);
	(void)rmdir(dir);
	free(lock);
	free(state);
}

/* One at a time, also within a process; and the next when that one is gone. */
START_TEST(test_one_has_it)
{
	int first, second;
	struct err err = { 0 };
	struct stat st;

	ck_assert(state_dir_take(state, &first, &err));
	ck_assert_int_eq(stat(state, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert(!state_dir_take(state, &second, &err));
	ck_assert_int_eq(err.kind, ERR_TEMP);
	ck_assert_int_eq(second, -1);
	ck_assert_ptr_nonnull(strstr(err.text, "in use by another msspd"));
	state_dir_leave(second);
	state_dir_leave(first);
	ck_assert(state_dir_take(state, &second, &err));
	state_dir_leave(second);
}
END_TEST

START_TEST(test_it_is_no_directory)
{
	struct err err = { 0 };
	FILE *f = fopen(state, "w");
	int lock;

	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
	ck_assert(!state_dir_take(state, &lock, &err));
	ck_assert_int_eq(err.kind, ERR_CONF);
	ck_assert_int_eq(lock, -1);
	ck_assert_ptr_nonnull(strstr(err.text, "is not a directory"));
	ck_assert(!state_dir_take("/proc/nowhere/at/all", &lock, &err));
	ck_assert_int_eq(err.kind, ERR_CONF);
	ck_assert_int_eq(lock, -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("state_dir");
	TCase *tc = tcase_create("state_dir");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_one_has_it);
	tcase_add_test(tc, test_it_is_no_directory);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
