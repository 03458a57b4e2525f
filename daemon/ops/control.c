/* SPDX-License-Identifier: Apache-2.0 */
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

#include "daemon/ops/acts.h"
#include "daemon/ops/backups.h"
#include "daemon/ops/holds.h"
#include "daemon/ops/letters.h"
#include "daemon/ops/control.h"
#include "daemon/ops/members.h"
#include "daemon/ops/periods.h"
#include "daemon/ops/reports.h"
#include "daemon/ops/status.h"
#include "daemon/ops/trials.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/config/nearest.h"

#define LINE_LIMIT    (64 * 1024)
#define UNREAD_LIMIT  (1024 * 1024) /* of answers; who reads none gets no more */
#define CLIENTS_MAX   32
#define IDLE_SECONDS  60
#define PAUSE_SECONDS 1 /* where no client can be accepted */

struct client {
	TAILQ_ENTRY(client) link;
	struct control *control;
	struct bufferevent *bev;
	bool is_closing; /* closed when everything is written */
};

struct control {
	struct engine *engine;
	struct backups *backups;
	struct holds *holds;
	struct trials *trials;
	control_reload *reload;
	void *reload_arg;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepting, after it failed */
	bool has_complained;  /* of that failure */
	char *path;
	TAILQ_HEAD(, client) clients;
	size_t nclients;
};

/* A verb answers with its result, or NULL and err; or writes its result, as JSON. */
struct verb {
	const char *name;
	json_t *(*answer)(struct control *c, const json_t *request, struct err *err);
	void (*write)(struct buf *out, const struct engine *e);
	struct members takes;
};

static json_t *
verb_reload(struct control *c, const json_t *request, struct err *err)
{
	(void)request;
	return c->reload(c->reload_arg, err) ? json_object() : NULL;
}

static json_t *
verb_replay(struct control *c, const json_t *request, struct err *err)
{
	return periods_ask(c->engine, request, err);
}

static json_t *
verb_resend(struct control *c, const json_t *request, struct err *err)
{
	return periods_resend(c->engine, request, err);
}

static json_t *
verb_replays(struct control *c, const json_t *request, struct err *err)
{
	(void)request;
	(void)err;
	return periods_list_all(c->engine);
}

static json_t *
verb_replay_cancel(struct control *c, const json_t *request, struct err *err)
{
	return periods_end(c->engine, request, err);
}

static json_t *
verb_backup(struct control *c, const json_t *request, struct err *err)
{
	return backups_start(c->backups, request, err);
}

static json_t *
verb_backup_state(struct control *c, const json_t *request, struct err *err)
{
	(void)request;
	return backups_show(c->backups, err);
}

static json_t *
verb_held(struct control *c, const json_t *request, struct err *err)
{
	return holds_look(c->holds, request, err);
}

static json_t *
verb_held_cancel(struct control *c, const json_t *request, struct err *err)
{
	return holds_cancel(c->holds, request, err);
}

static json_t *
verb_held_result(struct control *c, const json_t *request, struct err *err)
{
	return holds_result(c->holds, request, err);
}

static json_t *
verb_test_sink(struct control *c, const json_t *request, struct err *err)
{
	return trials_begin(c->trials, request, err);
}

static json_t *
verb_test_sink_result(struct control *c, const json_t *request, struct err *err)
{
	return trials_result(c->trials, request, err);
}

static json_t *
verb_poll(struct control *c, const json_t *request, struct err *err)
{
	return acts_poll(c->engine, request, err);
}

static json_t *
verb_log_level(struct control *c, const json_t *request, struct err *err)
{
	(void)c;
	return acts_log_level(request, err);
}

static json_t *
verb_pause(struct control *c, const json_t *request, struct err *err)
{
	return acts_hold(c->engine, request, true, err);
}

static json_t *
verb_resume(struct control *c, const json_t *request, struct err *err)
{
	return acts_hold(c->engine, request, false, err);
}

static json_t *
verb_sink_forget(struct control *c, const json_t *request, struct err *err)
{
	return acts_sink_forget(c->engine, request, err);
}

static json_t *
verb_dead(struct control *c, const json_t *request, struct err *err)
{
	return letters_list(c->engine, JOURNAL_DEAD, request, err);
}

static json_t *
verb_quarantine(struct control *c, const json_t *request, struct err *err)
{
	return letters_list(c->engine, JOURNAL_QUARANTINE, request, err);
}

static json_t *
verb_dead_retry(struct control *c, const json_t *request, struct err *err)
{
	return letters_work(c->engine, JOURNAL_RETRY, request, err);
}

static json_t *
verb_dead_drop(struct control *c, const json_t *request, struct err *err)
{
	return letters_work(c->engine, JOURNAL_DROP, request, err);
}

static json_t *
verb_tenant_purge(struct control *c, const json_t *request, struct err *err)
{
	return letters_purge(c->engine, request, err);
}

static json_t *
verb_errand(struct control *c, const json_t *request, struct err *err)
{
	return letters_result(c->engine, request, err);
}

static json_t *
verb_report(struct control *c, const json_t *request, struct err *err)
{
	return reports_ask(c->engine, request, err);
}

static json_t *
verb_report_result(struct control *c, const json_t *request, struct err *err)
{
	return reports_result(c->engine, request, err);
}

static json_t *
verb_report_cancel(struct control *c, const json_t *request, struct err *err)
{
	return reports_end(c->engine, request, err);
}

static const struct verb verbs[] = {
	{ .name = "status", .write = status_write },
	{ .name = "reload", .answer = verb_reload },
	{ .name = "replay", .answer = verb_replay,
	  .takes = { .texts = { "tenant", "from", "to", "sink" }, .bools = { "all" } } },
	{ .name = "resend", .answer = verb_resend, .takes = { .texts = { "sink", "from" } } },
	{ .name = "replays", .answer = verb_replays },
	{ .name = "replay-cancel", .answer = verb_replay_cancel,
	  .takes = { .numbers = { "number" } } },
	{ .name = "poll", .answer = verb_poll, .takes = { .texts = { "tenant" } } },
	{ .name = "pause", .answer = verb_pause, .takes = { .texts = { "tenant", "sink" } } },
	{ .name = "resume", .answer = verb_resume, .takes = { .texts = { "tenant", "sink" } } },
	{ .name = "log-level", .answer = verb_log_level, .takes = { .texts = { "level" } } },
	{ .name = "sink-forget", .answer = verb_sink_forget, .takes = { .texts = { "sink" } } },
	{ .name = "backup", .answer = verb_backup, .takes = { .texts = { "file" } } },
	{ .name = "backup-state", .answer = verb_backup_state },
	{ .name = "held", .answer = verb_held, .takes = { .texts = { "sink" } } },
	{ .name = "held-cancel", .answer = verb_held_cancel, .takes = { .texts = { "id" } } },
	{ .name = "held-result", .answer = verb_held_result, .takes = { .numbers = { "look" } } },
	{ .name = "dead", .answer = verb_dead,
	  .takes = { .texts = { "sink", "tenant" }, .numbers = { "after", "max", "number", "from" } } },
	{ .name = "dead-retry", .answer = verb_dead_retry,
	  .takes = { .texts = { "sink", "tenant" }, .numbers = { "number" }, .bools = { "all" } } },
	{ .name = "dead-drop", .answer = verb_dead_drop,
	  .takes = { .texts = { "sink", "tenant" }, .numbers = { "number" }, .bools = { "all" } } },
	{ .name = "quarantine", .answer = verb_quarantine,
	  .takes = { .texts = { "tenant" }, .numbers = { "after", "max", "number", "from" } } },
	{ .name = "tenant-purge", .answer = verb_tenant_purge,
	  .takes = { .texts = { "tenant" }, .bools = { "sure" } } },
	{ .name = "errand", .answer = verb_errand, .takes = { .numbers = { "errand" } } },
	{ .name = "report", .answer = verb_report,
	  .takes = { .texts = { "day", "tenant", "customer" } } },
	{ .name = "report-result", .answer = verb_report_result,
	  .takes = { .numbers = { "report", "after" } } },
	{ .name = "report-cancel", .answer = verb_report_cancel,
	  .takes = { .numbers = { "report" } } },
	{ .name = "test-sink", .answer = verb_test_sink,
	  .takes = { .texts = { "sink", "to" }, .numbers = { "timeout_ms" } } },
	{ .name = "test-sink-result", .answer = verb_test_sink_result,
	  .takes = { .numbers = { "test" } } },
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

/* Whatever is in it (a name that the client sent, cut to size): an answer is always JSON. */
static json_t *
error_reply(const char *text)
{
	json_t *reply = json_pack("{s:b, s:s}", "ok", 0, "error", text);

	return reply != NULL ? reply : json_pack("{s:b, s:s}", "ok", 0, "error", "that is not UTF-8");
}

static void
send_reply(struct client *c, json_t *taken_result, const struct err *err)
{
	json_t *reply = taken_result != NULL
	    ? json_pack("{s:b, s:o}", "ok", 1, "result", taken_result)
	    : error_reply(err->text);
	char *line = reply != NULL ? json_dumps(reply, JSON_COMPACT) : NULL;

	if (line != NULL) {
		bufferevent_write(c->bev, line, strlen(line));
		bufferevent_write(c->bev, "\n", 1);
	}
	free(line);
	json_decref(reply);
}

static void
write_reply(struct client *c, const struct verb *verb)
{
	struct buf line = BUF_INIT(STATUS_MOST);
	struct err err;

	buf_puts(&line, "{\"ok\":true,\"result\":");
	verb->write(&line, c->control->engine);
	buf_puts(&line, "}\n");
	if (buf_ok(&line)) {
		bufferevent_write(c->bev, line.p, line.n);
	} else {
		err_set(&err, ERR_PERM, "that is more than %u MiB", STATUS_MOST >> 20);
		send_reply(c, NULL, &err);
	}
	buf_release(&line);
}

static void
no_such_verb(const char *name, struct err *err)
{
	struct nearest near;

	nearest_init(&near, name != NULL ? name : "");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		nearest_offer(&near, verbs[i].name);
	err_set(err, ERR_PERM, "no such verb: %s%s%s%s", name != NULL ? name : "(none)",
	    near.best != NULL ? "; did you mean " : "", near.best != NULL ? near.best : "",
	    near.best != NULL ? "?" : "");
}

static void
answer_line(struct client *c, const char *line, size_t n)
{
	json_error_t where;
	json_t *request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &where);
	const char *name = members_text(request, "verb");
	const struct verb *verb = find_verb(name);
	struct err err = { 0 };
	json_t *result = NULL;

	if (request == NULL)
		err_set(&err, ERR_PERM, "not a JSON object on one line: %s", where.text);
	else if (verb == NULL)
		no_such_verb(name, &err);
	else if (!members_check(request, name, &verb->takes, &err))
		verb = NULL;
	else if (verb->answer != NULL)
		result = verb->answer(c->control, request, &err);
	if (verb != NULL && verb->write != NULL)
		write_reply(c, verb);
	else
		send_reply(c, result, &err);
	json_decref(request);
}

/* Once what was answered is written; asks nothing any more. */
static void
hang_up(struct client *c)
{
	bufferevent_disable(c->bev, EV_READ);
	c->is_closing = true;
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		client_free(c);
}

static void
refuse(struct client *c, const char *why)
{
	struct err err;

	err_set(&err, ERR_PERM, "%s", why);
	send_reply(c, NULL, &err);
	hang_up(c);
}

/* The lines that are there, as long as the client reads its answers: the rest when it has. */
static void
answer_lines(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	const struct evbuffer *out = bufferevent_get_output(c->bev);
	char *line;
	size_t n;

	while (evbuffer_get_length(out) < UNREAD_LIMIT) {
		line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);
		if (line != NULL && n <= LINE_LIMIT)
			answer_line(c, line, n);
		free(line);
		if (line == NULL && evbuffer_get_length(in) <= LINE_LIMIT)
			return;
		if (line == NULL || n > LINE_LIMIT) {
			refuse(c, "that line is too long");
			return;
		}
	}
	bufferevent_disable(c->bev, EV_READ); /* on_written() goes on */
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	answer_lines(arg);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (c->is_closing) {
		client_free(c);
		return;
	}
	bufferevent_enable(c->bev, EV_READ);
	answer_lines(c);
}

/* One that has closed its side after asking still wants its answers. */
static void
on_client_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & BEV_EVENT_EOF) != 0)
		hang_up(arg);
	else
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
	ctl->has_complained = false;
	if (ctl->nclients >= CLIENTS_MAX) {
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->control = ctl;
	c->bev = bufferevent_socket_new(ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
	BUG_IF(c->bev == NULL);
	TAILQ_INSERT_TAIL(&ctl->clients, c, link);
	ctl->nclients++;
	bufferevent_setcb(c->bev, on_read, on_written, on_client_event, c);
	bufferevent_set_timeouts(c->bev, &idle, &idle);
	bufferevent_setwatermark(c->bev, EV_READ, 0, LINE_LIMIT + 2);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* Out of descriptors, most likely: whoever waits would wake us again at once, for ever. */
static void
on_accept_error(struct evconnlistener *l, void *arg)
{
	static const struct timeval pause = { .tv_sec = PAUSE_SECONDS };
	struct control *ctl = arg;
	int errnum = EVUTIL_SOCKET_ERROR();

	evconnlistener_disable(l);
	evtimer_add(ctl->resume, &pause);
	if (!ctl->has_complained)
		log_warn(NULL, "control_socket cannot take a client: %s; tried again every %d s",
		    strerror(errnum), PAUSE_SECONDS);
	ctl->has_complained = true;
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control *ctl = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(ctl->listener);
}

/* ---- the socket --------------------------------------------------------------- */

/* Takes away a socket that nobody listens on, and nothing else. */
static bool
make_way(const struct sockaddr_un *un, struct err *err)
{
	struct stat st;
	int fd, errnum = 0;

	if (lstat(un->sun_path, &st) != 0)
		return errno == ENOENT || err_sys(err, ERR_CONF, errno, "control_socket %s", un->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONF, "control_socket %s: something that is no socket is there;"
		    " name another path, or take it away", un->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, ERR_TEMP, errno, "control_socket %s", un->sun_path);
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) != 0)
		errnum = errno;
	close(fd);
	if (errnum != ECONNREFUSED)
		return err_set(err, ERR_TEMP, "control_socket %s is in use by another program;"
		    " stop that one, or name another path", un->sun_path);
	return unlink(un->sun_path) == 0 ||
	    err_sys(err, ERR_CONF, errno, "control_socket %s: a stale one cannot be removed",
		un->sun_path);
}

/* Nobody can connect before it listens, and then its mode is set. */
static int
bind_socket(const char *path, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(un.sun_path)) {
		err_set(err, ERR_CONF, "control_socket %s is longer than %zu bytes", path,
		    sizeof(un.sun_path) - 1);
		return -1;
	}
	memcpy(un.sun_path, path, strlen(path));
	if (!make_way(&un, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && chmod(path, 0660) == 0)
		return fd;
	err_sys(err, ERR_CONF, errno, "control_socket %s cannot be made", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct control *
control_open(struct event_base *base, struct engine *engine, const char *path,
    control_reload *reload, void *arg, struct err *err)
{
	int fd = bind_socket(path, err);
	struct engine_view view;
	struct control *c;

	if (fd < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	TAILQ_INIT(&c->clients);
	c->engine = engine;
	if (engine != NULL) { /* as in tests of the socket alone */
		engine_view(engine, &view);
		c->holds = holds_new(engine);
		c->trials = trials_new(engine);
		c->backups = backups_new(view.settings->state_dir);
	}
	c->reload = reload;
	c->reload_arg = arg;
	c->base = base;
	c->path = xstrdup(path);
	c->resume = evtimer_new(base, on_resume, c);
	BUG_IF(c->resume == NULL);
	c->listener = evconnlistener_new(base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
	    16, fd);
	if (c->listener != NULL) {
		evconnlistener_set_error_cb(c->listener, on_accept_error);
		return c;
	}
	err_sys(err, ERR_TEMP, errno, "control_socket %s", path);
	close(fd);
	unlink(path);
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
	event_free(c->resume);
	while (!TAILQ_EMPTY(&c->clients))
		client_free(TAILQ_FIRST(&c->clients));
	backups_free(c->backups);
	holds_free(c->holds);
	trials_free(c->trials);
	free(c->path);
	free(c);
}
