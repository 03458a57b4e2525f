/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/fields.h"

/*
 * parts: sixteen bits for each part of an alert or incident, so that its next version tells
 * what changed.
 *
 * What counts is what msspd makes of an alert, not its JSON; which field counts
 * where is the column `part` of the tables. No news at all are
 *  - lastUpdateDateTime by itself: it moves for reasons nobody sees;
 *  - createdDateTime, of evidence too, and the web links;
 *  - the order of a list: evidence, comments, roles, addresses are sets here.
 * Under "other" are, besides the text of the alert, lastActivityDateTime by
 * itself (the threat goes on: news, but leave it out with `changes: significant`)
 * and the state of a device. "remediation" is investigationState and the
 * status of each piece of evidence that has one but "none"; it counts together
 * with whose status it is, so evidence that changes or comes with one is news
 * of both kinds.
 *
 * Every value is hashed with the place it has, and the sums are what is kept: a
 * sum does not know of order. Absent values add nothing.
 */

static inline uint64_t
eight(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Fewer than eight bytes as one number; with their count they are told apart. */
static inline uint64_t
few(const char *p, size_t n)
{
	uint64_t word = 0;

	while (n-- > 0)
		word = word << 8 | (unsigned char)p[n];
	return word;
}

static inline uint64_t
stir(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

/*
 * Sixteen bytes at a time, in two lanes: str_hash() would take longer than all
 * the rest of reading.
 */
uint64_t
parts_hash(uint64_t h, struct str s)
{
	const char *p = s.s;
	size_t n = s.n;
	uint64_t other = n * UINT64_C(0x9e3779b97f4a7c15);

	for (; n >= 16; n -= 16, p += 16) {
		h = stir(h, eight(p));
		other = stir(other, eight(p + 8));
	}
	if (n >= 8) {
		h = stir(h, eight(p));
		n -= 8, p += 8;
	}
	other = stir(other, few(p, n));
	return stir(h * UINT64_C(0xc4ceb9fe1a85ec53), other);
}

static uint64_t
hash_number(uint64_t h, int64_t v)
{
	return parts_hash(h, (struct str){ (const char *)&v, sizeof(v) });
}

struct parts {
	uint64_t sum[PART_COUNT + 1]; /* the last one, PART_NONE, is for nothing */
};

static void
add_text(struct parts *p, unsigned part, uint64_t place, struct str s)
{
	if (s.n != 0)
		p->sum[part] += parts_hash(place, s);
}

static void
add_number(struct parts *p, unsigned part, uint64_t place, int64_t v)
{
	if (v != RECORD_NO_NUMBER)
		p->sum[part] += hash_number(place, v);
}

static void add_fields(struct parts *p, const struct fields *t, const char *base, uint64_t place);

/* Each item on its own, so that two which swap a value are seen. */
static void
add_objects(struct parts *p, const struct fields *t, const char *v, size_t n, uint64_t place)
{
	for (size_t i = 0; i < n; i++) {
		struct parts item = { { 0 } };

		add_fields(&item, t, v + i * t->size, place);
		for (unsigned part = 0; part < PART_COUNT; part++) {
			if (item.sum[part] != 0)
				p->sum[part] += hash_number(place, (int64_t)item.sum[part]);
		}
	}
}

static void
add_field(struct parts *p, const struct field *f, const char *base, uint64_t place)
{
	const void *at = base + f->off, *list;
	size_t n;

	switch ((enum field_type)f->type) {
	case FIELD_TEXT:
	case FIELD_JSON:
		add_text(p, f->part, place, *(const struct str *)at);
		break;
	case FIELD_INT:
	case FIELD_TIME:
		add_number(p, f->part, place, *(const int64_t *)at);
		break;
	case FIELD_TEXTS:
	case FIELD_OBJECTS:
		memcpy(&list, at, sizeof(list));
		n = *(const size_t *)(const void *)(base + f->noff);
		if (f->type == FIELD_OBJECTS)
			add_objects(p, f->of, list, n, place);
		for (size_t i = 0; f->type == FIELD_TEXTS && i < n; i++)
			add_text(p, f->part, place, ((const struct str *)list)[i]);
		break;
	case FIELD_OBJECT:
		add_fields(p, f->of, at, place);
		break;
	case FIELD_IGNORED:
	case FIELD_EVIDENCE:
		break;
	}
}

static void
add_fields(struct parts *p, const struct fields *t, const char *base, uint64_t place)
{
	for (size_t i = 0; i < t->n; i++)
		add_field(p, &t->v[i], base, place * 64 + i + 1);
}

/* As deep as evidence holds evidence: EVIDENCE_DEPTH at most. */
static void
add_evidence(struct parts *p, const struct evidence *e)
{
	struct parts own = { { 0 } };
	uint64_t identity = parts_hash(parts_hash(0, str_of(e->member)), e->type);

	add_fields(&own, evidence_fields(e), (const char *)e, 0);
	if (e->kind == EVIDENCE_GENERIC || e->kind == EVIDENCE_HOLDER)
		identity += e->other.own;
	if (e->remediation_status.n == 0 || str_same_nocase(e->remediation_status, STR("none")))
		own.sum[PART_REMEDIATION] = 0;
	for (size_t i = 0; i < e->nchildren; i++) {
		struct parts child = { { 0 } };

		add_evidence(&child, &e->children[i]);
		identity += child.sum[PART_EVIDENCE];
		p->sum[PART_REMEDIATION] += child.sum[PART_REMEDIATION];
		p->sum[PART_OTHER] += child.sum[PART_OTHER];
	}
	identity = hash_number(identity, (int64_t)own.sum[PART_EVIDENCE]);
	p->sum[PART_EVIDENCE] += identity;
	p->sum[PART_OTHER] += own.sum[PART_OTHER];
	if (own.sum[PART_REMEDIATION] != 0)
		p->sum[PART_REMEDIATION] +=
		    hash_number(identity, (int64_t)own.sum[PART_REMEDIATION]);
}

static uint16_t
fold(uint64_t h)
{
	return (uint16_t)(h ^ h >> 16 ^ h >> 32 ^ h >> 48);
}

static void
set_parts(struct seen *seen, const struct parts *p)
{
	for (unsigned part = 0; part < PART_COUNT; part++)
		seen->part[part] = fold(p->sum[part]);
	seen->rev = SEEN_REVISION;
}

/* To those who judge, what is redirected is neither open nor resolved: it went elsewhere. */
static enum status
status_of(enum incident_status status)
{
	static const enum status of[] = {
		[INCIDENT_UNKNOWN] = STATUS_UNKNOWN,
		[INCIDENT_ACTIVE] = STATUS_NEW,
		[INCIDENT_IN_PROGRESS] = STATUS_IN_PROGRESS,
		[INCIDENT_AWAITING_ACTION] = STATUS_IN_PROGRESS,
		[INCIDENT_RESOLVED] = STATUS_RESOLVED,
		[INCIDENT_REDIRECTED] = STATUS_OTHER,
		[INCIDENT_OTHER] = STATUS_OTHER,
	};

	return of[status];
}

void
parts_of_incident(struct seen *seen, const struct incident *i)
{
	struct parts p = { { 0 } };

	add_fields(&p, &incident_fields, (const char *)i, 0);
	set_parts(seen, &p);
	seen->created = i->created;
	seen->version = i->updated;
	seen->severity = (uint8_t)i->severity;
	seen->status = (uint8_t)status_of(i->status);
}

void
parts_of_alert(struct seen *seen, const struct alert *a)
{
	struct parts p = { { 0 } };

	add_fields(&p, &alert_fields, (const char *)a, 0);
	for (size_t i = 0; i < a->nevidence; i++)
		add_evidence(&p, &a->evidence[i]);
	if (a->nevidence_all != a->nevidence)
		p.sum[PART_EVIDENCE] += hash_number(0, (int64_t)a->nevidence_all);
	set_parts(seen, &p);
	seen->created = a->created;
	seen->version = a->updated;
	seen->severity = (uint8_t)a->severity;
	seen->status = (uint8_t)a->status;
}

/* All of it is one part: the same bytes again are no news. */
void
parts_of_unreadable(struct seen *seen, struct str slice)
{
	seen->part[PART_OTHER] = fold(parts_hash(0, slice));
	seen->rev = SEEN_REVISION;
}
