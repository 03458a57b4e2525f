/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/format/squeeze.h"

/* least: of a part that is made shorter; around: of one that is left out. */
static const struct {
	const char *says;
	size_t limit, used, least, over;
	size_t want_limit, want_over;
} parts[] = {
	{ "gives no more than is needed", 100, 50, 10, 5, 45, 0 },
	{ "keeps the least of it", 100, 50, 10, 70, 10, 30 },
	{ "gives all that there is above", 100, 50, 10, 40, 10, 0 },
	{ "gives nothing where it is the least already", 100, 10, 10, 5, 100, 5 },
	{ "nor below it", 100, 4, 10, 5, 100, 5 },
	{ "nor where nothing is needed", 100, 50, 10, 0, 100, 0 },
	{ "gives anew what it was cut to", 45, 45, 10, 5, 40, 0 },
}, outs[] = {
	{ "what is beside it goes too", 100, 50, 6, 70, 0, 14 },
	{ "it goes whole, also where less was needed", 100, 50, 6, 5, 0, 0 },
	{ "one that was cut gives what is left of it", 20, 50, 6, 70, 0, 44 },
	{ "one that is not there gives nothing", 100, 0, 6, 70, 100, 70 },
	{ "where nothing is needed it stays", 100, 50, 6, 0, 100, 0 },
};

START_TEST(test_part)
{
	size_t limit = parts[_i].limit, over = parts[_i].over;

	squeeze_part(&limit, parts[_i].used, parts[_i].least, &over);
	ck_assert_msg(limit == parts[_i].want_limit && over == parts[_i].want_over,
	    "%s: limit %zu, over %zu", parts[_i].says, limit, over);
}
END_TEST

START_TEST(test_out)
{
	size_t limit = outs[_i].limit, over = outs[_i].over;

	squeeze_out(&limit, outs[_i].used, outs[_i].least, &over);
	ck_assert_msg(limit == outs[_i].want_limit && over == outs[_i].want_over,
	    "%s: limit %zu, over %zu", outs[_i].says, limit, over);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("squeeze");
	TCase *tc = tcase_create("squeeze");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_part, 0, ARRAY_LEN(parts));
	tcase_add_loop_test(tc, test_out, 0, ARRAY_LEN(outs));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
