/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "tests/unit/settings_case.h"

#define TAIL                                                                                      \
	"defaults: {app: x, sinks: s}\ntenants: {a: {id: " GUID(1) "}}\nsinks: {s: {type: fake}}\n"
#define APP(more)   "apps: {x: {client_id: " GUID(9) ", secret_file: /s" more "}}\n"
#define PROXY(text) "proxy: {" text "}\n" APP("") TAIL

/* Of the proxy that holds for the app: url, user, password's file, no_proxy, ca_file. */
static const struct {
	const char *says, *text, *want;
} good[] = {
	{ "none is none", APP("") TAIL, "-|-|-|-|-" },
	{ "one for all", PROXY("url: 'http://proxy.example:3128'"),
	    "http://proxy.example:3128|-|-|-|-" },
	{ "the scheme's port", PROXY("url: 'https://proxy.example/'"),
	    "https://proxy.example:443|-|-|-|-" },
	{ "IPv6", PROXY("url: 'http://[::1]:3128'"), "http://[::1]:3128|-|-|-|-" },
	{ "with everything",
	    PROXY("url: 'https://p:1', username: u, password_file: /w, no_proxy: [a.example, "
		  "10.0.0.0/8], ca_file: /ca"),
	    "https://p:1|u|/w|a.example,10.0.0.0/8|/ca" },
	{ "an app's own",
	    "proxy: {url: 'http://p:1', username: u, password_file: /w}\n" APP(
		", proxy: {url: 'http://q:2'}") TAIL,
	    "http://q:2|-|-|-|-" },
	{ "an app that goes directly",
	    "proxy: {url: 'http://p:1'}\n" APP(", proxy: {url: none}") TAIL, "-|-|-|-|-" },
	{ "an app alone", APP(", proxy: {url: 'http://q:2'}") TAIL, "http://q:2|-|-|-|-" },
	{ "none, written", PROXY("url: none"), "-|-|-|-|-" },
};

static const char *
or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

START_TEST(test_good)
{
	struct settings_case c;
	struct settings *s;
	struct buf got = BUF_INIT(4096);
	const struct proxy_conf *p;

	case_open(&c);
	case_write(&c, "m.yaml", good[_i].text);
	s = case_load(&c, false);
	ck_assert_msg(s != NULL, "%s: %s", good[_i].says, c.said.p);
	p = &settings_tenant(s, "a")->app->proxy;
	buf_printf(&got, "%s|%s|%s|", or_dash(p->url), or_dash(p->username),
	    p->password_file.n != 0 ? p->password_file.v[0] : "-");
	for (size_t i = 0; i < p->no_proxy.n; i++)
		buf_printf(&got, "%s%s", i != 0 ? "," : "", p->no_proxy.v[i]);
	buf_printf(&got, "%s|%s", p->no_proxy.n != 0 ? "" : "-", or_dash(p->ca_file));
	ck_assert_str_eq(got.p, good[_i].want);
	buf_release(&got);
	settings_unref(s);
	case_close(&c);
}
END_TEST

static const struct {
	const char *says, *text, *want;
} bad[] = {
	{ "without a url", PROXY("no_proxy: a"), "proxy.url: is missing; write the proxy, or none" },
	{ "a scheme that is none", PROXY("url: 'socks5://p:1'"), "proxy.url: " },
	{ "a path", PROXY("url: 'http://p:1/x'"), "is not a proxy; write http://host:port" },
	{ "a password in the url", PROXY("url: 'http://u:w@p:1'"), "proxy.url: " },
	{ "a user without password", PROXY("url: 'http://p:1', username: u"),
	    "belong together; give both or neither" },
	{ "a password without user", PROXY("url: 'http://p:1', password_file: /w"),
	    "belong together; give both or neither" },
	{ "a user with a colon", PROXY("url: 'http://p:1', username: 'a:b', password_file: /w"),
	    "is no user name for a proxy" },
	{ "a pattern that is none", PROXY("url: 'http://p:1', no_proxy: ['h:80']"),
	    "proxy.no_proxy[0]: \"h:80\" is no host" },
	{ "authorities for http", PROXY("url: 'http://p:1', ca_file: /ca"),
	    "is for a proxy that is spoken to by TLS" },
	{ "a word that is near", PROXY("url: 'http://p:1', noproxy: a"), "did you mean no_proxy?" },
	{ "an app's, at its place", APP(", proxy: {no_proxy: a}") TAIL,
	    "apps.x.proxy.url: is missing" },
};

START_TEST(test_bad)
{
	struct settings_case c;
	struct settings *s;

	case_open(&c);
	case_write(&c, "m.yaml", bad[_i].text);
	s = case_load(&c, false);
	ck_assert_msg(s == NULL, "%s", bad[_i].says);
	ck_assert_msg(
	    strstr(c.said.p, bad[_i].want) != NULL, "%s: %s", bad[_i].says, c.said.p);
	case_close(&c);
}
END_TEST

START_TEST(test_environment)
{
	struct settings_case c;
	struct settings *s;

	(void)setenv("https_proxy", "http://env.example:1", 1);
	case_open(&c);
	case_write(&c, "m.yaml", APP("") TAIL);
	s = case_load(&c, false);
	ck_assert_ptr_nonnull(s);
	ck_assert_ptr_nonnull(strstr(c.said.p, "environment's https_proxy is not used"));
	ck_assert_ptr_null(settings_tenant(s, "a")->app->proxy.url);
	settings_unref(s);
	case_write(&c, "m.yaml", PROXY("url: none"));
	s = case_load(&c, false);
	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(c.said.p, "");
	settings_unref(s);
	case_close(&c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("settings_proxy");
	TCase *tc = tcase_create("proxy");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_good, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, test_environment);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
