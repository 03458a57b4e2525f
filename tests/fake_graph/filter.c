/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/filter.h"

#include "lib/base/ticks.h"

#define MAX_DEPTH 50

enum node { NODE_AND, NODE_OR, NODE_NOT, NODE_TEST };
enum op { OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE };
enum property { BY_UPDATED, BY_CREATED, BY_SEVERITY, BY_STATUS };

static const char *const ops[] = { "eq", "ne", "gt", "ge", "lt", "le" };
static const char *const properties[] = { "lastUpdateDateTime", "createdDateTime", "severity",
	"status" };

struct expr {
	enum node node;
	const struct expr *a, *b;
	enum op op;
	enum property property;
	int64_t value; /* ticks, or the enum; -1: a word that no alert has */
};

struct reader {
	struct str rest;
	struct arena *arena;
	struct err *err;
};

static void
skip_spaces(struct reader *r)
{
	while (r->rest.n > 0 && *r->rest.s == ' ')
		r->rest.s++, r->rest.n--;
}

/* A word, a quoted text (quotes kept), or one parenthesis; empty at the end. */
static struct str
next_token(struct reader *r)
{
	struct str t;
	size_t n = 0;

	skip_spaces(r);
	t = r->rest;
	if (t.n > 0 && (t.s[0] == '(' || t.s[0] == ')')) {
		n = 1;
	} else if (t.n > 0 && t.s[0] == '\'') {
		for (n = 1; n < t.n && t.s[n] != '\''; n++)
			;
		n += n < t.n;
	} else {
		while (n < t.n && t.s[n] != ' ' && t.s[n] != '(' && t.s[n] != ')')
			n++;
	}
	t.n = n;
	r->rest.s += n;
	r->rest.n -= n;
	return t;
}

static bool
take(struct reader *r, const char *word)
{
	struct reader was = *r;

	if (str_same_nocase(next_token(r), str_of(word)))
		return true;
	*r = was;
	return false;
}

static int
find_word(struct str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(s, list[i]))
			return (int)i;
	}
	return -1;
}

static bool
enum_value(enum property p, struct str t, int64_t *value)
{
	const char *name;

	if (t.n < 2 || t.s[0] != '\'' || t.s[t.n - 1] != '\'')
		return false;
	*value = -1;
	for (int i = 0; i < (p == BY_SEVERITY ? SEV_HIGH : STATUS_RESOLVED) + 1; i++) {
		name = p == BY_SEVERITY ? severity_name((enum severity)i)
		                        : status_name((enum status)i);
		if (str_is((struct str){ t.s + 1, t.n - 2 }, name))
			*value = i;
	}
	return true;
}

/* Both APIs' names for the times. */
static int
find_property(struct str name)
{
	if (str_is(name, "lastUpdateTime"))
		return BY_UPDATED;
	if (str_is(name, "alertCreationTime"))
		return BY_CREATED;
	return find_word(name, properties, ARRAY_LEN(properties));
}

static bool
read_test(struct reader *r, struct expr *e)
{
	struct str name = next_token(r), op = next_token(r), value = next_token(r);
	int property = find_property(name);
	int which = find_word(op, ops, ARRAY_LEN(ops));

	if (property < 0)
		return err_set(r->err, ERR_PERM,
		    "Invalid filter clause: Could not find a property named '%.*s' on type "
		    "'microsoft.graph.security.alert'.",
		    STR_ARG(name));
	if (which < 0)
		return err_set(r->err, ERR_PERM,
		    "Invalid filter clause: Syntax error at '%.*s' in '$filter'.", STR_ARG(op));
	e->node = NODE_TEST;
	e->property = (enum property)property;
	e->op = (enum op)which;
	if (property == BY_SEVERITY || property == BY_STATUS
		? enum_value(e->property, value, &e->value)
		: ticks_parse(value, &e->value))
		return true;
	return err_set(r->err, ERR_PERM, "Invalid filter clause: '%.*s' is no value for '%s'.",
	    STR_ARG(value), properties[property]);
}

static const struct expr *read_or(struct reader *r, unsigned depth);

static const struct expr *
read_term(struct reader *r, unsigned depth)
{
	struct expr *e = arena_alloc(r->arena, sizeof(*e));

	if (depth > MAX_DEPTH) {
		err_set(
		    r->err, ERR_PERM, "Invalid filter clause: The node count limit is exceeded.");
		return NULL;
	}
	if (take(r, "not")) {
		e->node = NODE_NOT;
		e->a = read_term(r, depth + 1);
		return e->a != NULL ? e : NULL;
	}
	if (take(r, "(")) {
		const struct expr *inside = read_or(r, depth + 1);

		if (inside == NULL || take(r, ")"))
			return inside;
		err_set(r->err, ERR_PERM, "Invalid filter clause: ')' is missing.");
		return NULL;
	}
	return read_test(r, e) ? e : NULL;
}

/* One level of a chain: terms of the next level joined by its word. */
static const struct expr *
read_chain(struct reader *r, unsigned depth, enum node node)
{
	const char *word = node == NODE_OR ? "or" : "and";
	const struct expr *left =
	    node == NODE_OR ? read_chain(r, depth, NODE_AND) : read_term(r, depth);

	while (left != NULL && take(r, word)) {
		struct expr *e = arena_alloc(r->arena, sizeof(*e));

		e->node = node;
		e->a = left;
		e->b = node == NODE_OR ? read_chain(r, depth, NODE_AND) : read_term(r, depth);
		left = e->b != NULL ? e : NULL;
	}
	return left;
}

static const struct expr *
read_or(struct reader *r, unsigned depth)
{
	return read_chain(r, depth, NODE_OR);
}

const struct expr *
filter_read(struct str text, struct arena *arena, struct err *err)
{
	struct reader r = { text, arena, err };
	const struct expr *e = read_or(&r, 0);

	skip_spaces(&r);
	if (e == NULL || r.rest.n == 0)
		return e;
	err_set(err, ERR_PERM, "Invalid filter clause: Syntax error at '%.*s' in '$filter'.",
	    STR_ARG(r.rest));
	return NULL;
}

static int64_t
value_of(enum property p, const struct version *v)
{
	switch (p) {
	case BY_UPDATED:
		return v->facts.updated;
	case BY_CREATED:
		return v->alert->created;
	case BY_SEVERITY:
		return v->facts.severity;
	case BY_STATUS:
		return v->facts.status;
	}
	return 0;
}

static bool
passes(enum op op, int64_t a, int64_t b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	}
	return false;
}

bool
filter_matches(const struct expr *e, const struct version *v)
{
	switch (e->node) {
	case NODE_AND:
		return filter_matches(e->a, v) && filter_matches(e->b, v);
	case NODE_OR:
		return filter_matches(e->a, v) || filter_matches(e->b, v);
	case NODE_NOT:
		return !filter_matches(e->a, v);
	case NODE_TEST:
		return passes(e->op, value_of(e->property, v), e->value);
	}
	return false;
}

/* Only what follows from tests of the ordering time joined by and; the rest bounds nothing. */
static void
narrow(const struct expr *e, enum property p, int64_t *lo, int64_t *hi)
{
	if (e->node == NODE_AND) {
		narrow(e->a, p, lo, hi);
		narrow(e->b, p, lo, hi);
	}
	if (e->node != NODE_TEST || e->property != p)
		return;
	if ((e->op == OP_GE || e->op == OP_GT || e->op == OP_EQ) && e->value > *lo)
		*lo = e->value;
	if ((e->op == OP_LE || e->op == OP_LT || e->op == OP_EQ) && e->value < *hi)
		*hi = e->value;
}

void
filter_bounds(const struct expr *e, bool by_created, int64_t *lo, int64_t *hi)
{
	narrow(e, by_created ? BY_CREATED : BY_UPDATED, lo, hi);
}
