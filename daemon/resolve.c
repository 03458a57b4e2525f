/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/base/alloc.h"

/* So many names may hang before others wait behind them. */
#define THREADS_MAX 64

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct resolve_job {
	TAILQ_ENTRY(resolve_job) link; /* in todo, running or done, by state */
	struct desk *desk;
	enum job_state state;
	bool is_cancelled; /* while it ran */
	char *host, *port;
	int socktype;
	resolve_cb *cb;
	void *arg;
	struct addrinfo *ai;
	struct err err;
};
TAILQ_HEAD(job_list, resolve_job);

/*
 * What the loop and the threads share. It outlives the resolver when a name hangs
 * at the end: the last to leave frees it.
 */
struct desk {
	pthread_mutex_t lock;
	struct job_list todo, running, done;
	int wake; /* eventfd: something is done */
	bool is_closed;
	unsigned threads;
};

struct resolver {
	struct desk *desk;
	struct event *on_done;
};

static void
job_free(struct resolve_job *job)
{
	if (job->ai != NULL)
		freeaddrinfo(job->ai);
	free(job->host);
	free(job->port);
	free(job);
}

static void
free_jobs(struct job_list *list)
{
	struct resolve_job *job;

	while (!TAILQ_EMPTY(list)) {
		job = TAILQ_FIRST(list);
		TAILQ_REMOVE(list, job, link);
		job_free(job);
	}
}

static void
desk_free(struct desk *d)
{
	free_jobs(&d->todo);
	free_jobs(&d->done);
	(void)close(d->wake);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

static int
look_up(struct resolve_job *job, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = job->socktype,
		.ai_flags = flags,
	};

	return getaddrinfo(job->host, job->port, &hints, &job->ai);
}

static void
explain(struct resolve_job *job, int gai, int errnum)
{
	if (gai == EAI_SYSTEM)
		(void)err_sys(&job->err, ERR_TEMP, errnum, "cannot resolve %s", job->host);
	else
		(void)err_set(
		    &job->err, ERR_TEMP, "cannot resolve %s: %s", job->host, gai_strerror(gai));
}

/* With the lock. */
static void
finish(struct desk *d, struct resolve_job *job)
{
	uint64_t one = 1;

	job->state = JOB_DONE;
	TAILQ_INSERT_TAIL(&d->done, job, link);
	/* Fails only when the counter is full, and then the loop is awake anyway. */
	(void)!write(d->wake, &one, sizeof(one));
}

/* One name, looked up without the lock. Called and left with the lock. */
static void
run_next(struct desk *d)
{
	struct resolve_job *job = TAILQ_FIRST(&d->todo);
	int gai, errnum;

	TAILQ_REMOVE(&d->todo, job, link);
	TAILQ_INSERT_TAIL(&d->running, job, link);
	job->state = JOB_RUNNING;
	(void)pthread_mutex_unlock(&d->lock);
	gai = look_up(job, AI_ADDRCONFIG);
	errnum = errno;
	(void)pthread_mutex_lock(&d->lock);
	TAILQ_REMOVE(&d->running, job, link);
	if (gai != 0)
		explain(job, gai, errnum);
	if (d->is_closed || job->is_cancelled)
		job_free(job);
	else
		finish(d, job);
}

/* Works while there is work; a name that hangs keeps only its own thread. */
static void *
resolve_thread(void *arg)
{
	struct desk *d = arg;
	bool is_last;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->is_closed && !TAILQ_EMPTY(&d->todo))
		run_next(d);
	d->threads--;
	is_last = d->is_closed && d->threads == 0;
	(void)pthread_mutex_unlock(&d->lock);
	if (is_last)
		desk_free(d);
	return NULL;
}

/* With the lock. Signals are the loop's. Detached: nobody waits for a name that hangs. */
static bool
start_thread(struct desk *d)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int rc;

	if (d->threads == THREADS_MAX)
		return true;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, resolve_thread, d);
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->threads += rc == 0;
	return d->threads > 0;
}

static struct resolve_job *
take_done(struct desk *d)
{
	struct resolve_job *job;

	(void)pthread_mutex_lock(&d->lock);
	job = TAILQ_FIRST(&d->done);
	if (job != NULL)
		TAILQ_REMOVE(&d->done, job, link);
	(void)pthread_mutex_unlock(&d->lock);
	return job;
}

/*
 * One job a call, so that a callback may free the resolver. The eventfd counts
 * jobs (EFD_SEMAPHORE); a job cancelled after it was done leaves a count too many.
 */
static void
resolver_on_done(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct resolve_job *job;
	uint64_t one;

	(void)what;
	(void)!read(fd, &one, sizeof(one));
	job = take_done(r->desk);
	if (job == NULL)
		return;
	job->cb(job->arg, job->ai, job->ai == NULL ? &job->err : NULL);
	job_free(job);
}

struct resolver *
resolver_new(struct event_base *base)
{
	struct resolver *r = xcalloc(1, sizeof(*r));
	struct desk *d = xcalloc(1, sizeof(*d));

	(void)pthread_mutex_init(&d->lock, NULL);
	TAILQ_INIT(&d->todo);
	TAILQ_INIT(&d->running);
	TAILQ_INIT(&d->done);
	d->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);
	if (d->wake < 0)
		BUG("eventfd: %s", strerror(errno));
	r->desk = d;
	r->on_done = event_new(base, d->wake, EV_READ | EV_PERSIST, resolver_on_done, r);
	if (r->on_done == NULL || event_add(r->on_done, NULL) != 0)
		BUG("no event for the resolver");
	return r;
}

void
resolver_free(struct resolver *r)
{
	struct desk *d;
	bool is_last;

	if (r == NULL)
		return;
	d = r->desk;
	event_free(r->on_done);
	(void)pthread_mutex_lock(&d->lock);
	d->is_closed = true;
	is_last = d->threads == 0;
	(void)pthread_mutex_unlock(&d->lock);
	if (is_last)
		desk_free(d);
	free(r);
}

/* An address needs no thread, and does not wait behind a name that hangs. */
static bool
is_address(struct resolve_job *job)
{
	return look_up(job, AI_NUMERICHOST | AI_NUMERICSERV) == 0;
}

static struct resolve_job *
job_new(struct desk *d, const char *host, const char *port, int socktype)
{
	struct resolve_job *job = xcalloc(1, sizeof(*job));

	job->desk = d;
	job->host = xstrdup(host);
	job->port = xstrdup(port);
	job->socktype = socktype;
	return job;
}

/*
 * A name that hangs is given up and asked for again and again; its next asker takes
 * over the look-up that nobody wants any more, so that each such name has one thread.
 * With the lock; NULL: there is none.
 */
static struct resolve_job *
find_abandoned(struct desk *d, const struct resolve_job *like)
{
	struct resolve_job *job;

	TAILQ_FOREACH (job, &d->running, link) {
		if (job->is_cancelled && job->socktype == like->socktype &&
		    strcmp(job->host, like->host) == 0 && strcmp(job->port, like->port) == 0)
			return job;
	}
	return NULL;
}

/* With the lock. Returns the job that will be done: this or an abandoned one. */
static struct resolve_job *
submit(struct desk *d, struct resolve_job *job)
{
	struct resolve_job *old = find_abandoned(d, job);

	if (old != NULL) {
		job_free(job);
		old->is_cancelled = false;
		return old;
	}
	if (start_thread(d)) {
		TAILQ_INSERT_TAIL(&d->todo, job, link);
	} else {
		(void)err_set(
		    &job->err, ERR_TEMP, "cannot resolve %s: no thread for it", job->host);
		finish(d, job);
	}
	return job;
}

struct resolve_job *
resolve_start(
    struct resolver *r, const char *host, const char *port, int socktype, resolve_cb *cb, void *arg)
{
	struct desk *d = r->desk;
	struct resolve_job *job = job_new(d, host, port, socktype);
	bool is_known = is_address(job);

	(void)pthread_mutex_lock(&d->lock);
	if (is_known)
		finish(d, job);
	else
		job = submit(d, job);
	job->cb = cb;
	job->arg = arg;
	(void)pthread_mutex_unlock(&d->lock);
	return job;
}

void
resolve_cancel(struct resolve_job *job)
{
	struct desk *d;

	if (job == NULL)
		return;
	d = job->desk;
	(void)pthread_mutex_lock(&d->lock);
	switch (job->state) {
	case JOB_WAITING:
		TAILQ_REMOVE(&d->todo, job, link);
		job_free(job);
		break;
	case JOB_RUNNING:
		job->is_cancelled = true;
		break;
	case JOB_DONE:
		TAILQ_REMOVE(&d->done, job, link);
		job_free(job);
		break;
	}
	(void)pthread_mutex_unlock(&d->lock);
}
