#include <string.h>

#include "lib/base/ticks.h"
#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/query.h"

#define MAX_DEPTH   50
#define MAX_SKIP    500
#define DEFAULT_TOP 100

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

static bool
read_test(struct reader *r, struct expr *e)
{
	struct str name = next_token(r), op = next_token(r), value = next_token(r);
	int property = find_word(name, properties, ARRAY_LEN(properties));
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

static bool
read_filter(struct query *q, struct str text, struct err *err)
{
	struct reader r = { text, &q->arena, err };

	q->filter = read_or(&r, 0);
	if (q->filter == NULL)
		return false;
	skip_spaces(&r);
	if (r.rest.n != 0)
		return err_set(err, ERR_PERM,
		    "Invalid filter clause: Syntax error at '%.*s' in '$filter'.", STR_ARG(r.rest));
	return true;
}

static bool
read_orderby(struct query *q, struct str text, struct err *err)
{
	struct reader r = { text, &q->arena, err };
	struct str name = next_token(&r), way = next_token(&r);

	if (str_is(name, "createdDateTime"))
		q->by_created = true;
	else if (str_is(name, "lastUpdateDateTime"))
		q->by_created = false;
	else
		return err_set(err, ERR_PERM,
		    "Invalid $orderby: Could not find a sortable property named '%.*s'.",
		    STR_ARG(name));
	if (way.n != 0 && !str_is(way, "asc") && !str_is(way, "desc"))
		return err_set(
		    err, ERR_PERM, "Invalid $orderby: Syntax error at '%.*s'.", STR_ARG(way));
	q->is_descending = str_is(way, "desc");
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
		return p->orderby == OBEY_IGNORE || read_orderby(q, value, err);
	}
	if (str_is(name, "$top")) {
		q->has_top = true;
		return read_number(name, value, &q->top, err);
	}
	if (str_is(name, "$skip")) {
		if (!read_number(name, value, &q->skip, err))
			return false;
		if (q->skip > MAX_SKIP)
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

static bool
matches(const struct expr *e, const struct version *v)
{
	switch (e->node) {
	case NODE_AND:
		return matches(e->a, v) && matches(e->b, v);
	case NODE_OR:
		return matches(e->a, v) || matches(e->b, v);
	case NODE_NOT:
		return !matches(e->a, v);
	case NODE_TEST:
		return passes(e->op, value_of(e->property, v), e->value);
	}
	return false;
}

bool
query_matches(const struct query *q, const struct version *v)
{
	return q->filter == NULL || matches(q->filter, v);
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
query_bounds(const struct query *q, int64_t *lo, int64_t *hi)
{
	*lo = INT64_MIN;
	*hi = INT64_MAX;
	if (q->filter != NULL)
		narrow(q->filter, q->by_created ? BY_CREATED : BY_UPDATED, lo, hi);
}
