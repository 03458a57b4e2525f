/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/*
 * Any text as a time: what is read is written and read back the same, with fewer
 * digits never later, and text order and number order agree once written. Any
 * eight bytes as ticks: nothing undefined.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t
written_and_read(int64_t ticks, unsigned digits)
{
	struct buf b = BUF_INIT(64);
	int64_t again;

	ticks_write(&b, ticks, digits);
	if (!ticks_parse(buf_peek(&b), &again))
		BUG("not read back: %s", b.p);
	if (b.n != 20 + digits + (digits > 0))
		BUG("%s has not %u digits", b.p, digits);
	buf_release(&b);
	return again;
}

static void
check_read(int64_t ticks)
{
	if (written_and_read(ticks, 7) != ticks)
		BUG("%lld comes back otherwise", (long long)ticks);
	for (unsigned digits = 0; digits < 7; digits++) {
		int64_t cut = written_and_read(ticks, digits);

		if (cut > ticks || ticks - cut >= TICKS_SEC)
			BUG("%lld with %u digits is %lld", (long long)ticks, digits,
			    (long long)cut);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT(64);
	struct ticks_date d;
	int64_t ticks;

	if (ticks_parse((struct str){ (const char *)data, size }, &ticks))
		check_read(ticks);
	if (size < sizeof(ticks))
		return 0;
	memcpy(&ticks, data, sizeof(ticks));
	ticks_date(ticks, &d);
	if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 || d.hour > 23 ||
	    d.minute > 59 || d.second > 59 || d.fraction > 9999999)
		BUG("%lld is no date", (long long)ticks);
	ticks_write(&b, ticks, data[0] % 9);
	if (ticks_to_ms(ticks) / 1000 > ticks_to_sec(ticks) + 1)
		BUG("%lld in seconds", (long long)ticks);
	buf_release(&b);
	return 0;
}
