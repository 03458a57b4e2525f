#ifndef BASE64_H
#define BASE64_H

#include "lib/base/buf.h"

/* base64: bytes as text, in both of RFC 4648's alphabets. Pure. */
static inline void
base64_put(struct buf *b, struct str bytes, const char set[64])
{
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

/* As mails hold them (section 4), padded to fours. */
static inline void
base64(struct buf *b, struct str bytes)
{
	base64_put(b, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	for (size_t i = bytes.n; i % 3 != 0; i++)
		buf_byte(b, '=');
}

/* As the parts of a JWT hold them (section 5), without padding. */
static inline void
base64url(struct buf *b, struct str bytes)
{
	base64_put(b, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

#endif
