/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/moment.h"

#include "lib/base/buf.h"
#include "lib/base/ticks.h"

json_t *
moment(int64_t ticks)
{
	struct buf b = BUF_INIT(64);
	json_t *v;

	if (ticks == TICKS_NONE)
		return json_null();
	ticks_write(&b, ticks, 3);
	v = json_stringn(b.p, b.n);
	buf_release(&b);
	return v;
}
