/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_told.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define PROBES 8

struct told_slot {
	uint64_t key; /* 0: free */
	int64_t version;
};

void
told_release(struct told_set *t)
{
	free(t->slots);
	*t = (struct told_set){ NULL };
}

static struct told_slot *
find(const struct told_set *t, uint64_t key)
{
	for (uint64_t i = 0; t->slots != NULL && i < PROBES; i++) {
		struct told_slot *slot = &t->slots[(key + i) % TOLD_SLOTS];

		if (slot->key == key)
			return slot;
	}
	return NULL;
}

bool
told_before(const struct told_set *t, uint64_t key, int64_t version)
{
	const struct told_slot *slot = find(t, key);

	return slot != NULL && slot->version < version;
}

/* A free place among the first few, else the one whose version is the oldest. */
void
told_add(struct told_set *t, uint64_t key, int64_t version)
{
	struct told_slot *best, *slot = find(t, key);

	if (slot != NULL) {
		slot->version = version < slot->version ? version : slot->version;
		return;
	}
	if (t->slots == NULL)
		t->slots = xcalloc(TOLD_SLOTS, sizeof(*t->slots));
	best = &t->slots[key % TOLD_SLOTS];
	for (uint64_t i = 0; i < PROBES && best->key != 0; i++) {
		slot = &t->slots[(key + i) % TOLD_SLOTS];
		if (slot->key == 0 || slot->version < best->version)
			best = slot;
	}
	*best = (struct told_slot){ key, version };
}
