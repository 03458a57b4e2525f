/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/health/conditions.h"
#include "daemon/health/teller.h"
#include "lib/policy/steady.h"

/*
 * subject: one thing that is watched (a tenant, a sink, the journal), what was
 * seen of it last and what was told. Inside of daemon/health only.
 */

/* Something that only grows, from the start on: how much of it was told, and when (mono ms). */
struct tally {
	uint64_t told;
	int64_t told_at; /* 0: never */
};

struct subject {
	char *key;
	bool is_kept; /* while configuring */
	struct steady steady;
	/* What was seen last; what is valid until the loop runs again. */
	int state;
	const char *what;
	bool is_due; /* its state is to be told, … */
	int was;     /* … and was this when it was told before */
	int64_t since;      /* ticks */
	int64_t told_since; /* ticks: when that began which was told last */
	/* Tenants: */
	const struct tenant *tenant;
	const char *stream;     /* whose state it is; "" where it has but one */
	int64_t last_success;   /* ticks */
	uint64_t nquarantined, ngaps;
	int outage;           /* it is part of the one of this state; NO_OUTAGE */
	uint32_t alone[JOURNAL_ROUTES]; /* to these it was told nevertheless */
	size_t nalone;
	struct tally quarantined, gaps;
	/* Sinks: */
	struct tally dead;
};
#define NO_OUTAGE (-1)

struct subject *subject_new(const char *key);
void subject_free(struct subject *s);

/* Who it is, for subject_tell(): "tenant", "Tenant contoso-eu", "contoso-eu". */
struct subject_name {
	const char *about, *title, *name;
};
/*
 * Tells that it is now what steady says it is; was: what was told before, or NULL.
 * now: ticks.
 */
void subject_tell(struct teller *t, struct subject *s, const struct subject_name *name,
    const struct words *is, const struct words *was, int64_t now, struct telling *to);

/* True when it has grown and that may be told now (seldom); *by: by how much. */
bool tally_grew(struct tally *t, uint64_t seen, int64_t now_ms, uint64_t *by);

#endif
