/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MATCH_H
#define MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/event.h"

/*
 * match: which events one wants. Within a key any value does, between keys all
 * must agree, labels must all be there; `not` negates another match. A value
 * that msspd does not know (a severity of next year) passes every filter, also
 * a negated one: nothing is withheld because it is new.
 *
 * Pure and immutable: made by the configuration, read from any thread.
 */
struct match_words {
	const char *const *v; /* compared without case */
	size_t n;             /* 0: this key is not asked */
};

struct match_label {
	const char *key, *value;
};

struct match {
	unsigned severities; /* bits 1 << enum severity; 0: not asked */
	unsigned kinds;      /* "events": bits 1 << enum event_kind; 0: not asked */
	unsigned parts; /* "changes": bits 1 << enum part, of KIND_UPDATED only; 0: not asked */
	struct match_words customers, tenants; /* names in the configuration */
	struct match_words device_groups;      /* rbacGroupName of any device of the alert */
	struct match_words services;           /* serviceSource */
	struct match_words categories;         /* category, or any of categories */
	const struct match_label *labels;      /* of the customer; all must be there */
	size_t nlabels;
	const struct match *negated; /* `not:`; NULL: none */
};

/*
 * Health and unreadable events pass unless `events` is asked and leaves them
 * out, or customers, tenants or labels say they are somebody else's; keys about
 * the content of an alert do not judge them. NULL passes everything.
 */
bool match_test(const struct match *m, const struct event *ev);

/* One sink's part in a tenant's routing. */
struct route {
	uint32_t sink;             /* the journal's number */
	const struct match *match; /* NULL: everything that the sink's defaults take */
	unsigned default_kinds;    /* bits used when match does not ask for events */
	const struct match *const *any; /* beside match, one of these must be passed */
	size_t nany;                    /* 0: not asked */
};

/* The sinks that take ev, each once, in the order of routes; returns how many, at most max. */
size_t route_select(
    const struct route *routes, size_t n, const struct event *ev, uint32_t *out, size_t max);

#endif
