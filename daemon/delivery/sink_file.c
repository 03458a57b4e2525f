/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/delivery/rejects.h"
#include "daemon/env.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/format/format.h"

#define LINE_BYTES  (1024 * 1024) /* longest line */
#define OUT_BYTES   (LINE_BYTES + 256 * 1024)
#define PIECE_BYTES (128 * 1024)  /* no more lines are added to a write that is this long */
#define PIPE_BYTES  4096          /* what a pipe that is writable takes without waiting: PIPE_BUF */
#define SYNC_MS     200           /* how long written lines wait for others before they are synced */
#define TAKE_MAX    256

struct sink_file_conf {
	char *path;
	char *format;
	bool raw_data;
	bool sync;
};

/*
 * A file is one of two things: a regular one, which never makes the writer wait
 * and is synced, or else (a pipe, a terminal, a socket) one that may be full.
 */
struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	const struct sink_file_conf *conf;
	const struct format *format;
	int fd; /* -1: not open */
	bool is_regular, is_socket;
	bool is_torn; /* the last line in the file has no end */
	struct buf out;
	size_t out_done; /* of out, already written */
	struct event *on_writable;
	bool wants_ready, is_draining;
	struct fifo tickets; /* uint64_t: written or in out */
	struct rejects rejects;
	struct timer sync;
	bool is_failed;
	struct err failed;
};

/* ---- options ----------------------------------------------------------------------- */

static bool
check_path(const char *text, struct err *err)
{
	return text[0] == '/' || strcmp(text, "-") == 0
	    || err_set(err, ERR_CONF, "\"%.200s\" is not an absolute path; begin it with /,"
	    " or write - for standard output", text);
}

#define F(field) offsetof(struct sink_file_conf, field)
static const struct conf_opt options[] = {
	{ .name = "path", .type = CONF_STR, .off = F(path), .flags = CONF_REQUIRED, .check = check_path,
	  .help = "File that lines are appended to, made with mode 0640; opened anew at SIGHUP."
	    " - is standard output." },
	{ .name = "format", .type = CONF_STR, .off = F(format), .def = "cef", .check = format_check,
	  .help = "One line an alert: " FORMATS_HELP },
	{ .name = "raw_data", .type = CONF_BOOL, .off = F(raw_data), .def = "true",
	  .help = RAW_DATA_HELP },
	{ .name = "sync", .type = CONF_BOOL, .off = F(sync), .def = "true",
	  .help = "Lines count as accepted when they are on the disk, not when the kernel has them."
	    " Only for regular files." },
	{ .name = NULL },
};
#undef F

/* ---- reports ------------------------------------------------------------------------- */

static void
report_accepted(struct sink *s)
{
	uint64_t tickets[TAKE_MAX];
	size_t n;

	while (s->tickets.n > 0) {
		n = s->tickets.n < TAKE_MAX ? s->tickets.n : TAKE_MAX;
		for (size_t i = 0; i < n; i++)
			tickets[i] = *(const uint64_t *)fifo_at(&s->tickets, i);
		fifo_drop(&s->tickets, n);
		sink_accepted(s->owner, tickets, n);
	}
}

static void
file_close(struct sink *s)
{
	timer_unset(s->env->timers, &s->sync);
	if (s->on_writable != NULL)
		event_free(s->on_writable);
	s->on_writable = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->is_failed = s->wants_ready = false;
	buf_clear(&s->out);
	s->out_done = 0;
	fifo_release(&s->tickets);
	rejects_release(&s->rejects);
}

static void
link_ended(struct sink *s, const struct err *err)
{
	struct err why = *err;

	file_close(s);
	if (s->is_draining)
		sink_drained(s->owner);
	else
		sink_link(s->owner, SINK_DOWN, &why);
}

/* ---- writing --------------------------------------------------------------------------- */

static bool
is_written(const struct sink *s)
{
	return s->out_done == s->out.n;
}

/* One write that does not wait; bytes, or -1 with errno. */
static ssize_t
write_some(const struct sink *s, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };

	if (s->is_socket)
		return send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (s->is_regular)
		return write(s->fd, p, n);
	if (poll(&pfd, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(s->fd, p, n < PIPE_BYTES ? n : PIPE_BYTES);
}

/* Takes back the part of a line that a full disk left, where the file allows it. */
static void
mend_end(struct sink *s)
{
	size_t whole = s->out_done;
	struct stat st;

	while (whole > 0 && s->out.p[whole - 1] != '\n')
		whole--;
	if (whole == s->out_done)
		return;
	s->is_torn = !s->is_regular || fstat(s->fd, &st) != 0 ||
	    ftruncate(s->fd, st.st_size - (off_t)(s->out_done - whole)) != 0;
}

/* Writes on; false when the file fails. Full is no failure: on_writable comes. */
static bool
write_on(struct sink *s, struct err *err)
{
	ssize_t n;

	while (!is_written(s)) {
		n = write_some(s, s->out.p + s->out_done, s->out.n - s->out_done);
		if (n > 0) {
			s->out_done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			(void)event_add(s->on_writable, NULL);
			return true;
		} else if (n == 0 || errno != EINTR) {
			(void)err_sys(err, ERR_TEMP, n == 0 ? ENOSPC : errno, "cannot write to %s",
			    s->conf->path);
			mend_end(s);
			return false;
		}
	}
	buf_clear(&s->out);
	s->out_done = 0;
	return true;
}

/* Blocks for as long as the disk takes; once for all lines of the last SYNC_MS. */
static bool
sync_now(struct sink *s, struct err *err)
{
	timer_unset(s->env->timers, &s->sync);
	if (!is_written(s))
		return true;
	if (s->is_regular && s->conf->sync && fdatasync(s->fd) != 0)
		return err_sys(err, ERR_TEMP, errno, "cannot sync %s", s->conf->path);
	report_accepted(s);
	return true;
}

static void
on_sync(void *arg)
{
	struct sink *s = arg;
	struct err err = { 0 };

	if (s->is_failed)
		link_ended(s, &s->failed);
	else if (!sync_now(s, &err))
		link_ended(s, &err);
	else
		rejects_report(&s->rejects, s->owner);
}

/* Results wait for the timer, and never come from inside send(). */
static void
sync_later(struct sink *s, int64_t after_ms)
{
	if (after_ms == 0 || !timer_is_set(&s->sync))
		timer_set(s->env->timers, &s->sync, after_ms);
}

static void
finish_drain(struct sink *s)
{
	struct err err = { 0 };

	if (!sync_now(s, &err))
		log_error(sink_log(s->owner), "%s; its last lines are written again", err.text);
	rejects_report(&s->rejects, s->owner);
	sink_drained(s->owner);
}

static void
on_file_writable(evutil_socket_t fd, short what, void *arg)
{
	struct sink *s = arg;
	struct err err = { 0 };

	(void)fd;
	(void)what;
	if (!write_on(s, &err)) {
		link_ended(s, &err);
		return;
	}
	if (!is_written(s))
		return;
	if (s->is_draining) {
		finish_drain(s);
		return;
	}
	sync_later(s, 0);
	if (s->wants_ready) {
		s->wants_ready = false;
		sink_ready(s->owner);
	}
}

static void
add_line(struct sink *s, const struct sink_item *item)
{
	const struct format_opts opts = {
		.max_bytes = LINE_BYTES - 1,
		.without_raw = !s->conf->raw_data,
	};
	struct err why = { 0 };

	if (s->format->write(&s->out, &item->event, &opts)) {
		buf_byte(&s->out, '\n');
		*(uint64_t *)fifo_push(&s->tickets) = item->ticket;
		return;
	}
	(void)err_set(&why, ERR_PERM, "even its shortest form as %s is longer than %d bytes",
	    s->format->name, LINE_BYTES - 1);
	rejects_add(&s->rejects, item->ticket, &why);
}

/* In pieces, so that what waits in memory is bounded. */
static size_t
on_send(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t i = 0;

	while (i < n && s->fd >= 0 && !s->is_failed && is_written(s)) {
		if (s->is_torn)
			buf_byte(&s->out, '\n');
		s->is_torn = false;
		while (i < n && s->out.n < PIECE_BYTES)
			add_line(s, &items[i++]);
		s->is_failed = !write_on(s, &s->failed);
	}
	s->wants_ready = i < n;
	sync_later(s, s->is_failed || !s->is_regular ? 0 : SYNC_MS);
	return i;
}

/* ---- opening --------------------------------------------------------------------------- */

/* True when the file ends in the middle of a line, as a crash may have left it. */
static bool
ends_torn(const char *path, off_t size)
{
	int fd = size > 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	char last = '\n';

	if (fd < 0)
		return false;
	if (pread(fd, &last, 1, size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

static bool
file_open(struct sink *s, struct err *err)
{
	bool is_stdout = strcmp(s->conf->path, "-") == 0;
	struct stat st;
	int fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
	    open(s->conf->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);

	if (fd < 0)
		return err_sys(err, ERR_TEMP, errno, "cannot open %s", s->conf->path);
	if (fstat(fd, &st) != 0) {
		(void)err_sys(err, ERR_TEMP, errno, "cannot look at %s", s->conf->path);
		close(fd);
		return false;
	}
	file_close(s);
	s->fd = fd;
	s->is_regular = S_ISREG(st.st_mode);
	s->is_socket = S_ISSOCK(st.st_mode);
	s->is_torn |= s->is_regular && !is_stdout && ends_torn(s->conf->path, st.st_size);
	s->on_writable = event_new(s->env->base, fd, EV_WRITE, on_file_writable, s);
	BUG_IF(s->on_writable == NULL);
	return true;
}

static void
start_later(void *arg)
{
	struct sink *s = arg;
	struct err err = { 0 };

	if (file_open(s, &err)) {
		(void)err_set(&err, ERR_NONE, "writing to %s", s->conf->path);
		sink_link(s->owner, SINK_UP, &err);
	} else {
		sink_link(s->owner, SINK_DOWN, &err);
	}
}

static void
on_start(struct sink *s)
{
	loop_defer(s->env->loop, start_later, s);
}

/* What was written is in the old file; what is not is written to the new one. */
static void
refresh_later(void *arg)
{
	struct sink *s = arg;
	struct err err = { 0 };

	if (s->fd < 0 || s->is_failed || !s->is_regular)
		return;
	if (!sync_now(s, &err)) {
		link_ended(s, &err);
		return;
	}
	rejects_report(&s->rejects, s->owner);
	if (!file_open(s, &err))
		log_error(sink_log(s->owner), "%s; writing on to the file that was open", err.text);
	else
		sink_ready(s->owner);
}

static void
on_refresh(struct sink *s)
{
	loop_defer(s->env->loop, refresh_later, s);
}

/* ---- life -------------------------------------------------------------------------------- */

static void
drain_later(void *arg)
{
	struct sink *s = arg;

	if (is_written(s))
		finish_drain(s);
}

static void
on_drain(struct sink *s)
{
	s->is_draining = true;
	loop_defer(s->env->loop, drain_later, s);
}

static void
on_cancel(struct sink *s)
{
	loop_forget(s->env->loop, start_later, s);
	loop_forget(s->env->loop, refresh_later, s);
	loop_forget(s->env->loop, drain_later, s);
	file_close(s);
}

static void
on_close(struct sink *s)
{
	if (s == NULL)
		return;
	on_cancel(s);
	buf_release(&s->out);
	free(s);
}

static struct sink *
on_open(const struct engine_env *env, struct sink_owner *owner, const char *name, const void *conf,
    struct err *err)
{
	struct sink *s;
	const struct sink_file_conf *c = conf;
	const struct format *format = format_find(c->format);

	(void)name;
	if (format == NULL) {
		(void)err_set(err, ERR_CONF, "format: there is no format %s", c->format);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->env = env;
	s->owner = owner;
	s->conf = c;
	s->format = format;
	s->fd = -1;
	buf_init(&s->out, OUT_BYTES);
	fifo_init(&s->tickets, sizeof(uint64_t));
	rejects_init(&s->rejects);
	timer_init(&s->sync, on_sync, s);
	return s;
}

static const char *
on_means(const struct sink *s, bool *is_acknowledged)
{
	*is_acknowledged = s->is_regular;
	if (!s->is_regular)
		return "the kernel took the line for the pipe, terminal or socket; whether anybody reads it "
		       "there is not known";
	return s->conf->sync ? "the line is written and synced to the disk"
			     : "the line is written; when it is on the disk is the kernel's affair";
}

const struct sink_kind sink_file = {
	.name = "file",
	.help = "Lines in any of the formats, appended to a file or written to standard output.",
	.opts = options,
	.conf_size = sizeof(struct sink_file_conf),
	.default_kinds = (1u << KIND_COUNT) - 1 - (1u << KIND_CANARY),
	.open = on_open,
	.start = on_start,
	.send = on_send,
	.drain = on_drain,
	.cancel = on_cancel,
	.means = on_means,
	.refresh = on_refresh,
	.close = on_close,
};
