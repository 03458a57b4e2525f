/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/given.h"
#include "lib/base/arena.h"

/*
 * account: the alerts of one stream that were created in a time, as Microsoft lists them beside what
 * the journal knows of each: was it stored, and what became of it at each sink.
 *
 * It knows nothing of requests and files: whoever lists, and the engines (JOURNAL_ACCOUNT), say what
 * they find, in any order; what is said twice counts once. An alert counts once, however many
 * versions it has: of a sink it tells what became of the last one that it was meant to have.
 *
 * One thread at a time. Memory: 140 to 270 bytes an alert, and its id; ACCOUNT_MOST of them at most.
 */
#define ACCOUNT_SINKS 64
#define ACCOUNT_MOST  ((size_t)1 << 18)

struct account_alert {
	uint64_t hash;
	const char *id;
	size_t n;                    /* bytes of it; 0: an empty slot */
	bool is_listed, is_remembered;
	bool is_unreadable;          /* as it is listed */
	bool is_foreign;             /* it is listed as another tenant's */
	bool is_said;                /* the journal says who was given it, */
	bool has_reasons;            /* and why others were not */
	int64_t created;             /* ticks; TICKS_NONE */
	int64_t version;             /* as it is listed */
	int64_t journalled;
	uint64_t has, refused, missed, waiting; /* bits, by column */
};

struct account {
	/* Said at its birth. */
	uint32_t stream;
	int64_t from, to; /* ticks: created in it */
	/* Said meanwhile. */
	struct account_alert *alerts; /* open table */
	size_t nalerts, nslots, nforeign;
	bool is_full;                 /* there are more than it takes */
	struct arena ids;
	uint32_t sinks[ACCOUNT_SINKS];
	int64_t since[ACCOUNT_SINKS]; /* the sink was not there before, ticks; 0: not known */
	size_t nsinks;
	int64_t reasons_since;        /* what was stored before does not say why; ticks */
	uint64_t to_seq;              /* the engine's: entries up to this one were looked at */
};

struct account *account_new(uint32_t stream, int64_t from, int64_t to);
void account_free(struct account *a);

/* ---- what is found --------------------------------------------------------------- */

/* Microsoft lists it. False: it was listed before, or there are too many. */
bool account_list(struct account *a, struct str id, int64_t created, int64_t version,
    bool is_unreadable);
/* Likewise, and says that it is another tenant's. */
bool account_list_foreign(struct account *a, struct str id);
/* The memory has it. */
void account_remember(struct account *a, struct str id, int64_t created, int64_t journalled,
    bool is_said, const struct given *given);
/* It waits at that sink. */
void account_wait(struct account *a, struct str id, uint32_t sink);
/* The column of that sink; SIZE_MAX: there are too many. */
size_t account_column(struct account *a, uint32_t sink);

/* ---- what comes of it -------------------------------------------------------------- */

/* What one alert that is stored is to one sink. */
enum account_fate {
	FATE_ACCEPTED,
	FATE_WAITING,
	FATE_REFUSED, /* a dead letter, or it was one and was dropped */
	FATE_MISSED,  /* let go of: the sink was parked, say; read again for it when it recovers */
	FATE_NOT_THERE, /* stored before there was that sink */
	FATE_LEFT_OUT,  /* by routing or by a filter */
	FATE_UNKNOWN,   /* stored by an older msspd */
	FATE_COUNT,
};
enum account_fate account_fate(const struct account *a, const struct account_alert *alert,
    size_t column);

/* Was it created in the time? As both sides see it. */
bool account_is_of(const struct account *a, const struct account_alert *alert);

#endif
