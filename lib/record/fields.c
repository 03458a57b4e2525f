/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/json/scan.h"
#include "lib/record/fields.h"

_Static_assert(RECORD_NO_NUMBER == TICKS_NONE, "numbers and times are blanked alike");

typedef void field_reader(struct reading *rd, const struct field *f, char *base);

void
reading_init(struct reading *rd, struct str text, struct arena *arena)
{
	*rd = (struct reading){ .arena = arena };
	jr_init(&rd->r, text, arena);
}

void
reading_release(struct reading *rd)
{
	free(rd->kept);
	rd->kept = NULL;
}

/* ---- absent ---------------------------------------------------------------------- */

static void
blank_field(const struct field *f, char *base)
{
	void *at = base + f->off;

	switch ((enum field_type)f->type) {
	case FIELD_TEXT:
	case FIELD_JSON:
		*(struct str *)at = (struct str){ NULL, 0 };
		break;
	case FIELD_INT:
	case FIELD_TIME:
		*(int64_t *)at = RECORD_NO_NUMBER;
		break;
	case FIELD_TEXTS:
	case FIELD_OBJECTS:
		memset(at, 0, sizeof(void *));
		*(size_t *)(void *)(base + f->noff) = 0;
		break;
	case FIELD_OBJECT:
		for (size_t i = 0; i < f->of->n; i++)
			blank_field(&f->of->v[i], at);
		break;
	case FIELD_IGNORED:
	case FIELD_EVIDENCE:
		break;
	}
}

/* Zeros are absent for everything but numbers and times. */
void
fields_blank(const struct fields *t, void *base)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->v[i];
		char *at = (char *)base + f->off;

		if (f->type == FIELD_INT || f->type == FIELD_TIME)
			*(int64_t *)(void *)at = RECORD_NO_NUMBER;
		else if (f->type == FIELD_OBJECT)
			fields_blank(f->of, at);
	}
}

/* ---- one value --------------------------------------------------------------------- */

/* Passes over a value that is of no use here; null is as good as absent. */
static void
refuse(struct reading *rd)
{
	if (jr_type(&rd->r) != JR_NULL)
		rd->is_repaired = rd->is_partial = true;
	jr_skip(&rd->r);
}

/* Text, or what can be taken for it. */
static bool
read_scalar(struct reading *rd, struct str *s)
{
	switch (jr_type(&rd->r)) {
	case JR_STRING:
		return jr_string(&rd->r, s);
	case JR_NUMBER:
	case JR_BOOL:
		return jr_raw(&rd->r, s);
	case JR_OBJECT:
	case JR_ARRAY:
	case JR_NULL:
	case JR_NONE:
		break;
	}
	refuse(rd);
	return false;
}

static void
read_text(struct reading *rd, const struct field *f, char *base)
{
	struct str s = { NULL, 0 };

	if (!read_scalar(rd, &s))
		s = (struct str){ NULL, 0 };
	*(struct str *)(void *)(base + f->off) = s;
}

static void
read_int(struct reading *rd, const struct field *f, char *base)
{
	int64_t v = RECORD_NO_NUMBER;
	struct str s;

	if (read_scalar(rd, &s) && (!jr_int64(s, &v) || v == RECORD_NO_NUMBER)) {
		v = RECORD_NO_NUMBER;
		rd->is_repaired = rd->is_partial = true;
	}
	/* There is no size and no count below zero: formats take one for none. */
	rd->is_partial |= v < 0 && v != RECORD_NO_NUMBER;
	*(int64_t *)(void *)(base + f->off) = v;
}

static void
read_time(struct reading *rd, const struct field *f, char *base)
{
	int64_t ticks = TICKS_NONE;
	struct str s;

	if (jr_type(&rd->r) != JR_STRING) {
		refuse(rd);
	} else if (jr_string(&rd->r, &s) && !ticks_parse(s, &ticks)) {
		ticks = TICKS_NONE;
		rd->is_repaired = rd->is_partial = true;
	}
	*(int64_t *)(void *)(base + f->off) = ticks_is_sentinel(ticks) ? TICKS_NONE : ticks;
}

static bool
is_empty(struct str json)
{
	const char *last = json.s + json.n - 1, *p = json.s + 1;

	if (*json.s == 'n')
		return true;
	if (*json.s != '{' && *json.s != '[' && *json.s != '"')
		return false;
	while (p < last && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p == last;
}

static void
read_json(struct reading *rd, const struct field *f, char *base)
{
	struct str json;

	if (!jr_raw(&rd->r, &json) || is_empty(json))
		json = (struct str){ NULL, 0 };
	*(struct str *)(void *)(base + f->off) = json;
}

static void
ignore(struct reading *rd, const struct field *f, char *base)
{
	(void)f;
	(void)base;
	jr_skip(&rd->r);
}

/* ---- lists and structs ---------------------------------------------------------------- */

static char *
set_list(
    struct reading *rd, const struct field *f, char *base, const void *v, size_t n, size_t size)
{
	char *list = NULL;

	if (n != 0)
		list = memcpy(arena_alloc(rd->arena, n * size), v, n * size);
	memcpy(base + f->off, &list, sizeof(list));
	*(size_t *)(void *)(base + f->noff) = n;
	return list;
}

static void
read_texts(struct reading *rd, const struct field *f, char *base)
{
	struct str v[EVIDENCE_LIST_MAX], s;
	size_t n = 0;

	if (!jr_enter_array(&rd->r)) {
		n = read_scalar(rd, &v[0]);
	} else {
		while (jr_next_element(&rd->r)) {
			if (!read_scalar(rd, &s))
				continue;
			if (n < EVIDENCE_LIST_MAX)
				v[n++] = s;
			else
				rd->is_partial = true;
		}
	}
	set_list(rd, f, base, v, n, sizeof(v[0]));
}

static void
read_object(struct reading *rd, const struct field *f, char *base)
{
	blank_field(f, base);
	fields_read(rd, f->of, base + f->off, NULL);
}

/* The last ones are kept where there are too many: of comments these are the newest. */
static void
read_objects(struct reading *rd, const struct field *f, char *base)
{
	alignas(max_align_t) char ring[EVIDENCE_LIST_MAX * FIELDS_OBJECT_MAX];
	size_t size = f->of->size, room = EVIDENCE_LIST_MAX * size, n = 0, first;
	char *list;

	BUG_IF(size > FIELDS_OBJECT_MAX);
	if (!jr_enter_array(&rd->r)) {
		refuse(rd);
	} else {
		while (jr_next_element(&rd->r)) {
			char *slot = ring + n * size % room;

			memset(slot, 0, size);
			fields_blank(f->of, slot);
			n += fields_read(rd, f->of, slot, NULL);
		}
	}
	rd->is_partial |= n > EVIDENCE_LIST_MAX;
	first = n > EVIDENCE_LIST_MAX ? n * size % room : 0;
	list = set_list(rd, f, base, ring, n < EVIDENCE_LIST_MAX ? n : EVIDENCE_LIST_MAX, size);
	if (first != 0) {
		memcpy(list, ring + first, room - first);
		memcpy(list + room - first, ring, first);
	}
}

static void
read_evidence(struct reading *rd, const struct field *f, char *base)
{
	(void)base;
	evidence_read(rd, f);
}

static field_reader *const readers[] = {
	[FIELD_IGNORED] = ignore,
	[FIELD_TEXT] = read_text,
	[FIELD_INT] = read_int,
	[FIELD_TIME] = read_time,
	[FIELD_TEXTS] = read_texts,
	[FIELD_OBJECT] = read_object,
	[FIELD_OBJECTS] = read_objects,
	[FIELD_JSON] = read_json,
	[FIELD_EVIDENCE] = read_evidence,
};

/*
 * Microsoft writes members in one order, and so are the tables: the row that
 * follows the last one found is nearly always the right one.
 */
static const struct field *
find(const struct fields *t, struct str name, size_t *at)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->v[*at];

		*at = *at + 1 < t->n ? *at + 1 : 0;
		if (f->name == name.s || (f->len == name.n && scan_same(f->name, name.s, name.n)))
			return f;
	}
	return NULL;
}

static struct str
guess(const struct fields *t, size_t at)
{
	return (struct str){ t->v[at].name, t->v[at].len };
}

static void
note_once(struct reading *rd, const struct field *f)
{
	rd->twice |= rd->once & f->once;
	rd->once |= f->once;
}

static void
read_rest(struct reading *rd, struct str name, uint64_t *rest)
{
	struct str json;

	if (rest == NULL)
		jr_skip(&rd->r);
	else if (jr_raw(&rd->r, &json))
		*rest += parts_hash(parts_hash(0, name), json);
}

bool
fields_read(struct reading *rd, const struct fields *t, void *base, uint64_t *rest)
{
	size_t at = 0;
	struct str name;

	if (!jr_enter_object(&rd->r)) {
		refuse(rd);
		return false;
	}
	while (jr_next_member_guess(&rd->r, guess(t, at), &name)) {
		const struct field *f = find(t, name, &at);

		if (f == NULL) {
			read_rest(rd, name, rest);
		} else {
			note_once(rd, f);
			readers[f->type](rd, f, base);
		}
	}
	return jr_ok(&rd->r);
}
