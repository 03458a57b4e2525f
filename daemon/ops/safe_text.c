/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/safe_text.h"

#include "lib/base/buf.h"

#define TEXT_MOST 1024 /* bytes */

json_t *
safe_text(struct str bytes)
{
	struct buf b = BUF_INIT(8 * TEXT_MOST);
	json_t *out;

	for (size_t i = 0, n; i < bytes.n; i += n) {
		n = utf8_next(bytes.s + i, bytes.n - i, NULL);
		if (n > 0)
			buf_add(&b, bytes.s + i, n);
		else
			buf_printf(&b, "\\x%02x", (unsigned)(unsigned char)bytes.s[i]);
		n = n > 0 ? n : 1;
	}
	out = json_stringn(b.p != NULL ? b.p : "", b.n);
	buf_release(&b);
	return out != NULL ? out : json_string("?");
}
