/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_SINK_H
#define FAKE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/sink.h"

/*
 * fake_sink: a kind of sink that goes through the same calls as the real ones,
 * does what a test says, and counts. Its far side outlives the sinks that are
 * opened to it, so a test sees what happened over several of them.
 */
struct fake_got {
	char id[48];
	int64_t version; /* ticks */
	char tenant[32];
	unsigned tries;
	char memo[32];
	int link;        /* of which started link, from 1 */
	enum sink_verdict verdict;
	bool is_answered;
};

struct fake_far {
	/* What it shall do; a test changes it while it runs. */
	bool refuses_open;
	enum sink_link_state answer;     /* to start() */
	size_t room;                     /* unanswered items at most; 0: any number */
	int64_t answer_after_ms;         /* results come that much later; -1: never */
	bool never_drains;
	/* NULL: SINK_OK for all. May set *due (ticks) and *memo. */
	enum sink_verdict (*judge)(void *arg, const struct fake_got *got, int64_t *due,
	    const char **memo);
	void *judge_arg;

	/* What was done to it. */
	size_t opened, closed, started, sends, drained, cancelled, refreshed;
	struct fake_got *got;
	size_t ngot, room_got;
	struct sink *sink; /* the one that lives */
};

struct fake_conf {
	struct fake_far *far;
};

extern const struct sink_kind fake_sink;

void fake_far_init(struct fake_far *far);
void fake_far_release(struct fake_far *far);
/* The link ends now, as the far side wants it. */
void fake_far_cut(struct fake_far *far, enum sink_link_state state);
/* Items with that verdict, or with no answer yet. */
size_t fake_far_count(const struct fake_far *far, enum sink_verdict v);
size_t fake_far_unanswered(const struct fake_far *far);

#endif
