/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/intake/graph.h"
#include "daemon/intake/streams.h"

static char graph_base[] = "https://g.example", mde_base[] = "https://m.example";
static const struct app app = { .graph_url = graph_base, .mde_url = mde_base };

/* What Microsoft documents of each list: what is asked for, how much at once, by which right. */
static const struct {
	const char *name, *url, *role;
	unsigned most;
} lists[] = {
	{ "alerts",
	    "https://g.example/v1.0/security/alerts_v2?$top=40&$orderby=lastUpdateDateTime%20asc"
	    "&$filter=lastUpdateDateTime%20ge%201970-01-01T00:00:00.0000000Z",
	    "SecurityAlert.Read.All", 1000 },
	/* Bare: with $expand=alerts large tenants answer 500 for ever. */
	{ "incidents",
	    "https://g.example/v1.0/security/incidents?$top=40&$orderby=lastUpdateDateTime%20asc"
	    "&$filter=lastUpdateDateTime%20ge%201970-01-01T00:00:00.0000000Z",
	    "SecurityIncident.Read.All", 50 },
	{ "mde-alerts",
	    "https://m.example/api/alerts?$top=40&$expand=evidence&$orderby=lastUpdateTime%20asc"
	    "&$filter=lastUpdateTime%20ge%201970-01-01T00:00:00.0000000Z",
	    "Alert.Read.All", 1000 },
};

START_TEST(test_list)
{
	const struct stream_kind *kind = stream_find(lists[_i].name);
	const struct paging_ask ask = { .mode = PAGING_KEYSET, .from = 0,
		.before = PAGING_FOREVER, .top = 40, .with_order = true };
	struct buf url = BUF_INIT(1024);

	ck_assert_ptr_nonnull(kind);
	graph_url(&url, &app, kind, &ask);
	ck_assert_str_eq(url.p, lists[_i].url);
	ck_assert_str_eq(kind->role, lists[_i].role);
	ck_assert_uint_eq(kind->page_max, lists[_i].most);
	buf_release(&url);
}
END_TEST

START_TEST(test_limits_of_the_apis)
{
	ck_assert_int_eq(api_kinds[API_GRAPH].per_hour, 0);
	ck_assert_int_eq(api_kinds[API_MDE].most_per_min, 100);
	ck_assert_int_eq(api_kinds[API_MDE].per_hour, 1500);
}
END_TEST

/* What Microsoft has retired, and names by which others call what there is: what to write. */
static const struct {
	const char *name, *instead;
} retired[] = {
	{ "siem", "the SIEM API, which Microsoft has retired; write alerts" },
	{ "SIEM API", "the SIEM API, which Microsoft has retired; write alerts" },
	{ "wdatp-alertexporter", "the SIEM API, which Microsoft has retired; write alerts" },
	{ "detections", "the SIEM API, which Microsoft has retired; write alerts" },
	{ "legacy_alerts", "the legacy alerts API of Graph, which Microsoft has retired; write alerts" },
	{ "security/alerts", "the legacy alerts API of Graph, which Microsoft has retired; write alerts" },
	{ "alerts_v2", "what is called alerts here" },
	{ "xdr-incidents", "write incidents" },
	{ "mde", "write mde-alerts" },
	{ "alerts", NULL },
	{ "a-name-that-is-longer-than-any-of-them", NULL },
};

START_TEST(test_retired)
{
	const char *got = stream_instead(retired[_i].name);

	if (retired[_i].instead == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_msg(got != NULL && strstr(got, retired[_i].instead) != NULL, "%s: %s",
		    retired[_i].name, got != NULL ? got : "nothing");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("streams");
	TCase *tc = tcase_create("streams");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_list, 0, ARRAY_LEN(lists));
	tcase_add_test(tc, test_limits_of_the_apis);
	tcase_add_loop_test(tc, test_retired, 0, ARRAY_LEN(retired));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
