/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/alloc.h"
#include "lib/record/fields.h"

const struct fields *
evidence_fields(const struct evidence *e)
{
	return &evidence_type(e->type)->fields;
}

/* "#microsoft.graph.security.deviceEvidence" without what stands before deviceEvidence. */
static struct str
short_type(struct str s)
{
	const char *dot = s.n != 0 ? memrchr(s.s, '.', s.n) : NULL;
	size_t skip = dot != NULL ? (size_t)(dot - s.s) + 1 : s.n != 0 && *s.s == '#';

	return (struct str){ s.s + skip, s.n - skip };
}

/* Looks ahead: the kind decides what the members mean. Of two the first counts. */
static struct str
find_type(const struct reading *rd, const char *otherwise)
{
	struct jr ahead = rd->r;
	struct str name, type;

	jr_enter_object(&ahead);
	while (jr_next_member(&ahead, &name)) {
		if (str_is(name, "@odata.type") && jr_string(&ahead, &type))
			return short_type(type);
		jr_skip(&ahead);
	}
	return str_of(otherwise);
}

static bool
says_primary(const struct str_list *roles)
{
	for (size_t i = 0; i < roles->n; i++) {
		struct str begin = roles->v[i];

		if (begin.n >= 7 && str_same_nocase((struct str){ begin.s, 7 }, STR("primary")))
			return true;
	}
	return false;
}

static void
keep(struct reading *rd, const struct field *from, size_t all, const struct evidence *e)
{
	if (rd->n == rd->room) {
		rd->room = rd->room == 0 ? 8 : rd->room * 2;
		rd->kept = xreallocarray(rd->kept, rd->room, sizeof(*rd->kept));
	}
	rd->kept[rd->n++] = (struct kept){ from, all, *e };
}

static void
read_item(struct reading *rd, const struct field *from)
{
	struct evidence e = { .member = from->name };
	const struct evidence_type *type;
	size_t owner = rd->owner, before = rd->nkept;
	const char *start = rd->r.p;
	bool was_partial = rd->is_partial;

	rd->is_partial = false;
	rd->nkept++;
	rd->depth++;
	rd->owner = rd->n;
	e.type = find_type(rd, from->evidence);
	type = evidence_type(e.type);
	e.kind = type->kind;
	fields_blank(&type->fields, &e);
	fields_read(rd, &type->fields, &e,
	    e.kind == EVIDENCE_GENERIC || e.kind == EVIDENCE_HOLDER ? &e.other.own : NULL);
	e.json = (struct str){ start, (size_t)(rd->r.p - start) };
	e.is_partial = rd->is_partial;
	rd->is_partial |= was_partial;
	e.is_primary = says_primary(&e.roles) || says_primary(&e.detailed_roles);
	e.children = evidence_take(rd, &e.nchildren);
	rd->owner = owner;
	rd->depth--;
	keep(rd, from, rd->nkept - before, &e);
}

static void
read_one(struct reading *rd, const struct field *from)
{
	enum jr_type type = jr_type(&rd->r);
	bool has_room = rd->nkept < EVIDENCE_MAX && rd->depth <= EVIDENCE_DEPTH;

	if (rd->depth == 0 && type != JR_NULL)
		rd->nall++;
	if (type == JR_OBJECT && has_room) {
		read_item(rd, from);
		return;
	}
	rd->is_repaired |= type != JR_OBJECT && type != JR_NULL;
	jr_skip(&rd->r);
}

/* A member given again takes the place of what it gave before. */
static void
forget(struct reading *rd, const struct field *from)
{
	size_t n = rd->owner;

	for (size_t i = n; i < rd->n; i++) {
		if (rd->kept[i].from != from)
			rd->kept[n++] = rd->kept[i];
		else
			rd->nkept -= rd->kept[i].all;
	}
	rd->n = n;
	if (rd->depth == 0)
		rd->nall = 0;
}

void
evidence_read(struct reading *rd, const struct field *from)
{
	forget(rd, from);
	if (!jr_enter_array(&rd->r)) {
		read_one(rd, from);
		return;
	}
	while (jr_next_element(&rd->r))
		read_one(rd, from);
}

const struct evidence *
evidence_take(struct reading *rd, size_t *n)
{
	struct evidence *list = NULL;

	*n = rd->n - rd->owner;
	if (*n != 0)
		list = arena_alloc(rd->arena, *n * sizeof(*list));
	for (size_t i = 0; i < *n; i++)
		list[i] = rd->kept[rd->owner + i].evidence;
	rd->n = rd->owner;
	return list;
}
