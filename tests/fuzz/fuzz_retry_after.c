/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a server writes, the wait is none or within its bounds, a date lies
 * in the calendar's range, and blanks around it change nothing.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/ticks.h"
#include "lib/policy/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str value = { (const char *)xmemdup(data, size), size };
	struct buf padded = BUF_INIT(size + 8);
	int64_t date = http_date(value), ms = retry_after_ms(value, TICKS_NONE, 0);
	struct ticks_date d;

	if (date != TICKS_NONE) {
		ticks_date(date, &d);
		BUG_IF(d.year < 1 || d.year > 9999 || ms < 0);
		BUG_IF(retry_after_ms(value, date, 0) != RETRY_AFTER_MIN_MS);
	}
	BUG_IF(ms != -1 && (ms < RETRY_AFTER_MIN_MS || ms > RETRY_AFTER_MAX_MS));
	buf_puts(&padded, "\t ");
	buf_str(&padded, value);
	buf_puts(&padded, " \t");
	BUG_IF(retry_after_ms(buf_peek(&padded), TICKS_NONE, 0) != ms);
	buf_release(&padded);
	free((char *)(uintptr_t)value.s);
	return 0;
}
