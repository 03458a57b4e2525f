#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/ops/control.h"
#include "daemon/ops/status.h"
#include "lib/base/alloc.h"

#define LINE_LIMIT   (64 * 1024)
#define CLIENTS_MAX  32
#define IDLE_SECONDS 60

struct client {
	TAILQ_ENTRY(client) link;
	struct control *control;
	struct bufferevent *bev;
	bool is_closing; /* closed when everything is written */
};

struct control {
	struct engine *engine;
	struct event_base *base;
	struct evconnlistener *listener;
	char *path;
	TAILQ_HEAD(, client) clients;
	size_t nclients;
};

/* A verb answers with its result, or NULL and err. */
struct verb {
	const char *name;
	json_t *(*answer)(struct engine *e, const json_t *request, struct err *err);
};

static json_t *
verb_status(struct engine *e, const json_t *request, struct err *err)
{
	(void)request;
	(void)err;
	return status_object(e);
}

static json_t *
verb_reload(struct engine *e, const json_t *request, struct err *err)
{
	(void)request;
	return engine_reload(e, err) ? json_object() : NULL;
}

static const struct verb verbs[] = {
	{ "status", verb_status },
	{ "reload", verb_reload },
};

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (name != NULL && strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

/* ---- one client ------------------------------------------------------------ */

static void
client_free(struct client *c)
{
	TAILQ_REMOVE(&c->control->clients, c, link);
	c->control->nclients--;
	bufferevent_free(c->bev);
	free(c);
}

static void
send_reply(struct client *c, json_t *taken_result, const struct err *err)
{
	json_t *reply = taken_result != NULL
	    ? json_pack("{s:b, s:o}", "ok", 1, "result", taken_result)
	    : json_pack("{s:b, s:s}", "ok", 0, "error", err->text);
	char *line = reply != NULL ? json_dumps(reply, JSON_COMPACT) : NULL;

	if (line != NULL) {
		bufferevent_write(c->bev, line, strlen(line));
		bufferevent_write(c->bev, "\n", 1);
	}
	free(line);
	json_decref(reply);
}

static void
answer_line(struct client *c, const char *line, size_t n)
{
	json_error_t where;
	json_t *request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &where);
	const char *name = json_string_value(json_object_get(request, "verb"));
	const struct verb *verb = find_verb(name);
	struct err err = { 0 };
	json_t *result = NULL;

	if (request == NULL)
		err_set(&err, ERR_PERM, "not a JSON object on one line: %s", where.text);
	else if (verb == NULL)
		err_set(&err, ERR_PERM, "no such verb: %s", name != NULL ? name : "(none)");
	else
		result = verb->answer(c->control->engine, request, &err);
	send_reply(c, result, &err);
	json_decref(request);
}

/* Says why and hangs up once that is written. */
static void
refuse(struct client *c, const char *why)
{
	struct err err;

	err_set(&err, ERR_PERM, "%s", why);
	bufferevent_disable(c->bev, EV_READ);
	c->is_closing = true;
	send_reply(c, NULL, &err);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n;
	char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);

	for (; line != NULL && n <= LINE_LIMIT; line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF)) {
		answer_line(c, line, n);
		free(line);
	}
	free(line);
	if ((line != NULL && n > LINE_LIMIT) || evbuffer_get_length(in) > LINE_LIMIT)
		refuse(c, "that line is too long");
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (c->is_closing)
		client_free(c);
}

static void
on_client_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	static const struct timeval idle = { .tv_sec = IDLE_SECONDS };
	struct control *ctl = arg;
	struct client *c;

	(void)l;
	(void)sa;
	(void)len;
	if (ctl->nclients >= CLIENTS_MAX) {
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->control = ctl;
	c->bev = bufferevent_socket_new(ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
	TAILQ_INSERT_TAIL(&ctl->clients, c, link);
	ctl->nclients++;
	bufferevent_setcb(c->bev, on_read, on_written, on_client_event, c);
	bufferevent_set_timeouts(c->bev, &idle, &idle);
	bufferevent_setwatermark(c->bev, EV_READ, 0, LINE_LIMIT + 2);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* ---- the socket --------------------------------------------------------------- */

static bool
is_alive(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0;

	if (fd >= 0)
		close(fd);
	return alive;
}

static int
bind_socket(const char *path, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, failed;

	if (strlen(path) >= sizeof(un.sun_path)) {
		err_set(err, ERR_CONF, "control_socket %s is longer than %zu bytes", path,
		    sizeof(un.sun_path) - 1);
		return -1;
	}
	memcpy(un.sun_path, path, strlen(path));
	if (is_alive(&un)) {
		err_set(err, ERR_TEMP, "control_socket %s is in use by another msspd", path);
		return -1;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	old = umask(0117);
	failed = fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0;
	umask(old);
	if (!failed)
		return fd;
	err_sys(err, ERR_CONF, errno, "control_socket %s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct control *
control_open(struct event_base *base, struct engine *engine, const char *path, struct err *err)
{
	int fd = bind_socket(path, err);
	struct control *c;

	if (fd < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	TAILQ_INIT(&c->clients);
	c->engine = engine;
	c->base = base;
	c->path = xstrdup(path);
	c->listener = evconnlistener_new(base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
	    16, fd);
	if (c->listener != NULL)
		return c;
	err_sys(err, ERR_TEMP, errno, "control_socket %s", path);
	close(fd);
	control_close(c);
	return NULL;
}

void
control_close(struct control *c)
{
	if (c == NULL)
		return;
	if (c->listener != NULL) {
		evconnlistener_free(c->listener);
		unlink(c->path);
	}
	while (!TAILQ_EMPTY(&c->clients))
		client_free(TAILQ_FIRST(&c->clients));
	free(c->path);
	free(c);
}
