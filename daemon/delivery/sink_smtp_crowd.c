/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_crowd.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

struct crowd_one {
	struct crowd_one *next;
	char *customer;
	size_t size;
};

static size_t
head_of(const char *customer)
{
	return str_hash(customer, strlen(customer)) % CROWD_HEADS;
}

static struct crowd_one *
find(const struct crowd *c, const char *customer)
{
	struct crowd_one *one = c->heads[head_of(customer)];

	while (one != NULL && strcmp(one->customer, customer) != 0)
		one = one->next;
	return one;
}

static void
free_one(struct crowd *c, struct crowd_one *one)
{
	struct crowd_one **at = &c->heads[head_of(one->customer)];

	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	free(one->customer);
	free(one);
}

size_t
crowd_of(const struct crowd *c, const char *customer)
{
	const struct crowd_one *one = find(c, customer);

	return one != NULL ? one->size : 0;
}

struct crowd_one *
crowd_enter(struct crowd *c, const char *customer, size_t size)
{
	struct crowd_one *one = find(c, customer), **head = &c->heads[head_of(customer)];

	if (one == NULL) {
		one = xcalloc(1, sizeof(*one));
		*one = (struct crowd_one){ .next = *head, .customer = xstrdup(customer) };
		*head = one;
	}
	one->size += size;
	c->size += size;
	return one;
}

void
crowd_leave(struct crowd *c, struct crowd_one *of, size_t size)
{
	BUG_IF(of->size < size || c->size < size);
	of->size -= size;
	c->size -= size;
	if (of->size == 0)
		free_one(c, of);
}
