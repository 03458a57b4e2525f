/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/reader.h"
#include "lib/json/scan.h"
#include "lib/json/unescape.h"

#define CUT "the text ends too early"

void
jr_init(struct jr *r, struct str text, struct arena *arena)
{
	const char *start = text.s != NULL ? text.s : "";

	*r = (struct jr){ .start = start, .p = start, .end = start + text.n, .arena = arena };
}

/* Everything looks for room before end: with none left no call gets any further. */
static bool
fail(struct jr *r, const char *at, const char *why)
{
	if (r->why == NULL) {
		r->why = why;
		r->p = at;
	}
	r->end = r->p;
	return false;
}

static inline bool
expect(struct jr *r, char c, const char *why)
{
	r->p = scan_space(r->p, r->end);
	if (r->p == r->end)
		return fail(r, r->p, CUT);
	if (*r->p != c)
		return fail(r, r->p, why);
	r->p++;
	return true;
}

/* What a value begins with; everything else begins none. */
static const unsigned char begins[256] = {
	['{'] = JR_OBJECT,
	['['] = JR_ARRAY,
	['"'] = JR_STRING,
	['t'] = JR_BOOL,
	['f'] = JR_BOOL,
	['n'] = JR_NULL,
	['-'] = JR_NUMBER,
	['0'] = JR_NUMBER,
	['1'] = JR_NUMBER,
	['2'] = JR_NUMBER,
	['3'] = JR_NUMBER,
	['4'] = JR_NUMBER,
	['5'] = JR_NUMBER,
	['6'] = JR_NUMBER,
	['7'] = JR_NUMBER,
	['8'] = JR_NUMBER,
	['9'] = JR_NUMBER,
};

static inline enum jr_type
type_here(struct jr *r)
{
	r->p = scan_space(r->p, r->end);
	return r->p == r->end ? JR_NONE : (enum jr_type)begins[(unsigned char)*r->p];
}

enum jr_type
jr_type(struct jr *r)
{
	return type_here(r);
}

/* Goes on where a string holds at p something that does not stand for itself. */
static bool
odd_string(struct jr *r, const char *p, bool *has_escapes)
{
	uint32_t cp;
	size_t n;

	for (;; p += n) {
		p = scan_plain(p, r->end);
		if (p == r->end)
			return fail(r, p, CUT);
		if (*p == '"')
			break;
		if (*p == '\\') {
			n = jr_escape(p, r->end, &cp);
			*has_escapes = true;
		} else {
			n = (unsigned char)*p < 0x20 ? 0 : utf8_next(p, (size_t)(r->end - p), NULL);
		}
		if (n == 0)
			return fail(r, p,
			    *p == '\\' ? "an escape in a string is wrong"
				       : "a byte in a string is wrong");
	}
	r->p = p + 1;
	return true;
}

/* Checks the string whose first quote is at r->p and goes behind it. */
static inline bool
string_check(struct jr *r, struct str *inside, bool *has_escapes)
{
	const char *start = r->p + 1, *p = scan_plain(start, r->end);

	*has_escapes = false;
	if (p < r->end && *p == '"')
		r->p = p + 1;
	else if (!odd_string(r, p, has_escapes))
		return false;
	*inside = (struct str){ start, (size_t)(r->p - 1 - start) };
	return true;
}

/* Of checked text: it never gets longer than it was. */
static struct str
decode(struct arena *arena, struct str s)
{
	const char *p = s.s, *end = s.s + s.n;
	char *out = arena_bytes(arena, s.n + 1), *q = out;
	uint32_t cp;

	while (p < end) {
		const char *stop = memchr(p, '\\', (size_t)(end - p));
		size_t n = (size_t)((stop != NULL ? stop : end) - p);

		memcpy(q, p, n);
		q += n;
		p += n;
		if (p < end) {
			p += jr_escape(p, end, &cp);
			q += utf8_put(q, cp);
		}
	}
	*q = '\0';
	arena_trim(arena, s.n - (size_t)(q - out));
	return (struct str){ out, (size_t)(q - out) };
}

bool
jr_string(struct jr *r, struct str *s)
{
	bool has_escapes;

	if (type_here(r) != JR_STRING || !string_check(r, s, &has_escapes))
		return false;
	if (has_escapes)
		*s = decode(r->arena, *s);
	return true;
}

static bool
word(struct jr *r, const char *w, size_t n)
{
	if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0)
		return fail(r, r->p, "this is no value");
	r->p += n;
	return true;
}

bool
jr_bool(struct jr *r, bool *v)
{
	if (type_here(r) != JR_BOOL)
		return false;
	*v = *r->p == 't';
	return *v ? word(r, "true", 4) : word(r, "false", 5);
}

bool
jr_null(struct jr *r)
{
	return type_here(r) == JR_NULL && word(r, "null", 4);
}

static const char *
digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static bool
number(struct jr *r)
{
	const char *p = r->p + (*r->p == '-'), *end = r->end, *from = p;

	p = digits(p, end);
	if (p == from || (*from == '0' && p - from > 1))
		return fail(r, from, "a number is wrong");
	if (p < end && *p == '.') {
		from = ++p;
		p = digits(p, end);
		if (p == from)
			return fail(r, p, "a number is wrong");
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		from = p;
		p = digits(p, end);
		if (p == from)
			return fail(r, p, "a number is wrong");
	}
	r->p = p;
	return true;
}

static bool
enter(struct jr *r, enum jr_type type)
{
	if (type_here(r) != type)
		return false;
	r->p++;
	r->is_first = true;
	return true;
}

bool
jr_enter_object(struct jr *r)
{
	return enter(r, JR_OBJECT);
}

bool
jr_enter_array(struct jr *r)
{
	return enter(r, JR_ARRAY);
}

/* Goes over the comma where one is due; false at the closing bracket and at a fault. */
static inline bool
next(struct jr *r, char close)
{
	bool is_first = r->is_first;

	r->p = scan_space(r->p, r->end);
	if (r->p == r->end)
		return fail(r, r->p, CUT);
	r->is_first = false;
	if (*r->p == close) {
		r->p++;
		return false;
	}
	return is_first || expect(r, ',', "a comma or the closing bracket is missing");
}

bool
jr_next_element(struct jr *r)
{
	return next(r, ']');
}

static inline bool
name_follows(struct jr *r)
{
	return type_here(r) == JR_STRING ||
	       fail(r, r->p, r->p == r->end ? CUT : "a name in quotes is missing");
}

static inline bool
colon(struct jr *r)
{
	return expect(r, ':', "a colon is missing");
}

static bool
member(struct jr *r, struct str *name)
{
	return name_follows(r) && jr_string(r, name) && colon(r);
}

bool
jr_next_member(struct jr *r, struct str *name)
{
	return next(r, '}') && member(r, name);
}

/* A guess holds plain text only: what is the same needs no check. */
bool
jr_next_member_guess(struct jr *r, struct str guess, struct str *name)
{
	if (!next(r, '}'))
		return false;
	if ((size_t)(r->end - r->p) >= guess.n + 3 && r->p[0] == '"' && r->p[guess.n + 1] == '"' &&
	    r->p[guess.n + 2] == ':' && scan_same(r->p + 1, guess.s, guess.n)) {
		r->p += guess.n + 3;
		*name = guess;
		return true;
	}
	return member(r, name);
}

/* A value that holds no others. */
static bool
skip_scalar(struct jr *r)
{
	bool ignored;
	struct str text;

	switch (type_here(r)) {
	case JR_STRING:
		return string_check(r, &text, &ignored);
	case JR_NUMBER:
		return number(r);
	case JR_BOOL:
		return jr_bool(r, &ignored);
	case JR_NULL:
		return jr_null(r);
	case JR_OBJECT:
	case JR_ARRAY:
	case JR_NONE:
		break;
	}
	return fail(r, r->p, r->p == r->end ? CUT : "this is no value");
}

/* The next value's place inside a container; false at its end and at a fault. */
static bool
skip_to_value(struct jr *r, bool in_array)
{
	struct str name;
	bool ignored;

	if (in_array)
		return jr_next_element(r);
	return next(r, '}') && name_follows(r) && string_check(r, &name, &ignored) && colon(r);
}

/* One bit a level says which bracket closes it. */
bool
jr_skip(struct jr *r)
{
	uint64_t in_array[JR_DEPTH / 64];
	size_t depth = 0;

	do {
		enum jr_type type = type_here(r);

		if (type == JR_OBJECT || type == JR_ARRAY) {
			uint64_t *bits = &in_array[depth / 64], bit = UINT64_C(1) << depth % 64;

			if (depth == JR_DEPTH - 1)
				return fail(r, r->p, "it is nested too deeply");
			if (depth % 64 == 0)
				*bits = 0;
			*bits = type == JR_ARRAY ? *bits | bit : *bits & ~bit;
			depth++;
			enter(r, type);
		} else if (!skip_scalar(r)) {
			return false;
		}
		while (depth > 0 &&
		       !skip_to_value(r, in_array[(depth - 1) / 64] >> (depth - 1) % 64 & 1)) {
			if (!jr_ok(r))
				return false;
			depth--;
		}
	} while (depth > 0);
	return true;
}

bool
jr_raw(struct jr *r, struct str *text)
{
	const char *from;

	type_here(r);
	from = r->p;
	if (!jr_skip(r))
		return false;
	*text = (struct str){ from, (size_t)(r->p - from) };
	return true;
}

bool
jr_end(struct jr *r)
{
	if (!jr_ok(r))
		return false;
	r->p = scan_space(r->p, r->end);
	return r->p == r->end || fail(r, r->p, "more follows behind the end");
}

bool
jr_int64(struct str text, int64_t *v)
{
	bool is_negative = text.n > 0 && text.s[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + is_negative, sum = 0;
	size_t i = is_negative;

	if (i == text.n)
		return false;
	for (; i < text.n; i++) {
		unsigned digit = (unsigned char)text.s[i] - (unsigned)'0';

		if (digit > 9 || sum > (limit - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*v = is_negative ? (int64_t)(0 - sum) : (int64_t)sum;
	return true;
}
