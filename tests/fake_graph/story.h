/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_STORY_H
#define FAKE_GRAPH_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fake_graph/options.h"
#include "tests/fake_graph/truth.h"
#include "tests/fake_graph/world.h"

/*
 * story: how the alerts come about and change.
 *
 * It makes the first alerts, and then, at a rate, one change after the other:
 * which tenant, which alert and which change follow from the seed; only the
 * times are the clock's. It knows nothing of HTTP.
 */
struct story {
	struct world *world;
	const struct options *opt;
	struct rng rng;
	double rate;     /* changes per second and tenant */
	double due;      /* changes owed */
	double incident_due;
	int64_t last_ms; /* monotonic */
	int64_t stop_ms; /* monotonic; INT64_MAX: never */
	bool is_stopped;
	uint64_t nchanges;
};

void story_init(struct story *s, struct world *w, const struct options *opt);
/* All the alerts of the beginning. */
void story_begin(struct story *s, int64_t now_mono);
/* The changes that fell due since the last call. */
void story_go_on(struct story *s, int64_t now_mono);

/* What a test asks for: n new alerts, or changes of the story's choice, of one tenant. */
void story_make(struct story *s, struct tenant *t, unsigned n);
void story_change(struct story *s, struct tenant *t, unsigned n);
void story_make_hostile(struct story *s, struct tenant *t, unsigned n, const struct hostile *h);
void story_make_same_stamp(struct story *s, struct tenant *t, unsigned n);
void story_make_future(struct story *s, struct tenant *t, unsigned n);
/* False where the change does not apply to the alert as it is. */
bool story_do(struct story *s, struct alert *a, enum change what);

#endif
