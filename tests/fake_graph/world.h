/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_WORLD_H
#define FAKE_GRAPH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/ticks.h"
#include "tests/fake_graph/rng.h"

/*
 * world: the tenants, their alerts, and which version of each the API shows.
 *
 * An alert is made of versions. A version is born (world_publish) with a stamp
 * of its own, and shown from its visible_from on, which may be later: until then
 * the API goes on showing the version before it, or nothing. It knows nothing of
 * HTTP, of queries, or of why an alert changes.
 *
 * Promises
 *  - by_updated and by_created hold exactly the shown alerts, in order of stamp;
 *    equal stamps stay in one arbitrary but stable order.
 *  - the stamps of one alert only rise.
 *  - every birth and every end of a version is reported to the listener, in order.
 *
 * One thread. The world owns everything in it.
 */
enum severity { SEV_INFORMATIONAL, SEV_LOW, SEV_MEDIUM, SEV_HIGH };
enum status { STATUS_NEW, STATUS_IN_PROGRESS, STATUS_RESOLVED };

/* Why a version exists. */
enum change {
	CHANGE_NEW,
	CHANGE_EVIDENCE,
	CHANGE_VERDICT,
	CHANGE_COMMENT,
	CHANGE_ASSIGNED,
	CHANGE_ESCALATED,
	CHANGE_LOWERED,
	CHANGE_RESOLVED,
	CHANGE_REOPENED,
	CHANGE_TOUCHED, /* the stamp moved and nothing else */
	CHANGE_MERGED,  /* of an incident: it went into another one */
};
#define NCHANGES (CHANGE_MERGED + 1)

/* All of an alert that changes; the rest follows from its seed. */
struct facts {
	int64_t updated, resolved; /* ticks; resolved may be TICKS_NONE */
	enum severity severity;
	enum status status;
	enum change change;
	unsigned nevidence, ncomments;
	unsigned verdicts; /* how often the verdicts were revised */
	unsigned assignee; /* 0: nobody */
	unsigned merged;   /* number of the incident that this one went into; 0: none */
	uint64_t note;     /* seeds what comments and assignments say */
};

struct hostile; /* hostile.h */
struct tenant;
struct alert;

struct version {
	struct alert *alert;
	unsigned number;
	uint64_t serial; /* unique in the world */
	int64_t visible_from;
	struct facts facts;
	char *body; /* one JSON object, owned */
	size_t len;
};

struct alert {
	struct tenant *tenant;
	char *id;
	uint64_t seed, tie;
	unsigned serial; /* 0, 1, … in its tenant */
	int64_t created;
	struct facts facts; /* of the newest version */
	struct version *shown, *pending;
	unsigned nversions;
	bool is_fixed; /* the story leaves it alone */
	bool is_incident;
	bool is_mde, is_mde_only; /* Defender for Endpoint has it; Graph has not */
	const struct hostile *hostile;
};

/* Shown alerts by one of their stamps. */
struct order {
	bool is_created;
	struct alert **v;
	size_t n, room;
};

#define FIRST_INCIDENT 40000u /* their numbers; three alerts name the same one */

#define POLL_TIMES 4096

/* What a test asks about a tenant's clients. */
struct counters {
	uint64_t mde_requests;
	uint64_t requests, pages, tokens, token_errors, bytes, faults, limited;
	uint64_t status[6];        /* by hundreds */
	uint64_t by_certificate, by_federation; /* of the tokens */
	uint64_t bearer_elsewhere; /* a token at a host or path that must never see it */
	int64_t first_ms, last_ms; /* monotonic */
	int64_t *poll_ms;          /* ring of POLL_TIMES, made at the first poll */
	uint64_t npolls;
};

/* Requests since then. */
struct meter {
	int64_t since_ms;
	unsigned n;
};

struct tenant {
	unsigned index; /* from 1 */
	char guid[37];
	char *name;
	uint64_t seed;
	struct alert **alerts;
	size_t nalerts, room;
	struct order by_updated, by_created;
	int64_t last_stamp;
	int64_t minute_ms; /* start and count of the rate limit's window */
	unsigned in_minute;
	struct meter mde_minute, mde_hour;
	struct counters counters;
	bool is_incidents;        /* it is only the list of another one's incidents */
	struct tenant *incidents; /* that list; NULL in such a one */
};

/* Heard at birth (ended_ms 0) and when a version is shown no more. */
typedef void
world_listener(const struct version *v, int64_t ended_ms, bool could_be_seen, void *arg);

struct late {
	int64_t visible_from;
	struct alert *alert;
	unsigned number;
};

struct world {
	struct tenant *tenants;
	size_t ntenants;
	bool is_bench;
	uint64_t versions;
	struct late *late; /* heap, earliest first */
	size_t nlate, late_room;
	world_listener *listener;
	void *listener_arg;
};

void world_init(struct world *w, bool is_bench);
void world_release(struct world *w);
/* Tenants are added before any alert. name is copied. */
void world_add_tenant(struct world *w, const char *guid, const char *name, uint64_t seed);
/* By GUID, name, or index in decimal; NULL when there is none. */
struct tenant *world_find(struct world *w, struct str who);

/* An alert without a version; it has its id and its own seed. */
struct alert *world_add_alert(struct tenant *t, int64_t created);
struct alert *world_alert(struct tenant *t, struct str id);
/*
 * A new version from a->facts, visible from visible_from (ms) on; it takes body.
 * The stamp in a->facts must be past the one of the version before.
 */
void world_publish(
    struct world *w, struct alert *a, char *body, size_t len, int64_t visible_from, int64_t now);
/* Shows what is due; returns when the next is, or INT64_MAX. */
int64_t world_catch_up(struct world *w, int64_t now);

int64_t order_stamp(const struct order *o, const struct alert *a);
/* The first place whose (stamp, tie) is not before the one given. */
size_t order_seek(const struct order *o, int64_t stamp, uint64_t tie);

int64_t wall_ms(void);
int64_t mono_ms(void);

#endif
