/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TELLER_H
#define TELLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/env.h"
#include "daemon/journal/journal.h"
#include "daemon/settings.h"
#include "lib/record/health.h"

/*
 * teller: makes health records and puts them into the journal, from where they go
 * to the sinks like alerts: durable, retried, in order per subject.
 *
 * It knows who is told what: a tenant's records go where its alerts go (as far as
 * the sinks' `match` wants them), those of msspd itself to sinks with `health: daemon`.
 * It decides nothing about what is worth telling.
 *
 * Promises
 *  - what is said to be the state of a subject is told when it differs from what was
 *    told last, also when that was before a restart: the journal remembers. That
 *    something is well, of which nothing else was ever told, is told to nobody.
 *  - what the journal does not take now waits, in memory, and is tried again; what was
 *    told of the same subject since waits behind it, so that the last word stays the last.
 */
struct teller;

struct teller *teller_new(const struct engine_env *env, struct journal *j);
void teller_free(struct teller *t);
/* Keeps a reference to s, from which all tenants come that are passed later. */
void teller_configure(struct teller *t, const struct settings *s);

struct telling {
	const struct tenant *tenant; /* whose; NULL: msspd's own */
	const char *id;              /* of the subject, within those of the tenant */
	struct health h;             /* texts are copied */
	bool is_event;               /* it is no state: told each time */
	const uint32_t *sinks;       /* the journal's numbers; at most JOURNAL_ROUTES */
	size_t nsinks;
};
/* Told to nobody where there are no sinks, but remembered. */
void teller_tell(struct teller *t, const struct telling *what);

/* Who is told of a tenant, of msspd itself. Returns how many. */
size_t teller_routes(
    const struct teller *t, const struct tenant *tenant, uint32_t out[JOURNAL_ROUTES]);
size_t teller_daemon_routes(const struct teller *t, uint32_t out[JOURNAL_ROUTES]);

#endif
