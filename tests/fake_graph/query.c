/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "lib/base/arena.h"
#include "tests/fake_graph/filter.h"
#include "tests/fake_graph/query.h"

#define MAX_SKIP    500
#define DEFAULT_TOP 100

static int
unhex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str
decode(struct str s, struct arena *a)
{
	char *to = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '%' && i + 2 < s.n && unhex(s.s[i + 1]) >= 0 &&
		    unhex(s.s[i + 2]) >= 0) {
			to[n++] = (char)(unhex(s.s[i + 1]) << 4 | unhex(s.s[i + 2]));
			i += 2;
		} else {
			to[n++] = s.s[i] == '+' ? ' ' : s.s[i];
		}
	}
	to[n] = '\0';
	return (struct str){ to, n };
}

bool
query_next(struct str *rest, struct arena *a, struct str *name, struct str *value)
{
	const char *amp, *equals;
	struct str pair;

	while (rest->n > 0 && *rest->s == '&')
		rest->s++, rest->n--;
	if (rest->n == 0)
		return false;
	amp = memchr(rest->s, '&', rest->n);
	pair = (struct str){ rest->s, amp != NULL ? (size_t)(amp - rest->s) : rest->n };
	rest->s += pair.n;
	rest->n -= pair.n;
	equals = memchr(pair.s, '=', pair.n);
	if (equals == NULL)
		equals = pair.s + pair.n;
	*name = decode((struct str){ pair.s, (size_t)(equals - pair.s) }, a);
	*value = equals < pair.s + pair.n
	             ? decode((struct str){ equals + 1, pair.n - (size_t)(equals + 1 - pair.s) }, a)
	             : STR("");
	return true;
}

static bool
read_filter(struct query *q, struct str text, struct err *err)
{
	q->filter = filter_read(text, &q->arena, err);
	return q->filter != NULL;
}

/* "property", "property asc" or "property desc" */
static bool
read_orderby(struct query *q, struct str text, struct err *err)
{
	const char *space = memchr(text.s, ' ', text.n);
	struct str name = { text.s, space != NULL ? (size_t)(space - text.s) : text.n };
	struct str way =
	    space != NULL ? (struct str){ space + 1, text.n - name.n - 1 } : STR("asc");

	if (str_is(name, "createdDateTime"))
		q->by_created = true;
	else if (str_is(name, "lastUpdateDateTime"))
		q->by_created = false;
	else
		return err_set(err, ERR_PERM,
		    "Invalid $orderby: Could not find a sortable property named '%.*s'.",
		    STR_ARG(name));
	q->is_descending = str_is(way, "desc");
	if (!q->is_descending && !str_is(way, "asc"))
		return err_set(
		    err, ERR_PERM, "Invalid $orderby: Syntax error at '%.*s'.", STR_ARG(way));
	return true;
}

static bool
read_number(struct str name, struct str text, unsigned *v, struct err *err)
{
	*v = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] < '0' || text.s[i] > '9' || *v > 100000000)
			text.n = 0;
		else
			*v = *v * 10 + (unsigned)(text.s[i] - '0');
	}
	if (text.n == 0)
		return err_set(err, ERR_PERM, "Invalid value for '%.*s'.", STR_ARG(name));
	return true;
}

static bool
read_place(struct query *q, struct str text, struct err *err)
{
	long long stamp;
	unsigned long long tie;
	char end;

	if (sscanf(text.s, "v1_%lld_%llx%c", &stamp, &tie, &end) != 2)
		return err_set(err, ERR_PERM, "Invalid value for '$skiptoken'.");
	q->has_place = true;
	q->place = (struct place){ stamp, tie };
	return true;
}

static bool
read_option(
    struct query *q, struct str name, struct str value, const struct policy *p, struct err *err)
{
	if (str_is(name, "$filter")) {
		if (p->filter == OBEY_REFUSE)
			return err_set(err, ERR_PERM,
			    "The query specified in the URI is not valid. Query "
			    "option 'Filter' is not allowed. ($filter)");
		return p->filter == OBEY_IGNORE || read_filter(q, value, err);
	}
	if (str_is(name, "$orderby")) {
		if (p->orderby == OBEY_REFUSE)
			return err_set(err, ERR_PERM,
			    "The query specified in the URI is not valid. Query "
			    "option 'OrderBy' is not allowed. ($orderby)");
		if (p->is_mde)
			return err_set(err, ERR_PERM, "The query option '$orderby' is not allowed.");
		return p->orderby == OBEY_IGNORE || read_orderby(q, value, err);
	}
	if (str_is(name, "$top")) {
		q->has_top = true;
		return read_number(name, value, &q->top, err);
	}
	if (str_is(name, "$skip")) {
		if (!read_number(name, value, &q->skip, err))
			return false;
		if (q->skip > MAX_SKIP && !p->is_mde)
			return err_set(
			    err, ERR_TEMP, "$skip=%u cannot exceed %d", q->skip, MAX_SKIP);
		return true;
	}
	if (str_is(name, "$count")) {
		q->wants_count = str_is(value, "true");
		return true;
	}
	if (str_is(name, "$skiptoken"))
		return read_place(q, value, err);
	if (str_is(name, "$expand")) {
		q->wants_evidence = str_is(value, "evidence");
		return true;
	}
	if (str_is(name, "$select") || name.n == 0 || name.s[0] != '$')
		return true;
	return err_set(
	    err, ERR_PERM, "The query parameter '%.*s' is not supported.", STR_ARG(name));
}

bool
query_parse(struct query *q, struct str text, const struct policy *p, struct err *err)
{
	struct str name, value;

	/* Without $orderby: "most recent alerts at the top". */
	*q = (struct query){ .by_created = true, .is_descending = true };
	q->is_mde = p->is_mde;
	arena_init(&q->arena);
	while (query_next(&text, &q->arena, &name, &value)) {
		if (!read_option(q, name, value, p, err))
			return false;
	}
	if (!q->has_top || q->top == 0)
		q->top = DEFAULT_TOP;
	if (q->top > p->max_top)
		q->top = p->max_top;
	return true;
}

void
query_release(struct query *q)
{
	arena_release(&q->arena);
}

bool
query_matches(const struct query *q, const struct version *v)
{
	const struct alert *a = v->alert;

	if (q->is_mde ? !a->is_mde : a->is_mde_only)
		return false;
	return q->filter == NULL || filter_matches(q->filter, v);
}

void
query_bounds(const struct query *q, int64_t *lo, int64_t *hi)
{
	*lo = INT64_MIN;
	*hi = INT64_MAX;
	if (q->filter != NULL)
		filter_bounds(q->filter, q->by_created, lo, hi);
}
