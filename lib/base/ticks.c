/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/ticks.h"

#define DAY_SEC 86400
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.9999999Z */
#define SENTINEL (INT64_C(-62135596800) * TICKS_SEC)
#define LAST     (INT64_C(253402300800) * TICKS_SEC - 1)

/* Days from 1970-01-01 to y-m-d, by shifting the year's start to March. */
static int64_t
days_from_date(int64_t y, unsigned m, unsigned d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (int64_t)(m > 2 ? m - 3 : m + 9) + 2) / 5 + (int64_t)d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static unsigned
days_in_month(unsigned y, unsigned m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return m == 2 && is_leap ? 29 : days[m - 1];
}

/* Reads exactly n digits at *p. */
static bool
digits(const char **p, const char *end, unsigned n, unsigned *v)
{
	*v = 0;
	if (end - *p < (long)n)
		return false;
	for (unsigned i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*v = *v * 10 + (unsigned)(**p - '0');
	}
	return true;
}

static bool
skip(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

static bool
read_fraction(const char **p, const char *end, unsigned *fraction)
{
	unsigned n = 0;

	*fraction = 0;
	if (*p == end || **p != '.')
		return true;
	for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++, n++) {
		if (n < 7)
			*fraction = *fraction * 10 + (unsigned)(**p - '0');
	}
	for (unsigned i = n; i < 7; i++)
		*fraction *= 10;
	return n > 0;
}

static bool
read_offset(const char **p, const char *end, int64_t *seconds)
{
	unsigned h, m;
	char sign;

	*seconds = 0;
	if (*p == end)
		return false;
	sign = *(*p)++;
	if (sign == 'Z' || sign == 'z')
		return true;
	if ((sign != '+' && sign != '-') || !digits(p, end, 2, &h) || !skip(p, end, ':') ||
	    !digits(p, end, 2, &m) || h > 23 || m > 59)
		return false;
	*seconds = (int64_t)(h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
	return true;
}

bool
ticks_parse(struct str s, int64_t *ticks)
{
	const char *p = s.s, *end = s.s + s.n;
	unsigned y, mo, d, h, mi, sec, fraction;
	int64_t offset;

	if (s.s == NULL || !digits(&p, end, 4, &y) || !skip(&p, end, '-') ||
	    !digits(&p, end, 2, &mo) || !skip(&p, end, '-') || !digits(&p, end, 2, &d))
		return false;
	if (p == end || (*p != 'T' && *p != 't' && *p != ' '))
		return false;
	p++;
	if (!digits(&p, end, 2, &h) || !skip(&p, end, ':') || !digits(&p, end, 2, &mi) ||
	    !skip(&p, end, ':') || !digits(&p, end, 2, &sec) ||
	    !read_fraction(&p, end, &fraction) || !read_offset(&p, end, &offset) || p != end)
		return false;
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > days_in_month(y, mo) || h > 23 || mi > 59 ||
	    sec > 60)
		return false;
	if (sec == 60) {
		sec = 59;
		fraction = 9999999;
	}
	*ticks =
	    (days_from_date(y, mo, d) * DAY_SEC + h * 3600 + mi * 60 + sec - offset) * TICKS_SEC +
	    fraction;
	/* An offset may lead out of the years that can be written. */
	return *ticks >= SENTINEL && *ticks <= LAST;
}

bool
ticks_is_sentinel(int64_t ticks)
{
	return ticks == SENTINEL;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
ticks_to_ms(int64_t ticks)
{
	return floor_div(ticks, TICKS_MS);
}

int64_t
ticks_to_sec(int64_t ticks)
{
	return floor_div(ticks, TICKS_SEC);
}

void
ticks_date(int64_t ticks, struct ticks_date *out)
{
	int64_t sec = ticks_to_sec(ticks);
	int64_t day = floor_div(sec, DAY_SEC), rest = sec - day * DAY_SEC;
	int64_t z = day + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	out->day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (int)(yoe + era * 400 + (out->month <= 2));
	out->hour = (unsigned)(rest / 3600);
	out->minute = (unsigned)(rest / 60 % 60);
	out->second = (unsigned)(rest % 60);
	out->fraction = (unsigned)((ticks % TICKS_SEC + TICKS_SEC) % TICKS_SEC);
}

static void
put_digits(char *p, unsigned v, unsigned n)
{
	while (n-- > 0) {
		p[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void
ticks_write(struct buf *b, int64_t ticks, unsigned ndigits)
{
	static const unsigned scale[] = { 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1 };
	char text[] = "0000-00-00T00:00:00.0000000Z";
	struct ticks_date d;

	ticks_date(ticks, &d);
	put_digits(text, (unsigned)(d.year > 0 ? d.year : 0), 4);
	put_digits(text + 5, d.month, 2);
	put_digits(text + 8, d.day, 2);
	put_digits(text + 11, d.hour, 2);
	put_digits(text + 14, d.minute, 2);
	put_digits(text + 17, d.second, 2);
	if (ndigits > 7)
		ndigits = 7;
	put_digits(text + 20, d.fraction / scale[ndigits], ndigits);
	buf_add(b, text, ndigits != 0 ? 20 + ndigits : 19);
	buf_byte(b, 'Z');
}
