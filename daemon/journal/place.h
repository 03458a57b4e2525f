/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * place: where one sink stands, as far as memory knows: what was handed out to
 * it and not settled, what waits for its time, what comes next.
 *
 * It knows nothing of where entries are kept: it deals in their numbers, which
 * rise from 1. What it says may be stale by an entry that was settled twice, so
 * whoever fetches a number must bear that it is gone. One thread.
 */
struct place_due {
	int64_t at;
	uint64_t seq;
};

struct place {
	uint32_t sink;
	int64_t since;         /* ticks: it was not there before; 0: not known */
	bool is_forgotten;     /* its entries are being let go: nothing is handed out */
	bool is_dropped;       /* they are all gone, and its name too */
	bool is_parked;        /* it is given nothing new */
	uint64_t park_from;    /* of a parked one: entries after it are still to be let go; 0: not
	                        * known where they begin; UINT64_MAX: none is left */
	bool is_resending;     /* what it lost is put before it again: nothing is handed out */
	int64_t resent_at;     /* ticks: when it was; nothing waits for it since before. 0: never */
	unsigned marked;       /* settled, and not stored yet */
	bool wants_ready;      /* the last read found the end */
	uint64_t next;         /* the first that was never handed out */
	uint64_t newest;       /* the last that was committed for it */
	uint64_t entries, bytes; /* open here */
	uint64_t dead;
	uint64_t retrying;     /* of them wait here again, */
	uint64_t retry_from;   /* as entries from this one on, */
	int64_t retry_at;      /* ticks: for no longer than since then */
	uint64_t oldest_seq;   /* 0: none, or not known */
	int64_t oldest;        /* ticks when it was journalled */
	struct { uint64_t *seq; size_t n, room; } out;                 /* handed out, by hash */
	struct { struct place_due *v; size_t n, room; } later;         /* a heap, soonest first */
	struct { uint64_t *seq; size_t at, n; } again;                 /* rewound, in order; 0: taken out */
};

struct place *place_new(uint32_t sink);
void place_free(struct place *p);

/* It was handed out just now. */
void place_hand_out(struct place *p, uint64_t seq);
/* It was settled, in whatever way. */
void place_take_back(struct place *p, uint64_t seq);
bool place_is_out(const struct place *p, uint64_t seq);

/* It comes again when its time is there. */
void place_later(struct place *p, uint64_t seq, int64_t due);

/* The clock was set back by so many ticks: what waits does not wait longer for it. */
void place_clock_set_back(struct place *p, int64_t ticks);

/* Everything that is out comes again, in order. */
void place_rewind(struct place *p);

/* As after a restart: nothing was handed out, and all that waits comes again from the first on;
 * what waits for its time is to be said anew. */
void place_begin_anew(struct place *p);

/* The next number that waited for its time or was rewound; 0: none. */
uint64_t place_pop(struct place *p, int64_t now);

/* types: bits, 1 << type, of entries that are never let go of. */
static inline bool
place_is_own(unsigned types, unsigned type)
{
	return type < 32 && (types & 1u << type) != 0;
}

/* Whether it is given what is appended for it now: a parked one only what is of those types. */
static inline bool
place_takes(const struct place *p, unsigned own_types, unsigned type)
{
	return !p->is_parked || place_is_own(own_types, type);
}

/* A dead letter is tried again, as entry seq, from now on. */
void place_retry(struct place *p, uint64_t seq, int64_t now);
/* Since when that entry, journalled then, waits here. */
int64_t place_waits_since(const struct place *p, uint64_t seq, int64_t journalled);

/* Something could be handed out at once. */
bool place_has_work(const struct place *p, int64_t now);

#endif
