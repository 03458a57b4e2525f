/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/str.h"
#include "lib/base/ticks.h"
#include "lib/config/unit.h"

struct unit {
	const char *word;
	int64_t worth;
};

static const struct unit times[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60000 },
	{ "h", 3600000 },
	{ "d", 86400000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "B", 1 },
	{ "KiB", 1024 },
	{ "MiB", 1048576 },
	{ "GiB", 1073741824 },
	{ "TiB", INT64_C(1) << 40 },
	{ NULL, 0 },
};

/* A number and, behind it, a word of the table; moves s past both. */
static bool
take_part(struct str *s, const struct unit *units, bool is_bare_ok, int64_t *sum)
{
	int64_t v = 0, worth = 1;
	size_t i = 0, word;

	for (; i < s->n && s->s[i] >= '0' && s->s[i] <= '9'; i++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s->s[i] - '0', &v))
			return false;
	}
	if (i == 0)
		return false;
	for (word = i; i < s->n && (s->s[i] < '0' || s->s[i] > '9'); i++)
		continue;
	if (word == i) {
		if (!is_bare_ok && v != 0)
			return false;
	} else {
		const struct unit *u = units;

		while (u->word != NULL && !str_is((struct str){ s->s + word, i - word }, u->word))
			u++;
		if (u->word == NULL)
			return false;
		worth = u->worth;
	}
	s->s += i;
	s->n -= i;
	return !__builtin_mul_overflow(v, worth, &v) && !__builtin_add_overflow(*sum, v, sum);
}

static bool
take_all(struct str s, const struct unit *units, bool is_bare_ok, int64_t *out)
{
	int64_t sum = 0;

	if (s.n == 0)
		return false;
	while (s.n > 0) {
		if (!take_part(&s, units, is_bare_ok, &sum))
			return false;
	}
	*out = sum;
	return true;
}

bool
unit_time(struct str s, int64_t *ms)
{
	return take_all(s, times, false, ms);
}

bool
unit_size(struct str s, int64_t *bytes)
{
	return take_all(s, sizes, true, bytes);
}

bool
unit_date(struct str s, int64_t *ticks)
{
	char midnight[] = "2027-03-01T00:00:00Z";
	const size_t n = sizeof("2027-03-01") - 1;

	if (s.n != n)
		return false;
	memcpy(midnight, s.s, n);
	return ticks_parse(str_of(midnight), ticks);
}

static void
put(struct buf *b, const struct unit *units, int64_t v)
{
	const struct unit *best = &units[0];

	for (const struct unit *u = units; u->word != NULL; u++) {
		if (v % u->worth == 0 && u->worth >= best->worth)
			best = u;
	}
	buf_int(b, v / best->worth);
	if (best->worth != 1 || units == times)
		buf_puts(b, best->word);
}

void
unit_put_time(struct buf *b, int64_t ms)
{
	if (ms == 0)
		buf_puts(b, "0s");
	else
		put(b, times, ms);
}

void
unit_put_size(struct buf *b, int64_t bytes)
{
	if (bytes == 0)
		buf_puts(b, "0");
	else
		put(b, sizes, bytes);
}
