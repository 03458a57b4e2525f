/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "lib/base/alloc.h"
#include "lib/config/conf_value.h"
#include "lib/config/nearest.h"

#define PATH_MAX_BYTES 300

/* ---- messages --------------------------------------------------------------- */

/* name: below n; NULL: n itself. */
PRINTF_LIKE(6, 0)
static void
report(const struct conf *c, bool is_error, const struct place *at, const struct node *n,
    const char *name, const char *fmt, va_list ap)
{
	char path[PATH_MAX_BYTES], text[1000];
	size_t used;

	vsnprintf(text, sizeof(text), fmt, ap);
	node_path(n, path, sizeof(path));
	used = strlen(path);
	if (name != NULL)
		snprintf(path + used, sizeof(path) - used, "%s%s", used != 0 ? "." : "", name);
	(is_error ? problems_error : problems_warn)(c->problems, at, path, "%s", text);
}

void
conf_error(const struct conf *c, const struct node *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, true, &n->at, n, NULL, fmt, ap);
	va_end(ap);
}

void
conf_warn(const struct conf *c, const struct node *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, false, &n->key_at, n, NULL, fmt, ap);
	va_end(ap);
}

void
conf_error_key(const struct conf *c, const struct node *map, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(c, true, &map->key_at, map, name, fmt, ap);
	va_end(ap);
}

/* ---- a whole mapping --------------------------------------------------------------------- */

static bool
read_absent(const struct conf_value *v, const struct node *map)
{
	struct err err;

	if (map != NULL && (v->o->flags & CONF_REQUIRED) != 0) {
		conf_error_key(v->c, map, v->o->name, "is missing; %s", v->o->help);
		return false;
	}
	if (v->o->type == CONF_MAP)
		return conf_fill_one(v->c, NULL, v->o->sub, v->field);
	if (v->o->def != NULL && !conf_value_read_text(v, v->o->def, &err))
		BUG("option %s: its default: %s", v->o->name, err.text);
	return true;
}

static bool
fill_part(const struct conf *c, const struct node *map, const struct conf_part *part)
{
	bool ok = true;

	for (const struct conf_opt *o = part->table; o != NULL && o->name != NULL; o++) {
		const struct node *n = node_get(map, o->name);
		struct conf_value v = { .c = c, .o = o, .field = (char *)part->out + o->off };

		if (n != NULL ? !conf_value_read(&v, n) : !read_absent(&v, map))
			ok = false;
	}
	return ok;
}

static bool
is_known(const char *key, const struct conf_part *parts, size_t nparts, struct nearest *near)
{
	for (size_t i = 0; i < nparts; i++) {
		for (const struct conf_opt *o = parts[i].table; o != NULL && o->name != NULL; o++) {
			if (strcmp(o->name, key) == 0)
				return true;
			nearest_offer(near, o->name);
		}
	}
	return false;
}

/* The option below which key would be right, as match for a sink's severity; NULL: none. */
static const char *
find_below(const char *key, const struct conf_part *parts, size_t nparts)
{
	for (size_t i = 0; i < nparts; i++) {
		for (const struct conf_opt *o = parts[i].table; o != NULL && o->name != NULL; o++) {
			for (const struct conf_opt *s = o->sub; s != NULL && s->name != NULL; s++) {
				if (strcmp(s->name, key) == 0)
					return o->name;
			}
		}
	}
	return NULL;
}

static void
put_names(struct buf *b, const struct conf_part *parts, size_t nparts)
{
	for (size_t i = 0; i < nparts; i++) {
		for (const struct conf_opt *o = parts[i].table; o != NULL && o->name != NULL; o++)
			buf_printf(b, "%s%s", b->n != 0 ? ", " : "", o->name);
	}
}

static void
report_unknown(const struct conf *c, const struct node *n, const struct conf_part *parts,
    size_t nparts, const char *best)
{
	const char *above = find_below(n->key, parts, nparts);
	struct buf names = BUF_INIT(600);

	put_names(&names, parts, nparts);
	if (above != NULL)
		conf_error_key(c, n, NULL, "unknown option here; it belongs below %s", above);
	else if (best != NULL)
		conf_error_key(c, n, NULL, "unknown option; did you mean %s?", best);
	else
		conf_error_key(c, n, NULL, "unknown option; here may be: %s",
		    names.n != 0 ? names.p : "nothing");
	buf_release(&names);
}

static bool
check_keys(
    const struct conf *c, const struct node *map, const struct conf_part *parts, size_t nparts)
{
	bool ok = true;

	for (const struct node *n = map->first; n != NULL; n = n->next) {
		struct nearest near;

		nearest_init(&near, n->key);
		if (is_known(n->key, parts, nparts, &near))
			continue;
		ok = false;
		report_unknown(c, n, parts, nparts, near.best);
	}
	return ok;
}

bool
conf_fill(
    const struct conf *c, const struct node *map, const struct conf_part *parts, size_t nparts)
{
	bool ok = true;

	if (map != NULL && map->kind != NODE_MAP) {
		conf_error(c, map, "%s; write a mapping of options", node_what(map));
		return false;
	}
	if (map != NULL && !check_keys(c, map, parts, nparts))
		ok = false;
	for (size_t i = 0; i < nparts; i++) {
		if (!fill_part(c, map, &parts[i]))
			ok = false;
	}
	return ok;
}

bool
conf_fill_one(const struct conf *c, const struct node *map, const struct conf_opt *table, void *out)
{
	return conf_fill(c, map, &(struct conf_part){ table, out }, 1);
}

/* ---- checks of one text ------------------------------------------------------ */

bool
conf_check_absolute(const char *text, struct err *err)
{
	return text[0] == '/' ||
	    err_set(err, ERR_CONF, "\"%.200s\" is not an absolute path; begin it with /", text);
}
