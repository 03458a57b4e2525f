/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXPIRY_H
#define EXPIRY_H

#include <stdint.h>

/*
 * expiry: when people are told that something they depend on ends (a secret, a
 * certificate, a customer's grant of access): 30, 7 and 1 days ahead, and when it
 * is over. Pure; times are ticks (lib/base/ticks.h).
 *
 * Whoever tells keeps the stage that was told last and tells again when the stage
 * is a later one: so each stage is told once.
 */
enum expiry_stage {
	EXPIRY_FAR, /* nothing to tell; also when it never ends */
	EXPIRY_MONTH,
	EXPIRY_WEEK,
	EXPIRY_DAY,
	EXPIRY_OVER,
};

/* ends 0: never. */
enum expiry_stage expiry_stage(int64_t now, int64_t ends);

/* Days that are left, a begun one counts; 0 when it is over. Not for what never ends. */
int64_t expiry_days(int64_t now, int64_t ends);

#endif
