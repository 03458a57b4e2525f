/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/policy/no_proxy.h"

static const struct {
	const char *says, *pattern, *host;
	bool covers;
} cases[] = {
	{ "a star is every host", "*", "graph.microsoft.com", true },
	{ "a star is every address", "*", "10.1.2.3", true },
	{ "a name is itself", "graph.example", "graph.example", true },
	{ "case does not matter", "Graph.Example", "gRAPH.eXAMPLE", true },
	{ "a name covers what is below", "example", "graph.example", true },
	{ "a dot before it says the same", ".example", "graph.example", true },
	{ "and covers the name itself", ".graph.example", "graph.example", true },
	{ "the end of a word is not below", "ample", "graph.example", false },
	{ "what is above is not covered", "graph.example", "example", false },
	{ "a dot at the end of a host means nothing", "example", "graph.example.", true },
	{ "nor at the end of a pattern", "example.", "graph.example", true },
	{ "a dot alone covers nothing", ".", "graph.example", false },
	{ "an address is itself", "10.0.0.1", "10.0.0.1", true },
	{ "another is not", "10.0.0.1", "10.0.0.10", false },
	{ "a network", "10.0.0.0/8", "10.200.3.4", true },
	{ "outside of it", "10.0.0.0/8", "11.0.0.1", false },
	{ "in the midst of a byte", "172.16.0.0/12", "172.31.255.255", true },
	{ "just behind that", "172.16.0.0/12", "172.32.0.0", false },
	{ "of no bits is all", "0.0.0.0/0", "203.0.113.1", true },
	{ "but not the other kind", "0.0.0.0/0", "2001:db8::1", false },
	{ "IPv6", "2001:db8::1", "2001:db8:0:0::1", true },
	{ "IPv6 in brackets", "2001:db8::1", "[2001:db8::1]", true },
	{ "a network of IPv6", "fd00::/8", "[fd12:3456::1]", true },
	{ "outside of that", "fd00::/8", "[fe80::1]", false },
	{ "a network is not compared with names", "10.0.0.0/8", "ten.example", false },
	{ "an address does not end with a name", "3", "10.1.2.3", false },
};

START_TEST(test_covers)
{
	char *pattern = xstrdup(cases[_i].pattern);

	ck_assert_msg(no_proxy_covers(&pattern, 1, cases[_i].host) == cases[_i].covers, "%s",
	    cases[_i].says);
	free(pattern);
}
END_TEST

START_TEST(test_any_of_them)
{
	char one[] = "a.example", two[] = "b.example";
	char *const both[] = { one, two };

	ck_assert(no_proxy_covers(both, 2, "b.example"));
	ck_assert(!no_proxy_covers(both, 2, "c.example"));
	ck_assert(!no_proxy_covers(NULL, 0, "a.example"));
}
END_TEST

static const struct {
	const char *pattern;
	bool is_good;
} patterns[] = {
	{ "*", true },
	{ "graph.microsoft.com", true },
	{ ".microsoft.com", true },
	{ "host_1", true },
	{ "10.0.0.0/8", true },
	{ "::1", true },
	{ "[::1]", true },
	{ "fd00::/8", true },
	{ "", false },
	{ ".", false },
	{ "10.0.0.0/33", false },
	{ "fd00::/129", false },
	{ "10.0.0.0/", false },
	{ "*.example", false },
	{ "host:8080", false },
	{ "https://host", false },
	{ "a b", false },
};

START_TEST(test_check)
{
	struct err err = { 0 };

	ck_assert_msg(no_proxy_check(patterns[_i].pattern, &err) == patterns[_i].is_good, "\"%s\"",
	    patterns[_i].pattern);
	ck_assert_int_eq(err.kind, patterns[_i].is_good ? ERR_NONE : ERR_CONF);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("no_proxy");
	TCase *tc = tcase_create("no_proxy");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_covers, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, test_any_of_them);
	tcase_add_loop_test(tc, test_check, 0, ARRAY_LEN(patterns));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
