/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_PARTS_H
#define PROBE_PARTS_H

#include "daemon/intake/state.h"
#include "daemon/intake/streams.h"
#include "daemon/onboard/probe.h"
#include "daemon/resolve.h"
#include "lib/json/split.h"
#include "lib/policy/paging.h"

/*
 * probe_parts: what the files of probe share; private to them. A probe is a list of
 * tasks, run one after the other; each tells what it saw as one or more steps and then
 * calls probe_next().
 */
#define PROBE_TASKS_MAX 32
#define PROBE_STEPS_MAX 96

struct probe_task {
	void (*run)(struct probe *p, size_t index);
	size_t index;
};

struct probe_host {
	const char *base; /* the configuration's URL */
	char *name, *port;
	bool is_https;
	bool is_bad;      /* no address, or no connection */
};

/* What is known of one API's token. */
struct probe_api {
	size_t host;
	char *bearer;   /* NULL: there is none */
	unsigned roles; /* bits of enum token_role */
};

struct probe {
	struct probe_needs needs;
	const struct tenant *t;
	void (*moved)(void *arg);
	void *arg;

	struct probe_task tasks[PROBE_TASKS_MAX], now;
	size_t ntasks, next;
	struct probe_step steps[PROBE_STEPS_MAX];
	size_t nsteps;
	bool is_over;

	struct probe_host hosts[1 + API_COUNT];
	size_t nhosts, login; /* login: index of its host */
	struct probe_api apis[API_COUNT];

	int64_t began; /* the present task; wall clock, ticks */
	bool has_date; /* an answer showed Microsoft's time */
	int64_t clock_off_sec; /* how far that is ahead of ours; 0: near enough */

	struct resolve_job *resolving;
	struct fetch *fetch;
	struct token_wait *wait;
	struct split split; /* of the page that is read */
	bool is_splitting;
	struct paging_ask ask;
};

/* ---- probe.c ---------------------------------------------------------------- */

void probe_ok(struct probe *p, const char *name, char *taken_text);
/* Well, and yet there is something to do. */
void probe_advise(struct probe *p, const char *name, char *taken_text, char *taken_todo);
void probe_skip(struct probe *p, const char *name, char *taken_text);
void probe_fail(struct probe *p, const char *name, int status, char *taken_text, char *taken_todo);
/* With the remedy that the daemon names for that state. */
void probe_fail_as(struct probe *p, const char *name, enum tenant_state state, char *taken_text);
/* date: of an answer to what the present task asked; TICKS_NONE: it had none. */
void probe_note_date(struct probe *p, int64_t date);
void probe_next(struct probe *p);

/* ---- probe_read.c: tasks that need a token ------------------------------------------ */

/* index: of enum api; of the tenant's streams. */
void probe_try_token(struct probe *p, size_t index);
void probe_try_role(struct probe *p, size_t index);
void probe_try_read(struct probe *p, size_t index);
/* Ends what is under way, and wipes tokens. */
void probe_reading_release(struct probe *p);
/* A request as the tenant's app makes it. bearer, prefer, on_body may be NULL. */
struct fetch *probe_get(struct probe *p, const char *url, const char *bearer, const char *prefer,
    struct buf *(*on_body)(void *arg),
    void (*on_done)(void *arg, const struct fetch_reply *reply, struct str body));

#endif
