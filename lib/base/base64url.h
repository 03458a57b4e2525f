#ifndef BASE64URL_H
#define BASE64URL_H

#include "lib/base/buf.h"

/* base64url: bytes as the parts of a JWT hold them (RFC 4648 section 5, no padding). */
static inline void
base64url(struct buf *b, struct str bytes)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (unsigned char)bytes.s[i];
		for (have += 8; have >= 6; have -= 6)
			buf_byte(b, set[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_byte(b, set[bits << (6 - have) & 63]);
}

#endif
