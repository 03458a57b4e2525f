/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/product.h"
#include "lib/policy/match.h"

/*
 * Three answers and no answer: what cannot be told (a severity of next year)
 * stays unknown when it is negated, and only a clear NO withholds an event.
 */
enum answer { NOT_ASKED, YES, UNKNOWN, NO };

static enum answer
both(enum answer a, enum answer b)
{
	return a > b ? a : b;
}

static enum answer
not(enum answer a)
{
	static const enum answer of[] = {
		[NOT_ASKED] = NOT_ASKED, [YES] = NO, [UNKNOWN] = UNKNOWN, [NO] = YES,
	};

	return of[a];
}

static enum answer
yes_or_no(bool is_so)
{
	return is_so ? YES : NO;
}

static bool
has_word(const struct match_words *w, struct str s)
{
	for (size_t i = 0; i < w->n; i++) {
		if (str_same_nocase(str_of(w->v[i]), s))
			return true;
	}
	return false;
}

static const struct alert *
alert_of(const struct event *ev)
{
	return ev->record->type == RECORD_ALERT ? &ev->record->alert : NULL;
}

static enum answer
ask_severities(const struct match *m, const struct event *ev)
{
	const struct record *r = ev->record;
	enum severity severity = record_severity(r);

	if (m->severities == 0)
		return NOT_ASKED;
	if (r->type != RECORD_ALERT && r->type != RECORD_INCIDENT)
		return UNKNOWN;
	if (m->severities & 1u << severity)
		return YES;
	return severity == SEVERITY_UNKNOWN || severity == SEVERITY_OTHER ? UNKNOWN : NO;
}

/* What happened to an alert that is read again is not known where nothing says more than that. */
static enum answer
ask_kinds(const struct match *m, const struct event *ev)
{
	if (m->kinds != 0 && ev->kind == KIND_UPDATED && ev->changed == 0 &&
	    (ev->flags & EVENT_REPLAY) != 0)
		return UNKNOWN;
	return m->kinds == 0 ? NOT_ASKED : yes_or_no(m->kinds & 1u << ev->kind);
}

/* What changed is not known of an update that is the first sight of an old alert. */
static enum answer
ask_parts(const struct match *m, const struct event *ev)
{
	if (m->parts == 0)
		return NOT_ASKED;
	if (ev->kind != KIND_UPDATED || ev->changed == 0)
		return UNKNOWN;
	return yes_or_no(m->parts & ev->changed);
}

static enum answer
ask_customers(const struct match *m, const struct event *ev)
{
	if (m->customers.n == 0)
		return NOT_ASKED;
	return yes_or_no(has_word(&m->customers, str_of(ev->origin->customer)));
}

static enum answer
ask_tenants(const struct match *m, const struct event *ev)
{
	if (m->tenants.n == 0)
		return NOT_ASKED;
	return yes_or_no(has_word(&m->tenants, str_of(ev->origin->tenant)));
}

static bool
has_label(const struct origin *o, const struct match_label *want)
{
	for (size_t i = 0; i < o->nlabels; i++) {
		if (strcmp(o->labels[i].key, want->key) == 0 &&
		    strcmp(o->labels[i].value, want->value) == 0)
			return true;
	}
	return false;
}

static enum answer
ask_labels(const struct match *m, const struct event *ev)
{
	if (m->nlabels == 0)
		return NOT_ASKED;
	for (size_t i = 0; i < m->nlabels; i++) {
		if (!has_label(ev->origin, &m->labels[i]))
			return NO;
	}
	return YES;
}

static enum answer
ask_services(const struct match *m, const struct event *ev)
{
	const struct alert *a = alert_of(ev);

	if (m->services.n == 0)
		return NOT_ASKED;
	if (a == NULL)
		return UNKNOWN;
	if (has_word(&m->services, a->service_source))
		return YES;
	return product_name(a->service_source) == NULL ? UNKNOWN : NO;
}

/* Categories are free text: only an alert without any is one that we cannot tell. */
static enum answer
ask_categories(const struct match *m, const struct event *ev)
{
	const struct alert *a = alert_of(ev);

	if (m->categories.n == 0)
		return NOT_ASKED;
	if (a == NULL || (a->category.n == 0 && a->ncategories == 0))
		return UNKNOWN;
	if (has_word(&m->categories, a->category))
		return YES;
	for (size_t i = 0; i < a->ncategories; i++) {
		if (has_word(&m->categories, a->categories[i]))
			return YES;
	}
	return NO;
}

/* The best answer of any device: YES, else UNKNOWN where one does not say its group. */
static enum answer
device_group(const struct match_words *w, const struct evidence *e, size_t n)
{
	enum answer best = NO;

	for (size_t i = 0; i < n; i++) {
		enum answer a = device_group(w, e[i].children, e[i].nchildren);

		if (e[i].kind == EVIDENCE_DEVICE && has_word(w, e[i].device.rbac_group_name))
			a = YES;
		else if (e[i].kind == EVIDENCE_DEVICE && e[i].device.rbac_group_name.n == 0)
			a = a < UNKNOWN ? a : UNKNOWN;
		best = a < best ? a : best;
	}
	return best;
}

/* An alert without any device is in none of the groups. */
static enum answer
ask_device_groups(const struct match *m, const struct event *ev)
{
	const struct alert *a = alert_of(ev);

	if (m->device_groups.n == 0)
		return NOT_ASKED;
	return a == NULL ? UNKNOWN : device_group(&m->device_groups, a->evidence, a->nevidence);
}

typedef enum answer question(const struct match *m, const struct event *ev);

/* Every key of a match; those about an alert's content know nothing of other records. */
static question *const questions[] = { ask_severities, ask_kinds, ask_parts, ask_customers,
	ask_tenants, ask_labels, ask_services, ask_categories, ask_device_groups };

static enum answer
answer_all(const struct match *m, const struct event *ev)
{
	enum answer all = NOT_ASKED;

	for (size_t i = 0; i < ARRAY_LEN(questions) && all != NO; i++)
		all = both(all, questions[i](m, ev));
	if (m->negated != NULL)
		all = both(all, not(answer_all(m->negated, ev)));
	return all;
}

bool
match_test(const struct match *m, const struct event *ev)
{
	return m == NULL || answer_all(m, ev) != NO;
}

static bool
is_among(uint32_t sink, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == sink)
			return true;
	}
	return false;
}

static bool
passes_any(const struct route *r, const struct event *ev)
{
	for (size_t i = 0; i < r->nany; i++) {
		if (match_test(r->any[i], ev))
			return true;
	}
	return r->nany == 0;
}

size_t
route_select(
    const struct route *routes, size_t n, const struct event *ev, uint32_t *out, size_t max)
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < max; i++) {
		const struct route *r = &routes[i];
		bool asks_kinds = r->match != NULL && r->match->kinds != 0;

		if (!asks_kinds && (r->default_kinds & 1u << ev->kind) == 0)
			continue;
		if (!is_among(r->sink, out, found) && match_test(r->match, ev) && passes_any(r, ev))
			out[found++] = r->sink;
	}
	return found;
}
