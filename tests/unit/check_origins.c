/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/journal/journal_mem.h"
#include "daemon/origins.h"
#include "lib/base/alloc.h"
#include "tests/unit/journal_kit.h"

/* Whose a stream is, whoever knows it: the configuration, the journal, or nobody. */

static struct origin *
named(const char *tenant)
{
	char *name = xstrdup(tenant), empty[] = "";
	struct origin from = { .tenant_id = empty,
		.tenant = name,
		.customer = name,
		.customer_name = name,
		.cloud = empty,
		.portal_host = empty,
		.stream = empty,
		.instance = empty,
		.time_zone = empty };
	struct origin *o = origin_new(&from);

	free(name);
	return o;
}

static uint32_t
stored(struct kit *k, const char *key, const char *tenant)
{
	struct origin *o = named(tenant);
	char *about = origin_about(o);
	uint32_t stream = journal_stream(k->j, key, about);

	free(about);
	origin_unref(o);
	return stream;
}

static void
check_is(struct origins *o, uint32_t stream, const char *tenant)
{
	ck_assert_str_eq(origins_find(o, stream)->tenant, tenant);
}

START_TEST(test_origins)
{
	struct origins o;
	struct kit k;
	uint32_t old, bad;

	kit_init(&k, &journal_mem);
	kit_must_open(&k);
	old = stored(&k, "global/1/alerts", "contoso");
	bad = journal_stream(k.j, "global/2/alerts", "{]");
	origins_init(&o, k.j);
	check_is(&o, old, "contoso");
	check_is(&o, bad, "unknown");
	check_is(&o, 70000, "unknown"); /* of which the journal knows nothing */
	origins_set(&o, old, named("contoso-eu"));
	check_is(&o, old, "contoso-eu");
	(void)stored(&k, "global/1/alerts", "renamed");
	check_is(&o, old, "contoso-eu");
	origins_forget(&o);
	check_is(&o, old, "renamed");
	origins_set(&o, 80000, named("far"));
	check_is(&o, 80000, "far");
	origins_release(&o);
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("origins");
	TCase *tc = tcase_create("origins");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_origins);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
