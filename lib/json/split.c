/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/arena.h"
#include "lib/json/reader.h"
#include "lib/json/scan.h"
#include "lib/json/split.h"

/*
 * What is expected next. The first group looks at one byte and has white space
 * skipped before it; the second is inside of something that has begun.
 */
enum state {
	START,
	FIRST_NAME,
	NAME,
	COLON,
	VALUE,
	AFTER_VALUE,
	ELEMENT,
	END,

	IN_START, /* a byte order mark */
	IN_NAME,
	IN_VALUE,
	IN_ELEMENT,
};

void
split_init(struct split *s, size_t max_bytes, size_t max_slices)
{
	*s = (struct split){ .max_slices = max_slices, .state = IN_START };
	buf_init(&s->page.body, max_bytes);
}

void
split_page_release(struct split_page *page)
{
	buf_release(&page->body);
	free(page->slices);
	free(page->next_link);
	*page = (struct split_page){ .body = page->body };
}

void
split_release(struct split *s)
{
	split_page_release(&s->page);
}

static bool
fault(struct split *s, enum split_fault what, const char *why)
{
	s->fault = what;
	s->why = why;
	return false;
}

/* A name or link between its quotes, decoded; false when the reader does not take it. */
static bool
decode(const struct split *s, struct split_slice quoted, struct arena *arena, struct str *out)
{
	struct jr r;

	jr_init(&r, (struct str){ s->page.body.p + quoted.off, quoted.len }, arena);
	return jr_string(&r, out) && jr_end(&r);
}

static bool
name_is(const struct split *s, const char *name)
{
	struct arena arena;
	struct str decoded;
	bool is_same;

	arena_init(&arena);
	is_same = decode(s, s->name, &arena, &decoded) && str_is(decoded, name);
	arena_release(&arena);
	return is_same;
}

static bool
add_slice(struct split *s, size_t end)
{
	struct split_page *page = &s->page;

	if (page->n == s->max_slices)
		return fault(s, SPLIT_TOO_BIG, "it has too many elements");
	if (page->n == s->room) {
		s->room = s->room == 0 ? 64 : s->room * 2;
		page->slices = xreallocarray(page->slices, s->room, sizeof(*page->slices));
	}
	page->slices[page->n++] = (struct split_slice){ s->from, end - s->from };
	return true;
}

/* ---- skipping a value, over the pieces it comes in --------------------------- */

/* Inside a string: goes behind its closing quote, or to the end, or to a backslash at the end. */
static const char *
skip_string(struct split *s, const char *p, const char *end)
{
	for (;;) {
		p = scan_quote(p, end);
		if (p == end)
			return p;
		if (*p == '"') {
			s->in_string = false;
			return p + 1;
		}
		if (end - p < 2)
			return p;
		p += 2;
	}
}

static bool
ends_scalar(char c)
{
	return c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"' ||
	       scan_is_space(c);
}

/* Outside of strings: goes to behind the next quote, or to where the value ends. */
static const char *
skip_brackets(struct split *s, const char *p, const char *end)
{
	for (; p < end; p++) {
		switch (*p) {
		case '"':
			s->in_string = true;
			return p + 1;
		case '{':
		case '[':
			s->depth++;
			break;
		case '}':
		case ']':
			s->depth--;
			if (s->depth == 0)
				return p + 1;
			break;
		}
	}
	return p;
}

/*
 * Goes on with the value that began at s->from. True when it is complete;
 * s->at is then behind it. A string or container says where it ends by itself,
 * a scalar by what follows.
 */
static bool
skip_value(struct split *s)
{
	const char *start = s->page.body.p, *p = start + s->at, *end = start + s->page.body.n;
	bool is_closed = false;

	if (s->at == s->from && p < end) {
		s->depth = *p == '{' || *p == '[';
		s->in_string = *p == '"';
		p++;
	}
	if (s->depth == 0 && !s->in_string) {
		while (p < end && !ends_scalar(*p))
			p++;
		s->at = (size_t)(p - start);
		return p < end;
	}
	while (p < end && !is_closed) {
		const char *was = p;

		if (s->depth > 0 && end - p >= 64 && scan_inside(p, &s->depth, &s->in_string)) {
			p += 64;
			continue;
		}
		p = s->in_string ? skip_string(s, p, end) : skip_brackets(s, p, end);
		is_closed = s->depth == 0 && !s->in_string;
		if (p == was)
			break;
	}
	s->at = (size_t)(p - start);
	return is_closed;
}

/* ---- the page around the elements ---------------------------------------------- */

static bool
begin(struct split *s, enum state inside)
{
	s->from = s->at;
	s->state = inside;
	return true;
}

static bool
begin_value(struct split *s, char c)
{
	bool is_list = name_is(s, "value");

	if (is_list && (s->has_value || c != '['))
		return fault(s, SPLIT_BROKEN,
		    s->has_value ? "it has two lists \"value\"" : "\"value\" is not a list");
	if (!is_list)
		return begin(s, IN_VALUE);
	s->has_value = true;
	s->at++;
	s->state = ELEMENT;
	return true;
}

static bool
go_on(struct split *s, enum state next)
{
	s->at++;
	s->state = next;
	return true;
}

/* The byte c, no white space, where something is expected. */
static bool
look(struct split *s, char c)
{
	switch ((enum state)s->state) {
	case START:
		return c == '{' && go_on(s, FIRST_NAME);
	case FIRST_NAME:
	case NAME:
		if (c == '}' && s->state == FIRST_NAME)
			return go_on(s, END);
		return c == '"' && begin(s, IN_NAME);
	case COLON:
		return c == ':' && go_on(s, VALUE);
	case VALUE:
		return !ends_scalar(c) || c == '{' || c == '[' || c == '"' ? begin_value(s, c)
		                                                           : false;
	case AFTER_VALUE:
		return (c == ',' && go_on(s, NAME)) || (c == '}' && go_on(s, END));
	case ELEMENT:
		if (c == ',' || c == ']')
			return go_on(s, c == ',' ? ELEMENT : AFTER_VALUE);
		return c != '}' && begin(s, IN_ELEMENT);
	case END:
	case IN_START:
	case IN_NAME:
	case IN_VALUE:
	case IN_ELEMENT:
		break;
	}
	return false;
}

static bool
skip_mark(struct split *s)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t n = s->page.body.n < 3 ? s->page.body.n : 3;
	bool is_mark = memcmp(s->page.body.p, mark, n) == 0;

	if (is_mark && n < 3)
		return false;
	s->at = is_mark ? 3 : 0;
	s->state = START;
	return true;
}

static bool
end_value(struct split *s)
{
	struct split_slice value = { s->from, s->at - s->from };

	if (s->state == IN_ELEMENT) {
		s->state = ELEMENT;
		return add_slice(s, s->at);
	}
	if (s->state == IN_NAME) {
		s->name = value;
		s->state = COLON;
		return true;
	}
	if (name_is(s, "@odata.nextLink"))
		s->link = value;
	s->state = AFTER_VALUE;
	return true;
}

/* One step; false when there is nothing more to be done with what has come. */
static bool
step(struct split *s)
{
	const char *start = s->page.body.p, *end = start + s->page.body.n;

	if (s->state == IN_START)
		return skip_mark(s);
	if (s->state > IN_START)
		return skip_value(s) && end_value(s);
	s->at = (size_t)(scan_space(start + s->at, end) - start);
	if (s->at == s->page.body.n)
		return false;
	if (look(s, start[s->at]))
		return true;
	return s->fault != SPLIT_FINE ? false : fault(s, SPLIT_BROKEN, "it is not a JSON list");
}

bool
split_go_on(struct split *s)
{
	if (s->fault == SPLIT_FINE && !buf_ok(&s->page.body))
		return fault(s, SPLIT_TOO_BIG, "it is too big");
	while (s->fault == SPLIT_FINE && s->at < s->page.body.n && step(s))
		;
	return s->fault == SPLIT_FINE;
}

bool
split_feed(struct split *s, const void *p, size_t n)
{
	if (s->fault == SPLIT_FINE)
		buf_add(&s->page.body, p, n);
	return split_go_on(s);
}

static char *
next_link(const struct split *s, bool *is_wrong)
{
	const char *body = s->page.body.p;
	struct arena arena;
	struct str link;
	char *text = NULL;

	*is_wrong = false;
	if (s->link.len == 0 || (s->link.len == 4 && memcmp(body + s->link.off, "null", 4) == 0))
		return NULL;
	arena_init(&arena);
	if (decode(s, s->link, &arena, &link) && memchr(link.s, '\0', link.n) == NULL)
		text = xstrndup(link.s, link.n);
	arena_release(&arena);
	*is_wrong = text == NULL;
	return text;
}

bool
split_finish(struct split *s, struct split_page *taken, struct err *err)
{
	bool is_wrong = false;

	if (s->fault == SPLIT_FINE && s->state != END)
		fault(s, SPLIT_BROKEN, "it ends too early");
	else if (s->fault == SPLIT_FINE && !s->has_value)
		fault(s, SPLIT_BROKEN, "it has no list \"value\"");
	if (s->fault == SPLIT_FINE)
		s->page.next_link = next_link(s, &is_wrong);
	if (is_wrong)
		fault(s, SPLIT_BROKEN, "its nextLink is no text");
	if (s->fault == SPLIT_FINE) {
		if (s->page.body.room - s->page.body.n > s->page.body.n / 3)
			buf_fit(&s->page.body);
		*taken = s->page;
		s->page = (struct split_page){ .n = 0 };
		return true;
	}
	split_release(s);
	return err_set(err, ERR_TEMP, "the page is not usable: %s (byte %zu)", s->why, s->at);
}
