/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/intake/fetch_answer.h"
#include "daemon/intake/fetch_issuer.h"
#include "daemon/intake/fetch_pool.h"
#include "daemon/intake/fetch_proxy.h"
#include "daemon/intake/fetch_setup.h"
#include "daemon/intake/fetch_trouble.h"
#include "daemon/loop.h"
#include "daemon/nap.h"
#include "daemon/wiping.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

#define NHEADERS 5
/*
 * curl ends idle connections by age, but by a clock that stands still while the
 * machine sleeps. Nothing asked for so long by a clock that does not: those on the
 * way have forgotten our connections, and what is sent on them would wait in vain.
 */
#define SILENCE_MS 120000

TAILQ_HEAD(fetch_list, fetch);

struct fetch {
	TAILQ_ENTRY(fetch) link;
	struct fetch_list *list; /* that it is on; NULL: on_done is running */
	struct fetcher *f;
	struct fetch_pool *pool; /* NULL: not started yet */
	CURL *easy;
	struct fetch_req req; /* its strings are our copies, or NULL */
	char *host;           /* for messages */
	struct fetch_proxy proxy;
	char issuer[FETCH_ISSUER_MAX]; /* of a certificate that was refused */
	char *headers[NHEADERS];
	struct curl_slist nodes[NHEADERS];
	char detail[CURL_ERROR_SIZE];
	int64_t began; /* mono ms */
	int socket_errnum;
	struct fetch_answer answer;
};

struct fetcher {
	const struct engine_env *env;
	struct fetch_figures figures;
	struct fetch_pool *pool;
	struct fetch_pool **retired; /* by refresh, until their last request is done */
	size_t nretired;
	struct fetch_spares spares;
	struct fetch_home home;
	struct nap nap;
	unsigned callbacks;         /* that are running */
	int64_t used;               /* mono ms: a request began or ended */
	struct fetch_list queued;   /* wait for the next turn */
	struct fetch_list starting; /* of this turn */
	struct fetch_list running;
	struct fetch_list slept; /* were on their way when the machine slept */
	struct fetch_list dying; /* cancelled inside a callback of curl */
};

static void
move_to(struct fetch *x, struct fetch_list *list)
{
	if (x->list != NULL)
		TAILQ_REMOVE(x->list, x, link);
	x->list = list;
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, x, link);
}

static void
wipe_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void
fetch_free(struct fetch *x)
{
	move_to(x, NULL);
	fetch_answer_release(&x->answer);
	fetch_spares_take_handle(&x->f->spares, x->easy);
	for (size_t i = 0; i < NHEADERS; i++)
		wipe_free(x->headers[i]);
	wipe_free((char *)x->req.post);
	free((char *)x->req.url);
	free((char *)x->req.ca_file);
	fetch_proxy_release(&x->proxy);
	free(x->host);
	free(x);
}

static void
drop_retired(void *arg)
{
	struct fetcher *f = arg;
	size_t kept = 0;

	for (size_t i = 0; i < f->nretired; i++) {
		if (fetch_pool_count(f->retired[i]) == 0)
			fetch_pool_free(f->retired[i]);
		else
			f->retired[kept++] = f->retired[i];
	}
	f->nretired = kept;
}

/* Its pool has one request less. */
static void
left_pool(struct fetch *x)
{
	if (x->pool != x->f->pool)
		loop_defer(x->f->env->loop, drop_retired, x->f);
	x->pool = NULL;
}

static enum fetch_class
class_of(int status)
{
	static const enum fetch_class classes[] = { FETCH_FAILED, FETCH_FAILED, FETCH_2XX,
		FETCH_3XX, FETCH_4XX, FETCH_5XX };
	size_t hundreds = (size_t)status / 100;

	if (status == 429)
		return FETCH_429;
	return hundreds < ARRAY_LEN(classes) ? classes[hundreds] : FETCH_FAILED;
}

static void
count_answer(struct fetch_figures *f, const struct fetch_reply *reply)
{
	f->answers[class_of(reply->status)]++;
	f->wire_bytes += reply->wire_bytes;
}

/* Tells the owner and ends x. The handle is back before, so that a next request finds it. */
static void
report(struct fetch *x)
{
	struct fetcher *f = x->f;

	move_to(x, NULL);
	fetch_spares_take_handle(&f->spares, x->easy);
	x->easy = NULL;
	f->used = clock_mono(f->env->clock);
	x->answer.reply.took_ms = f->used - x->began;
	f->callbacks++;
	x->req.on_done(x->req.arg, &x->answer.reply, buf_peek(&x->answer.body));
	f->callbacks--;
	fetch_free(x);
}

static void
fetch_on_done(void *arg, CURL *easy, CURLcode code)
{
	struct fetch *x = NULL;

	(void)arg;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x);
	left_pool(x);
	if (x->list == &x->f->dying) {
		fetch_free(x);
		return;
	}
	/* Whatever curl makes of such a time, it is not the server's doing. */
	if (code != CURLE_OK && nap_look(&x->f->nap))
		return;
	fetch_answer_end(&x->answer,
	    &(struct fetch_trouble){
		.easy = easy,
		.code = code,
		.detail = x->detail,
		.host = x->host,
		.ca_file = x->req.ca_file,
		.proxy = &x->proxy,
		.issuer = x->issuer,
		.socket_errnum = x->socket_errnum,
	    },
	    clock_wall(x->f->env->clock));
	count_answer(&x->f->figures, &x->answer.reply);
	report(x);
}

/* curl would only say "no connection" when this process is out of something. */
static curl_socket_t
fetch_on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct fetch *x = arg;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	(void)purpose;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
		x->socket_errnum = errno;
	return fd;
}

static void
add_header(struct fetch *x, char *line)
{
	size_t i = 0;

	while (x->headers[i] != NULL)
		i++;
	BUG_IF(i == NHEADERS);
	x->headers[i] = line;
	x->nodes[i].data = line;
	if (i > 0)
		x->nodes[i - 1].next = &x->nodes[i];
}

/* Of its size at once: xasprintf() would grow, and leave copies behind. */
static char *
bearer_header(const char *bearer)
{
	static const char name[] = "Authorization: Bearer ";
	size_t n = strlen(bearer) + 1;
	char *line = xmalloc(sizeof(name) - 1 + n);

	memcpy(line, name, sizeof(name) - 1);
	memcpy(line + sizeof(name) - 1, bearer, n);
	return line;
}

static void
set_callbacks(struct fetch *x)
{
	CURL *e = x->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->detail);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, fetch_on_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
	fetch_answer_watch(&x->answer, e);
}

static void
build_headers(struct fetch *x, const struct fetch_req *req)
{
	add_header(x, xstrdup("Accept: application/json"));
	/* The answer to a form may hold a token: nothing of that stays in a decoder. */
	add_header(x, xasprintf("Accept-Encoding: %s", req->post != NULL ? "identity" : "gzip"));
	if (req->bearer != NULL)
		add_header(x, bearer_header(req->bearer));
	if (req->prefer != NULL)
		add_header(x, xasprintf("Prefer: %s", req->prefer));
	if (req->client_request_id != NULL)
		add_header(x, xasprintf("client-request-id: %s", req->client_request_id));
}

/* Hands x to curl, or tells why not. */
static void
begin(struct fetch *x)
{
	struct fetcher *f = x->f;

	if (x->answer.reply.err.kind == ERR_NONE) {
		x->easy = fetch_spares_handle(&f->spares);
		if (x->easy != NULL) {
			set_callbacks(x);
			fetch_setup(x->easy, &x->req, x->nodes, &f->home);
			fetch_proxy_setup(x->easy, &x->proxy);
			fetch_issuer_watch(x->easy, x->issuer);
		}
		if (x->easy != NULL && fetch_pool_add(f->pool, x->easy)) {
			x->pool = f->pool;
			move_to(x, &f->running);
			return;
		}
		(void)err_set(&x->answer.reply.err, ERR_TEMP,
		    "%s: curl has no room for a request", x->host);
	}
	report(x);
}

/* Requests made meanwhile wait for the next turn. */
static void
begin_queued(void *arg)
{
	struct fetcher *f = arg;
	int64_t now = clock_mono(f->env->clock);

	if (!nap_look(&f->nap) && now - f->used > SILENCE_MS)
		fetcher_refresh(f);
	f->used = now;
	nap_watch(&f->nap);
	while (!TAILQ_EMPTY(&f->queued))
		move_to(TAILQ_FIRST(&f->queued), &f->starting);
	while (!TAILQ_EMPTY(&f->starting))
		begin(TAILQ_FIRST(&f->starting));
}

/* ---- after the machine slept ------------------------------------------------------------ */

/* Nothing of an answer came: on a new connection, as if it began now. */
static void
begin_anew(struct fetch *x)
{
	struct fetcher *f = x->f;

	fetch_spares_take_handle(&f->spares, x->easy);
	x->easy = NULL;
	fetch_answer_release(&x->answer);
	fetch_answer_init(&x->answer, &x->req, &f->spares);
	x->issuer[0] = '\0';
	x->socket_errnum = 0;
	x->began = clock_mono(f->env->clock);
	if (TAILQ_EMPTY(&f->queued))
		loop_defer(f->env->loop, begin_queued, f);
	move_to(x, &f->queued);
}

static void
wake(struct fetch *x)
{
	if (x->pool != NULL) {
		fetch_pool_remove(x->pool, x->easy);
		left_pool(x);
	}
	if (x->answer.into == NULL) {
		begin_anew(x);
		return;
	}
	x->answer.reply.status = 0;
	(void)err_set(&x->answer.reply.err, ERR_TEMP,
	    "%s: the machine slept, or msspd stood still, while the answer came", x->host);
	count_answer(&x->f->figures, &x->answer.reply);
	report(x);
}

/* Who is on the way may have forgotten all connections, and would say nothing when asked on one. */
static void
nap_on_woke(void *arg, int64_t ms)
{
	struct fetcher *f = arg;

	log_info(NULL,
	    "the machine slept, or msspd stood still, for %" PRId64 " s; connections to Microsoft "
	    "are made anew",
	    ms / 1000);
	fetcher_refresh(f);
	while (!TAILQ_EMPTY(&f->running))
		move_to(TAILQ_FIRST(&f->running), &f->slept);
	while (!TAILQ_EMPTY(&f->slept))
		wake(TAILQ_FIRST(&f->slept));
}

/* After a long silence connections are made anew anyway. */
static bool
nap_is_wanted(void *arg)
{
	const struct fetcher *f = arg;

	return !TAILQ_EMPTY(&f->running) || clock_mono(f->env->clock) - f->used <= SILENCE_MS;
}

static void
bury(void *arg)
{
	struct fetcher *f = arg;
	struct fetch *x;

	while (!TAILQ_EMPTY(&f->dying)) {
		x = TAILQ_FIRST(&f->dying);
		fetch_pool_remove(x->pool, x->easy);
		left_pool(x);
		fetch_free(x);
	}
}

struct fetcher *
fetcher_new(const struct engine_env *env)
{
	struct fetcher *f = xcalloc(1, sizeof(*f));

	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free,
		wiping_realloc, wiping_strdup, wiping_calloc) != CURLE_OK)
		BUG("curl cannot start");
	f->env = env;
	f->used = clock_mono(env->clock);
	fetch_home_init(&f->home);
	fetch_spares_init(&f->spares);
	TAILQ_INIT(&f->queued);
	TAILQ_INIT(&f->starting);
	TAILQ_INIT(&f->running);
	TAILQ_INIT(&f->slept);
	TAILQ_INIT(&f->dying);
	f->nap = (struct nap){ .woke = nap_on_woke, .is_wanted = nap_is_wanted, .arg = f };
	nap_init(&f->nap, env);
	f->pool = fetch_pool_new(env->base, fetch_on_done, f);
	return f;
}

void
fetcher_free(struct fetcher *f)
{
	if (f == NULL)
		return;
	BUG_IF(f->callbacks != 0 || fetch_pool_is_in_curl(f->pool));
	while (!TAILQ_EMPTY(&f->queued))
		fetch_cancel(TAILQ_FIRST(&f->queued));
	while (!TAILQ_EMPTY(&f->running))
		fetch_cancel(TAILQ_FIRST(&f->running));
	bury(f);
	loop_forget(f->env->loop, begin_queued, f);
	loop_forget(f->env->loop, bury, f);
	loop_forget(f->env->loop, drop_retired, f);
	drop_retired(f);
	nap_release(&f->nap);
	fetch_pool_free(f->pool);
	fetch_spares_release(&f->spares);
	free(f->retired);
	free(f);
	curl_global_cleanup();
}

void
fetcher_refresh(struct fetcher *f)
{
	f->retired = xreallocarray(f->retired, f->nretired + 1, sizeof(struct fetch_pool *));
	f->retired[f->nretired++] = f->pool;
	f->pool = fetch_pool_new(f->env->base, fetch_on_done, f);
	loop_defer(f->env->loop, drop_retired, f);
}

const struct fetch_figures *
fetcher_figures(const struct fetcher *f)
{
	return &f->figures;
}

struct fetch *
fetch_start(struct fetcher *f, const struct fetch_req *req)
{
	struct fetch *x = xcalloc(1, sizeof(*x));
	struct err *err = &x->answer.reply.err;

	x->f = f;
	x->req = *req;
	x->req.url = xstrdup(req->url);
	x->req.post = req->post != NULL ? xstrdup(req->post) : NULL;
	x->req.ca_file = req->ca_file != NULL ? xstrdup(req->ca_file) : NULL;
	x->req.bearer = x->req.prefer = x->req.client_request_id = NULL; /* in headers */
	x->req.proxy = NULL;                                             /* in x->proxy */
	x->began = clock_mono(f->env->clock);
	fetch_answer_init(&x->answer, &x->req, &f->spares);
	if (fetch_check(req, &x->host, err) &&
	    fetch_proxy_init(&x->proxy, req->proxy, x->host, err))
		build_headers(x, req);
	else
		(void)err_wrap(err, "%s", x->host);
	if (TAILQ_EMPTY(&f->queued))
		loop_defer(f->env->loop, begin_queued, f);
	move_to(x, &f->queued);
	return x;
}

void
fetch_cancel(struct fetch *x)
{
	if (x == NULL)
		return;
	if (x->pool == NULL) {
		fetch_free(x);
		return;
	}
	if (fetch_pool_is_in_curl(x->pool)) {
		move_to(x, &x->f->dying);
		x->answer.is_unwanted = true;
		loop_defer(x->f->env->loop, bury, x->f);
		return;
	}
	fetch_pool_remove(x->pool, x->easy);
	left_pool(x);
	fetch_free(x);
}
