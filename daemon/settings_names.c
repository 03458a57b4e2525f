/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <strings.h>

#include "daemon/settings_build.h"
#include "lib/base/alloc.h"
#include "lib/config/nearest.h"

#define NAME_MAX_BYTES 64

/* Names are in host names, topics and file names of receivers: nothing odd. */
static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return n > 0 && n <= NAME_MAX_BYTES && s[n] == '\0' && strchr("-_.", s[0]) == NULL;
}

static int
by_name(const void *x, const void *y)
{
	const struct node *a = *(const struct node *const *)x, *b = *(const struct node *const *)y;
	int c = strcasecmp(a->key, b->key);

	return c != 0 ? c : strcmp(a->key, b->key);
}

static void
check_name(struct build *b, const struct node *n, const struct node *before, const char *what)
{
	if (!is_name(n->key))
		conf_error_key(&b->conf, n, NULL,
		    "is no name for a %s; use letters, digits, - _ and "
		    ". only, at most %d, beginning with a letter or digit",
		    what, NAME_MAX_BYTES);
	else if (before != NULL && strcasecmp(n->key, before->key) == 0 &&
		 strcmp(n->key, before->key) != 0)
		conf_error_key(&b->conf, n, NULL,
		    "differs from %s (%.300s:%u) only in upper and "
		    "lower case; choose another name",
		    before->key, before->key_at.file, before->key_at.line);
}

struct drafts
settings_names(struct build *b, const struct node *section, const char *what, size_t size)
{
	struct drafts d = { .what = what, .size = size };
	const struct node **v;
	size_t n = 0;

	if (section == NULL)
		return d;
	if (section->kind != NODE_MAP) {
		conf_error(&b->conf, section,
		    "%s; write a mapping: a name, then its options below it", node_what(section));
		return d;
	}
	if (section->n == 0)
		return d;
	v = xmalloc(section->n * sizeof(const struct node *));
	for (const struct node *c = section->first; c != NULL; c = c->next)
		v[n++] = c;
	qsort(v, n, sizeof(const struct node *), by_name);
	d.v = arena_alloc(&b->scratch, n * size);
	for (size_t i = 0; i < n; i++) {
		check_name(b, v[i], i != 0 ? v[i - 1] : NULL, what);
		if (i != 0 && strcmp(v[i]->key, v[i - 1]->key) == 0)
			continue; /* given twice: reported already */
		draft_at(&d, d.n)->name = arena_strdup(&b->w->arena, v[i]->key);
		draft_at(&d, d.n++)->node = v[i];
	}
	free(v);
	return d;
}

struct draft *
settings_find(const struct drafts *d, const char *name)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct draft *at = draft_at(d, mid);
		int c = strcasecmp(name, at->name);

		if (c == 0)
			c = strcmp(name, at->name);
		if (c == 0)
			return at;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static void
report_unknown(struct build *b, const struct drafts *d, const struct drafts *also, const char *name,
    const struct node *at)
{
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; i < d->n; i++)
		nearest_offer(&near, draft_at(d, i)->name);
	for (size_t i = 0; also != NULL && i < also->n; i++)
		nearest_offer(&near, draft_at(also, i)->name);
	if (near.best != NULL)
		conf_error(&b->conf, at, "there is no %s \"%.80s\"; did you mean %s?", d->what,
		    name, near.best);
	else
		conf_error(&b->conf, at,
		    "there is no %s \"%.80s\"; define it below %ss, or name "
		    "another",
		    d->what, name, d->what);
}

struct draft *
settings_refer(struct build *b, const struct drafts *d, const char *name, const struct node *at)
{
	struct draft *found = settings_find(d, name);

	if (found == NULL)
		report_unknown(b, d, NULL, name, at);
	return found;
}

bool
settings_refer_customer(struct build *b, const char *name, const struct node *at)
{
	const struct draft *t;

	if (settings_find(&b->customers, name) != NULL)
		return true;
	t = settings_find(&b->tenants, name);
	if (t == NULL) {
		report_unknown(b, &b->customers, &b->tenants, name, at);
		return false;
	}
	if (((const struct tenant_draft *)t)->customer == NULL)
		return true;
	conf_error(&b->conf, at, "\"%.80s\" is a tenant of customer %s; name the customer", name,
	    ((const struct tenant_draft *)t)->customer);
	return false;
}
