#include <check.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/intake/token.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/ticks.h"
#include "lib/base/base64url.h"
#include "lib/policy/jwt_look.h"
#include "tests/unit/pki.h"
#include "tests/unit/web.h"

#define TID   "11111111-2222-3333-4444-555555555555"
#define OTHER "99999999-2222-3333-4444-555555555555"
#define ROLES ",\"roles\":[\"SecurityAlert.Read.All\"]"
#define EVERY_ROLE (TOKEN_MAY_ALERTS | TOKEN_MAY_INCIDENTS | TOKEN_MAY_MDE_ALERTS)
#define DENY(error, code) \
	"{\"error\":\"" error "\",\"error_description\":\"AADSTS" code \
	": S3CRET-ECHO\",\"error_codes\":[" code "]}"

/* A clock that stands still until it is turned. */
struct turned_clock {
	struct clock clock;
	int64_t ms;
};

static int64_t
turned(const struct clock *c)
{
	return ((const struct turned_clock *)c)->ms;
}

static struct turned_clock now = { .clock = { .mono = turned, .wall = turned }, .ms = 1000000 };
static struct engine_env env;
static struct fetcher *f;
static struct tokens *ts;
static struct web *w;
static char dir[] = "/tmp/check_token.XXXXXX", secret_a[64], secret_b[64], login[128];
static const struct credential secrets[2] = { { .kind = CREDENTIAL_SECRET, .file = secret_a },
	{ .kind = CREDENTIAL_SECRET, .file = secret_b } };
static char app_name[] = "soc", client_id[] = "6f0c8a5e-0000-4000-8000-000000000001";
static char graph_url[] = "https://graph.microsoft.com", tid[] = TID;
static char mde_url[] = "https://api.securitycenter.microsoft.com";
static struct app app;
static struct tenant tenant;
static struct settings settings;
static char logged[4096];

/* What the sign-in service does. */
static struct {
	const char *head;
	char body[8192];
	const char *refused; /* text of a secret that is refused */
	const char *refusal_head;
	int delay_ms;
} service;

struct got {
	unsigned calls;
	enum token_trouble trouble;
	char bearer[4096];
	unsigned roles;
	int64_t retry_after_ms;
	struct err err;
	void (*then)(struct got *g);
};

static void
answer(void *arg, const char *request, struct web_answer *out)
{
	static const char refusal[] = DENY("invalid_client", "7000222");

	(void)arg;
	out->head = service.head;
	out->body = str_of(service.body);
	out->delay_ms = service.delay_ms;
	if (service.refused == NULL || strstr(request, service.refused) == NULL)
		return;
	out->head = service.refusal_head != NULL ? service.refusal_head
	                                         : "HTTP/1.1 401 Unauthorized\r\n";
	out->body = str_of(refusal);
}

static void
keep_log(const struct log_event *e, void *arg)
{
	size_t used = strlen(logged);

	(void)arg;
	(void)snprintf(logged + used, sizeof(logged) - used, "%.*s\n", STR_ARG(e->line));
}

static void
write_secret(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
	(void)chmod(path, 0600);
}

/* The service gives a token with this payload, and these other fields. */
static void
give(const char *payload, const char *fields)
{
	struct buf b = BUF_INIT(8000);

	buf_puts(&b, "{\"access_token\":\"");
	base64url(&b, STR("{\"alg\":\"none\"}"));
	buf_byte(&b, '.');
	base64url(&b, str_of(payload));
	buf_printf(&b, ".sig%u\"%s}", web_requests(w), fields);
	service.head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
	(void)snprintf(service.body, sizeof(service.body), "%s", b.p);
	buf_release(&b);
}

#define GOOD "{\"tid\":\"" TID "\"" ROLES "}"

static void
setup(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_writer(keep_log, NULL);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(secret_a, sizeof(secret_a), "%s/a", dir);
	(void)snprintf(secret_b, sizeof(secret_b), "%s/b", dir);
	write_secret(secret_a, "S3CRET-A~.-+&=\n");
	write_secret(secret_b, "S3CRET-B\n");
	env.base = event_base_new();
	env.loop = loop_new(env.base);
	env.clock = &now.clock;
	env.timers = timers_new(NULL, &now.clock);
	f = fetcher_new(&env);
	w = web_new(env.base, NULL, answer, NULL);
	ts = tokens_new(&env, f);
	(void)snprintf(login, sizeof(login), "%s", web_url(w, "127.0.0.1"));
	app = (struct app){ .name = app_name,
		.client_id = client_id,
		.credentials = secrets,
		.ncredentials = 1,
		.login_url = login,
		.graph_url = graph_url,
		.resource = { graph_url, mde_url } };
	tenant = (struct tenant){ .log = { "tenant", "contoso" }, .id = tid, .app = &app };
	settings = (struct settings){ .refs = 1, .request_timeout_ms = 3000 };
	give(GOOD, ",\"expires_in\":3600");
}

static void
teardown(void)
{
	char *command;

	tokens_free(ts);
	fetcher_free(f);
	web_free(w);
	timers_free(env.timers);
	loop_free(env.loop);
	event_base_free(env.base);
	ck_assert_uint_eq(settings.refs, 1);
	ck_assert_ptr_null(strstr(logged, "S3CRET"));
	command = xasprintf("rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
	free(command);
	log_set_writer(NULL, NULL);
}

static void
on_token(void *arg, const struct token_reply *reply)
{
	struct got *g = arg;

	g->calls++;
	g->trouble = reply->trouble;
	g->roles = reply->roles;
	g->retry_after_ms = reply->retry_after_ms;
	g->err = reply->err;
	ck_assert_int_eq(reply->bearer != NULL, reply->trouble == TOKEN_OK);
	ck_assert_int_eq(reply->err.kind == ERR_NONE, reply->trouble == TOKEN_OK);
	ck_assert_ptr_null(strstr(reply->err.text, "S3CRET"));
	(void)snprintf(
	    g->bearer, sizeof(g->bearer), "%s", reply->bearer != NULL ? reply->bearer : "");
	if (g->then != NULL)
		g->then(g);
}

static void
turn(int64_t ms)
{
	int64_t end = clock_mono(&clock_system) + ms;
	struct timeval tick = { 0, 2000 };

	do {
		(void)event_base_loopexit(env.base, &tick);
		event_base_loop(env.base, EVLOOP_ONCE);
	} while (clock_mono(&clock_system) < end);
}

static void
run(const struct got *g)
{
	int64_t end = clock_mono(&clock_system) + 8000;

	while (g->calls == 0 && clock_mono(&clock_system) < end)
		turn(0);
	ck_assert_uint_eq(g->calls, 1);
}

static void
get(struct got *g)
{
	*g = (struct got){ 0 };
	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, g);
	ck_assert_uint_eq(g->calls, 0);
	run(g);
}

/* Turns the clock and lets come what becomes due. */
static void
pass(int64_t seconds)
{
	now.ms += seconds * 1000;
	(void)timers_run(env.timers);
	turn(30);
}

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
	turn(200);
	early = web_requests(w) - 200;
	ck_assert_uint_gt(early, 60);
	ck_assert_uint_lt(early, 140);
	pass(181);
	turn(300);
	ck_assert_uint_eq(web_requests(w), 400);
}
END_TEST

static const struct {
	const char *says, *fields;
	int64_t usable_s; /* at least, and not 70 s longer */
} lifetimes[] = {
	{ "a number", ",\"expires_in\":3599", 3539 },
	{ "a number as text", ",\"expires_in\":\"3599\"", 3539 },
	{ "a fraction", ",\"expires_in\":3599.5", 3539 },
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
	{ "HTML with 403", H("403 Forbidden"), "<html>", TOKEN_GARBLED, ERR_TEMP, "proxy", "", -1 },
	{ "unavailable", H("400 Bad Request"), DENY("temporarily_unavailable", "90033"),
	    TOKEN_UNREACHABLE, ERR_TEMP, "unavailable", "", -1 },
	{ "throttled", "HTTP/1.1 429 Slow\r\nRetry-After: 30\r\n", "{}", TOKEN_UNREACHABLE,
	    ERR_TEMP, "asks us to wait", "429", 30000 },
	{ "503 with a refusal inside", H("503 Oops"), DENY("invalid_client", "7000222"),
	    TOKEN_UNREACHABLE, ERR_TEMP, "has a fault", "503", -1 },
	{ "redirect", "HTTP/1.1 302 Found\r\nLocation: https://evil.example/x\r\n", "",
	    TOKEN_GARBLED, ERR_TEMP, "302 to evil.example", "", -1 },
	{ "HTML with 200", H("200 OK"), "<html>sign in</html>", TOKEN_GARBLED, ERR_TEMP,
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
	ck_assert_int_eq(g.retry_after_ms, refusals[_i].retry_after_ms);
	ck_assert_uint_eq(web_requests(w), 1);
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

/* ---- assertions ----------------------------------------------------------------------- */

static struct rsa_pair pair, next_pair;
static char token_file[64];
static struct credential proofs[3];

static void
use_certificates(unsigned n)
{
	rsa_pair_make(&pair, dir, "one", 2048, 30, NULL);
	proofs[0] = (struct credential){ .kind = CREDENTIAL_CERTIFICATE,
		.file = pair.cert,
		.key_file = pair.key };
	if (n == 2) {
		rsa_pair_make(&next_pair, dir, "two", 2048, 30, NULL);
		proofs[1] = (struct credential){ .kind = CREDENTIAL_CERTIFICATE,
			.file = next_pair.cert,
			.key_file = next_pair.key };
	}
	app.credentials = proofs;
	app.ncredentials = n;
}

/* exp of the assertion of the newest request. */
static int64_t
claimed_end(void)
{
	const char *jwt = strstr(web_last(w), "&client_assertion=");
	struct jwt_look look;

	ck_assert_ptr_nonnull(jwt);
	ck_assert(jwt_look(str_of(jwt + strlen("&client_assertion=")), &look));
	return look.exp;
}

START_TEST(test_certificate)
{
	struct got g;

	use_certificates(1);
	get(&g);
	ck_assert_msg(g.trouble == TOKEN_OK, "%s", g.err.text);
	ck_assert_ptr_nonnull(strstr(web_last(w),
	    "&grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
	    "client-assertion-type%3Ajwt-bearer&client_assertion=ey"));
	ck_assert_ptr_null(strstr(web_last(w), "client_secret"));
	ck_assert_int_eq(claimed_end(), ticks_to_sec(now.ms) + 300);
}
END_TEST

START_TEST(test_certificate_file_changes)
{
	struct got g;

	use_certificates(1);
	get(&g);
	(void)unlink(pair.key);
	now.ms += 3600 * 1000;
	get(&g); /* nothing to sign with: not even with what was there */
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_int_eq(g.err.kind, ERR_CONF);
	rsa_pair_make(&next_pair, dir, "one", 2048, 30, NULL);
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
}
END_TEST

START_TEST(test_certificate_half_replaced)
{
	struct got g;

	use_certificates(1);
	get(&g);
	rsa_pair_make(&next_pair, dir, "two", 2048, 30, NULL);
	ck_assert_int_eq(rename(next_pair.cert, pair.cert), 0);
	for (int i = 0; i < 2; i++) {
		now.ms += 3600 * 1000;
		get(&g);
		ck_assert_int_eq(g.trouble, TOKEN_OK);
	}
	ck_assert_ptr_nonnull(strstr(logged, "stays in use"));
	ck_assert_ptr_null(strstr(strstr(logged, "stays in use") + 1, "stays in use")); /* once */
	ck_assert_int_eq(rename(next_pair.key, pair.key), 0);
	now.ms += 3600 * 1000;
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
}
END_TEST

START_TEST(test_secret_after_certificate)
{
	struct got g;

	use_certificates(2);
	proofs[2] = secrets[0];
	app.ncredentials = 3;
	service.refused = "client_assertion=";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_OK);
	ck_assert_uint_eq(web_requests(w), 3);
	now.ms += 3600 * 1000;
	get(&g); /* the one that worked comes first */
	ck_assert_uint_eq(web_requests(w), 4);
}
END_TEST

/* The service's clock is an hour ahead of ours, and it says so. */
START_TEST(test_certificate_and_a_clock_that_is_off)
{
	struct got g;

	use_certificates(2);
	service.refused = "client_assertion=";
	service.refusal_head = "HTTP/1.1 401 Unauthorized\r\nDate: Thu, 01 Jan 1970 01:00:00 GMT\r\n";
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_uint_eq(web_requests(w), 3); /* the first twice, by their clock then */
	ck_assert_int_ge(claimed_end(), 3600 + 300 - 1);
	ck_assert_int_le(claimed_end(), 3600 + 300 + 1);
}
END_TEST

START_TEST(test_federated)
{
	struct got g;

	(void)snprintf(token_file, sizeof(token_file), "%s/token", dir);
	proofs[0] = (struct credential){ .kind = CREDENTIAL_FEDERATED, .file = token_file };
	app.credentials = proofs;
	write_secret(token_file, "e30.S3CRET1.c2ln\n");
	(void)chmod(token_file, 0644); /* as an orchestrator leaves it */
	get(&g);
	ck_assert_msg(g.trouble == TOKEN_OK, "%s", g.err.text);
	ck_assert_ptr_nonnull(strstr(web_last(w), "jwt-bearer&client_assertion=e30.S3CRET1.c2ln"));
	write_secret(token_file, "e30.S3CRET2.c2ln");
	now.ms += 3600 * 1000;
	get(&g); /* read at each use */
	ck_assert_ptr_nonnull(strstr(web_last(w), "client_assertion=e30.S3CRET2.c2ln"));
	now.ms += 3600 * 1000;
	write_secret(token_file, "S3CRET but no token");
	get(&g);
	ck_assert_int_eq(g.trouble, TOKEN_REFUSED);
	ck_assert_ptr_nonnull(strstr(g.err.text, "holds no token"));
}
END_TEST

static const struct {
	const char *says, *error, *code;
	enum credential_kind kind;
	enum token_trouble trouble;
	const char *text, *text2;
} assertion_refusals[] = {
	{ "the certificate is not registered", "invalid_client", "700027", CREDENTIAL_CERTIFICATE,
	    TOKEN_REFUSED, "not registered with the app", "into certificate_file /" },
	{ "the clock", "invalid_client", "700024", CREDENTIAL_CERTIFICATE, TOKEN_REFUSED, "clock",
	    "" },
	{ "no federated credential", "invalid_client", "700213", CREDENTIAL_FEDERATED, TOKEN_REFUSED,
	    "no federated credential", "federated_token_file /" },
	{ "the same under its older name", "invalid_request", "70021", CREDENTIAL_FEDERATED,
	    TOKEN_REFUSED, "no federated credential", "federated_token_file /" },
	{ "refused without a reason", "invalid_client", "1", CREDENTIAL_FEDERATED, TOKEN_REFUSED,
	    "credentials are refused", "federated_token_file /" },
};

START_TEST(test_assertion_refusal)
{
	struct got g;

	if (assertion_refusals[_i].kind == CREDENTIAL_CERTIFICATE) {
		use_certificates(1);
	} else {
		write_secret(secret_a, "a.b.c");
		proofs[0] =
		    (struct credential){ .kind = CREDENTIAL_FEDERATED, .file = secret_a };
		app.credentials = proofs;
	}
	service.head = "HTTP/1.1 401 Unauthorized\r\n";
	(void)snprintf(service.body, sizeof(service.body), "{\"error\":\"%s\",\"error_codes\":[%s]}",
	    assertion_refusals[_i].error, assertion_refusals[_i].code);
	get(&g);
	ck_assert_msg(g.trouble == assertion_refusals[_i].trouble &&
	        strstr(g.err.text, assertion_refusals[_i].text) != NULL &&
	        strstr(g.err.text, assertion_refusals[_i].text2) != NULL,
	    "%s: %s", assertion_refusals[_i].says, g.err.text);
}
END_TEST

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
	tcase_add_loop_test(tc, test_refusal, 0, ARRAY_LEN(refusals));
	tcase_add_loop_test(tc, test_content, 0, ARRAY_LEN(contents));
	tcase_add_test(tc, test_secrets_in_turn);
	tcase_add_test(tc, test_second_secret_only_when_refused);
	tcase_add_test(tc, test_unreadable_secrets);
	tcase_add_test(tc, test_refused_then_unreadable);
	tcase_add_test(tc, test_certificate);
	tcase_add_test(tc, test_certificate_file_changes);
	tcase_add_test(tc, test_certificate_half_replaced);
	tcase_add_test(tc, test_secret_after_certificate);
	tcase_add_test(tc, test_certificate_and_a_clock_that_is_off);
	tcase_add_test(tc, test_federated);
	tcase_add_loop_test(tc, test_assertion_refusal, 0, ARRAY_LEN(assertion_refusals));
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
