/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/ticks.h"
#include "lib/format/zone_rule.h"

#define HOUR 3600
#define DAY  86400

static bool
take(struct str *s, char c)
{
	if (s->n == 0 || s->s[0] != c)
		return false;
	*s = (struct str){ s->s + 1, s->n - 1 };
	return true;
}

static bool
take_number(struct str *s, int max, int *v)
{
	size_t n = 0;

	for (*v = 0; n < s->n && n < 4 && s->s[n] >= '0' && s->s[n] <= '9'; n++)
		*v = *v * 10 + (s->s[n] - '0');
	*s = (struct str){ s->s + n, s->n - n };
	return n > 0 && *v <= max;
}

/* "CET" or "<+03>". */
static bool
take_name(struct str *s)
{
	size_t n = 0;

	if (take(s, '<')) {
		const char *end = memchr(s->s, '>', s->n);

		if (end == NULL)
			return false;
		n = (size_t)(end - s->s) + 1;
	} else {
		while (n < s->n && ((s->s[n] | 32) >= 'a' && (s->s[n] | 32) <= 'z'))
			n++;
	}
	*s = (struct str){ s->s + n, s->n - n };
	return n >= 3;
}

/* [+-]h[:m[:s]] */
static bool
take_time(struct str *s, int max_hours, int *seconds)
{
	int h, m = 0, sec = 0, sign = 1;

	if (take(s, '-'))
		sign = -1;
	else
		take(s, '+');
	if (!take_number(s, max_hours, &h) || (take(s, ':') && !take_number(s, 59, &m)) ||
	    (take(s, ':') && !take_number(s, 59, &sec)))
		return false;
	*seconds = sign * (h * HOUR + m * 60 + sec);
	return true;
}

static bool
take_day(struct str *s, struct zone_day *d)
{
	bool ok;

	*d = (struct zone_day){ .time = 2 * HOUR };
	if (take(s, 'M')) {
		d->kind = DAY_OF_MONTH;
		ok = take_number(s, 12, &d->month) && take(s, '.') && take_number(s, 5, &d->week) &&
		     take(s, '.') && take_number(s, 6, &d->wday) && d->month > 0 && d->week > 0;
	} else if (take(s, 'J')) {
		d->kind = DAY_JULIAN;
		ok = take_number(s, 365, &d->day) && d->day > 0;
	} else {
		d->kind = DAY_OF_YEAR;
		ok = take_number(s, 365, &d->day);
	}
	return ok && (!take(s, '/') || take_time(s, 167, &d->time));
}

bool
zone_rule_parse(struct str s, struct zone_rule *r)
{
	*r = (struct zone_rule){ 0 };
	/* POSIX counts westward. */
	if (!take_name(&s) || !take_time(&s, 24, &r->std))
		return false;
	r->std = -r->std;
	if (s.n == 0)
		return true;
	r->has_dst = true;
	r->dst = r->std + HOUR;
	if (!take_name(&s))
		return false;
	if (s.n > 0 && s.s[0] != ',') {
		if (!take_time(&s, 24, &r->dst))
			return false;
		r->dst = -r->dst;
	}
	return take(&s, ',') && take_day(&s, &r->start) && take(&s, ',') && take_day(&s, &r->end) &&
	       s.n == 0;
}

static bool
is_leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Days from 1970-01-01 to the first of January. */
static int64_t
year_begin(int64_t y)
{
	y--;
	return 365 * y + y / 4 - y / 100 + y / 400 - 719162;
}

/* Days after the first of January. */
static int64_t
day_in_year(const struct zone_day *d, int64_t year)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
	int64_t first, length, day;

	switch (d->kind) {
	case DAY_JULIAN:
		return d->day - 1 + (is_leap(year) && d->day >= 60);
	case DAY_OF_YEAR:
		return d->day;
	case DAY_OF_MONTH:
		break;
	}
	first = before[d->month - 1] + (is_leap(year) && d->month > 2);
	length = before[d->month] - before[d->month - 1] + (is_leap(year) && d->month == 2);
	/* 1970-01-01 was a Thursday. */
	day = (d->wday - (year_begin(year) + first + 4)) % 7;
	day += day < 0 ? 7 : 0;
	day += 7 * (d->week - 1);
	return first + (day < length ? day : day - 7);
}

static int64_t
moment(const struct zone_day *d, int64_t year, int offset)
{
	return (year_begin(year) + day_in_year(d, year)) * DAY + d->time - offset;
}

int
zone_rule_offset(const struct zone_rule *r, int64_t sec)
{
	struct ticks_date date;
	int64_t start, end;
	bool is_dst;

	/* Outside of the years 1 to 9999 there is no such time anyway. */
	if (!r->has_dst || sec < INT64_C(-62135596800) || sec > INT64_C(253402300799))
		return r->std;
	ticks_date((sec + r->std) * TICKS_SEC, &date);
	start = moment(&r->start, date.year, r->std);
	end = moment(&r->end, date.year, r->dst);
	is_dst = start < end ? sec >= start && sec < end : sec >= start || sec < end;
	return is_dst ? r->dst : r->std;
}
