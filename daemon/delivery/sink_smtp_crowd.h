/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_CROWD_H
#define SINK_SMTP_CROWD_H

#include <stddef.h>

/*
 * crowd: how much of each customer is in the mail sink, and how much of all.
 *
 * It knows nothing of entries and mails, and forbids nothing: who lets in asks first.
 * Pure. A customer of which nothing is there costs nothing.
 */
#define CROWD_HEADS 256

struct crowd_one;

/* Zeroed it is empty; when all has left, nothing is to be freed. */
struct crowd {
	struct crowd_one *heads[CROWD_HEADS];
	size_t size; /* of all */
};

size_t crowd_of(const struct crowd *c, const char *customer);
/* What came is to leave by what this returns. size: above 0. */
struct crowd_one *crowd_enter(struct crowd *c, const char *customer, size_t size);
void crowd_leave(struct crowd *c, struct crowd_one *of, size_t size);

#endif
