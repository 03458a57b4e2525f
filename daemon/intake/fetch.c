#include "daemon/intake/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/intake/fetch_body.h"
#include "daemon/intake/fetch_head.h"
#include "daemon/intake/fetch_issuer.h"
#include "daemon/intake/fetch_pool.h"
#include "daemon/intake/fetch_proxy.h"
#include "daemon/intake/fetch_setup.h"
#include "daemon/intake/fetch_trouble.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define ERROR_BODY_MAX (64 * 1024)
/* The answer to a form may hold a token. */
#define SECRET_BODY  (16 * 1024)
#define IDLE_HANDLES 16
#define IDLE_DECODERS 4
#define NHEADERS     5
/*
 * curl ends idle connections by age, but by a clock that stands still while the
 * machine sleeps. Nothing asked for so long by a clock that does not: those on the
 * way have forgotten our connections, and what is sent on them would wait in vain.
 */
#define SILENCE_MS 120000

TAILQ_HEAD(fetch_list, fetch);

/* Why we ended a transfer ourselves. */
enum fetch_stop {
	STOP_NONE,
	STOP_HEAD,
	STOP_CODING,
	STOP_DAMAGED,
	STOP_TOO_LARGE,
	STOP_REFUSED,
	STOP_ENOUGH
};

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
	enum fetch_stop stop;
	struct buf *into;      /* where the body goes; NULL: it has not begun */
	struct inflate *z;     /* NULL: it comes as it is */
	uint64_t came;         /* of the body, as it is on the wire */
	struct fetch_head head;
	struct fetch_reply reply;
	struct buf body;
};

struct fetcher {
	const struct engine_env *env;
	struct fetch_figures figures;
	struct fetch_pool *pool;
	struct fetch_pool **retired; /* by refresh, until their last request is done */
	size_t nretired;
	CURL *idle[IDLE_HANDLES];
	size_t nidle;
	struct inflate *decoders[IDLE_DECODERS]; /* idle ones */
	size_t ndecoders;
	struct fetch_home home;
	unsigned callbacks;         /* that are running */
	int64_t used;               /* mono ms: a request began or ended */
	struct fetch_list queued;   /* wait for the next turn */
	struct fetch_list starting; /* of this turn */
	struct fetch_list running;
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

/* Handles are kept with nothing in them but TLS sessions, which hold no customer's secret. */
static void
give_back(struct fetcher *f, CURL *easy)
{
	if (easy == NULL)
		return;
	curl_easy_reset(easy);
	if (f->nidle < IDLE_HANDLES)
		f->idle[f->nidle++] = easy;
	else
		curl_easy_cleanup(easy);
}

static CURL *
take_handle(struct fetcher *f)
{
	return f->nidle > 0 ? f->idle[--f->nidle] : curl_easy_init();
}

static struct inflate *
take_decoder(struct fetcher *f)
{
	struct inflate *z = f->ndecoders > 0 ? f->decoders[--f->ndecoders] : inflate_new();

	inflate_restart(z);
	return z;
}

static void
give_decoder_back(struct fetcher *f, struct inflate *z)
{
	if (z != NULL && f->ndecoders < IDLE_DECODERS)
		f->decoders[f->ndecoders++] = z;
	else
		inflate_free(z);
}

static void
fetch_free(struct fetch *x)
{
	move_to(x, NULL);
	give_decoder_back(x->f, x->z);
	give_back(x->f, x->easy);
	for (size_t i = 0; i < NHEADERS; i++)
		wipe_free(x->headers[i]);
	wipe_free((char *)x->req.post);
	free((char *)x->req.url);
	free((char *)x->req.ca_file);
	fetch_proxy_release(&x->proxy);
	free(x->host);
	buf_wipe(&x->body);
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
count_answer(struct fetch *x)
{
	curl_off_t body = 0;
	long head = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
	(void)curl_easy_getinfo(x->easy, CURLINFO_HEADER_SIZE, &head);
	x->reply.wire_bytes = (uint64_t)body + (uint64_t)head;
	x->f->figures.answers[class_of(x->reply.status)]++;
	x->f->figures.wire_bytes += x->reply.wire_bytes;
}

static void
read_status(struct fetch *x)
{
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	x->reply.status = (int)status;
}

/* There is no answer that could be used. */
static void
no_answer(struct fetch *x, const char *why)
{
	x->reply.status = 0;
	(void)err_set(&x->reply.err, ERR_TEMP, "%s: %s", x->host, why);
}

/* It is what its head says, and a part of its body is missing. */
static void
too_large(struct fetch *x, const char *than_what)
{
	x->reply.is_too_large = true;
	(void)err_set(
	    &x->reply.err, ERR_TEMP, "%s: the answer is larger than %s", x->host, than_what);
}

static void
conclude_end(struct fetch *x, CURLcode code)
{
	struct fetch_reply *reply = &x->reply;

	if (code == CURLE_OK && x->z != NULL && !inflate_may_end(x->z)) {
		no_answer(x, "answer cut short (its compressed body has no end)");
		return;
	}
	if (code == CURLE_OK)
		read_status(x);
	else
		reply->status = 0;
	if (reply->status == 0)
		fetch_explain(
		    &(struct fetch_trouble){
			.easy = x->easy,
			.code = code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code,
			.detail = x->detail,
			.host = x->host,
			.ca_file = x->req.ca_file,
			.proxy = &x->proxy,
			.issuer = x->issuer,
			.socket_errnum = x->socket_errnum,
		    },
		    reply);
}

static void
conclude(struct fetch *x, CURLcode code)
{
	char limit[32];

	switch (x->stop) {
	case STOP_NONE:
		conclude_end(x, code);
		break;
	case STOP_HEAD:
		no_answer(x, "the answer's header is too large");
		break;
	case STOP_CODING:
		no_answer(x, "the body comes in an encoding that was not asked for");
		break;
	case STOP_DAMAGED:
		no_answer(x, "compressed body is damaged");
		break;
	case STOP_TOO_LARGE:
		(void)snprintf(limit, sizeof(limit), "%zu bytes", x->into->max);
		too_large(x, limit);
		break;
	case STOP_REFUSED:
		too_large(x, "can be taken");
		break;
	case STOP_ENOUGH:
		break;
	}
}

/* Tells the owner and ends x. The handle is back before, so that a next request finds it. */
static void
report(struct fetch *x)
{
	struct fetcher *f = x->f;

	move_to(x, NULL);
	give_back(f, x->easy);
	x->easy = NULL;
	f->used = clock_mono(f->env->clock);
	x->reply.took_ms = f->used - x->began;
	f->callbacks++;
	x->req.on_done(x->req.arg, &x->reply, buf_peek(&x->body));
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
	conclude(x, code);
	fetch_head_end(&x->head, &x->reply, clock_wall(x->f->env->clock));
	count_answer(x);
	report(x);
}

static size_t
fetch_on_header(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *x = arg;

	/* What comes after the body (trailers) says nothing that we ask for. */
	if (x->into != NULL || fetch_head_line(&x->head, (struct str){ p, n }, &x->reply))
		return n * size;
	x->stop = STOP_HEAD;
	return 0;
}

/* The head is complete: where does the body go, and how does it come? */
static bool
begin_body(struct fetch *x)
{
	read_status(x);
	x->into = &x->body;
	if (x->req.on_body != NULL && x->reply.status == 200)
		x->into = x->req.on_body(x->req.arg);
	if (x->head.coding == CODING_ODD)
		x->stop = STOP_CODING;
	if (x->head.coding == CODING_GZIP)
		x->z = take_decoder(x->f);
	return x->stop == STOP_NONE;
}

/* Whoever is told may cancel x. */
static bool
fetch_on_more(void *arg)
{
	struct fetch *x = arg;

	return x->into == &x->body || (x->req.on_more(x->req.arg) && x->list != &x->f->dying);
}

static enum fetch_stop
add_body(struct fetch *x, struct str piece)
{
	/* Of an error only the beginning is of interest. */
	bool is_error = x->into == &x->body && x->req.on_body != NULL;

	/* What decodes to nothing is not taken for ever, either. */
	x->came += piece.n;
	if (x->came / 2 > x->into->max)
		return is_error ? STOP_ENOUGH : STOP_TOO_LARGE;
	if (x->z != NULL && x->into != &x->body && x->req.on_packed != NULL)
		x->req.on_packed(x->req.arg, piece);
	switch (fetch_body_add(x->into, x->z, piece, fetch_on_more, x)) {
	case BODY_GOES_ON:
		return STOP_NONE;
	case BODY_FULL:
		return is_error ? STOP_ENOUGH : STOP_TOO_LARGE;
	case BODY_DAMAGED:
		return STOP_DAMAGED;
	case BODY_REFUSED:
		return STOP_REFUSED;
	}
	return STOP_DAMAGED;
}

static size_t
fetch_on_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *x = arg;

	if (x->list == &x->f->dying || (x->into == NULL && !begin_body(x)))
		return 0;
	x->stop = add_body(x, (struct str){ p, n * size });
	return x->stop == STOP_NONE ? n * size : 0;
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

static void
set_callbacks(struct fetch *x)
{
	CURL *e = x->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->detail);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, fetch_on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, fetch_on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, fetch_on_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
}

static void
build_headers(struct fetch *x, const struct fetch_req *req)
{
	add_header(x, xstrdup("Accept: application/json"));
	/* The answer to a form may hold a token: nothing of that stays in a decoder. */
	add_header(x, xasprintf("Accept-Encoding: %s", req->post != NULL ? "identity" : "gzip"));
	if (req->bearer != NULL)
		add_header(x, xasprintf("Authorization: Bearer %s", req->bearer));
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

	if (x->reply.err.kind == ERR_NONE) {
		x->easy = take_handle(f);
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
		(void)err_set(
		    &x->reply.err, ERR_TEMP, "%s: curl has no room for a request", x->host);
	}
	report(x);
}

/* Requests made meanwhile wait for the next turn. */
static void
begin_queued(void *arg)
{
	struct fetcher *f = arg;
	int64_t now = clock_mono(f->env->clock);

	if (now - f->used > SILENCE_MS)
		fetcher_refresh(f);
	f->used = now;
	while (!TAILQ_EMPTY(&f->queued))
		move_to(TAILQ_FIRST(&f->queued), &f->starting);
	while (!TAILQ_EMPTY(&f->starting))
		begin(TAILQ_FIRST(&f->starting));
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

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		BUG("curl cannot start");
	f->env = env;
	f->used = clock_mono(env->clock);
	fetch_home_init(&f->home);
	TAILQ_INIT(&f->queued);
	TAILQ_INIT(&f->starting);
	TAILQ_INIT(&f->running);
	TAILQ_INIT(&f->dying);
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
	fetch_pool_free(f->pool);
	while (f->nidle > 0)
		curl_easy_cleanup(f->idle[--f->nidle]);
	while (f->ndecoders > 0)
		inflate_free(f->decoders[--f->ndecoders]);
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

	x->f = f;
	x->req = *req;
	x->req.url = xstrdup(req->url);
	x->req.post = req->post != NULL ? xstrdup(req->post) : NULL;
	x->req.ca_file = req->ca_file != NULL ? xstrdup(req->ca_file) : NULL;
	x->req.bearer = x->req.prefer = x->req.client_request_id = NULL; /* in headers */
	x->req.proxy = NULL;                                             /* in x->proxy */
	x->began = clock_mono(f->env->clock);
	x->reply.server_date = TICKS_NONE;
	x->reply.retry_after_ms = -1;
	buf_init(&x->body, req->on_body != NULL ? ERROR_BODY_MAX : req->max_body);
	if (req->post != NULL && req->max_body > SECRET_BODY) /* no copies by growing */
		(void)buf_room(&x->body, SECRET_BODY);
	if (fetch_check(req, &x->host, &x->reply.err) &&
	    fetch_proxy_init(&x->proxy, req->proxy, x->host, &x->reply.err))
		build_headers(x, req);
	else
		(void)err_wrap(&x->reply.err, "%s", x->host);
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
		loop_defer(x->f->env->loop, bury, x->f);
		return;
	}
	fetch_pool_remove(x->pool, x->easy);
	left_pool(x);
	fetch_free(x);
}
