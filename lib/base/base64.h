/* SPDX-License-Identifier: Apache-2.0 */
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

/* The bytes of what base64() wrote. False: it is none; some may have been added. */
static inline bool
base64_read(struct buf *b, struct str text)
{
	uint32_t bits = 0;
	unsigned have = 0;

	while (text.n > 0 && text.s[text.n - 1] == '=')
		text.n--;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.s[i];
		int v = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 :
		    c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		for (have += 6; have >= 8; have -= 8)
			buf_byte(b, (char)(bits >> (have - 8) & 0xff));
	}
	return true;
}

#endif
