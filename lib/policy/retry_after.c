/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/retry_after.h"

#include <stdbool.h>

#include "lib/base/ticks.h"

#define SEC_MAX (RETRY_AFTER_MAX_MS / 1000)

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* What a form of HTTP-date looks like: letters stand for themselves or for parts, see read_part. */
static const char *const forms[] = {
	"www, dd mmm yyyy hh:ii:ss GMT", /* Sun, 06 Nov 1994 08:49:37 GMT */
	"W, dd-mmm-zz hh:ii:ss GMT",     /* Sunday, 06-Nov-94 08:49:37 GMT */
	"www mmm _d hh:ii:ss yyyy",      /* Sun Nov  6 08:49:37 1994 */
};

struct parts {
	unsigned year, month, day, hour, minute, second;
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
add_digit(unsigned *v, char c)
{
	if (!is_digit(c))
		return false;
	*v = *v * 10 + (unsigned)(c - '0');
	return true;
}

/* The month that begins at s, 1 to 12, or 0. */
static unsigned
month_at(struct str s, size_t at)
{
	for (unsigned m = 0; m < 12 && s.n - at >= 3; m++) {
		if (memcmp(s.s + at, months + m * 3, 3) == 0)
			return m + 1;
	}
	return 0;
}

/* One character of the text against one of the form. */
static bool
read_part(struct parts *p, char form, char c)
{
	switch (form) {
	case 'w':
	case 'm': /* read as a whole before */
		return is_letter(c);
	case '_': /* a day's tens, or a space */
		return c == ' ' || add_digit(&p->day, c);
	case 'd':
		return add_digit(&p->day, c);
	case 'y':
	case 'z':
		return add_digit(&p->year, c);
	case 'h':
		return add_digit(&p->hour, c);
	case 'i':
		return add_digit(&p->minute, c);
	case 's':
		return add_digit(&p->second, c);
	}
	return form == c;
}

static bool
read_form(const char *form, struct str s, struct parts *p)
{
	size_t i = 0;

	*p = (struct parts){ 0 };
	for (; *form != '\0'; form++) {
		if (*form == 'W') {
			while (i < s.n && is_letter(s.s[i]))
				i++;
			continue;
		}
		if (i == s.n)
			return false;
		if (*form == 'm' && p->month == 0)
			p->month = month_at(s, i);
		if (!read_part(p, *form, s.s[i++]))
			return false;
		if (*form == 'z' && form[1] != 'z')
			p->year += p->year < 70 ? 2000 : 1900;
	}
	return i == s.n && p->month != 0;
}

static int64_t
ticks_of(const struct parts *p)
{
	char text[64];
	int64_t ticks;
	int n = snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02uZ", p->year, p->month,
	    p->day, p->hour, p->minute, p->second);

	if (n < 0 || (size_t)n >= sizeof(text))
		return TICKS_NONE;
	return ticks_parse((struct str){ text, (size_t)n }, &ticks) ? ticks : TICKS_NONE;
}

int64_t
http_date(struct str s)
{
	struct parts p;

	if (s.n > 40)
		return TICKS_NONE;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (read_form(forms[i], s, &p))
			return ticks_of(&p);
	}
	return TICKS_NONE;
}

/* Seconds, perhaps with a sign or a fraction, as servers have been seen to send them. */
static bool
read_seconds(struct str s, int64_t *seconds)
{
	size_t i = 0;
	int64_t v = 0;
	bool is_negative = s.n > 0 && s.s[0] == '-';

	if (s.n > 0 && (s.s[0] == '-' || s.s[0] == '+'))
		i++;
	if (i == s.n || !is_digit(s.s[i]))
		return false;
	for (; i < s.n && is_digit(s.s[i]); i++)
		v = v > SEC_MAX ? v : v * 10 + (s.s[i] - '0');
	if (i < s.n && s.s[i] == '.') {
		v++; /* rounds up: waiting too short is worse than too long */
		for (i++; i < s.n && is_digit(s.s[i]);)
			i++;
	}
	*seconds = is_negative ? 0 : v;
	return i == s.n;
}

static int64_t
clamp(int64_t ms)
{
	if (ms < RETRY_AFTER_MIN_MS)
		return RETRY_AFTER_MIN_MS;
	return ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

int64_t
retry_after_ms(struct str value, int64_t date, int64_t now)
{
	int64_t seconds, until;

	while (value.n > 0 && (value.s[0] == ' ' || value.s[0] == '\t')) {
		value.s++;
		value.n--;
	}
	while (value.n > 0 && (value.s[value.n - 1] == ' ' || value.s[value.n - 1] == '\t'))
		value.n--;
	if (read_seconds(value, &seconds))
		return clamp(seconds * 1000);
	until = http_date(value);
	if (until == TICKS_NONE)
		return -1;
	/* Both lie within the years 1 to 9999, so the difference fits. */
	return clamp(ticks_to_ms(until - (date != TICKS_NONE ? date : now)));
}
