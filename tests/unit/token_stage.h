/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOKEN_STAGE_H
#define TOKEN_STAGE_H

#include <check.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/intake/token.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/base/base64.h"
#include "lib/policy/jwt_look.h"
#include "tests/unit/kept_log.h"
#include "tests/unit/pki.h"
#include "tests/unit/turn_loop.h"
#include "tests/unit/web.h"

/*
 * token_stage: tokens and a token endpoint that says what a test gives it, under a clock that stands still
 * until it is turned. One a program, and of the program; setup() and teardown() are its fixture.
 */
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

static inline int64_t
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
	char bearer[8192];
	unsigned roles;
	int64_t retry_after_ms;
	struct err err;
	void (*then)(struct got *g);
};

static inline void
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

static inline void
write_secret(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
	(void)chmod(path, 0600);
}

/* The service gives a token with this payload, and these other fields. */
static inline void
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

static inline void
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

static inline void
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

static inline void
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

static inline void
turn(int64_t ms)
{
	turn_loop(env.base, ms);
}

static inline void
run(const struct got *g)
{
	int64_t end = clock_mono(&clock_system) + 8000;

	while (g->calls == 0 && clock_mono(&clock_system) < end)
		turn(0);
	ck_assert_uint_eq(g->calls, 1);
}

static inline void
get(struct got *g)
{
	*g = (struct got){ 0 };
	(void)token_get(ts, &settings, &tenant, API_GRAPH, on_token, g);
	ck_assert_uint_eq(g->calls, 0);
	run(g);
}

/* Turns the clock and lets come what becomes due. */
static inline void
pass(int64_t seconds)
{
	now.ms += seconds * 1000;
	(void)timers_run(env.timers);
	turn(30);
}

#endif
