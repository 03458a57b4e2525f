/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/config_watch.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

#define QUIET_MS 1000
#define CHANGES  (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE)

struct config_watch {
	char *dir, *name, *conf_d;
	int fd, wd_conf_d; /* -1: none */
	struct event *readable, *quiet;
	void (*changed)(void *arg);
	void *arg;
};

static int
look_at(struct config_watch *w, const char *path)
{
	int wd = inotify_add_watch(w->fd, path, CHANGES | IN_ONLYDIR);

	if (wd < 0 && errno != ENOENT)
		log_warn(NULL, "watch: %s: %s; changes there are seen by a reload only", path,
		    strerror(errno));
	return wd;
}

static bool
is_yaml(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

/* A new conf.d is looked at from now on. */
static bool
is_of_interest(struct config_watch *w, const struct inotify_event *e)
{
	if ((e->mask & IN_Q_OVERFLOW) != 0)
		return true; /* nobody knows what was lost */
	if (e->len == 0)
		return false;
	if (e->wd == w->wd_conf_d)
		return is_yaml(e->name);
	if (strcmp(e->name, "conf.d") == 0) {
		w->wd_conf_d = look_at(w, w->conf_d);
		return true;
	}
	/* What is only made is not written yet. */
	return strcmp(e->name, w->name) == 0 && (e->mask & IN_CREATE) == 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval quiet = { .tv_sec = QUIET_MS / 1000 };
	struct config_watch *w = arg;
	char bytes[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(fd, bytes, sizeof(bytes));
	bool matters = false;

	(void)what;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(bytes + at);

		matters |= is_of_interest(w, e);
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	if (matters)
		event_add(w->quiet, &quiet);
}

static void
on_quiet(evutil_socket_t fd, short what, void *arg)
{
	struct config_watch *w = arg;

	(void)fd;
	(void)what;
	w->changed(w->arg);
}

static void
split_path(struct config_watch *w, const char *file)
{
	const char *slash = strrchr(file, '/');

	w->dir = slash == NULL ? xstrdup(".") : xstrndup(file, (size_t)(slash - file) + 1);
	w->name = xstrdup(slash == NULL ? file : slash + 1);
	w->conf_d = xasprintf("%s/conf.d", w->dir);
}

struct config_watch *
config_watch_start(struct event_base *base, const char *file, void (*changed)(void *arg), void *arg)
{
	struct config_watch *w = xcalloc(1, sizeof(*w));

	w->changed = changed;
	w->arg = arg;
	w->wd_conf_d = -1;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	split_path(w, file);
	if (w->fd < 0) {
		log_warn(NULL, "watch: %s; changes are seen by a reload only", strerror(errno));
		return w;
	}
	w->readable = event_new(base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	w->quiet = event_new(base, -1, 0, on_quiet, w);
	BUG_IF(w->readable == NULL || w->quiet == NULL);
	event_add(w->readable, NULL);
	look_at(w, w->dir);
	w->wd_conf_d = look_at(w, w->conf_d);
	return w;
}

void
config_watch_stop(struct config_watch *w)
{
	if (w == NULL)
		return;
	if (w->readable != NULL)
		event_free(w->readable);
	if (w->quiet != NULL)
		event_free(w->quiet);
	if (w->fd >= 0)
		close(w->fd);
	free(w->dir);
	free(w->name);
	free(w->conf_d);
	free(w);
}
