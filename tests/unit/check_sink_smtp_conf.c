/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/settings.h"
#include "lib/base/buf.h"

#define SINK "from: a@x.example, server: 'smtp://mx.example'"
#define RULE "rules: [{to: a@x.example}]"

/* A sink's options, and what is said of them; NULL: nothing. */
static const struct {
	const char *says, *sink, *want;
} cases[] = {
	{ "the least that is needed", SINK ", " RULE, NULL },
	{ "all of a rule", SINK ", rules: [{name: n, to: [a@x.example, '{contacts.oncall}'], digest: 15m, limit: 5/h,"
	    " match: {severity: high}, organization_name: false, portal_link: false, device_information: true}]",
	    NULL },
	{ "contacts that no customer has, beside an address", SINK ", rules: [{to: [a@x.example, '{contacts.onkall}']}]",
	    "warning: sinks.s.rules[0].to[1]: no customer has contacts \"onkall\", so that nobody gets these mails; did you mean oncall?" },
	{ "templates", SINK ", " RULE ", subject: '{severity} {title}'", NULL },
	{ "no rules", SINK, "sinks.s.rules: is missing" },
	{ "rules that are none", SINK ", rules: {to: a@x.example}", "write a list of 1 to 24 rules" },
	{ "nobody to send to", SINK ", rules: [{match: {}}]", "rules[0].to: is missing" },
	{ "no address", SINK ", rules: [{to: nobody}]", "rules[0].to: neither {contacts.GROUP} nor a mail address" },
	{ "a match that is wrong", SINK ", rules: [{to: a@x.example, match: {severity: hgih}}]", "rules[0].match.severity" },
	{ "contacts in a mail that mixes customers", SINK ", rules: [{to: '{contacts.oncall}', mix_customers: true}]",
	    "must not show another customer's alerts" },
	{ "two rules of one name", SINK ", rules: [{name: n, to: a@x.example}, {name: n, to: b@x.example}]",
	    "have the same name" },
	{ "the same rule twice", SINK ", rules: [{to: a@x.example}, {to: a@x.example}]", "rule-1 and rule-2" },
	{ "a limit without a time", SINK ", " RULE ", limit: 60", "sinks.s.limit: \"60\" is no limit" },
	{ "another scheme", "from: a@x.example, server: 'https://mx.example', " RULE, "neither smtp:// nor smtps://" },
	{ "a path", "from: a@x.example, server: 'smtp://mx.example/x', " RULE, "is not smtp://host:port" },
	{ "an address without brackets", "from: a@x.example, server: 'smtp://::1:25', " RULE, "is not smtp://host:port" },
	{ "an address in brackets", "from: a@x.example, server: 'smtp://[::1]:25', " RULE, NULL },
	{ "a user without a password", SINK ", " RULE ", username: u", "password_file is missing" },
	{ "a password without a user", SINK ", " RULE ", password_file: /p", "username is missing" },
	{ "password and token", SINK ", " RULE ", username: u, password_file: /p, oauth_token_file: /t",
	    "two ways to authenticate" },
	{ "a password by XOAUTH2", SINK ", " RULE ", username: u, password_file: /p, auth: xoauth2", "auth: xoauth2 goes" },
	{ "in the clear", SINK ", " RULE ", tls: {mode: off}", "warning: sends mails in the clear" },
	{ "a password in the clear", SINK ", " RULE ", username: u, password_file: /p, tls: {mode: off}",
	    "warning: and the password in the clear" },
	{ "a variable that is none", SINK ", " RULE ", subject: '{severty}'", "severty" },
	{ "an authority that is not there, at its place", SINK ", " RULE ", tls: {ca_file: /nonexistent/ca}",
	    "sinks.s.tls.ca_file: cannot read /nonexistent/ca" },
	{ "a template that is not there", SINK ", " RULE ", text_template: /nonexistent/t", "cannot read" },
};

static void
on_line(void *arg, bool is_error, const char *line)
{
	buf_printf(arg, "%s%s\n", is_error ? "" : "warning: ", line);
}

static struct settings *
load(const char *sink, struct buf *said)
{
	char path[] = "/tmp/check-smtp-XXXXXX";
	int fd = mkstemp(path);
	struct settings *s;

	ck_assert_int_ge(fd, 0);
	dprintf(fd, "state_dir: /tmp\napps: {soc: {client_id: 6f0c8a5e-0000-4000-8000-000000000001, secret_file: /s}}\n"
	    "defaults: {app: soc, sinks: s}\nsinks: {s: {type: smtp, health: daemon, %s}}\n"
	    "customers: {c: {contacts: {oncall: c@y.example}}}\n"
	    "tenants: {a: {id: 11111111-2222-3333-4444-555555555555, customer: c}}\n", sink);
	close(fd);
	s = settings_load(path, false, on_line, said);
	unlink(path);
	return s;
}

START_TEST(test_conf)
{
	struct buf said = BUF_INIT(8192);
	struct settings *s = load(cases[_i].sink, &said);
	const char *want = cases[_i].want;
	bool is_warning = want != NULL && strncmp(want, "warning: ", 9) == 0;

	ck_assert_msg((s != NULL) == (want == NULL || is_warning), "%s: %s", cases[_i].says, said.p);
	if (want == NULL)
		ck_assert_msg(said.n == 0, "%s: %s", cases[_i].says, said.p);
	else
		ck_assert_msg(strstr(said.p, is_warning ? want + 9 : want) != NULL, "%s: %s", cases[_i].says, said.p);
	settings_unref(s);
	buf_release(&said);
}
END_TEST

/* A reload knows a sink whose rules changed from one that is as it was. */
START_TEST(test_a_changed_rule_is_another_sink)
{
	struct buf said = BUF_INIT(8192);
	struct settings *a = load(SINK ", " RULE, &said), *b = load(SINK ", " RULE, &said);
	struct settings *c = load(SINK ", rules: [{to: a@x.example, match: {severity: high}}]", &said);

	ck_assert_str_eq(a->sinks[0].text, b->sinks[0].text);
	ck_assert_str_ne(a->sinks[0].text, c->sinks[0].text);
	ck_assert_uint_eq(a->tenants[0].origin->ncontacts, 1);
	settings_unref(a);
	settings_unref(b);
	settings_unref(c);
	buf_release(&said);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_smtp_conf");
	TCase *tc = tcase_create("conf");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_conf, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_a_changed_rule_is_another_sink);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
