/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/backoff.h"

int64_t
backoff_delay(unsigned tries, int64_t base_ms, int64_t cap_ms, int64_t hint_ms)
{
	int64_t delay = base_ms;

	for (unsigned i = 1; i < tries && delay < cap_ms; i++)
		delay *= 2;
	if (delay > cap_ms)
		delay = cap_ms;
	return hint_ms > delay ? hint_ms : delay;
}

int64_t
backoff_jitter(int64_t delay_ms, uint32_t random)
{
	return delay_ms + (int64_t)((uint64_t)delay_ms / 5 * random >> 32);
}
