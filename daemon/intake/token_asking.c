/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/token_asking.h"

#include <stdlib.h>

#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define ANSWER_MAX (64 * 1024)
/* An assertion that is further off than this may have been refused for it. */
#define SKEW_SEC 60

struct token_asking {
	struct token_ask what;
	token_asked_cb *done;
	void *arg;
	size_t first;   /* of the app's credentials: the one that worked last */
	size_t attempt; /* see token_credentials_at() */
	const struct credential *credential;
	int64_t ahead_sec;     /* the service's clock before ours, by which an assertion is dated */
	struct fetch *request; /* NULL: no credential could be read; told next turn */
	bool is_refused;       /* err is the service's, not ours */
	struct err err;        /* of the attempts so far */
};

static void
end(struct token_asking *q, struct token_asked *asked)
{
	token_asked_cb *done = q->done;
	void *arg = q->arg;

	free(q);
	done(arg, asked);
}

/*
 * The same credential once more, dated by the service's clock where ours is far off: an
 * assertion outside its time looks like any other that is refused. Then the next one.
 */
static bool
has_another_try(struct token_asking *q, int64_t server_date)
{
	int64_t ahead = 0;

	if (server_date != TICKS_NONE)
		ahead = ticks_to_sec(server_date - clock_wall(q->what.env->clock));
	if (q->credential->kind == CREDENTIAL_CERTIFICATE && q->ahead_sec == 0 &&
	    (ahead > SKEW_SEC || ahead < -SKEW_SEC)) {
		q->ahead_sec = ahead;
		return true;
	}
	q->attempt++;
	return q->attempt < q->what.t->app->ncredentials;
}

static void ask(struct token_asking *q);

static void
asking_on_reply(void *arg, const struct fetch_reply *reply, struct str body)
{
	struct token_asking *q = arg;
	const struct app *app = q->what.t->app;
	struct token_asked asked = { .credential = q->credential,
		.retry_after_ms = reply->retry_after_ms,
		.server_date = reply->server_date };

	q->request = NULL;
	token_read_answer(
	    &(struct token_question){
		.login_url = app->login_url,
		.client_id = app->client_id,
		.redirect_uri = app->redirect_uri,
		.tenant_id = q->what.t->id,
		.credential = q->credential,
		.api = q->what.api,
	    },
	    reply, body, &asked.answer);
	if (asked.answer.is_credential_refused && has_another_try(q, reply->server_date)) {
		q->err = asked.answer.err;
		q->is_refused = true;
		ask(q);
		return;
	}
	end(q, &asked);
}

/* All credentials have been tried, and the last ones cannot be read. */
static void
asking_on_no_credential(void *arg)
{
	struct token_asking *q = arg;
	struct token_asked asked = { .answer = { .trouble = TOKEN_REFUSED, .err = q->err },
		.retry_after_ms = -1,
		.server_date = TICKS_NONE };

	if (q->err.kind == ERR_TEMP)
		asked.answer.trouble = TOKEN_UNREACHABLE; /* not for any fault of theirs */
	end(q, &asked);
}

static void
post_form(struct token_asking *q, const char *url, const struct buf *form)
{
	const struct app *app = q->what.t->app;

	q->request = fetch_start(q->what.f,
	    &(struct fetch_req){
		.url = url,
		.post = form->p,
		.ca_file = app->ca_file,
		.proxy = &app->proxy,
		.timeout_ms = q->what.settings->request_timeout_ms,
		.max_body = ANSWER_MAX,
		.on_done = asking_on_reply,
		.arg = q,
	    });
}

/* With the first credential, from the present attempt on, that can be read. */
static void
ask(struct token_asking *q)
{
	const struct token_ask *what = &q->what;
	const struct app *app = what->t->app;
	char *url = xasprintf("%s/%s/oauth2/v2.0/token", app->login_url, what->t->id);
	struct buf form = BUF_INIT(TOKEN_FORM_MAX);
	struct token_request r = { .app = app, .api = what->api, .url = url };
	bool ok = false;
	struct err err;

	r.now = ticks_to_sec(clock_wall(what->env->clock)) + q->ahead_sec;
	for (; q->attempt < app->ncredentials; q->attempt++) {
		r.credential = q->credential = token_credentials_at(app, q->first, q->attempt);
		ok = token_form(what->credentials, &r, &form, &err);
		if (ok)
			break;
		if (!q->is_refused || err.kind == ERR_TEMP)
			q->err = err;
	}
	if (ok)
		post_form(q, url, &form);
	else
		loop_defer(what->env->loop, asking_on_no_credential, q);
	buf_wipe(&form);
	free(url);
}

struct token_asking *
token_asking_start(const struct token_ask *what, token_asked_cb *done, void *arg)
{
	struct token_asking *q = xcalloc(1, sizeof(*q));
	const struct app *app = what->t->app;

	q->what = *what;
	q->done = done;
	q->arg = arg;
	q->first = token_credentials_first(what->credentials, app);
	(void)err_set(&q->err, ERR_CONF, "app %s has no credentials", app->name);
	ask(q);
	return q;
}

void
token_asking_cancel(struct token_asking *q)
{
	if (q == NULL)
		return;
	fetch_cancel(q->request);
	loop_forget(q->what.env->loop, asking_on_no_credential, q);
	free(q);
}
