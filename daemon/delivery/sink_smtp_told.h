/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_TOLD_H
#define SINK_SMTP_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * told: which alerts a rule has told of lately, by hashes.
 *
 * A set of bounded size: what is pushed out of it is as if it had not been told.
 * It does not outlive the process. Pure.
 */
#define TOLD_SLOTS (1u << 16) /* of 16 bytes, made when the first is added */

struct told_slot;

struct told_set {
	struct told_slot *slots;
};

void told_release(struct told_set *t);
/* Some version of it before this one was told. */
bool told_before(const struct told_set *t, uint64_t key, int64_t version);
/* This one is told, and is the first; of one that was told before, the first stays. */
void told_add(struct told_set *t, uint64_t key, int64_t version);

#endif
