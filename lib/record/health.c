/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/health.h"

#include "lib/json/writer.h"
#include "lib/record/fields.h"

const char *const health_level_names[] = {
	[HEALTH_WELL] = "well",
	[HEALTH_NOTICE] = "notice",
	[HEALTH_PROBLEM] = "problem",
	[HEALTH_ALARM] = "alarm",
	NULL,
};

/* In the order in which they are written, too. */
#define S struct health
static const struct field rows[] = {
	TEXT("about", about, PART_NONE),
	TEXT("name", name, PART_NONE),
	TEXT("state", state, PART_NONE),
	TEXT("was", was, PART_NONE),
	TEXT("level", level_text, PART_NONE),
	TIME("since", since, PART_NONE),
	INT("lasted", lasted_sec, PART_NONE),
	TEXT("summary", summary, PART_NONE),
	TEXT("what", what, PART_NONE),
	TEXT("do", remedy, PART_NONE),
	INT("count", count, PART_NONE),
	INT("of", of, PART_NONE),
	FIELD_ROW(FIELD_TEXTS, "names", AT(names), .noff = offsetof(S, nnames), .part = PART_NONE),
};
static const struct fields health_fields = FIELDS(rows, S);
#undef S

/* ---- writing ------------------------------------------------------------------------ */

static void
write_time(struct jw *w, const char *name, int64_t ticks)
{
	struct buf text = BUF_INIT(64);

	if (ticks == TICKS_NONE)
		return;
	ticks_write(&text, ticks, 3);
	jw_name(w, name);
	jw_str(w, buf_peek(&text));
	buf_release(&text);
}

static void
write_names(struct jw *w, const char *name, const struct health *h)
{
	if (h->nnames == 0)
		return;
	jw_name(w, name);
	jw_array(w);
	for (size_t i = 0; i < h->nnames && i < HEALTH_NAMES_MAX; i++)
		jw_str(w, h->names[i]);
	jw_array_end(w);
}

static void
write_member(struct jw *w, const struct field *f, const struct health *h)
{
	const void *at = (const char *)h + f->off;

	if (f->type == FIELD_TIME) {
		write_time(w, f->name, *(const int64_t *)at);
	} else if (f->type == FIELD_TEXTS) {
		write_names(w, f->name, h);
	} else if (f->type == FIELD_INT && *(const int64_t *)at >= 0) {
		jw_name(w, f->name);
		jw_int(w, *(const int64_t *)at);
	} else if (f->type == FIELD_TEXT && ((const struct str *)at)->n != 0) {
		jw_name(w, f->name);
		jw_str(w, *(const struct str *)at);
	}
}

void
health_write(struct buf *out, const struct health *h)
{
	struct health said = *h;
	struct jw w;

	said.level_text = str_of(health_level_names[h->level]);
	jw_init(&w, out);
	jw_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		write_member(&w, &rows[i], &said);
	jw_object_end(&w);
}

/* ---- reading ------------------------------------------------------------------------- */

/* A level of a later version is taken for a problem: it is not nothing. */
static enum health_level
level_of(struct str word)
{
	for (int i = 0; i < HEALTH_LEVELS; i++) {
		if (str_is(word, health_level_names[i]))
			return (enum health_level)i;
	}
	return HEALTH_PROBLEM;
}

void
health_read(struct reading *rd, struct health *h)
{
	*h = (struct health){ .level = HEALTH_WELL };
	fields_blank(&health_fields, h);
	if (!fields_read(rd, &health_fields, h, NULL) || !jr_end(&rd->r)) {
		*h = (struct health){ .level = HEALTH_WELL };
		fields_blank(&health_fields, h);
	}
	h->level = level_of(h->level_text);
}
