/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/giving.h"

static bool
is_routed(const struct journal_entry *e, uint32_t sink)
{
	for (unsigned i = 0; i < e->nroutes; i++) {
		if (e->route[i] == sink)
			return true;
	}
	return false;
}

/* What is new was given to nobody yet. */
static void
begin_anew(const struct journal_page *page, const struct journal_entry *e, struct given *g)
{
	struct given was = *g;

	g->n = 0;
	for (size_t i = 0; i < page->nmeant; i++) {
		if (!is_routed(e, page->meant[i]))
			given_copy(g, &was, page->meant[i]);
	}
}

void
giving_note(const struct giving *how, const struct journal_page *page,
    const struct journal_entry *e, enum journal_act act, struct given *g)
{
	if (act == JOURNAL_REMEMBER)
		return;
	if (act == JOURNAL_FORWARD)
		begin_anew(page, e, g);
	for (unsigned i = 0; i < e->nroutes; i++) {
		const struct place *p = how->place(how->store, e->route[i]);

		if (p != NULL && place_takes(p, how->own_types, e->type))
			given_add(g, e->route[i]);
		else if (p != NULL && !given_has(g, e->route[i]))
			given_set(g, e->route[i], GIVEN_MISSED);
	}
}

enum journal_act
giving_leave_missing(const struct given *g, struct journal_entry *e)
{
	uint8_t n = 0;

	for (unsigned i = 0; i < e->nroutes; i++) {
		if (!given_has(g, e->route[i]))
			e->route[n++] = e->route[i];
	}
	e->nroutes = n;
	return n > 0 ? JOURNAL_REPEAT : JOURNAL_SKIP;
}
