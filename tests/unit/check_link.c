/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "lib/base/str.h"
#include "lib/policy/link.h"

#define GRAPH "https://graph.microsoft.com/v1.0/security/"
#define LOCAL "http://127.0.0.1:8080/v1.0/security"

static const struct {
	const char *says, *base, *link;
	const char *err; /* NULL: allowed */
} links[] = {
	{ "a real nextLink", GRAPH,
	    GRAPH "alerts_v2?$top=200&$filter=a%20ge%202026-11-22T04:00:00Z&$skiptoken=a%2Fb==",
	    NULL },
	{ "host in capitals", GRAPH, "https://GRAPH.Microsoft.com/v1.0/security/alerts_v2", NULL },
	{ "path in capitals", GRAPH, "https://graph.microsoft.com/V1.0/Security/alerts_v2", NULL },
	{ "the default port, said", GRAPH, "https://graph.microsoft.com:443/v1.0/security/x",
	    NULL },
	{ "a question mark at once", GRAPH, "https://graph.microsoft.com/v1.0/security/?a=..",
	    NULL },
	{ "dots in the query are only text", GRAPH, GRAPH "x?a=/../..", NULL },
	{ "dots within a name", GRAPH, GRAPH "alerts.v2...x/a..b/...", NULL },
	{ "an at sign in the path", GRAPH, GRAPH "user@x", NULL },
	{ "plain http on loopback, as configured", LOCAL, LOCAL "/alerts_v2?x=1", NULL },
	{ "IPv6 loopback", "http://[::1]:8080/", "http://[::1]:8080/a", NULL },
	{ "a base without a path", "https://graph.example", "https://graph.example/a", NULL },

	{ "another host", GRAPH, "https://evil.example/v1.0/security/x",
	    "another place: evil.example" },
	{ "a host that begins alike", GRAPH,
	    "https://graph.microsoft.com.evil.example/v1.0/security/x", "another place" },
	{ "a host with a final dot", GRAPH, "https://graph.microsoft.com./v1.0/security/x",
	    "another place" },
	{ "another port", GRAPH, "https://graph.microsoft.com:8443/v1.0/security/x", "port 8443" },
	{ "http where the base is https", GRAPH, "http://graph.microsoft.com/v1.0/security/x",
	    "plain http" },
	{ "https where the base is http", LOCAL, "https://127.0.0.1:8080/v1.0/security/x",
	    "another place" },
	{ "http to a foreign base", "http://graph.example/", "http://graph.example/x",
	    "plain http" },
	{ "a name that only begins like an address", "http://127.evil.example/",
	    "http://127.evil.example/x", "plain http" },
	{ "user information", GRAPH, "https://graph.microsoft.com@evil.example/v1.0/security/x",
	    "no plain http URL" },
	{ "a password", GRAPH, "https://a:b@graph.microsoft.com/v1.0/security/x",
	    "no plain http URL" },
	{ "an empty user", GRAPH, "https://@graph.microsoft.com/v1.0/security/x",
	    "no plain http URL" },
	{ "an escape in the host", GRAPH, "https://graph%2emicrosoft.com/v1.0/security/x",
	    "no plain http URL" },
	{ "no host", GRAPH, "https:///v1.0/security/x", "no plain http URL" },
	{ "port 0", GRAPH, "https://graph.microsoft.com:0/v1.0/security/x", "no plain http URL" },
	{ "an empty port", GRAPH, "https://graph.microsoft.com:/v1.0/security/x",
	    "no plain http URL" },
	{ "a port beyond 16 bits", GRAPH, "https://graph.microsoft.com:65979/v1.0/security/x",
	    "no plain http URL" },
	{ "text behind the port", GRAPH, "https://graph.microsoft.com:443x/v1.0/security/x",
	    "no plain http URL" },
	{ "another scheme", GRAPH, "ftp://graph.microsoft.com/v1.0/security/x",
	    "no plain http URL" },
	{ "a relative link", GRAPH, "/v1.0/security/x", "no plain http URL" },
	{ "without a scheme", GRAPH, "//graph.microsoft.com/v1.0/security/x", "no plain http URL" },
	{ "nothing", GRAPH, "", "no plain http URL" },
	{ "another API", GRAPH, "https://graph.microsoft.com/v1.0/users", "outside of the API" },
	{ "beside the root", LOCAL, LOCAL "X/y", "outside of the API" },
	{ "the root without its slash", GRAPH, "https://graph.microsoft.com/v1.0/security",
	    "outside of the API" },
	{ "no path", GRAPH, "https://graph.microsoft.com?x", "outside of the API" },
	{ "up", GRAPH, GRAPH "../users", "path is not plain" },
	{ "up at the end", GRAPH, GRAPH "x/..", "path is not plain" },
	{ "one dot", GRAPH, GRAPH "./x", "path is not plain" },
	{ "up, escaped", GRAPH, GRAPH "%2e%2E/users", "path is not plain" },
	{ "up, half escaped", GRAPH, GRAPH ".%2e/users", "path is not plain" },
	{ "up, escaped twice", GRAPH, GRAPH "%252e%252e/users", "path is not plain" },
	{ "up, with a parameter", GRAPH, GRAPH "..;a/users", "path is not plain" },
	{ "an escaped slash", GRAPH, GRAPH "..%2fusers", "path is not plain" },
	{ "an escaped backslash", GRAPH, GRAPH "x%5cy", "path is not plain" },
	{ "an escaped NUL", GRAPH, GRAPH "x%00", "path is not plain" },
	{ "an escaped line end", GRAPH, GRAPH "x%0d%0a", "path is not plain" },
	{ "a broken escape", GRAPH, GRAPH "x%4", "path is not plain" },
	{ "an escape that is none", GRAPH, GRAPH "x%zz", "path is not plain" },
	{ "a backslash", GRAPH, "https://graph.microsoft.com\\@evil.example/v1.0/security/x",
	    "characters" },
	{ "a fragment", GRAPH, "https://evil.example#@graph.microsoft.com/v1.0/security/x",
	    "characters" },
	{ "a line end", GRAPH, GRAPH "x\r\nX-Evil: 1", "characters" },
	{ "a space in front", GRAPH, " " GRAPH "x", "characters" },
	{ "a tab", GRAPH, GRAPH "x\ty", "characters" },
	{ "beyond ASCII", GRAPH, GRAPH "\xc3\xa4", "characters" },
	{ "DEL", GRAPH, GRAPH "\x7f", "characters" },
	{ "a bracket that does not close", "http://[::1]:8080/", "http://[::1:8080/a",
	    "another place" },
	{ "a base that is none", "graph.example", "https://graph.example/a", "own URL" },
};

START_TEST(test_link)
{
	struct err err = { ERR_NONE, "" };
	bool ok = link_is_allowed(links[_i].base, links[_i].link, &err);

	ck_assert_msg(ok == (links[_i].err == NULL), "%s: %s", links[_i].says, err.text);
	if (!ok)
		ck_assert_msg(
		    strstr(err.text, links[_i].err) != NULL, "%s: %s", links[_i].says, err.text);
}
END_TEST

START_TEST(test_length)
{
	static char link[LINK_MAX + 2] = GRAPH;
	struct err err;

	memset(link + strlen(GRAPH), 'a', LINK_MAX - strlen(GRAPH));
	ck_assert(link_is_allowed(GRAPH, link, &err));
	link[LINK_MAX] = 'a';
	ck_assert(!link_is_allowed(GRAPH, link, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "longer"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("link");
	TCase *tc = tcase_create("link");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_link, 0, ARRAY_LEN(links));
	tcase_add_test(tc, test_length);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
