/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/conf_value.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/config/nearest.h"
#include "lib/config/unit.h"

#define LIST_MAX 10000 /* elements of any list that does not say its own limit */

/* "a, b or c" */
static void
put_words(struct buf *b, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i != 0)
			buf_puts(b, words[i + 1] != NULL ? ", " : " or ");
		buf_puts(b, words[i]);
	}
}

static bool
wrong_word(const struct conf_opt *o, const char *text, struct err *err)
{
	struct buf b = BUF_INIT(400);
	struct nearest near;

	nearest_init(&near, text);
	for (size_t i = 0; o->choices[i] != NULL; i++)
		nearest_offer(&near, o->choices[i]);
	put_words(&b, o->choices);
	if (near.best != NULL)
		err_set(err, ERR_CONF, "\"%.80s\" is unknown; did you mean %s? It may be %s", text,
		    near.best, b.p);
	else
		err_set(err, ERR_CONF, "\"%.80s\" is unknown; it may be %s", text, b.p);
	buf_release(&b);
	return false;
}

/* ---- one text into one field ------------------------------------------------------ */

static bool
check_text(const struct conf_value *v, const char *text, struct err *err)
{
	return v->o->check == NULL || v->o->check(text, err);
}

static bool
read_str(const struct conf_value *v, const char *text, struct err *err)
{
	if (!check_text(v, text, err))
		return false;
	*(char **)v->field = arena_strdup(v->c->arena, text);
	return true;
}

static bool
parse_int(const char *text, int64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' &&
	       (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) && end != text;
}

static bool
parse_number(enum conf_type type, const char *text, int64_t *v, struct err *err)
{
	if (type == CONF_TIME)
		return unit_time(str_of(text), v) ||
		       err_set(err, ERR_CONF,
			   "\"%.80s\" is not a duration; write a number with ms, "
			   "s, m, h or d: 90s, 10m, 7d",
			   text);
	if (type == CONF_SIZE)
		return unit_size(str_of(text), v) ||
		       err_set(err, ERR_CONF,
			   "\"%.80s\" is not a size; write a number with KiB, MiB, "
			   "GiB or TiB: 64KiB, 8GiB",
			   text);
	if (type == CONF_DATE)
		return unit_date(str_of(text), v) ||
		       err_set(err, ERR_CONF,
			   "\"%.80s\" is not a date; write year, month and day: 2027-03-01", text);
	return parse_int(text, v) ||
	       err_set(err, ERR_CONF, "\"%.80s\" is not a whole number; write digits only", text);
}

static bool
read_number(const struct conf_value *v, const char *text, struct err *err)
{
	const struct conf_opt *o = v->o;
	struct buf b = BUF_INIT(100);
	int64_t n;

	if (!parse_number(o->type, text, &n, err))
		return false;
	if ((o->min != 0 || o->max != 0) && (n < o->min || n > o->max)) {
		conf_put_number(&b, o->type, o->min);
		buf_puts(&b, " to ");
		conf_put_number(&b, o->type, o->max);
		err_set(err, ERR_CONF, "%.80s is out of range; it may be %s", text, b.p);
		buf_release(&b);
		return false;
	}
	*(int64_t *)v->field = n;
	return true;
}

static bool
read_bool(const struct conf_value *v, const char *text, struct err *err)
{
	bool is_true = strcmp(text, "true") == 0;

	if (!is_true && strcmp(text, "false") != 0)
		return err_set(err, ERR_CONF, "\"%.80s\" is neither; write true or false", text);
	*(bool *)v->field = is_true;
	return true;
}

/* The index of text among the choices; -1: it is not there. */
static int
find_choice(const char *const *choices, const char *text)
{
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(choices[i], text) == 0)
			return i;
	}
	return -1;
}

static bool
read_choice(const struct conf_value *v, const char *text, struct err *err)
{
	int i = find_choice(v->o->choices, text);

	if (i < 0)
		return check_text(v, text, err) && wrong_word(v->o, text, err);
	*(int *)v->field = i;
	return true;
}

/* ---- many texts into one field ------------------------------------------------------ */

static bool
read_item(const struct conf_value *v, const char *text, struct err *err)
{
	const struct conf_opt *o = v->o;
	struct conf_list *list = v->field;
	int bit;

	if (o->type == CONF_CHOICES) {
		bit = find_choice(o->choices, text);
		if (bit < 0)
			return wrong_word(o, text, err);
		*(unsigned *)v->field |= 1u << bit;
		return true;
	}
	if (text[0] == '\0')
		return err_set(err, ERR_CONF, "an empty text in a list; leave it out");
	if (o->type == CONF_SECRET && v->c->check_secret != NULL && !v->c->check_secret(text, err))
		return false;
	if (!check_text(v, text, err))
		return false;
	list->v[list->n++] = arena_strdup(v->c->arena, text);
	return true;
}

static void
start_list(const struct conf_value *v, size_t n)
{
	struct conf_list *list = v->field;

	if (v->o->type == CONF_CHOICES) {
		*(unsigned *)v->field = 0;
		return;
	}
	list->n = 0;
	list->v = arena_alloc(v->c->arena, (n + 1) * sizeof(*list->v));
}

static bool
check_count(const struct conf_value *v, const struct node *at, size_t n)
{
	const struct conf_opt *o = v->o;
	size_t min = o->min > 0 ? (size_t)o->min : 0, max = o->max > 0 ? (size_t)o->max : LIST_MAX;

	if (o->type == CONF_CHOICES && min == 0)
		min = 1;
	if (n < min)
		conf_error(v->c, at, "an empty list; give at least %zu", min);
	else if (n > max)
		conf_error(v->c, at, "%zu values; at most %zu are possible", n, max);
	return n >= min && n <= max;
}

static bool
read_list(const struct conf_value *v, const struct node *n)
{
	size_t count = n->kind == NODE_LIST ? n->n : 1;
	const struct node *item = n->kind == NODE_LIST ? n->first : n;
	struct err err;
	bool ok = true;

	if (n->kind == NODE_MAP) {
		conf_error(v->c, n, "a mapping; write a text or a list of texts: [a, b]");
		return false;
	}
	if (!check_count(v, n, count))
		return false;
	start_list(v, count);
	for (size_t i = 0; i < count; i++, item = item->next) {
		if (item->kind != NODE_SCALAR || item->is_null) {
			conf_error(
			    v->c, item, "%s in a list of texts; write a text", node_what(item));
			ok = false;
		} else if (!read_item(v, item->text, &err)) {
			conf_error(v->c, item, "%s", err.text);
			ok = false;
		}
	}
	return ok;
}

/* A default: words between blanks. */
static bool
read_words(const struct conf_value *v, const char *text, struct err *err)
{
	char *words = arena_strdup(v->c->arena, text), *save = NULL;

	start_list(v, strlen(text) / 2 + 1);
	for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		if (!read_item(v, w, err))
			return false;
	}
	return true;
}

static bool
read_pairs(const struct conf_value *v, const struct node *n)
{
	struct conf_pairs *pairs = v->field;
	struct err err;
	bool ok = true;

	if (n->kind != NODE_MAP) {
		conf_error(v->c, n, "%s; write a mapping of name: text", node_what(n));
		return false;
	}
	pairs->n = 0;
	pairs->v = arena_alloc(v->c->arena, (n->n + 1) * sizeof(*pairs->v));
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		if (c->kind != NODE_SCALAR || c->is_null) {
			conf_error(v->c, c, "%s; write a text", node_what(c));
			ok = false;
			continue;
		}
		if (v->o->check_pair != NULL && !v->o->check_pair(c->key, c->text, &err)) {
			conf_error(v->c, c, "%s", err.text);
			ok = false;
		}
		pairs->v[pairs->n++] = (struct conf_pair){ arena_strdup(v->c->arena, c->key),
			arena_strdup(v->c->arena, c->text) };
	}
	return ok;
}

static bool
read_map(const struct conf_value *v, const struct node *n)
{
	if (n->kind == NODE_MAP)
		return conf_fill_one(v->c, n, v->o->sub, v->field);
	conf_error(v->c, n, "%s; write a mapping: {%s: ...}", node_what(n), v->o->sub[0].name);
	return false;
}

/* ---- by type -------------------------------------------------------------------------- */

bool
conf_value_read_text(const struct conf_value *v, const char *text, struct err *err)
{
	switch (v->o->type) {
	case CONF_STR:
		return read_str(v, text, err);
	case CONF_INT:
	case CONF_TIME:
	case CONF_SIZE:
	case CONF_DATE:
		return read_number(v, text, err);
	case CONF_BOOL:
		return read_bool(v, text, err);
	case CONF_CHOICE:
		return read_choice(v, text, err);
	case CONF_LIST:
	case CONF_SECRET:
	case CONF_CHOICES:
		return read_words(v, text, err);
	case CONF_MAP:
	case CONF_PAIRS:
	case CONF_TREE:
		break;
	}
	BUG("option %s: its type has no text", v->o->name);
}

static bool
read_scalar(const struct conf_value *v, const struct node *n)
{
	struct err err;

	if (n->kind != NODE_SCALAR) {
		conf_error(v->c, n, "%s; write one value", node_what(n));
		return false;
	}
	if (conf_value_read_text(v, n->text, &err))
		return true;
	conf_error(v->c, n, "%s", err.text);
	return false;
}

bool
conf_value_read(const struct conf_value *v, const struct node *n)
{
	if (n->is_null) {
		conf_error(v->c, n, "has no value; write one, or leave the option out");
		return false;
	}
	switch (v->o->type) {
	case CONF_STR:
	case CONF_INT:
	case CONF_BOOL:
	case CONF_TIME:
	case CONF_SIZE:
	case CONF_DATE:
	case CONF_CHOICE:
		return read_scalar(v, n);
	case CONF_LIST:
	case CONF_SECRET:
	case CONF_CHOICES:
		return read_list(v, n);
	case CONF_MAP:
		return read_map(v, n);
	case CONF_PAIRS:
		return read_pairs(v, n);
	case CONF_TREE:
		*(const struct node **)v->field = n;
		return true;
	}
	return false;
}
