/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPLIT_H
#define SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * split: cuts a page of an OData list, {"value": [ {…}, … ], …}, into the slices
 * of its elements while it arrives.
 *
 * It knows nothing of alerts and judges no element: inside of one it looks at
 * strings and counts brackets, so that an element that is not JSON is a slice
 * like any other and costs its neighbours nothing. An opening bracket is closed
 * by a closing one of either kind: a swapped bracket spoils one slice only, a
 * missing or superfluous one spoils the page.
 *
 * Promises
 *  - the result does not depend on how the body is cut into pieces.
 *  - a page that is not one complete JSON object with exactly one array `value`
 *    is an error, never fewer elements.
 *  - elements may be of any type; commas too many or too few between them matter
 *    not. What is not white space and no comma is in some slice.
 *  - bounded by max_bytes and max_slices; nesting costs nothing.
 */
struct split_slice {
	size_t off, len;
};

struct split_page {
	struct buf body; /* what the slices are parts of */
	struct split_slice *slices;
	size_t n;
	char *next_link; /* decoded "@odata.nextLink"; NULL when there is none */
};

enum split_fault {
	SPLIT_FINE,
	SPLIT_TOO_BIG, /* too many bytes or slices: ask for less */
	SPLIT_BROKEN,  /* no page */
};

struct split {
	struct split_page page;
	size_t max_slices, room;
	enum split_fault fault;
	const char *why;
	size_t at; /* everything before it was looked at */
	unsigned state;
	size_t depth;   /* of brackets open inside the value that is being skipped */
	bool in_string; /* of that value */
	bool has_value;
	size_t from; /* where the name or the value being read begins */
	struct split_slice name, link;
};

void split_init(struct split *s, size_t max_bytes, size_t max_slices);
void split_release(struct split *s);
/* More was appended to s->page.body. False when the rest need not come: s->fault says why. */
bool split_go_on(struct split *s);
/* Appends the next piece of the body, and goes on. */
bool split_feed(struct split *s, const void *p, size_t n);

/*
 * The body is complete. On success the page is the caller's, to be given back
 * with split_page_release(). ERR_TEMP when it is no page or too big (s->fault
 * tells which). Afterwards s owns nothing, and takes split_init() to be used again.
 */
bool split_finish(struct split *s, struct split_page *taken, struct err *err) MUST_CHECK;
void split_page_release(struct split_page *page);

static inline struct str
split_slice(const struct split_page *page, size_t i)
{
	return (struct str){ page->body.p + page->slices[i].off, page->slices[i].len };
}

#endif
