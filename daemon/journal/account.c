/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/account.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

struct account *
account_new(uint32_t stream, int64_t from, int64_t to)
{
	struct account *a = xcalloc(1, sizeof(*a));

	a->stream = stream;
	a->from = from;
	a->to = to;
	arena_init(&a->ids);
	return a;
}

void
account_free(struct account *a)
{
	if (a == NULL)
		return;
	arena_release(&a->ids);
	free(a->alerts);
	free(a);
}

/* ---- the table --------------------------------------------------------------------- */

static size_t
probe(const struct account *a, uint64_t hash, struct str id)
{
	size_t i = (size_t)hash & (a->nslots - 1);

	while (a->alerts[i].n != 0
	    && (a->alerts[i].hash != hash || a->alerts[i].n != id.n
	        || memcmp(a->alerts[i].id, id.s, id.n) != 0))
		i = (i + 1) & (a->nslots - 1);
	return i;
}

static void
grow(struct account *a)
{
	struct account_alert *old = a->alerts;
	size_t n = a->nslots;

	if (a->nalerts * 3 < n * 2)
		return;
	a->nslots = n == 0 ? 64 : 2 * n;
	a->alerts = xcalloc(a->nslots, sizeof(*old));
	for (size_t i = 0; i < n; i++)
		if (old[i].n != 0)
			a->alerts[probe(a, old[i].hash, (struct str){ old[i].id, old[i].n })] = old[i];
	free(old);
}

/* NULL: it is new, and there are too many, or it is nothing to be known by. */
static struct account_alert *
get(struct account *a, struct str id)
{
	uint64_t hash = str_hash(id.s, id.n);
	struct account_alert *alert;
	char *copy;

	if (id.n == 0)
		return NULL;
	grow(a);
	alert = &a->alerts[probe(a, hash, id)];
	if (alert->n != 0)
		return alert;
	if (a->nalerts == ACCOUNT_MOST) {
		a->is_full = true;
		return NULL;
	}
	copy = arena_alloc(&a->ids, id.n);
	memcpy(copy, id.s, id.n);
	a->nalerts++;
	*alert = (struct account_alert){ .hash = hash, .id = copy, .n = id.n, .created = TICKS_NONE,
		.version = TICKS_NONE };
	return alert;
}

size_t
account_column(struct account *a, uint32_t sink)
{
	for (size_t i = 0; i < a->nsinks; i++) {
		if (a->sinks[i] == sink)
			return i;
	}
	if (a->nsinks == ACCOUNT_SINKS)
		return SIZE_MAX;
	a->sinks[a->nsinks] = sink;
	return a->nsinks++;
}

/* ---- what is found --------------------------------------------------------------- */

bool
account_list(struct account *a, struct str id, int64_t created, int64_t version, bool is_unreadable)
{
	struct account_alert *alert = get(a, id);

	if (alert == NULL || alert->is_listed)
		return false;
	alert->is_listed = true;
	alert->is_unreadable = is_unreadable;
	alert->created = created;
	alert->version = version;
	return true;
}

bool
account_list_foreign(struct account *a, struct str id)
{
	struct account_alert *alert = get(a, id);

	if (alert == NULL || alert->is_foreign)
		return false;
	alert->is_foreign = true;
	a->nforeign++;
	return true;
}

static void
take_given(struct account *a, struct account_alert *alert, const struct given *given)
{
	alert->has = alert->refused = alert->missed = 0;
	for (unsigned i = 0; i < given->n; i++) {
		size_t column = account_column(a, given->sink[i]);
		uint64_t bit = column < ACCOUNT_SINKS ? UINT64_C(1) << column : 0;

		alert->has |= given->how[i] == GIVEN ? bit : 0;
		alert->refused |= given->how[i] == GIVEN_REFUSED ? bit : 0;
		alert->missed |= given->how[i] == GIVEN_MISSED ? bit : 0;
	}
}

void
account_remember(struct account *a, struct str id, int64_t created, int64_t journalled, bool is_said,
    const struct given *given)
{
	struct account_alert *alert = get(a, id);

	if (alert == NULL)
		return;
	alert->is_remembered = true;
	alert->is_said = is_said;
	alert->has_reasons = journalled >= a->reasons_since;
	if (!alert->is_listed)
		alert->created = created;
	alert->journalled = journalled;
	take_given(a, alert, given);
}

void
account_wait(struct account *a, struct str id, uint32_t sink)
{
	struct account_alert *alert = get(a, id);
	size_t column = account_column(a, sink);

	if (alert != NULL && column < ACCOUNT_SINKS)
		alert->waiting |= UINT64_C(1) << column;
}

/* ---- what comes of it -------------------------------------------------------------- */

enum account_fate
account_fate(const struct account *a, const struct account_alert *alert, size_t column)
{
	uint64_t bit = UINT64_C(1) << column;

	if (!alert->is_said)
		return FATE_UNKNOWN;
	if ((alert->refused & bit) != 0)
		return FATE_REFUSED;
	if ((alert->missed & bit) != 0)
		return FATE_MISSED;
	if ((alert->waiting & bit) != 0)
		return FATE_WAITING;
	if ((alert->has & bit) != 0)
		return FATE_ACCEPTED;
	if (a->since[column] > alert->journalled)
		return FATE_NOT_THERE;
	return alert->has_reasons ? FATE_LEFT_OUT : FATE_UNKNOWN;
}

bool
account_is_of(const struct account *a, const struct account_alert *alert)
{
	/* What is listed and shows no time was listed for this one. */
	if (alert->created == TICKS_NONE)
		return alert->is_listed;
	return alert->created >= a->from && alert->created < a->to;
}
