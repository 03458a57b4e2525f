/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/journal/journal.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/*
 * bench_journal [entries [sinks [remembered]]]: CPU per entry of the journal
 * alone: append, commit, memory, read, settle, trim. Full pages of 200, bodies
 * of 5.2 KB, 50 streams; each sink takes everything. `remembered`: alerts that
 * are in the memory before the clock runs; then also what the memory costs by
 * itself: new alerts (remember), the newest ones again and unchanged (again), and
 * newer versions of alerts of the newest 27th, as a week is of 190 days (update).
 */
#define PAGE    200
#define BODY    5220
#define STREAMS 50
#define AHEAD   4 /* pages under way */

struct bench {
	struct event_base *base;
	struct journal *j;
	uint64_t total, sent, answered, taken;
	unsigned nsinks;
	uint32_t sink[8], stream[STREAMS];
	uint64_t settled[8];
	bool is_reading[8];
	enum { DELIVER, REMEMBER, AGAIN, UPDATE } what;
	uint64_t remembered;
	int64_t now;
	char dir[64];
};

struct page {
	struct journal_page page;
	struct bench *b;
	struct journal_entry entries[PAGE];
	char ids[PAGE][48];
};

static char body[BODY + PAGE];

static int64_t
mono(const struct clock *c)
{
	struct timespec ts;

	(void)c;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
wall(const struct clock *c)
{
	struct timespec ts;

	(void)c;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * TICKS_SEC + ts.tv_nsec / 100;
}

static const struct clock real = { .mono = mono, .wall = wall };

static enum journal_act
judge(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	const struct bench *b = ctx;

	if (was != NULL && b->what == UPDATE)
		return JOURNAL_REMEMBER;
	if (was != NULL)
		return JOURNAL_SKIP;
	e->nroutes = (uint8_t)b->nsinks;
	memcpy(e->route, b->sink, b->nsinks * sizeof(b->sink[0]));
	return b->what != DELIVER ? JOURNAL_REMEMBER : JOURNAL_FORWARD;
}

static void
release(struct journal_page *p)
{
	free(p);
}

static void go_on(struct bench *b);

static void
on_appended(void *arg, const struct journal_page *p, const struct journal_appended *r)
{
	struct bench *b = arg;

	if (r->ok)
		b->answered += p->n;
	else
		b->sent -= p->n;
	go_on(b);
}

/* Which alert the i-th of the next page is; a page's are all of one stream. */
static uint64_t
number(const struct bench *b, unsigned i)
{
	uint64_t n = b->sent + i, all = b->remembered / PAGE / STREAMS, week = all / 27 + 1;

	switch (b->what) {
	case DELIVER:
	case REMEMBER:
		return n;
	case AGAIN:
		return b->remembered - b->total + n;
	case UPDATE:
		n = n * UINT64_C(0x9e3779b97f4a7c15) >> 20;
		return ((all - 1 - n % week) * STREAMS + b->sent / PAGE % STREAMS) * PAGE +
		       n / week % PAGE;
	}
	return n;
}

static void
send_page(struct bench *b)
{
	struct page *p = xmalloc(sizeof(*p));

	p->page = (struct journal_page) { .stream = b->stream[number(b, 0) / PAGE % STREAMS],
		.reader = "live", .cursor = (int64_t)b->sent, .memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE, .judge = judge, .ctx = b, .entries = p->entries,
		.n = PAGE, .is_full = true, .release = release };
	for (unsigned i = 0; i < PAGE; i++) {
		/* Ten alerts a second, as if they had come in over a while. */
		int64_t at = b->now + (int64_t)number(b, i) * TICKS_SEC / 10;
		int n = snprintf(p->ids[i], sizeof(p->ids[i]), "da%018" PRIu64 "_-%d",
		    number(b, i) * UINT64_C(0x9e3779b97f4a7c15), b->what != DELIVER);

		p->entries[i] = (struct journal_entry) { .id = { p->ids[i], (size_t)n },
			.now = { .created = at, .version = at + (b->what == UPDATE) },
			.body = body + i, .len = BODY };
	}
	b->sent += PAGE;
	journal_append(b->j, &p->page, on_appended, b);
}

static unsigned
number_of(const struct bench *b, uint32_t sink)
{
	unsigned i = 0;

	while (b->sink[i] != sink)
		i++;
	return i;
}

static void on_ready(void *arg, uint32_t sink);

struct reading {
	struct bench *b;
	unsigned sink;
};

static void
on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	struct reading *r = arg;
	struct bench *b = r->b;
	struct journal_mark *marks = xcalloc(taken->n + 1, sizeof(*marks));
	bool has_more = taken->has_more;

	if (err != NULL)
		fprintf(stderr, "read: %s\n", err->text);
	for (size_t i = 0; i < taken->n; i++)
		marks[i] = (struct journal_mark) { .pos = taken->items[i].pos, .what = MARK_OK };
	journal_settle(b->j, b->sink[r->sink], marks, taken->n);
	b->settled[r->sink] += taken->n;
	free(marks);
	journal_batch_free(taken);
	b->is_reading[r->sink] = false;
	if (has_more)
		on_ready(b, b->sink[r->sink]);
	free(r);
	go_on(b);
}

static void
on_ready(void *arg, uint32_t sink)
{
	struct bench *b = arg;
	struct reading *r;
	unsigned i = number_of(b, sink);

	if (b->is_reading[i])
		return;
	r = xmalloc(sizeof(*r));
	*r = (struct reading) { .b = b, .sink = i };
	b->is_reading[i] = true;
	journal_read(b->j, sink, PAGE, 1 << 21, on_read, r);
}

static void
go_on(struct bench *b)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < b->nsinks; i++)
		least = b->settled[i] < least ? b->settled[i] : least;
	if (b->nsinks == 0)
		least = b->answered;
	while (b->sent < b->total && b->sent - b->answered < AHEAD * PAGE
	    && (b->what != DELIVER || b->sent - least < 20 * PAGE))
		send_page(b);
	if (b->answered >= b->total && (b->what != DELIVER || least >= b->total))
		event_base_loopbreak(b->base);
}

static void
on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	(void)arg;
	(void)note;
	(void)state;
	fprintf(stderr, "%s\n", text);
}

static double
cpu_us(struct rusage *u)
{
	getrusage(RUSAGE_SELF, u);
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6
	    + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static void
run(struct bench *b, const char *what)
{
	struct rusage u;
	struct journal_stats before, after;
	double cpu = cpu_us(&u), user;
	int64_t start = mono(&real);

	user = (double)u.ru_utime.tv_sec * 1e6 + (double)u.ru_utime.tv_usec;
	journal_stats(b->j, &before);
	b->sent = b->answered = 0;
	go_on(b);
	event_base_dispatch(b->base);
	cpu = cpu_us(&u) - cpu;
	user = (double)u.ru_utime.tv_sec * 1e6 + (double)u.ru_utime.tv_usec - user;
	journal_stats(b->j, &after);
	printf("%-9s %7" PRIu64 " entries %u sinks: %5.1f us CPU per entry (user %.1f), "
	    "%" PRIu64 " commits, file %" PRIu64 " MiB, %" PRIu64 " entries left, RSS %ld MiB, "
	    "%.0f/s\n", what, b->total, b->nsinks, cpu / (double)b->total,
	    user / (double)b->total, after.commits - before.commits, after.file_bytes >> 20,
	    after.entries, u.ru_maxrss >> 10,
	    (double)b->total * 1000 / (double)(mono(&real) - start + 1));
}

static void
open_journal(struct bench *b)
{
	struct err err = { 0 };
	struct journal_opts opts = { .dir = b->dir, .max_size = UINT64_C(8) << 30,
		.remember_ms = INT64_C(190) * 86400000, .keep_delivered_ms = 0,
		.forget_sink_ms = INT64_C(7) * 86400000, .clock = &real, .base = b->base };
	const char *keep = getenv("KEEP_MS");

	if (keep != NULL)
		opts.keep_delivered_ms = strtoll(keep, NULL, 10);
	b->j = journal_open(&journal_sqlite, &opts, on_note, b, &err);
	if (b->j == NULL) {
		fprintf(stderr, "%s\n", err.text);
		exit(EXIT_FAILURE);
	}
	journal_on_ready(b->j, on_ready, b);
	for (unsigned i = 0; i < STREAMS; i++) {
		char key[32];

		snprintf(key, sizeof(key), "global/%u/alerts", i);
		b->stream[i] = journal_stream(b->j, key, "{}");
	}
}

/* Alerts of a month ago and older are in the memory when the others are delivered. */
static void
run_memory(struct bench *b, uint64_t remembered)
{
	uint64_t total = b->total;

	b->what = REMEMBER;
	b->total = b->remembered = remembered;
	run(b, "remember");
	b->total = remembered < 100000 ? remembered : 100000;
	b->what = AGAIN;
	run(b, "again");
	b->what = UPDATE;
	run(b, "update");
	b->what = DELIVER;
	b->total = total;
	b->now += INT64_C(30) * 86400 * TICKS_SEC;
}

int
main(int argc, char **argv)
{
	struct bench b = { .nsinks = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1 };
	char command[128];

	b.total = argc > 1 ? strtoull(argv[1], NULL, 10) / PAGE * PAGE : 50000;
	snprintf(b.dir, sizeof(b.dir), "%s/bench-journal-XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(b.dir) == NULL)
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(' ' + i * 2654435761u % 90);
	b.now = wall(&real);
	b.base = event_base_new();
	open_journal(&b);
	if (argc > 3)
		run_memory(&b, strtoull(argv[3], NULL, 10) / PAGE * PAGE);
	for (unsigned i = 0; i < b.nsinks; i++) {
		char name[16];

		snprintf(name, sizeof(name), "sink%u", i);
		b.sink[i] = journal_sink(b.j, name);
		on_ready(&b, b.sink[i]);
	}
	run(&b, "deliver");
	journal_close(b.j);
	event_base_free(b.base);
	snprintf(command, sizeof(command), "rm -rf '%s'", b.dir);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
