/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/token_stage.h"

/* ---- requests and renewal ------------------------------------------------------------- */

START_TEST(test_request)
{
	struct got g;

	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_uint_eq(g.roles, TOKEN_MAY_ALERTS);
	ck_assert_ptr_nonnull(strstr(g.bearer, ".sig0"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "POST /" TID "/oauth2/v2.0/token HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w),
	    "\r\n\r\nclient_id=6f0c8a5e-0000-4000-8000-"
	    "000000000001&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
	    "&grant_type=client_credentials&client_secret=S3CRET-A~.-%2B%26%3D"));
	ck_assert_ptr_null(strstr(web_last(w), "%0A"));
}
END_TEST

START_TEST(test_one_request_for_many)
{
	struct got g[50] = { 0 }, cancelled = { 0 };
	struct token_wait *wait;

	for (int i = 0; i < 50; i++)
		(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g[i]);
	wait = token_get(ts, &settings, &tenant, API_GRAPH, on_token, &cancelled);
	token_cancel(wait);
	for (int i = 0; i < 50; i++) {
		run(&g[i]);
		ck_assert_int_eq(g[i].trouble, TOKEN_OK);
	}
	ck_assert_uint_eq(web_requests(w), 1);
	ck_assert_uint_eq(cancelled.calls, 0);
	get(&g[0]);
	ck_assert_uint_eq(web_requests(w), 1);
}
END_TEST

START_TEST(test_tenants_are_apart)
{
	static char other[] = OTHER;
	struct tenant second = tenant;
	struct got g, h = { 0 };

	second.id = other;
	get(&g);
	give("{\"tid\":\"" OTHER "\"" ROLES "}", "");
	(void)token_get(ts, &settings, &second, API_GRAPH, on_token, &h);
	run(&h);
	ck_assert_int_eq(h.trouble, TOKEN_OK);
	ck_assert_str_ne(g.bearer, h.bearer);
	token_reject(ts, &second, API_GRAPH, g.bearer); /* not its own: nothing happens */
	get(&g);
	ck_assert_uint_eq(web_requests(w), 2);
}
END_TEST

START_TEST(test_apis_are_apart)
{
	struct got g, h = { 0 };

	get(&g);
	give("{\"roles\":[\"Alert.Read.All\"]}", "");
	(void)token_get(ts, &settings, &tenant, API_MDE, on_token, &h);
	run(&h);
	ck_assert_ptr_nonnull(strstr(web_last(w),
	    "&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default&"));
	ck_assert_uint_eq(h.roles, TOKEN_MAY_MDE_ALERTS);
	token_reject(ts, &tenant, API_MDE, h.bearer);
	get(&g); /* Graph's is as good as before */
	ck_assert_str_ne(g.bearer, h.bearer);
	ck_assert_uint_eq(web_requests(w), 2);
}
END_TEST

START_TEST(test_renewed_ahead_while_used)
{
	struct got g, h;

	get(&g);
	give(GOOD, ",\"expires_in\":3600");
	now.ms += 2400 * 1000;
	get(&h); /* used lately, and not due yet */
	ck_assert_str_eq(g.bearer, h.bearer);
	ck_assert_uint_eq(web_requests(w), 1);
	pass(490); /* 2890 s: past 80 % */
	ck_assert_uint_eq(web_requests(w), 2);
	get(&h);
	ck_assert_str_ne(g.bearer, h.bearer);
	ck_assert_uint_eq(web_requests(w), 2);
}
END_TEST

START_TEST(test_unused_is_not_renewed)
{
	struct got g;

	get(&g);
	pass(2890);
	pass(1000);
	ck_assert_uint_eq(web_requests(w), 1);
	get(&g);
	ck_assert_uint_eq(web_requests(w), 2);
}
END_TEST

START_TEST(test_used_late_is_renewed_behind)
{
	struct got g, h;

	get(&g);
	pass(2890);
	ck_assert_uint_eq(web_requests(w), 1);
	give(GOOD, "");
	get(&h); /* has the old one at once */
	ck_assert_str_eq(g.bearer, h.bearer);
	turn(30);
	ck_assert_uint_eq(web_requests(w), 2);
	get(&h);
	ck_assert_str_ne(g.bearer, h.bearer);
}
END_TEST

START_TEST(test_failed_renewal_keeps_the_old_one)
{
	struct got g, h;

	get(&g);
	now.ms += 2400 * 1000;
	get(&g);
	service.head = "HTTP/1.1 503 Unavailable\r\n";
	pass(490);
	ck_assert_uint_eq(web_requests(w), 2);
	ck_assert_ptr_nonnull(strstr(logged, "token not renewed: "));
	get(&h);
	ck_assert_int_eq(h.trouble, TOKEN_OK);
	ck_assert_str_eq(g.bearer, h.bearer);
	ck_assert_uint_eq(web_requests(w), 2);
	give(GOOD, "");
	pass(20); /* the first retry */
	ck_assert_uint_eq(web_requests(w), 3);
	get(&h);
	ck_assert_str_ne(g.bearer, h.bearer);
}
END_TEST

/* Until there were so many requests, and no more follow at once. */
static void
turn_until(unsigned requests)
{
	unsigned before;

	for (int i = 0; i < 300 && web_requests(w) < requests; i++)
		turn(100);
	do {
		before = web_requests(w);
		turn(200);
	} while (web_requests(w) != before);
}

START_TEST(test_jitter)
{
	static struct tenant many[200];
	static char ids[200][37];
	struct got g[200] = { 0 };
	unsigned early;

	give("{}", ",\"expires_in\":3600");
	for (int i = 0; i < 200; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "11111111-2222-3333-4444-%012d", i);
		many[i] = tenant;
		many[i].id = ids[i];
		(void)token_get(ts, &settings, &many[i], API_GRAPH, on_token, &g[i]);
	}
	for (int i = 0; i < 200; i++)
		run(&g[i]);
	now.ms += 2400 * 1000;
	for (int i = 0; i < 200; i++) {
		g[i].calls = 0;
		(void)token_get(ts, &settings, &many[i], API_GRAPH, on_token, &g[i]);
	}
	turn(100);
	pass(300); /* the middle of the tenth */
	turn_until(200 + 61);
	early = web_requests(w) - 200;
	ck_assert_uint_gt(early, 60);
	ck_assert_uint_lt(early, 140);
	pass(181);
	turn_until(400);
	ck_assert_uint_eq(web_requests(w), 400);
}
END_TEST

static const struct {
	const char *says, *fields;
	int64_t usable_s; /* at least, and not 70 s longer */
} lifetimes[] = {
	{ "a number", ",\"expires_in\":3599", 3538 },
	{ "a number as text", ",\"expires_in\":\"3599\"", 3538 },
	{ "a fraction", ",\"expires_in\":3599.5", 3538 },
	{ "absent", "", 269 },
	{ "null", ",\"expires_in\":null", 269 },
	{ "negative", ",\"expires_in\":-5", 269 },
	{ "so negative that no integer holds it", ",\"expires_in\":-1e300", 269 },
	{ "text that is no number", ",\"expires_in\":\"soon\"", 269 },
	{ "text that overflows", ",\"expires_in\":\"99999999999999999999\"", 86339 },
	{ "a year is cut to a day", ",\"expires_in\":31536000", 86339 },
	{ "ten seconds", ",\"expires_in\":10", 8 },
};

START_TEST(test_lifetime)
{
	struct got g;

	give(GOOD, lifetimes[_i].fields);
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	now.ms += lifetimes[_i].usable_s * 1000;
	give(GOOD, lifetimes[_i].fields); /* another one, for who asks anew */
	get(&g);
	ck_assert_msg(strstr(g.bearer, ".sig0") != NULL, "%s: gone early", lifetimes[_i].says);
	tokens_free(ts);
	ts = tokens_new(&env, f);
	give(GOOD, lifetimes[_i].fields);
	get(&g);
	now.ms += (lifetimes[_i].usable_s + 70) * 1000;
	give(GOOD, "");
	get(&g);
	ck_assert_msg(strstr(g.bearer, ".sig0") == NULL && strstr(service.body, g.bearer) != NULL,
	    "%s: kept too long", lifetimes[_i].says);
}
END_TEST

#define H(status) "HTTP/1.1 " status "\r\n"

/* Those of apps with many roles are longer than one would think. */
START_TEST(test_long_token)
{
	struct got g;
	int n = 6000;

	service.head = H("200 OK");
	(void)snprintf(service.body, sizeof(service.body), "{\"access_token\":\"%0*d\"}", n, 7);
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_int_eq((int)strlen(g.bearer), n);
}
END_TEST

static const struct {
	const char *says, *head, *body;
	enum token_trouble trouble;
	enum err_kind kind;
	const char *text;  /* part of it */
	const char *text2; /* and of this */
	int64_t retry_after_ms;
} refusals[] = {
	{ "wrong secret", H("401 Unauthorized"), DENY("invalid_client", "7000215"), TOKEN_REFUSED,
	    ERR_AUTH, "instead of its value", "secret_file /tmp/", -1 },
	{ "expired secret", H("401 Unauthorized"), DENY("invalid_client", "7000222"), TOKEN_REFUSED,
	    ERR_AUTH, "has expired", "AADSTS7000222", -1 },
	{ "no consent", H("400 Bad Request"), DENY("unauthorized_client", "700016"),
	    TOKEN_NOT_ONBOARDED, ERR_AUTH, "no consent yet",
	    "/" TID "/adminconsent?client_id=6f0c8a5e-0000-4000-8000-000000000001", -1 },
	{ "consent missing", H("400 Bad Request"), DENY("invalid_grant", "65001"),
	    TOKEN_NOT_ONBOARDED, ERR_AUTH, "consent is missing", "/adminconsent?", -1 },
	{ "no such tenant", H("400 Bad Request"), DENY("invalid_request", "90002"),
	    TOKEN_WRONG_CLOUD, ERR_AUTH, "there is no such tenant", "cloud", -1 },
	{ "no such tenant, said by its name", H("400 Bad Request"), DENY("invalid_tenant", "1"),
	    TOKEN_WRONG_CLOUD, ERR_AUTH, "there is no such tenant", "cloud", -1 },
	{ "a tenant of another cloud", H("400 Bad Request"), DENY("invalid_request", "90038"),
	    TOKEN_WRONG_CLOUD, ERR_AUTH, "another national cloud", "", -1 },
	{ "no licence for the service", H("400 Bad Request"),
	    DENY("unauthorized_client", "650052"), TOKEN_NO_LICENCE, ERR_AUTH, "no licence", "",
	    -1 },
	{ "resource absent", H("400 Bad Request"), DENY("invalid_resource", "500011"),
	    TOKEN_WRONG_CLOUD, ERR_AUTH, "not known in this tenant", "500011", -1 },
	{ "conditional access", H("400 Bad Request"), DENY("access_denied", "53003"), TOKEN_BLOCKED,
	    ERR_AUTH, "Conditional Access", "", -1 },
	{ "conditional access behind another error", H("400 Bad Request"),
	    DENY("invalid_grant", "53003"), TOKEN_BLOCKED, ERR_AUTH, "Conditional Access", "", -1 },
	{ "no service principal behind another error", H("401 Unauthorized"),
	    DENY("invalid_client", "7000229"), TOKEN_NOT_ONBOARDED, ERR_AUTH, "service principal",
	    "/adminconsent?", -1 },
	{ "a number never makes a passing trouble a parking one", H("400 Bad Request"),
	    DENY("temporarily_unavailable", "53003"), TOKEN_UNREACHABLE, ERR_TEMP, "", "", -1 },
	{ "a number without words", H("401 Unauthorized"), DENY("invalid_client", "12345"),
	    TOKEN_REFUSED, ERR_AUTH, "credentials are refused", "AADSTS12345", -1 },
	{ "the second number is known", H("401 Unauthorized"),
	    "{\"error\":\"invalid_client\",\"error_codes\":[1,7000222]}", TOKEN_REFUSED, ERR_AUTH,
	    "has expired", "7000222", -1 },
	{ "numbers that are none", H("401 Unauthorized"),
	    "{\"error\":\"invalid_client\",\"error_codes\":{\"a\":[]}}", TOKEN_REFUSED, ERR_AUTH,
	    "credentials are refused", "invalid_client)", -1 },
	{ "an error we do not know", H("400 Bad Request"), DENY("new_error", "1"), TOKEN_GARBLED,
	    ERR_TEMP, "HTTP 400 new_error", "", -1 },
	{ "an error that is no word", H("400 Bad Request"), "{\"error\":\"<b>S3CRET\"}",
	    TOKEN_GARBLED, ERR_TEMP, "without saying why", "", -1 },
	{ "HTML with 403", H("403 Forbidden"), "<html>client_secret=S3CRET", TOKEN_GARBLED, ERR_TEMP, "proxy", "", -1 },
	{ "unavailable", H("400 Bad Request"), DENY("temporarily_unavailable", "90033"),
	    TOKEN_UNREACHABLE, ERR_TEMP, "unavailable", "", -1 },
	{ "throttled", "HTTP/1.1 429 Slow\r\nRetry-After: 30\r\n", "{}", TOKEN_UNREACHABLE,
	    ERR_TEMP, "asks us to wait", "429", 30000 },
	{ "503 with a refusal inside", H("503 Oops"), DENY("invalid_client", "7000222"),
	    TOKEN_UNREACHABLE, ERR_TEMP, "has a fault", "503", -1 },
	{ "redirect", "HTTP/1.1 302 Found\r\nLocation: https://evil.example/x\r\n", "",
	    TOKEN_GARBLED, ERR_TEMP, "302 to evil.example", "", -1 },
	{ "HTML with 200", H("200 OK"), "<html>sign in, S3CRET</html>", TOKEN_GARBLED, ERR_TEMP,
	    "without a usable token", "proxy", -1 },
	{ "an array with 200", H("200 OK"), "[]", TOKEN_GARBLED, ERR_TEMP, "without a usable", "",
	    -1 },
	{ "nothing with 200", H("200 OK"), "", TOKEN_GARBLED, ERR_TEMP, "without a usable", "",
	    -1 },
	{ "204", H("204 No Content"), "", TOKEN_GARBLED, ERR_TEMP, "HTTP 204", "", -1 },
	{ "a token that is a number", H("200 OK"), "{\"access_token\":1}", TOKEN_GARBLED, ERR_TEMP,
	    "without a usable", "", -1 },
	{ "an empty token", H("200 OK"), "{\"access_token\":\"\"}", TOKEN_GARBLED, ERR_TEMP,
	    "without a usable", "", -1 },
	{ "a token with a line end", H("200 OK"), "{\"access_token\":\"a\\r\\nX: y\"}",
	    TOKEN_GARBLED, ERR_TEMP, "without a usable", "", -1 },
	{ "another type of token", H("200 OK"), "{\"token_type\":\"pop\",\"access_token\":\"a\"}",
	    TOKEN_GARBLED, ERR_TEMP, "without a usable", "", -1 },
};

START_TEST(test_refusal)
{
	struct got g;

	service.head = refusals[_i].head;
	(void)snprintf(service.body, sizeof(service.body), "%s", refusals[_i].body);
	get(&g);
	ck_assert_msg(g.trouble == refusals[_i].trouble, "%s: %d %s", refusals[_i].says, g.trouble,
	    g.err.text);
	ck_assert_msg(g.err.kind == refusals[_i].kind, "%s", refusals[_i].says);
	ck_assert_msg(
	    strstr(g.err.text, refusals[_i].text) != NULL &&
		(refusals[_i].text2 == NULL || strstr(g.err.text, refusals[_i].text2) != NULL),
	    "%s: %s", refusals[_i].says, g.err.text);
	/* Whoever answers may tell in it what he was asked. */
	ck_assert_msg(strstr(g.err.text, "S3CRET") == NULL, "%s: %s", refusals[_i].says, g.err.text);
	ck_assert_int_eq(g.retry_after_ms, refusals[_i].retry_after_ms);
	ck_assert_uint_eq(web_requests(w), 1);
}
END_TEST

/* Graph is in every tenant: where it is not, the cloud is wrong. Other APIs come with a licence. */
static const struct {
	const char *says, *body;
	enum api api;
	enum token_trouble trouble;
	const char *text;
} absent[] = {
	{ "Graph", DENY("invalid_resource", "500011"), API_GRAPH, TOKEN_WRONG_CLOUD,
	    "Microsoft Graph is not known in this tenant; check the app's cloud (" },
	{ "the endpoint API", DENY("invalid_resource", "500011"), API_MDE, TOKEN_NO_LICENCE,
	    "Defender for Endpoint is not known in this tenant; see whether it has a licence" },
	{ "the same without a number", DENY("invalid_resource", "12345"), API_MDE,
	    TOKEN_NO_LICENCE, "Defender for Endpoint is not known" },
	{ "by an older number", DENY("invalid_request", "50001"), API_MDE, TOKEN_NO_LICENCE,
	    "Defender for Endpoint is not known" },
	{ "not in the app's list", DENY("invalid_resource", "650057"), API_MDE, TOKEN_NOT_ONBOARDED,
	    "the app registration does not name this API; add its permissions; an administrator" },
};

START_TEST(test_absent)
{
	struct got g = { 0 };

	service.head = H("400 Bad Request");
	(void)snprintf(service.body, sizeof(service.body), "%s", absent[_i].body);
	(void)token_get(ts, &settings, &tenant, absent[_i].api, on_token, &g);
	run(&g);
	ck_assert_msg(g.trouble == absent[_i].trouble && strstr(g.err.text, absent[_i].text) != NULL,
	    "%s: %d %s", absent[_i].says, g.trouble, g.err.text);
}
END_TEST

static const struct {
	const char *says, *payload, *fields;
	enum token_trouble trouble;
	unsigned roles;
} contents[] = {
	{ "the role is there", GOOD, "", TOKEN_OK, TOKEN_MAY_ALERTS },
	{ "the higher role",
	    "{\"tid\":\"" TID "\",\"roles\":[\"x\",\"SecurityAlert.ReadWrite.All\"]}", "", TOKEN_OK,
	    TOKEN_MAY_ALERTS },
	{ "two roles", "{\"roles\":[\"SecurityIncident.Read.All\",\"SecurityAlert.Read.All\"]}", "",
	    TOKEN_OK, TOKEN_MAY_INCIDENTS | TOKEN_MAY_ALERTS },
	{ "the role of Defender for Endpoint", "{\"roles\":[\"Alert.Read.All\"]}", "", TOKEN_OK,
	    TOKEN_MAY_MDE_ALERTS },
	{ "no roles", "{\"tid\":\"" TID "\"}", "", TOKEN_OK, 0 },
	{ "other roles", "{\"roles\":[\"SecurityAlert.Read\",7]}", "", TOKEN_OK, 0 },
	{ "tid in capitals", "{\"tid\":\"11111111-2222-3333-4444-555555555555\"}",
	    ",\"token_type\":\"bearer\"", TOKEN_OK, 0 },
	{ "another tenant's", "{\"tid\":\"" OTHER "\"" ROLES "}", "", TOKEN_GARBLED, 0 },
	{ "no JSON inside: it cannot be told", "opaque", "", TOKEN_OK, EVERY_ROLE },
	{ "a tid that is no GUID tells nothing", "{\"tid\":\"x\"" ROLES "}", "", TOKEN_OK,
	    TOKEN_MAY_ALERTS },
};

START_TEST(test_content)
{
	struct got g;

	give(contents[_i].payload, contents[_i].fields);
	get(&g);
	ck_assert_msg(g.trouble == contents[_i].trouble && g.roles == contents[_i].roles,
	    "%s: %d %s", contents[_i].says, g.trouble, g.err.text);
}
END_TEST

START_TEST(test_secrets_in_turn)
{
	struct got g;

	app.ncredentials = 2;
	service.refused = "client_secret=S3CRET-A";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_uint_eq(web_requests(w), 2);
	now.ms += 3600 * 1000;
	get(&g); /* the one that worked comes first now */
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_uint_eq(web_requests(w), 3);
	now.ms += 3600 * 1000;
	service.refused = "client_secret=S3CRET-B"; /* and when it ceases to, the other again */
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_uint_eq(web_requests(w), 5);
	now.ms += 3600 * 1000;
	service.refused = "client_secret=";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_uint_eq(web_requests(w), 7);
}
END_TEST

START_TEST(test_second_secret_only_when_refused)
{
	struct got g;

	app.ncredentials = 2;
	service.head = "HTTP/1.1 400 Bad Request\r\n";
	(void)snprintf(service.body, sizeof(service.body), DENY("unauthorized_client", "700016"));
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_NOT_ONBOARDED);
	ck_assert_uint_eq(web_requests(w), 1);
}
END_TEST

START_TEST(test_unreadable_secrets)
{
	struct got g;

	app.ncredentials = 2;
	(void)unlink(secret_a);
	get(&g); /* the other one serves */
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	(void)unlink(secret_b);
	now.ms += 3600 * 1000;
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_int_eq(g.err.kind, ERR_CONF);
	ck_assert_ptr_nonnull(strstr(g.err.text, dir));
	write_secret(secret_a, "S3CRET-A"); /* read anew at each request */
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
}
END_TEST

START_TEST(test_refused_then_unreadable)
{
	struct got g;

	app.ncredentials = 2;
	(void)unlink(secret_b);
	service.refused = "client_secret=";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_ptr_nonnull(strstr(g.err.text, "has expired"));
}
END_TEST

START_TEST(test_reject)
{
	struct got g, h;

	get(&g);
	token_reject(ts, &tenant, API_GRAPH, "another");
	get(&h);
	ck_assert_str_eq(g.bearer, h.bearer);
	token_reject(ts, &tenant, API_GRAPH, g.bearer);
	give(GOOD, "");
	get(&h);
	ck_assert_str_ne(g.bearer, h.bearer);
	token_reject(ts, &tenant, API_GRAPH, h.bearer);
	get(&h); /* the service gives the same again */
	ck_assert_int_eq(h.trouble, TOKEN_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(h.err.text, "again"));
}
END_TEST

/* ---- callbacks and ends ---------------------------------------------------------------- */

static void
reject(struct got *g)
{
	g->then = NULL;
	token_reject(ts, &tenant, API_GRAPH, g->bearer);
	give(GOOD, "");
}

START_TEST(test_reject_while_others_are_told)
{
	struct got g[3] = { { .then = reject } };

	for (int i = 0; i < 3; i++)
		(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g[i]);
	for (int i = 0; i < 3; i++)
		run(&g[i]);
	ck_assert_str_ne(g[0].bearer, g[1].bearer);
	ck_assert_str_eq(g[1].bearer, g[2].bearer);
	ck_assert_uint_eq(web_requests(w), 2);
}
END_TEST

static struct got again;

static void
get_again(struct got *g)
{
	g->then = NULL;
	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &again);
}

START_TEST(test_get_inside_the_callback)
{
	struct got g = { .then = get_again };

	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g);
	run(&g);
	ck_assert_uint_eq(again.calls, 0);
	run(&again);
	ck_assert_uint_eq(web_requests(w), 1);

	now.ms += 3600 * 1000;
	service.head = "HTTP/1.1 500 Oops\r\n";
	g = (struct got){ .then = get_again };
	again = (struct got){ 0 };
	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g);
	run(&g);
	run(&again);
	ck_assert_uint_eq(web_requests(w), 3);
}
END_TEST

START_TEST(test_free_with_everything_open)
{
	struct got g = { 0 };

	service.delay_ms = 1000;
	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g);
	turn(50);
	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g);
	tokens_free(ts);
	ts = NULL;
	turn(50);
	ck_assert_uint_eq(g.calls, 0);
}
END_TEST

START_TEST(test_all_waiters_gone)
{
	struct got g = { 0 };
	struct token_wait *wait = token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g);

	service.delay_ms = 100;
	turn(10);
	token_cancel(wait);
	turn(200);
	get(&g); /* what came meanwhile is kept */
	ck_assert_uint_eq(web_requests(w), 1);
	wait = token_get(ts, &settings, &tenant, API_GRAPH, on_token, &g);
	token_cancel(wait);
	turn(10);
	ck_assert_uint_eq(g.calls, 1);
}
END_TEST

START_TEST(test_forgotten)
{
	struct got g;

	get(&g);
	ck_assert_uint_eq(settings.refs, 2);
	pass(3600);
	for (int i = 0; i < 3; i++)
		pass(1801);
	ck_assert_uint_eq(settings.refs, 1);
}
END_TEST

START_TEST(test_nobody_there)
{
	struct got g;

	(void)snprintf(login, sizeof(login), "http://127.0.0.1:1");
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(g.err.text, "127.0.0.1:1: no connection"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("token");
	TCase *tc = tcase_create("token");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_request);
	tcase_add_test(tc, test_one_request_for_many);
	tcase_add_test(tc, test_tenants_are_apart);
	tcase_add_test(tc, test_apis_are_apart);
	tcase_add_test(tc, test_renewed_ahead_while_used);
	tcase_add_test(tc, test_unused_is_not_renewed);
	tcase_add_test(tc, test_used_late_is_renewed_behind);
	tcase_add_test(tc, test_failed_renewal_keeps_the_old_one);
	tcase_add_test(tc, test_jitter);
	tcase_add_loop_test(tc, test_lifetime, 0, ARRAY_LEN(lifetimes));
	tcase_add_test(tc, test_long_token);
	tcase_add_loop_test(tc, test_refusal, 0, ARRAY_LEN(refusals));
	tcase_add_loop_test(tc, test_absent, 0, ARRAY_LEN(absent));
	tcase_add_loop_test(tc, test_content, 0, ARRAY_LEN(contents));
	tcase_add_test(tc, test_secrets_in_turn);
	tcase_add_test(tc, test_second_secret_only_when_refused);
	tcase_add_test(tc, test_unreadable_secrets);
	tcase_add_test(tc, test_refused_then_unreadable);
	tcase_add_test(tc, test_reject);
	tcase_add_test(tc, test_reject_while_others_are_told);
	tcase_add_test(tc, test_get_inside_the_callback);
	tcase_add_test(tc, test_free_with_everything_open);
	tcase_add_test(tc, test_all_waiters_gone);
	tcase_add_test(tc, test_forgotten);
	tcase_add_test(tc, test_nobody_there);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
