/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/config/url.h"

/* scheme host port path, "lo" for loopback, "6" for IPv6; NULL: refused. */
static const struct {
	const char *says, *text, *want;
} cases[] = {
	{ "the plain case", "https://graph.microsoft.com", "https graph.microsoft.com 443" },
	{ "a port", "https://h:8443", "https h 8443" },
	{ "http has a port of its own", "http://h", "http h 80" },
	{ "a path", "https://h/a/b", "https h 443 /a/b" },
	{ "a slash", "https://h/", "https h 443 /" },
	{ "localhost, in any case", "http://LocalHost:8080", "http LocalHost 8080 lo" },
	{ "127.0.0.0/8", "http://127.3.4.5", "http 127.3.4.5 80 lo" },
	{ "an address that begins alike", "http://12.0.0.1", "http 12.0.0.1 80" },
	{ "a name that begins alike", "http://127.0.0.1.example", "http 127.0.0.1.example 80" },
	{ "an address cut short", "http://127.1", "http 127.1 80" },
	{ "an address of more than an octet", "http://127.0.0.256", "http 127.0.0.256 80" },
	{ "a name that ends alike", "http://localhost.example", "http localhost.example 80" },
	{ "IPv6 loopback", "http://[::1]:80/", "http ::1 80 / lo 6" },
	{ "another IPv6", "https://[2001:db8::1]", "https 2001:db8::1 443 6" },
	{ "IPv6 that holds IPv4", "https://[::ffff:127.0.0.1]", "https ::ffff:127.0.0.1 443 6" },
	{ "the last port", "https://h:65535", "https h 65535" },
	{ "a port past it", "https://h:65536", NULL },
	{ "port 0", "https://h:0", NULL },
	{ "an empty port", "https://h:", NULL },
	{ "a port of six digits", "https://h:000443", NULL },
	{ "a port of letters", "https://h:x", NULL },
	{ "no host", "https://", NULL },
	{ "no host but a port", "https://:443", NULL },
	{ "no host but a path", "https:///x", NULL },
	{ "no scheme", "graph.microsoft.com", NULL },
	{ "another scheme", "ftp://h", NULL },
	{ "a scheme in capitals", "HTTPS://h", NULL },
	{ "one slash", "https:/h", NULL },
	{ "a user name", "https://u@h", NULL },
	{ "a user name that looks like the host", "https://graph.microsoft.com:443@evil.example", NULL },
	{ "a query", "https://h?x", NULL },
	{ "a fragment", "https://h/#x", NULL },
	{ "a blank", "https://h /x", NULL },
	{ "a blank in the path", "https://h/a b", NULL },
	{ "a backslash", "https://h\\x", NULL },
	{ "a control character", "https://h/\x01", NULL },
	{ "an umlaut", "https://\xc3\xbc", NULL },
	{ "a bracket left open", "https://[::1", NULL },
	{ "something behind the bracket", "https://[::1]x", NULL },
	{ "no address in brackets", "https://[x]", NULL },
	{ "a host that begins with a dot", "https://.h", NULL },
	{ "a template", "https://{tenant}", NULL },
};

START_TEST(test_url)
{
	struct buf got = BUF_INIT(1000);
	struct err err = { ERR_NONE };
	struct url u;
	bool ok = url_split(str_of(cases[_i].text), &u, &err);

	if (ok) {
		buf_printf(&got, "%s %.*s %u", u.is_https ? "https" : "http", STR_ARG(u.host), u.port);
		buf_printf(&got, "%s%.*s", u.path.n != 0 ? " " : "", STR_ARG(u.path));
		buf_printf(&got, "%s%s", url_is_loopback(&u) ? " lo" : "", u.is_ipv6 ? " 6" : "");
	}
	if (cases[_i].want == NULL)
		ck_assert_msg(!ok && err.kind == ERR_CONF && err.text[0] != '\0', "%s: got %s",
		    cases[_i].says, ok ? got.p : "no reason");
	else
		ck_assert_msg(ok && strcmp(got.p, cases[_i].want) == 0, "%s: got %s", cases[_i].says,
		    ok ? got.p : err.text);
	buf_release(&got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("url");
	TCase *tc = tcase_create("url");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_url, 0, ARRAY_LEN(cases));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
