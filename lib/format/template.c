/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "lib/format/template.h"

/* The variables that are a member of the origin. */
static const struct {
	struct str name;
	size_t off;
} variables[] = {
	{ STR("tenant"), offsetof(struct origin, tenant) },
	{ STR("tenant_id"), offsetof(struct origin, tenant_id) },
	{ STR("customer"), offsetof(struct origin, customer) },
	{ STR("customer_name"), offsetof(struct origin, customer_name) },
	{ STR("stream"), offsetof(struct origin, stream) },
	{ STR("cloud"), offsetof(struct origin, cloud) },
	{ STR("instance"), offsetof(struct origin, instance) },
};
static const char all_variables[] = "{tenant}, {tenant_id}, {customer}, {customer_name}, {stream}, "
				    "{cloud}, {instance}, {host} and {label.KEY}";
static const char label_prefix[] = "label.";

enum piece_kind { PIECE_TEXT, PIECE_VARIABLE, PIECE_BROKEN };

struct piece {
	enum piece_kind kind;
	struct str s; /* the text, or the variable's name */
};

/* Takes the next piece off *p, which is not at its end. */
static struct piece
next_piece(const char **p)
{
	const char *s = *p, *end;

	if (s[0] != '{') {
		end = s + strcspn(s, "{");
		*p = end;
		return (struct piece){ PIECE_TEXT, { s, (size_t)(end - s) } };
	}
	if (s[1] == '{') {
		*p = s + 2;
		return (struct piece){ PIECE_TEXT, { s, 1 } };
	}
	end = strchr(s, '}');
	if (end == NULL) {
		*p = s + strlen(s);
		return (struct piece){ PIECE_BROKEN, str_of(s) };
	}
	*p = end + 1;
	return (struct piece){ PIECE_VARIABLE, { s + 1, (size_t)(end - s - 1) } };
}

static bool
is_variable(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		if (str_same(name, variables[i].name))
			return true;
	}
	return str_is(name, "host") ||
	       (str_starts(name, label_prefix) && name.n > sizeof(label_prefix) - 1);
}

bool
template_check(const char *text, struct err *err)
{
	while (*text != '\0') {
		struct piece p = next_piece(&text);

		if (p.kind == PIECE_BROKEN)
			return err_set(
			    err, ERR_CONF, "%.*s is not closed by }; {{ is a brace", STR_ARG(p.s));
		if (p.kind == PIECE_VARIABLE && !is_variable(p.s))
			return err_set(err, ERR_CONF, "unknown variable {%.*s}; there are %s",
			    STR_ARG(p.s), all_variables);
	}
	return true;
}

static const char *
label(const struct origin *o, struct str key)
{
	for (size_t i = 0; i < o->nlabels; i++) {
		if (str_is(key, o->labels[i].key))
			return o->labels[i].value;
	}
	return NULL;
}

static const char *
value(struct str name, const struct origin *o, const char *host)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		if (str_same(name, variables[i].name))
			return *(char *const *)(const void *)((const char *)o + variables[i].off);
	}
	if (str_is(name, "host"))
		return host;
	if (str_starts(name, label_prefix))
		return label(o, (struct str){ name.s + sizeof(label_prefix) - 1,
				    name.n - (sizeof(label_prefix) - 1) });
	return NULL;
}

void
template_write(struct buf *out, const char *text, const struct origin *o, const char *host)
{
	while (*text != '\0') {
		struct piece p = next_piece(&text);

		if (p.kind == PIECE_VARIABLE)
			buf_str(out, str_of(value(p.s, o, host)));
		else
			buf_str(out, p.s);
	}
}
