/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_ENTRY_H
#define SINK_SMTP_ENTRY_H

#include <sys/queue.h>

#include "daemon/delivery/sink_smtp_desk.h"

/*
 * entry: one entry of the journal in the mail sink: a leg for each recipient
 * that has not got it yet, and what becomes of the whole when all its legs have
 * come to something.
 *
 * Pure. It knows nothing of mails and servers.
 */
struct crowd_one;

enum leg_state {
	LEG_OPEN,  /* in a mail, or in a digest that is being made */
	LEG_DONE,
	LEG_DEAD,  /* this recipient never gets it */
	LEG_LATER, /* not now */
	LEG_HELD,  /* for a digest */
};

struct leg {
	uint64_t address;
	enum leg_state state;
	struct desk *admitted; /* who let it through just now; NULL */
	struct memo_held held; /* HELD */
};

struct entry {
	TAILQ_ENTRY(entry) link;
	uint64_t ticket;
	uint64_t event; /* hash of the event's id */
	struct crowd_one *crowd; /* that it is one of; its owner's business */
	char *memo;     /* as it came; NULL */
	char *dead;     /* why a recipient never gets it; NULL */
	char *later;    /* why one does not get it now; NULL */
	unsigned open;  /* legs */
	size_t nlegs;
	struct leg legs[];
};
TAILQ_HEAD(entries, entry);

struct entry *entry_new(uint64_t ticket, const char *memo, size_t nlegs);
void entry_free(struct entry *e);

/* An open leg came to something. why: of DEAD and LATER, naming the recipient. */
void entry_leg(struct entry *e, size_t leg, enum leg_state state, const char *why);

/* Some recipient got it, or never will: this must be remembered whatever happens. */
bool entry_has_progress(const struct entry *e);

struct entry_end {
	enum sink_verdict verdict;
	int64_t due;    /* HOLD */
	bool has_memo;  /* HOLD, RETRY: memo was written */
	const char *why; /* REJECT, RETRY; NULL. As long as the entry, or memo */
	bool is_again;  /* HOLD: because of `later`, not only for a digest */
};
/*
 * now: ticks. What is put off is due by its tries, jitter by random; cut: at once, legs
 * that are still open too. memo is cleared and filled. m: of the caller's, for the result's texts.
 */
void entry_judge(const struct entry *e, int64_t now, uint32_t random, bool cut, struct memo *m,
    struct buf *memo, struct entry_end *out);

#endif
