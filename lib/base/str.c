/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/str.h"

static inline unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

bool
str_same_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (a.s[i] != b.s[i] &&
		    lower((unsigned char)a.s[i]) != lower((unsigned char)b.s[i]))
			return false;
	}
	return true;
}

bool
str_starts(struct str a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && (n == 0 || memcmp(a.s, prefix, n) == 0);
}

static uint64_t
absolute(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

size_t
str_int_n(int64_t v)
{
	uint64_t u = absolute(v);
	size_t n = 1 + (v < 0);

	for (; u >= 10000; u /= 10000)
		n += 4;
	return n + (u >= 10) + (u >= 100) + (u >= 1000);
}

void
str_int_put(char *to, size_t n, int64_t v)
{
	uint64_t u = absolute(v);

	/* Each division waits for the one before: half as many. */
	for (; u >= 100; u /= 100) {
		unsigned two = (unsigned)(u % 100);

		to[--n] = (char)('0' + two % 10);
		to[--n] = (char)('0' + two / 10);
	}
	to[--n] = (char)('0' + u % 10);
	if (u >= 10)
		to[--n] = (char)('0' + u / 10);
	if (v < 0)
		to[--n] = '-';
}

uint64_t
str_hash(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

size_t
utf8_next(const char *str, size_t n, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)str;
	uint32_t c = s[0], min;
	size_t len;

	if (c < 0x80) {
		if (cp != NULL)
			*cp = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		len = 2, min = 0x80, c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		len = 3, min = 0x800, c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		len = 4, min = 0x10000, c &= 0x07;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (cp != NULL)
		*cp = c;
	return len;
}

bool
utf8_valid(const char *s, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_next(s + i, n - i, NULL);
		if (len == 0)
			return false;
	}
	return true;
}

size_t
utf8_put(char *out, uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

bool
utf8_is_deceiving(uint32_t cp, uint32_t before)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = { { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c }, { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 }, { 0x180b, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff }, { 0xf0000, 0x10ffff } };

	/* Joiners are letters' business in the scripts that need them. */
	if (cp == 0x200c || cp == 0x200d)
		return before < 0x600;
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (cp >= ranges[i].from && cp <= ranges[i].to)
			return true;
	}
	return false;
}

size_t
utf8_cut(const char *s, size_t n, size_t max)
{
	size_t cut = max < n ? max : n, back = cut;

	while (back > 0 && cut - back < 3 && ((unsigned char)s[back - 1] & 0xc0) == 0x80)
		back--;
	if (back == 0)
		return cut;
	if ((unsigned char)s[back - 1] < 0xc0)
		return cut;
	return back - 1 + utf8_next(s + back - 1, cut - (back - 1), NULL);
}

bool
guid_parse(struct str s, char out[37])
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		unsigned char c = lower((unsigned char)s.s[i]);
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		out[i] = (char)c;
	}
	out[36] = '\0';
	return true;
}

unsigned
str_distance(struct str a, struct str b, unsigned cap)
{
	unsigned row[65];

	if (a.n > 64 || b.n > 64)
		return cap + 1;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned diag = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			unsigned best = diag + (a.s[i - 1] != b.s[j - 1]);

			diag = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.n] > cap ? cap + 1 : row[b.n];
}
