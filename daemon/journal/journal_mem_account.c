/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/account.h"
#include "daemon/journal/journal_mem.h"

void
mem_account(struct store *s, struct journal_task *t)
{
	struct account *a = t->account;

	for (size_t i = 0; i < s->nplaces; i++) {
		const struct mem_place *p = &s->places[i];

		for (size_t k = 0; k < p->n; k++) {
			const struct journal_item *e = s->entries[p->todo[k].seq - 1];

			if (e->stream == a->stream)
				account_wait(a, e->id, p->place->sink);
		}
	}
	for (size_t i = 0; i < s->nslots; i++) {
		const struct mem_seen *m = &s->memory[i];

		if (m->id.s != NULL && m->stream == a->stream)
			account_remember(a, m->id, m->seen.created, m->journalled, true, &m->given);
	}
	t->is_over = true;
}
