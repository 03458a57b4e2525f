/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/journal/outbox.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

#define NOTE_MAX 2000

struct outbox {
	pthread_mutex_t lock;
	STAILQ_HEAD(, told) told;
	int fd;
};

struct outbox *
outbox_new(struct err *err)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct outbox *o;

	if (fd < 0) {
		err_sys(err, ERR_TEMP, errno, "eventfd");
		return NULL;
	}
	o = xcalloc(1, sizeof(*o));
	pthread_mutex_init(&o->lock, NULL);
	STAILQ_INIT(&o->told);
	o->fd = fd;
	return o;
}

void
told_free(struct told *t)
{
	switch (t->what) {
	case TOLD_APPENDED:
		if (t->kept != NULL)
			kept_page_unref(t->kept);
		else if (t->page.page->release != NULL)
			t->page.page->release(t->page.page);
		break;
	case TOLD_READ:
		journal_batch_free(t->read.batch);
		break;
	case TOLD_NOTE:
		free(t->note.text);
		break;
	case TOLD_LET_GO:
		kept_page_unref(t->kept);
		break;
	case TOLD_WORKED:
		free(t->worked.task);
		break;
	case TOLD_READY:
		break;
	}
	free(t);
}

void
outbox_free(struct outbox *o)
{
	if (o == NULL)
		return;
	for (;;) {
		struct told *t = outbox_take(o);

		if (t == NULL)
			break;
		told_free(t);
	}
	close(o->fd);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

int
outbox_fd(const struct outbox *o)
{
	return o->fd;
}

void
outbox_put(struct outbox *o, struct told *taken)
{
	uint64_t one = 1;
	bool was_empty;
	ssize_t n = sizeof(one);

	pthread_mutex_lock(&o->lock);
	was_empty = STAILQ_EMPTY(&o->told);
	STAILQ_INSERT_TAIL(&o->told, taken, link);
	if (was_empty)
		n = write(o->fd, &one, sizeof(one));
	pthread_mutex_unlock(&o->lock);
	BUG_IF(n != (ssize_t)sizeof(one));
}

struct told *
outbox_take(struct outbox *o)
{
	struct told *t;
	uint64_t count;

	pthread_mutex_lock(&o->lock);
	t = STAILQ_FIRST(&o->told);
	if (t != NULL)
		STAILQ_REMOVE_HEAD(&o->told, link);
	/* The last one out: nobody needs to wake the loop any more. */
	if (STAILQ_EMPTY(&o->told) && read(o->fd, &count, sizeof(count)) < 0)
		BUG_IF(errno != EAGAIN);
	pthread_mutex_unlock(&o->lock);
	return t;
}

void
outbox_note(struct outbox *o, enum journal_note note, enum journal_state state, const char *fmt,
    ...)
{
	struct told *t = xcalloc(1, sizeof(*t));
	struct buf text = BUF_INIT(NOTE_MAX);
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	t->what = TOLD_NOTE;
	t->note.note = note;
	t->note.state = state;
	t->note.text = xstrdup(buf_ok(&text) ? buf_peek(&text).s : fmt);
	buf_release(&text);
	outbox_put(o, t);
}

void
outbox_ready(struct outbox *o, uint32_t sink)
{
	struct told *t = xcalloc(1, sizeof(*t));

	t->what = TOLD_READY;
	t->ready = sink;
	outbox_put(o, t);
}
