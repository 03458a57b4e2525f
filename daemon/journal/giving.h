/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GIVING_H
#define GIVING_H

#include <stdbool.h>

#include "daemon/journal/given.h"
#include "daemon/journal/journal.h"
#include "daemon/journal/place.h"

/*
 * giving: to whom the remembered version of an alert counts as given, once a page's entry is
 * stored: the rule, which is the same in every engine.
 *
 * It knows nothing of where an engine keeps what it remembers and where sinks stand. Pure.
 */
struct store;

/* Where that sink stands; NULL: it is let go. */
typedef const struct place *giving_place(struct store *s, uint32_t sink);

struct giving {
	giving_place *place;
	struct store *store;
	unsigned own_types; /* as in struct journal_opts */
};

/*
 * g: what is said of the version that is remembered; then what is said of it, or of e where that takes
 * its place. Whose filters leave out a version that is forwarded has it if it had the one before, and
 * lacks it if it lacked that.
 */
void giving_note(const struct giving *how, const struct journal_page *page,
    const struct journal_entry *e, enum journal_act act, struct given *g);

/* For JOURNAL_MISSING: leaves of e's routes those that were not given it, and says what is left to do. */
enum journal_act giving_leave_missing(const struct given *g, struct journal_entry *e);

#endif
