/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_MEMO_H
#define SINK_SMTP_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/*
 * memo: what a mail sink must remember of an entry while the journal keeps it:
 * who has it already, what waits for a digest, how often it was tried, and why
 * it can never reach somebody. A line of text; pure.
 *
 * A memo that cannot be read is one that says nothing: then somebody gets a mail
 * twice, and nobody gets none.
 */
#define MEMO_DONE  96 /* recipients of one entry, at most */
#define MEMO_HELD  24  /* rules */
#define MEMO_WHY   300
#define MEMO_BYTES 4096

/* Why an entry waits for a digest. */
enum memo_hold { HOLD_PERIOD = 'p', HOLD_LIMIT = 'l', HOLD_REPLAY = 'r' };

struct memo_held {
	uint64_t rule;
	enum memo_hold why;
	int64_t since, due; /* ticks */
};

struct memo {
	unsigned tries;
	uint64_t done[MEMO_DONE]; /* hashes of the addresses of those that need nothing any more */
	size_t ndone;
	struct memo_held held[MEMO_HELD];
	size_t nheld;
	uint64_t cancelled[MEMO_HELD]; /* rules that somebody took back for this entry */
	size_t ncancelled;
	char why[MEMO_WHY + 1]; /* "": everybody may still get it */
};

/* text NULL: nothing. */
void memo_read(struct memo *m, const char *text);
/* At most MEMO_BYTES with the NUL. */
void memo_write(struct buf *out, const struct memo *m);

bool memo_is_done(const struct memo *m, uint64_t address);
void memo_add_done(struct memo *m, uint64_t address);
/* NULL: none of that rule. */
const struct memo_held *memo_held(const struct memo *m, uint64_t rule);
void memo_hold(struct memo *m, const struct memo_held *held);
/* That rule has nothing to do with the entry any more. */
void memo_cancel(struct memo *m, uint64_t rule);
bool memo_is_cancelled(const struct memo *m, uint64_t rule);
/* Keeps the first reason. */
void memo_add_why(struct memo *m, const char *why);

#endif
