/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/token.h"

#include <sys/queue.h>

#include "daemon/intake/token_asking.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/ticks.h"
#include "lib/policy/backoff.h"

#define BUCKETS    1024
/* Renewed ahead only for those who came within this time. */
#define LATELY_MS (10 * 60 * 1000)
#define AHEAD_MS  (5 * 60 * 1000)
/* Not handed out this shortly before its end: a request takes its time. */
#define LAST_MS       (60 * 1000)
#define RETRY_BASE_MS 15000
#define RETRY_CAP_MS  (5 * 60 * 1000)
/* What has no token any more is forgotten after this time. */
#define FORGET_MS (30 * 60 * 1000)

TAILQ_HEAD(wait_list, token_wait);

/* A bearer of an app in a tenant, and who waits for it. */
struct token {
	LIST_ENTRY(token) link;
	struct tokens *ts;
	char *key;
	struct settings *settings; /* held: t is of these */
	const struct tenant *t;
	enum api api;
	struct wait_list waits; /* for the next answer, or the next turn when one is at hand */
	struct wait_list told;  /* are being told */
	struct token_asking *asking; /* NULL: none */
	char *bearer;           /* NULL: none */
	unsigned generation;    /* of bearer */
	uint64_t rejected;      /* hash of what the API refused last; 0: none */
	unsigned roles;       /* of bearer */
	int64_t expires, renew; /* mono ms, of bearer */
	int64_t used;           /* mono ms: asked for last */
	struct timer timer;
	unsigned failures; /* one after the other */
	bool is_deferred;  /* deliver_cached will run */
};

struct token_wait {
	TAILQ_ENTRY(token_wait) link;
	struct wait_list *list;
	token_cb *cb;
	void *arg;
};

struct tokens {
	const struct engine_env *env;
	struct fetcher *f;
	LIST_HEAD(token_list, token) buckets[BUCKETS];
	struct token_credentials credentials;
	unsigned callbacks; /* that are running */
};

static int64_t
now_ms(const struct token *k)
{
	return clock_mono(k->ts->env->clock);
}

static void
drop_bearer(struct token *k)
{
	if (k->bearer != NULL)
		explicit_bzero(k->bearer, strlen(k->bearer));
	free(k->bearer);
	k->bearer = NULL;
}

static bool
is_usable(const struct token *k, int64_t now)
{
	return k->bearer != NULL && now < k->expires;
}

static bool
is_idle(const struct token *k)
{
	return k->asking == NULL && TAILQ_EMPTY(&k->waits) && !k->is_deferred;
}

static void
token_free(struct token *k)
{
	LIST_REMOVE(k, link);
	timer_unset(k->ts->env->timers, &k->timer);
	drop_bearer(k);
	settings_unref(k->settings);
	free(k->key);
	free(k);
}

/* For spreading: differs by tenant and by time. */
static uint32_t
jitter_of(const struct token *k)
{
	const uint64_t seed[2] = { str_hash(k->key, strlen(k->key)), (uint64_t)now_ms(k) };

	return (uint32_t)(str_hash(seed, sizeof(seed)) >> 32);
}

/*
 * At 80 % of its life or five minutes before its end, the earlier, less up to a
 * tenth of its life, so that tokens fetched together are not renewed together.
 */
static int64_t
renewal_ms(const struct token *k, int64_t lifetime)
{
	int64_t at = lifetime / 10 * 8;

	if (lifetime - AHEAD_MS < at)
		at = lifetime - AHEAD_MS;
	if (at < lifetime / 2)
		at = lifetime / 2;
	return at - (int64_t)((uint64_t)lifetime / 10 * jitter_of(k) >> 32);
}

static void
keep_bearer(struct token *k, const struct token_answer *a, const struct credential *credential)
{
	int64_t now = now_ms(k), last = a->lifetime_ms / 10;

	drop_bearer(k);
	k->bearer = a->bearer;
	k->generation++;
	k->roles = a->roles;
	k->failures = 0;
	k->expires = now + a->lifetime_ms - (last < LAST_MS ? last : LAST_MS);
	k->renew = now + renewal_ms(k, a->lifetime_ms);
	timer_set(k->ts->env->timers, &k->timer, k->renew - now);
	token_credentials_remember(&k->ts->credentials, k->t->app, credential);
}

/* Plans the next try, where a token is still good, and says so. */
static void
note_failure(struct token *k, const struct err *err, int64_t retry_after_ms)
{
	int64_t now = now_ms(k), delay;

	if (!is_usable(k, now)) {
		timer_set(k->ts->env->timers, &k->timer, FORGET_MS);
		return;
	}
	delay = backoff_delay(++k->failures, RETRY_BASE_MS, RETRY_CAP_MS, retry_after_ms);
	delay = backoff_jitter(delay, jitter_of(k));
	k->renew = now + delay;
	if (k->renew > k->expires)
		k->renew = k->expires;
	timer_set(k->ts->env->timers, &k->timer, k->renew - now);
	log_warn(&k->t->log, "token not renewed: %s; valid_for=%llds retry_in=%llds", err->text,
	    (long long)(k->expires - now) / 1000, (long long)delay / 1000);
}

static void
move_wait(struct token_wait *w, struct wait_list *list)
{
	if (w->list != NULL)
		TAILQ_REMOVE(w->list, w, link);
	w->list = list;
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, w, link);
}

/* Calls one who waits; he may do to us what he likes, but free the tokens. */
static void
tell(struct tokens *ts, struct token_wait *w, const struct token_reply *reply)
{
	move_wait(w, NULL);
	ts->callbacks++;
	w->cb(w->arg, reply);
	ts->callbacks--;
	free(w);
}

static void ask(struct token *k);

/*
 * Tells all who wait now; who asks meanwhile waits for what comes next. When one
 * of them rejects the bearer, the rest wait for another.
 */
static void
deliver(struct token *k, const struct token_reply *reply)
{
	unsigned generation = k->generation;
	bool is_good = true;

	while (!TAILQ_EMPTY(&k->waits))
		move_wait(TAILQ_FIRST(&k->waits), &k->told);
	while (!TAILQ_EMPTY(&k->told) && is_good) {
		tell(k->ts, TAILQ_FIRST(&k->told), reply);
		is_good = reply->trouble != TOKEN_OK ||
		          (k->bearer != NULL && k->generation == generation);
	}
	while (!TAILQ_EMPTY(&k->told))
		move_wait(TAILQ_FIRST(&k->told), &k->waits);
	if (!TAILQ_EMPTY(&k->waits) && k->asking == NULL && !k->is_deferred)
		ask(k);
}

static void
deliver_cached(void *arg)
{
	struct token *k = arg;

	k->is_deferred = false;
	if (is_usable(k, now_ms(k)))
		deliver(k, &(struct token_reply){
			       .trouble = TOKEN_OK,
			       .bearer = k->bearer,
			       .roles = k->roles,
			       .retry_after_ms = -1,
			       .server_date = TICKS_NONE,
			   });
	else if (!TAILQ_EMPTY(&k->waits) && k->asking == NULL)
		ask(k);
}

/* The API refused this very token: having it again helps nobody. */
static void
check_new(const struct token *k, struct token_answer *a)
{
	if (a->trouble != TOKEN_OK || k->rejected == 0 ||
	    str_hash(a->bearer, strlen(a->bearer)) != k->rejected)
		return;
	explicit_bzero(a->bearer, strlen(a->bearer));
	free(a->bearer);
	a->bearer = NULL;
	a->trouble = TOKEN_UNREACHABLE;
	(void)err_set(&a->err, ERR_TEMP,
	    "the sign-in service gives the token again that the API "
	    "has refused");
}

static void
token_on_asked(void *arg, struct token_asked *asked)
{
	struct token *k = arg;
	struct token_answer *a = &asked->answer;
	struct token_reply reply;

	k->asking = NULL;
	check_new(k, a);
	if (a->trouble == TOKEN_OK)
		keep_bearer(k, a, asked->credential);
	else
		note_failure(k, &a->err, asked->retry_after_ms);
	/* One that is still good serves those who wait for the next turn. */
	if (a->trouble != TOKEN_OK && is_usable(k, now_ms(k)))
		return;
	reply = (struct token_reply){
		.trouble = a->trouble,
		.bearer = a->trouble == TOKEN_OK ? k->bearer : NULL,
		.roles = k->roles,
		.is_foreign = a->is_foreign,
		.retry_after_ms = asked->retry_after_ms,
		.err = a->err,
		.server_date = asked->server_date,
	};
	deliver(k, &reply);
}

static void
ask(struct token *k)
{
	const struct token_ask what = { .env = k->ts->env,
		.f = k->ts->f,
		.credentials = &k->ts->credentials,
		.settings = k->settings,
		.t = k->t,
		.api = k->api };

	k->asking = token_asking_start(&what, token_on_asked, k);
}

static void
token_on_timer(void *arg)
{
	struct token *k = arg;
	int64_t now = now_ms(k);

	if (is_usable(k, now)) {
		if (k->asking == NULL && now >= k->renew && now - k->used <= LATELY_MS)
			ask(k);
		else
			timer_set(k->ts->env->timers, &k->timer, k->expires - now);
		return;
	}
	drop_bearer(k);
	if (is_idle(k) && now - k->used >= FORGET_MS)
		token_free(k);
	else
		timer_set(k->ts->env->timers, &k->timer, FORGET_MS);
}

static char *
key_of(const struct tenant *t, enum api api)
{
	char *app = token_app_key(t->app);
	char *key = xasprintf("%s %s %s", app, t->app->resource[api], t->id);

	free(app);
	return key;
}

static struct token_list *
bucket_of(struct tokens *ts, const char *key)
{
	return &ts->buckets[str_hash(key, strlen(key)) % BUCKETS];
}

static struct token *
find(struct tokens *ts, const struct tenant *t, enum api api)
{
	char *key = key_of(t, api);
	struct token *k;

	LIST_FOREACH (k, bucket_of(ts, key), link) {
		if (strcmp(k->key, key) == 0)
			break;
	}
	free(key);
	return k;
}

static struct token *
add(struct tokens *ts, const struct tenant *t, enum api api)
{
	struct token *k = xcalloc(1, sizeof(*k));

	k->ts = ts;
	k->api = api;
	k->key = key_of(t, api);
	TAILQ_INIT(&k->waits);
	TAILQ_INIT(&k->told);
	timer_init(&k->timer, token_on_timer, k);
	LIST_INSERT_HEAD(bucket_of(ts, k->key), k, link);
	return k;
}

/* A request in flight ends under the settings it began with. */
static void
use_settings(struct token *k, const struct settings *s, const struct tenant *t)
{
	if (k->asking != NULL || k->settings == s)
		return;
	settings_unref(k->settings);
	k->settings = settings_ref(s);
	k->t = t;
}

struct tokens *
tokens_new(const struct engine_env *env, struct fetcher *f)
{
	struct tokens *ts = xcalloc(1, sizeof(*ts));

	ts->env = env;
	ts->f = f;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&ts->buckets[i]);
	token_credentials_init(&ts->credentials);
	return ts;
}

static void
end(struct token *k)
{
	struct token_wait *w;

	token_asking_cancel(k->asking);
	loop_forget(k->ts->env->loop, deliver_cached, k);
	while (!TAILQ_EMPTY(&k->waits)) {
		w = TAILQ_FIRST(&k->waits);
		move_wait(w, NULL);
		free(w);
	}
	token_free(k);
}

void
tokens_free(struct tokens *ts)
{
	if (ts == NULL)
		return;
	BUG_IF(ts->callbacks != 0);
	for (size_t i = 0; i < BUCKETS; i++) {
		while (!LIST_EMPTY(&ts->buckets[i]))
			end(LIST_FIRST(&ts->buckets[i]));
	}
	token_credentials_release(&ts->credentials);
	free(ts);
}

struct token_wait *
token_get(struct tokens *ts, const struct settings *s, const struct tenant *t, enum api api,
    token_cb *cb, void *arg)
{
	struct token *k = find(ts, t, api);
	struct token_wait *w = xcalloc(1, sizeof(*w));
	int64_t now = clock_mono(ts->env->clock);

	if (k == NULL)
		k = add(ts, t, api);
	use_settings(k, s, t);
	k->used = now;
	*w = (struct token_wait){ .cb = cb, .arg = arg };
	move_wait(w, &k->waits);
	if (is_usable(k, now) && !k->is_deferred) {
		k->is_deferred = true;
		loop_defer(ts->env->loop, deliver_cached, k);
	}
	if (k->asking == NULL && (!is_usable(k, now) || now >= k->renew))
		ask(k);
	return w;
}

void
token_cancel(struct token_wait *w)
{
	if (w == NULL)
		return;
	move_wait(w, NULL);
	free(w);
}

/* The one of that bearer; NULL: it is gone already. */
static struct token *
find_bearer(struct tokens *ts, const struct tenant *t, enum api api, const char *bearer)
{
	struct token *k = find(ts, t, api);

	return k != NULL && k->bearer != NULL && strcmp(k->bearer, bearer) == 0 ? k : NULL;
}

void
token_reject(struct tokens *ts, const struct tenant *t, enum api api, const char *bearer)
{
	struct token *k = find_bearer(ts, t, api, bearer);

	if (k == NULL)
		return;
	k->rejected = str_hash(bearer, strlen(bearer));
	drop_bearer(k);
}

void
token_forget(struct tokens *ts, const struct tenant *t, enum api api, const char *bearer)
{
	struct token *k = find_bearer(ts, t, api, bearer);

	if (k != NULL)
		drop_bearer(k);
}
