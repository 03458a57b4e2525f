/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/json/unescape.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int32_t
jr_code_unit(const char *p, const char *end)
{
	int32_t unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex(p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* What a one-letter escape stands for; 0 when it is none. */
static char
short_escape(char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = c != '\0' ? strchr(from, c) : NULL;

	return at != NULL ? to[at - from] : '\0';
}

size_t
jr_escape(const char *p, const char *end, uint32_t *cp)
{
	int32_t high, low;

	if (end - p < 2)
		return 0;
	if (p[1] != 'u') {
		*cp = (unsigned char)short_escape(p[1]);
		return *cp != 0 ? 2 : 0;
	}
	high = jr_code_unit(p, end);
	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*cp = (uint32_t)high;
	if (high < 0xd800 || high > 0xdbff)
		return 6;
	low = jr_code_unit(p + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*cp = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 12;
}
