/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

/*
 * backoff: how long to wait before the next try. Pure; jitter is added by the
 * caller (backoff_jitter), so that delays stay testable.
 */

/*
 * Milliseconds before try number tries + 1 (tries >= 1): base doubled for each
 * failure, at most cap. A hint (Retry-After; 0: none) that is longer wins, even
 * over the cap.
 */
int64_t backoff_delay(unsigned tries, int64_t base_ms, int64_t cap_ms, int64_t hint_ms);

/* delay plus up to a fifth of it, never less; random is any 32-bit number. */
int64_t backoff_jitter(int64_t delay_ms, uint32_t random);

#endif
