/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/format/template.h"
#include "tests/unit/make_record.h"

static const struct {
	const char *says, *text, *want; /* want NULL: refused */
} cases[] = {
	{ "text is itself", "msspd", "msspd" },
	{ "nothing is nothing", "", "" },
	{ "the tenant", "fwd-{tenant}", "fwd-contoso-eu" },
	{ "its id", "{tenant_id}", MADE_TENANT_ID },
	{ "the customer", "{customer}.{stream}", "contoso.alerts" },
	{ "its name", "<{customer_name}>", "<Contoso Ltd>" },
	{ "the cloud", "{cloud}", "global" },
	{ "an empty instance", "a{instance}b", "ab" },
	{ "this machine", "{host}", "soc1" },
	{ "a label", "{label.tier}-{label.region}", "gold-eu" },
	{ "a label that the customer has not", "a{label.none}b", "ab" },
	{ "a brace", "{{tenant}}", "{tenant}}" },
	{ "a brace before a variable", "{{{tenant}", "{contoso-eu" },
	{ "a closing brace alone is text", "a}b", "a}b" },
	{ "an unknown variable", "{tennant}", NULL },
	{ "an empty one", "{}", NULL },
	{ "a label without a name", "{label.}", NULL },
	{ "one with spaces", "{ tenant }", NULL },
	{ "one that is not closed", "abc{tenant", NULL },
	{ "a brace at the end", "abc{", NULL },
};

START_TEST(test_template)
{
	struct err err = { 0 };
	bool ok = template_check(cases[_i].text, &err);
	struct buf out = BUF_INIT(200);
	struct made m;

	ck_assert_msg(ok == (cases[_i].want != NULL), "%s: %s", cases[_i].says, err.text);
	make_alert(&m);
	buf_puts(&out, "");
	/* What was refused is written somehow, too. */
	template_write(&out, cases[_i].text, &m.origin, "soc1");
	if (ok)
		ck_assert_msg(strcmp(out.p, cases[_i].want) == 0, "%s: %s", cases[_i].says, out.p);
	else
		ck_assert_int_eq(err.kind, ERR_CONF);
	buf_release(&out);
}
END_TEST

START_TEST(test_absent)
{
	struct buf out = BUF_INIT(200);
	struct made m;

	make_alert(&m);
	m.origin.instance = NULL;
	template_write(&out, "a{host}b{instance}c", &m.origin, NULL);
	ck_assert_str_eq(out.p, "abc");
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("template");
	TCase *tc = tcase_create("template");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_template, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_absent);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
