#include "daemon/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/base/alloc.h"

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct resolve_job {
	TAILQ_ENTRY(resolve_job) link; /* in todo or done, by state; in none while it runs */
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
 * What the loop and the thread share. It outlives the resolver when a name hangs
 * at the end: the last of the two to leave frees it.
 */
struct desk {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job_list todo, done;
	int wake; /* eventfd: something is done */
	bool is_closed;
	bool has_thread;
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
	(void)pthread_cond_destroy(&d->work);
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
	job->state = JOB_RUNNING;
	(void)pthread_mutex_unlock(&d->lock);
	gai = look_up(job, AI_ADDRCONFIG);
	errnum = errno;
	(void)pthread_mutex_lock(&d->lock);
	if (gai != 0)
		explain(job, gai, errnum);
	if (d->is_closed || job->is_cancelled)
		job_free(job);
	else
		finish(d, job);
}

static void *
resolve_thread(void *arg)
{
	struct desk *d = arg;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->is_closed) {
		if (TAILQ_EMPTY(&d->todo))
			(void)pthread_cond_wait(&d->work, &d->lock);
		else
			run_next(d);
	}
	(void)pthread_mutex_unlock(&d->lock);
	desk_free(d);
	return NULL;
}

/* Signals are the loop's. Detached: nobody waits for a name that hangs. */
static bool
start_thread(struct desk *d)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int rc;

	if (d->has_thread)
		return true;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, resolve_thread, d);
	(void)pthread_attr_destroy(&attr);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->has_thread = rc == 0;
	return d->has_thread;
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
	(void)pthread_cond_init(&d->work, NULL);
	TAILQ_INIT(&d->todo);
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
	bool has_thread;

	if (r == NULL)
		return;
	d = r->desk;
	event_free(r->on_done);
	(void)pthread_mutex_lock(&d->lock);
	d->is_closed = true;
	has_thread = d->has_thread;
	(void)pthread_cond_signal(&d->work);
	(void)pthread_mutex_unlock(&d->lock);
	if (!has_thread)
		desk_free(d);
	free(r);
}

/* An address needs no thread, and does not wait behind a name that hangs. */
static bool
is_address(struct resolve_job *job)
{
	return look_up(job, AI_NUMERICHOST | AI_NUMERICSERV) == 0;
}

struct resolve_job *
resolve_start(
    struct resolver *r, const char *host, const char *port, int socktype, resolve_cb *cb, void *arg)
{
	struct resolve_job *job = xcalloc(1, sizeof(*job));
	struct desk *d = r->desk;
	bool is_known;

	*job = (struct resolve_job){
		.desk = d,
		.host = xstrdup(host),
		.port = xstrdup(port),
		.socktype = socktype,
		.cb = cb,
		.arg = arg,
	};
	is_known = is_address(job);
	(void)pthread_mutex_lock(&d->lock);
	if (is_known) {
		finish(d, job);
	} else if (!start_thread(d)) {
		(void)err_set(&job->err, ERR_TEMP, "cannot resolve %s: no thread for it", host);
		finish(d, job);
	} else {
		TAILQ_INSERT_TAIL(&d->todo, job, link);
		(void)pthread_cond_signal(&d->work);
	}
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
