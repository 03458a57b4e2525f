/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAGING_H
#define PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ticks.h"

/*
 * paging: how one read walks through a list that changes while it is read, and
 * how far the cursor may move. Pure: it is told what came back, and says what to
 * ask next. It knows nothing of HTTP, JSON, tenants or where links lead.
 *
 * Promises, whatever the server does with $orderby, $filter, $top, $skip and nextLink
 *  - the cursor never passes a record that stood unread in what the server
 *    listed, never goes backwards, and never passes the server's clock.
 *  - what cannot be read is reported as a gap, never passed over in silence.
 *  - every read ends, or says that it goes on (is_long) after PAGING_TURN pages.
 *
 * The ways, best first
 *  - keyset: after a full page ask "ge its last timestamp". Safe against changes;
 *    the repeats at the border are somebody else's memory.
 *  - nextLink, where the keyset cannot progress: a page on one timestamp, an
 *    empty or short page that has a link, an order that is not proven.
 *  - $top 1000, then $skip up to 500, where neither helps; then one tick is given up.
 *  - a server that takes no notice of $skip is soon read by windows of time.
 *  - a list that knows no order and no links (is_by_skip): $skip, again and again until a
 *    whole pass brings nothing new, for what changes meanwhile moves what lies behind it.
 *  - an order that is ignored or refused: links are followed to their end; where
 *    there are none the window of time is cut until its page is not full. The
 *    cursor then moves once, when the read is complete.
 *
 * The order is believed once it was seen to ascend, and disbelieved at the first descent.
 */
#define PAGING_FOREVER   INT64_MAX
#define PAGING_TURN      1000 /* pages of one read before others' turn is more important */
#define PAGING_MOST      1000 /* $top that the API serves at most */
#define PAGING_SKIP_MOST 500  /* $skip that it takes */

/* What was learned of a server through one reader; outlives reads. Begins zeroed. */
struct paging_habits {
	unsigned ascents;         /* seen in a row: enough of them prove the order */
	bool is_ascending;        /* proven */
	bool is_order_refused;    /* 400 at $orderby */
	unsigned reads_refused;   /* reads since then; it is tried again after many */
	unsigned biggest;         /* most records on one page: smaller ones are seldom cut */
	unsigned clamp;           /* a page this long was not the end, though less than asked */
	unsigned checked;         /* a page this long was the end */
	unsigned checked_age;     /* reads since */
	unsigned top_limit;       /* pages above it were too large; 0: none */
	unsigned good, patience;  /* good pages since, and how many before it grows back */
	int64_t gap_from, gap_to; /* the gap reported last, so that it is reported once */
};

enum paging_mode { PAGING_KEYSET, PAGING_SKIP, PAGING_LINK };

/* The request to make: ge from [and lt before], $top, $skip; or the link of the page before. */
struct paging_ask {
	enum paging_mode mode;
	int64_t from, before; /* before: PAGING_FOREVER mostly */
	unsigned top, skip;
	bool with_order;
};

struct paging {
	struct paging_ask ask;
	struct paging_habits *habits;
	int64_t begin, until;       /* of the read */
	int64_t cursor;             /* what is stored */
	int64_t newest;             /* newest record of this read that the cursor may reach */
	int64_t started;            /* the server's clock at the first page */
	int64_t last;               /* last timestamp of the page before */
	unsigned page_size, wanted; /* now, and at the beginning */
	unsigned most;              /* $top that the list serves */
	bool is_by_skip;
	unsigned pages, turn_pages;
	unsigned checking; /* length of the page that this request checks; 0: none */
	int64_t checking_from; /* the last timestamp of that page */
	unsigned faults;   /* in a row, at this place */
	bool is_unordered, is_unfiltered, is_incomplete;
	bool no_skip, no_most, no_before, no_link; /* refused in this read */
	bool is_probing;  /* beyond a place that fails: proves that only the place is bad */
	bool is_poisoned; /* a record was passed over; the gap is told with the next page */
	int64_t poison_from;
	struct paging_ask before_probe;
	unsigned give_ups;           /* in a row */
	unsigned position;           /* records read since ask.from by links and skips */
	bool is_shifting, has_fresh; /* of the timestamp that is read by links */
	unsigned passes;
	int64_t still_first, still_last; /* of the page before, by $skip */
	unsigned still;                  /* pages in a row that were just that one again */
	uint64_t link, link_mark; /* hashes: of the link that is followed, and of an earlier one */
	unsigned links;
};

/* What came back: paging_page_init(), one paging_page_add() a slice in their order, the link. */
struct paging_page {
	unsigned count, ascents, fresh, fresh_at_from;
	bool is_descending;
	int64_t from, limit;
	int64_t first, last, least, most; /* TICKS_NONE: no record shows a time */
	int64_t newest;                   /* of those not after limit */
	bool has_link;
	uint64_t link; /* its hash */
};

enum paging_what { PAGING_ASK, PAGING_DONE, PAGING_FAILED };

struct paging_step {
	enum paging_what what;
	int64_t cursor;      /* to be stored with this page; TICKS_NONE: it stays */
	const char *gap_why; /* NULL: none */
	int64_t gap_from, gap_to;
	bool is_long;   /* PAGING_TURN pages in a row: go on in the next interval */
	struct err err; /* PAGING_FAILED; PAGING_DONE, when the server did not let all through */
};

struct paging_bounds {
	int64_t from;   /* read from here on */
	int64_t until;  /* what is newer is somebody else's; PAGING_FOREVER */
	int64_t cursor; /* as stored; TICKS_NONE: none yet */
	unsigned page_size; /* $top wanted */
	unsigned most;      /* $top that the list serves at most; 0: PAGING_MOST */
	bool is_by_skip;    /* no $orderby, no links, and no end of $skip */
};
/* A new read. p->ask is its first request. habits live as long as p. */
void paging_begin(struct paging *p, struct paging_habits *habits, const struct paging_bounds *b);

/* server_now: the Date of the answer (TICKS_NONE is not allowed: estimate it). */
void paging_page_init(struct paging_page *pg, const struct paging *p, int64_t server_now);
/* One slice. version TICKS_NONE: it shows none. is_fresh: not known from an earlier page. */
void paging_page_add(struct paging_page *pg, int64_t version, bool is_fresh);

/*
 * Takes a page that will be journalled. PAGING_ASK: p->ask is next. A caller that
 * cannot store the page puts back the copies of p and its habits that it made before.
 */
void paging_take(struct paging *p, const struct paging_page *pg, struct paging_step *out);

enum paging_fault {
	PAGING_TOO_LARGE,     /* the body passed its cap */
	PAGING_ORDER_REFUSED, /* 400 that speaks of orderby */
	PAGING_REFUSED,       /* another 400 */
	PAGING_BROKEN,        /* 500, 504, a body cut short: may be the place, may be the server */
};
/* An answer without a page. PAGING_ASK: try p->ask (at once or after a wait, as the fault
 * is); PAGING_FAILED: nothing else to try. Never moves the cursor. */
void paging_fault(struct paging *p, enum paging_fault fault, struct paging_step *out);

#endif
