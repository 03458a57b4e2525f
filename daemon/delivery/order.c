/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/order.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define ORDER_FIRST 64

struct order_node {
	uint64_t key, seq;
	int64_t due;
	uint32_t next; /* in its chain, or of the free ones; plus one */
	uint32_t group;
};

void
order_init(struct order *o, size_t max)
{
	*o = (struct order) { .max = max };
}

void
order_release(struct order *o)
{
	free(o->nodes);
	free(o->heads);
	order_init(o, o->max);
}

static uint32_t *
order_head(const struct order *o, uint64_t key)
{
	return &o->heads[key & (o->room - 1)];
}

static void
order_link(struct order *o, uint32_t i)
{
	uint32_t *head = order_head(o, o->nodes[i].key);

	o->nodes[i].next = *head;
	*head = i + 1;
}

/* Only called when all nodes are in use. */
static void
order_grow(struct order *o)
{
	o->room = o->room == 0 ? ORDER_FIRST : o->room * 2;
	o->nodes = xreallocarray(o->nodes, o->room, sizeof(*o->nodes));
	free(o->heads);
	o->heads = xcalloc(o->room, sizeof(*o->heads));
	for (size_t i = 0; i < o->used; i++)
		order_link(o, (uint32_t)i);
}

static struct order_node *
order_find(const struct order *o, uint64_t key, uint64_t seq)
{
	if (o->n == 0)
		return NULL;
	for (uint32_t i = *order_head(o, key); i != 0; i = o->nodes[i - 1].next) {
		if (o->nodes[i - 1].key == key && o->nodes[i - 1].seq == seq)
			return &o->nodes[i - 1];
	}
	return NULL;
}

static uint32_t
order_free_node(struct order *o)
{
	uint32_t i;

	if (o->free_head != 0) {
		i = o->free_head - 1;
		o->free_head = o->nodes[i].next;
		return i;
	}
	if (o->used == o->room)
		order_grow(o);
	return (uint32_t)o->used++;
}

bool
order_add(struct order *o, uint64_t key, uint64_t seq, int64_t due, uint32_t group)
{
	struct order_node *known = order_find(o, key, seq);
	uint32_t i;

	if (known != NULL) {
		known->due = due;
		return true;
	}
	if (o->n >= o->max)
		return false;
	i = order_free_node(o);
	o->nodes[i] = (struct order_node) { .key = key, .seq = seq, .due = due,
		.group = group };
	order_link(o, i);
	o->n++;
	return true;
}

void
order_remove(struct order *o, uint64_t key, uint64_t seq)
{
	struct order_node *node = order_find(o, key, seq);
	uint32_t self, *at;

	if (node == NULL)
		return;
	if (o->n == 1) {
		order_release(o);
		return;
	}
	self = (uint32_t)(node - o->nodes) + 1;
	at = order_head(o, key);
	while (*at != self)
		at = &o->nodes[*at - 1].next;
	*at = node->next;
	node->next = o->free_head;
	o->free_head = self;
	o->n--;
}

bool
order_blocks(const struct order *o, uint64_t key, uint64_t seq, int64_t *due)
{
	bool found = false;

	if (o->n == 0)
		return false;
	for (uint32_t i = *order_head(o, key); i != 0; i = o->nodes[i - 1].next) {
		const struct order_node *node = &o->nodes[i - 1];

		if (node->key != key || node->seq >= seq)
			continue;
		if (!found || node->due > *due)
			*due = node->due;
		found = true;
	}
	return found;
}

/* The first of the group in a chain, or NULL. */
static const struct order_node *
order_find_group(const struct order *o, size_t head, uint32_t group)
{
	for (uint32_t i = o->heads[head]; i != 0; i = o->nodes[i - 1].next) {
		if (o->nodes[i - 1].group == group)
			return &o->nodes[i - 1];
	}
	return NULL;
}

void
order_forget(struct order *o, uint32_t group)
{
	for (size_t head = 0; head < o->room; head++) {
		const struct order_node *node = order_find_group(o, head, group);

		while (node != NULL) {
			order_remove(o, node->key, node->seq);
			node = o->n > 0 ? order_find_group(o, head, group) : NULL;
		}
	}
}
