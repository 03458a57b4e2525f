/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the slice, a record comes out that keeps its promises; and where
 * jansson reads it too, the fields hold what its tree holds.
 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/record/fields.h"

#define NOW (2000000000 * TICKS_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- promises ------------------------------------------------------------------- */

static void
check_text(struct str s)
{
	BUG_IF(s.s == NULL && s.n != 0);
	BUG_IF(!utf8_valid(s.n != 0 ? s.s : "", s.n));
}

static void
check_fields(const struct fields *t, const char *base)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->v[i];
		const char *at = base + f->off, *list;
		size_t n;

		if (f->type == FIELD_TEXT || f->type == FIELD_JSON)
			check_text(*(const struct str *)(const void *)at);
		if (f->type == FIELD_OBJECT)
			check_fields(f->of, at);
		if (f->type != FIELD_TEXTS && f->type != FIELD_OBJECTS)
			continue;
		memcpy(&list, at, sizeof(list));
		n = *(const size_t *)(const void *)(base + f->noff);
		BUG_IF(n > EVIDENCE_LIST_MAX || (n != 0) != (list != NULL));
		for (size_t j = 0; j < n; j++) {
			if (f->type == FIELD_TEXTS)
				check_text(((const struct str *)(const void *)list)[j]);
			else
				check_fields(f->of, list + j * f->of->size);
		}
	}
}

static size_t
check_evidence(const struct evidence *v, size_t n, unsigned depth)
{
	size_t all = n;

	BUG_IF(depth > EVIDENCE_DEPTH && n != 0);
	for (size_t i = 0; i < n; i++) {
		struct arena arena;
		struct jr r;

		check_text(v[i].type);
		check_text(v[i].json);
		arena_init(&arena);
		jr_init(&r, v[i].json, &arena);
		BUG_IF(jr_type(&r) != JR_OBJECT || !jr_skip(&r) || !jr_end(&r));
		arena_release(&arena);
		check_fields(evidence_fields(&v[i]), (const char *)&v[i]);
		all += check_evidence(v[i].children, v[i].nchildren, depth + 1);
	}
	return all;
}

static void
check_record(const struct record *r, struct str slice)
{
	BUG_IF(!str_same(r->raw, slice) || r->refs != 1);
	check_text(r->id);
	check_text(record_tenant_id(r));
	BUG_IF(record_severity(r) > SEVERITY_OTHER);
	BUG_IF(r->id.n == 0 || r->id.n > ALERT_ID_MAX || r->version == TICKS_NONE);
	BUG_IF(r->seen.version != r->version || (r->seen.rev & ~SEEN_MDE) != SEEN_REVISION);
	if (r->type == RECORD_ALERT) {
		check_fields(&alert_fields, (const char *)&r->alert);
		BUG_IF(check_evidence(r->alert.evidence, r->alert.nevidence, 0) > EVIDENCE_MAX);
		return;
	}
	if (r->type == RECORD_INCIDENT) {
		check_fields(&incident_fields, (const char *)&r->incident);
		BUG_IF(r->incident.status > INCIDENT_OTHER || r->incident.severity > SEVERITY_OTHER);
		return;
	}
	BUG_IF(r->type != RECORD_UNREADABLE || r->unreadable.size != slice.n);
	check_text(r->unreadable.title);
	check_text(r->unreadable.severity_text);
	check_text(r->unreadable.why);
	BUG_IF(r->unreadable.why.n == 0);
}

/* ---- the same as jansson --------------------------------------------------------- */

static void
compare_text(struct str got, json_t *want)
{
	if (json_is_string(want))
		BUG_IF(got.n != json_string_length(want) ||
		       memcmp(got.s, json_string_value(want), got.n) != 0);
	if (json_is_integer(want)) {
		int64_t v;

		/* "-0" is a number's text, too. */
		BUG_IF(!jr_int64(got, &v) || v != json_integer_value(want));
	}
	if (json_is_boolean(want))
		BUG_IF(!str_is(got, json_is_true(want) ? "true" : "false"));
	if (!json_is_string(want) && !json_is_number(want) && !json_is_boolean(want))
		BUG_IF(got.s != NULL);
}

static void
compare_number(int64_t got, json_t *want)
{
	struct str text = { json_string_value(want), json_string_length(want) };
	int64_t v = RECORD_NO_NUMBER;

	if (json_is_integer(want))
		v = json_integer_value(want);
	else if (!json_is_string(want) || !jr_int64(text, &v))
		v = RECORD_NO_NUMBER;
	BUG_IF(got != v);
}

static void
compare_time(int64_t got, json_t *want)
{
	struct str text = { json_string_value(want), json_string_length(want) };
	int64_t v = TICKS_NONE;

	if (!json_is_string(want) || !ticks_parse(text, &v) || ticks_is_sentinel(v))
		v = TICKS_NONE;
	BUG_IF(got != v);
}

static void
compare_texts(const struct str *list, size_t n, json_t *want)
{
	size_t i, found = 0;
	json_t *item;

	if (!json_is_array(want))
		return;
	json_array_foreach(want, i, item)
	{
		bool is_text =
		    json_is_string(item) || json_is_number(item) || json_is_boolean(item);

		if (is_text && found < EVIDENCE_LIST_MAX)
			compare_text(list[found++], item);
	}
	BUG_IF(found != n);
}

/* Which of the names came last, only the reader knows. */
static bool
has_other_name(const struct fields *t, const struct field *f)
{
	for (size_t i = 0; i < t->n; i++) {
		if (&t->v[i] != f && t->v[i].type == f->type && t->v[i].off == f->off)
			return true;
	}
	return false;
}

static void
compare_fields(const struct fields *t, const char *base, json_t *want)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->v[i];
		const void *at = base + f->off, *list;
		json_t *value = json_object_get(want, f->name);

		if (has_other_name(t, f))
			continue;
		if (f->type == FIELD_TEXT)
			compare_text(*(const struct str *)at, value);
		if (f->type == FIELD_INT)
			compare_number(*(const int64_t *)at, value);
		if (f->type == FIELD_TIME)
			compare_time(*(const int64_t *)at, value);
		if (f->type == FIELD_OBJECT)
			compare_fields(f->of, at, value);
		if (f->type == FIELD_TEXTS) {
			memcpy(&list, at, sizeof(list));
			compare_texts(list, *(const size_t *)(const void *)(base + f->noff), value);
		}
	}
}

static void
compare_evidence(const struct alert *a, json_t *want)
{
	size_t i, found = 0;
	json_t *item;

	if (!json_is_array(want) || a->nevidence_all != a->nevidence)
		return;
	json_array_foreach(want, i, item)
	{
		if (!json_is_object(item))
			continue;
		compare_fields(
		    evidence_fields(&a->evidence[found]), (const char *)&a->evidence[found], item);
		found++;
	}
	BUG_IF(found != a->nevidence);
}

static bool
is_named(json_t *root)
{
	json_t *id = json_object_get(root, "id");
	size_t n = json_string_length(id);
	int64_t updated = TICKS_NONE;

	if (!json_is_string(id) || n == 0 || n > ALERT_ID_MAX)
		return false;
	id = json_object_get(root, "lastUpdateDateTime");
	return json_is_string(id) &&
	       ticks_parse(
		   (struct str){ json_string_value(id), json_string_length(id) }, &updated) &&
	       !ticks_is_sentinel(updated);
}

static void
compare_jansson(const struct record *r, struct str slice)
{
	json_t *root = NULL;

	/* A NUL byte behind the end is the end to jansson. */
	if (slice.n != 0 && memchr(slice.s, '\0', slice.n) == NULL)
		root = json_loadb(slice.s, slice.n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (root == NULL)
		return;
	BUG_IF(is_named(root) && r->type == RECORD_UNREADABLE);
	if (r->type == RECORD_INCIDENT)
		compare_fields(&incident_fields, (const char *)&r->incident, root);
	if (r->type == RECORD_ALERT) {
		compare_fields(&alert_fields, (const char *)&r->alert, root);
		compare_evidence(&r->alert, json_object_get(root, "evidence"));
	}
	json_decref(root);
}

/* ---- the same again ---------------------------------------------------------------- */

/* But for what was judged when it came: of that only the version is there. */
static void
check_entry(const struct record *r, struct str slice, bool is_of_alert)
{
	struct record *again = record_from_entry(r->type, r->id, r->version, slice);

	BUG_IF(again->type != r->type || !str_same(again->id, r->id));
	BUG_IF(is_of_alert && again->is_repaired != r->is_repaired);
	BUG_IF(again->version != r->version || again->seen.version != r->version);
	if (r->type == RECORD_UNREADABLE && is_of_alert)
		BUG_IF(!str_same(again->unreadable.why, r->unreadable.why));
	record_unref(again);
}

typedef struct record *slice_reader(struct str slice, bool copy_raw, int64_t now);

static void
read_as(slice_reader *read, const uint8_t *data, size_t size)
{
	/* A copy of exactly that size: reading past its end is seen. */
	char *copy = xmemdup(data, size);
	struct str slice = { copy, size };
	struct record *r = read(slice, size % 2, NOW);

	check_record(r, slice);
	check_entry(r, slice, read == record_from_alert);
	if (read != record_from_mde)
		compare_jansson(r, slice);
	record_unref(r);
	free(copy);
}

/* What msspd wrote itself, and a damaged journal may give back as anything. */
static void
read_own(enum record_type type, const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };
	struct record *r = record_from_entry(type, STR("x"), NOW, body);

	BUG_IF(r->type != type || record_tenant_id(r).n != 0);
	record_unref(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(record_from_alert, data, size);
	read_as(record_from_incident, data, size);
	read_as(record_from_mde, data, size);
	read_own(RECORD_HEALTH, data, size);
	read_own(RECORD_CANARY, data, size);
	return 0;
}
