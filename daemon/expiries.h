/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXPIRIES_H
#define EXPIRIES_H

#include <stddef.h>

#include "daemon/env.h"
#include "lib/policy/expiry.h"

/*
 * expiries: what ends on a day that is known ahead (a customer's grant of access, a
 * secret, a certificate), and telling people in time: a log line at each stage, and
 * whoever else listens.
 *
 * It knows nothing of what these things are; their owners name them. Each stage is told
 * once; after a start, or where the end moves, the stage that it is in is told anew.
 * Nothing is told from inside expiries_set(), but in the next turn of the loop, and then
 * looked at each hour.
 */
struct expiries;

struct expiry {
	const char *kind, *name; /* whose: "customer", "contoso"; as in struct log_ctx */
	const char *what;        /* "access to its portal", as in "… ends in 7 days" */
	const char *remedy;      /* "renew its access packages": what to do */
	int64_t ends;            /* ticks */
};

/*
 * At a stage, with the days that are left. EXPIRY_FAR: its end was told ahead, and is far away
 * now, or it is gone itself; for listeners only, it is no line of the log. Nothing may be set
 * from inside.
 */
typedef void expiries_tell(void *arg, const struct expiry *e, enum expiry_stage stage,
    int64_t days);

struct expiries *expiries_new(const struct engine_env *env);
void expiries_free(struct expiries *x);
/* The listener besides the log; NULL: none. */
void expiries_listen(struct expiries *x, expiries_tell *tell, void *arg);

/* New, or the same again by kind, name and what; texts are copied. ends 0: it is gone. */
void expiries_set(struct expiries *x, const struct expiry *e);
/* It is still there by kind, name and what, but when it ends cannot be seen now: as before. */
void expiries_keep(struct expiries *x, const struct expiry *e);
/* Around setting all that there is of a kind: what is not set in between is gone. */
void expiries_begin(struct expiries *x, const char *kind);
void expiries_end(struct expiries *x, const char *kind);

/* The i-th, the one that ends first being 0; NULL behind the last. Until the next set. */
const struct expiry *expiries_at(struct expiries *x, size_t i);

#endif
