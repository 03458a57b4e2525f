/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETRY_AFTER_H
#define RETRY_AFTER_H

#include <stdint.h>

#include "lib/base/str.h"

/*
 * retry_after: how long a server asks us to wait, whatever it wrote.
 *
 * It knows nothing of HTTP beyond the values of two header fields (RFC 9110
 * §5.6.7 and §10.2.3). Pure; any bytes may come in.
 */
#define RETRY_AFTER_MIN_MS 1000
#define RETRY_AFTER_MAX_MS (3600 * 1000)

/* Ticks of an HTTP-date in any of its three forms; TICKS_NONE when it is none. */
int64_t http_date(struct str s);

/*
 * Milliseconds from a Retry-After of seconds or of a date, kept within the bounds
 * above: negative, past and zero become the smallest, absurd the largest. A date
 * counts from date, the server's own Date (TICKS_NONE: from now), so that clocks
 * that differ do no harm. -1 when there is no value or it makes no sense.
 */
int64_t retry_after_ms(struct str value, int64_t date, int64_t now);

#endif
