/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/format/mail_clean.h"
#include "lib/format/headline.h"
#include "lib/format/mail_digest.h"
#include "lib/format/moment.h"

#define TITLE_MAX 200 /* bytes in a row, or in the list of titles */
#define NAMES_MAX 160

const enum mail_look digest_order[LOOK_COUNT] = { LOOK_ALARM, LOOK_HIGH, LOOK_UNREADABLE,
	LOOK_PROBLEM, LOOK_UNKNOWN, LOOK_MEDIUM, LOOK_LOW, LOOK_NOTICE, LOOK_INFO, LOOK_WELL,
	LOOK_TEST };

static unsigned
rank_of(enum mail_look look)
{
	unsigned i = 0;

	while (i < LOOK_COUNT && digest_order[i] != look)
		i++;
	return i;
}

const char *
digest_noun(const struct mail_digest *d)
{
	if (d->alerts == d->n)
		return d->n == 1 ? "alert" : "alerts";
	return d->n == 1 ? "event" : "events";
}

/* ---- life ------------------------------------------------------------------------------- */

struct mail_digest *
mail_digest_new(void)
{
	return xcalloc(1, sizeof(struct mail_digest));
}

static void
release_row(struct digest_row *r)
{
	for (size_t i = 0; i < DC_COUNT; i++)
		free(r->v[i]);
}

void
mail_digest_free(struct mail_digest *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->nrows; i++)
		release_row(&d->rows[i]);
	for (size_t i = 0; i < d->ntitles; i++)
		free(d->titles[i].title);
	origin_unref(d->origin);
	free(d);
}

/* ---- filling ---------------------------------------------------------------------------- */

static char *
keep(struct str text, size_t max)
{
	size_t n = text.n > max ? utf8_cut(text.s, text.n, max) : text.n;

	if (n == 0)
		return NULL;
	return xasprintf("%.*s%s", (int)n, text.s, n < text.n ? "…" : "");
}

static void
make_row(struct digest_row *r, const struct mail_item *item)
{
	static const struct mail_style all = { .with_device = true };
	static const struct {
		enum mail_value v;
		size_t max;
	} from[DC_COUNT] = {
		[DC_SEVERITY] = { MV_SEVERITY, 40 },
		[DC_TIME] = { MV_TIME, 64 },
		[DC_CUSTOMER] = { MV_CUSTOMER_NAME, NAMES_MAX },
		[DC_WHAT] = { MV_WHAT, 40 },
		[DC_TITLE] = { MV_TITLE, TITLE_MAX },
		[DC_USER] = { MV_USER, NAMES_MAX },
		[DC_DEVICE] = { MV_DEVICE, NAMES_MAX },
		[DC_LINK] = { MV_LINK, 1200 },
	};
	struct mail_sheet s;

	mail_sheet_init(&s, &all);
	mail_sheet_fill(&s, item);
	r->look = s.look;
	for (size_t i = 0; i < DC_COUNT; i++)
		r->v[i] = keep(s.v[from[i].v], from[i].max);
	mail_sheet_release(&s);
	/* "… +01:00 (Europe/Berlin)": the name stands above the table, once. */
	if (r->v[DC_TIME] != NULL && strchr(r->v[DC_TIME], '(') != NULL)
		strchr(r->v[DC_TIME], '(')[-1] = '\0';
}

/* A full table gives up its last row for a worse one. */
static void
add_row(struct mail_digest *d, const struct mail_item *item)
{
	unsigned rank = rank_of(mail_look_of(item->event->record));
	size_t at = d->nrows;

	while (at > 0 && rank_of(d->rows[at - 1].look) > rank)
		at--;
	if (at == MAIL_DIGEST_ROWS)
		return;
	if (d->nrows == MAIL_DIGEST_ROWS)
		release_row(&d->rows[--d->nrows]);
	memmove(&d->rows[at + 1], &d->rows[at], (d->nrows - at) * sizeof(d->rows[0]));
	make_row(&d->rows[at], item);
	d->nrows++;
}

static void
add_title(struct mail_digest *d, const struct record *r)
{
	struct buf title = BUF_INIT(8192);
	enum mail_look look = mail_look_of(r);
	uint64_t hash;

	mail_clean(&title, headline_title(r), TITLE_MAX, 0);
	if (title.n == 0)
		buf_puts(&title, headline_name(r));
	hash = str_hash(title.p, title.n);
	for (size_t i = 0; i < d->ntitles; i++) {
		struct digest_title *t = &d->titles[i];

		if (t->hash != hash || t->look != look || strcmp(t->title, title.p) != 0)
			continue;
		t->n++;
		buf_release(&title);
		return;
	}
	if (d->ntitles < MAIL_DIGEST_TITLES)
		d->titles[d->ntitles++] = (struct digest_title){ look, hash, 1, buf_take(&title) };
	else
		d->other_titles++;
	buf_release(&title);
}

static void
set_end(struct digest_end *e, int64_t at, const struct mail_item *item)
{
	struct buf text = BUF_INIT(100);

	e->at = at;
	mail_time(&text, at, item->zone);
	snprintf(e->text, sizeof(e->text), "%s (%.30s)", text.p != NULL ? text.p : "",
	    item->zone_name != NULL ? item->zone_name : "UTC");
	buf_release(&text);
}

static void
add_origin(struct mail_digest *d, const struct origin *o)
{
	if (d->origin == NULL)
		d->origin = origin_new(o);
	d->has_customers = d->has_customers || strcmp(d->origin->customer, o->customer) != 0;
	d->has_tenants = d->has_tenants || strcmp(d->origin->tenant_id, o->tenant_id) != 0;
}

void
mail_digest_add(struct mail_digest *d, const struct mail_item *item)
{
	const struct event *ev = item->event;
	int64_t at = moment_of(ev);
	struct buf id = BUF_INIT(8192);
	uint64_t hash;

	event_id(&id, ev);
	hash = str_hash(id.p, id.n);
	d->sum += hash;
	d->mix ^= hash * UINT64_C(0x9e3779b97f4a7c15);
	buf_release(&id);
	add_origin(d, ev->origin);
	if (d->n == 0 || at < d->first.at)
		set_end(&d->first, at, item);
	if (d->n == 0 || at > d->last.at)
		set_end(&d->last, at, item);
	d->n++;
	d->alerts += ev->record->type == RECORD_ALERT;
	d->counts[mail_look_of(ev->record)]++;
	add_title(d, ev->record);
	add_row(d, item);
}

/* ---- what is said of it ----------------------------------------------------------------- */

static int
by_rank_and_number(const void *left, const void *right)
{
	const struct digest_title *a = *(const struct digest_title *const *)left,
				  *b = *(const struct digest_title *const *)right;
	unsigned ra = rank_of(a->look), rb = rank_of(b->look);

	if (ra != rb)
		return ra < rb ? -1 : 1;
	return a->n != b->n ? (a->n > b->n ? -1 : 1) : strcmp(a->title, b->title);
}

void
digest_sort_titles(const struct mail_digest *d, const struct digest_title *by[MAIL_DIGEST_TITLES])
{
	for (size_t i = 0; i < d->ntitles; i++)
		by[i] = &d->titles[i];
	qsort(by, d->ntitles, sizeof(by[0]), by_rank_and_number);
}

bool
digest_shows(const struct mail_digest *d, const struct mail_style *style,
    const struct digest_row *r, enum digest_column c)
{
	if (r->v[c] == NULL || (c == DC_DEVICE && !style->with_device) ||
	    (c == DC_LINK && style->without_portal_link))
		return false;
	return c != DC_CUSTOMER || (d->has_customers && !style->without_organization);
}

static void
set_counts(struct mail_sheet *s, const struct mail_digest *d)
{
	for (size_t i = 0; i < LOOK_COUNT; i++) {
		enum mail_look look = digest_order[i];

		if (d->counts[look] == 0)
			continue;
		if (s->tmp.n > 0)
			buf_puts(&s->tmp, ", ");
		else
			s->look = look;
		buf_printf(&s->tmp, "%zu ", d->counts[look]);
		for (const char *p = mail_looks[look].word; *p != '\0'; p++)
			buf_byte(&s->tmp, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
	}
	mail_set_tmp(s, MV_COUNTS);
	mail_set(s, MV_SEVERITY, str_of(mail_looks[s->look].word), 40, 0);
}

static void
set_origin(struct mail_sheet *s, const struct mail_digest *d)
{
	const struct origin *o = d->origin;
	bool has_name = !d->has_customers && !s->style->without_organization;

	mail_set(s, MV_INSTANCE, str_of(o->instance), NAMES_MAX, MAIL_TRUSTED);
	if (has_name) {
		mail_set(s, MV_CUSTOMER_NAME, str_of(o->customer_name), NAMES_MAX, MAIL_TRUSTED);
		mail_set(s, MV_CUSTOMER_NAME, str_of(o->customer), NAMES_MAX, MAIL_TRUSTED);
		mail_set(s, MV_CUSTOMER, str_of(o->customer), NAMES_MAX, MAIL_TRUSTED);
	}
	s->origin = d->has_customers ? NULL : o;
	if (d->has_tenants)
		return;
	mail_set(s, MV_TENANT_ID, str_of(o->tenant_id), NAMES_MAX, MAIL_TRUSTED);
	if (has_name)
		mail_set(s, MV_TENANT, str_of(o->tenant), NAMES_MAX, MAIL_TRUSTED);
}

/* A digest of one zone names it once. */
static void
set_zone(struct mail_sheet *s, const struct mail_digest *d)
{
	const char *a = strchr(d->first.text, '('), *b = strchr(d->last.text, '(');

	if (a != NULL && b != NULL && strcmp(a, b) == 0)
		s->v[MV_FROM].n = (size_t)(a - d->first.text - 1);
}

static void
set_number(struct mail_sheet *s, enum mail_value v, size_t n)
{
	buf_int(&s->tmp, (int64_t)n);
	mail_set_tmp(s, v);
}

static void
fill(struct mail_sheet *s, const struct mail_digest *d, const struct mail_to *to,
    enum mail_digest_why why, const char *period)
{
	static const char *const reasons[] = {
		[MAIL_DIGEST_PERIOD] = "A digest of %s",
		[MAIL_DIGEST_LIMIT] = "More than the limit of %s: the mails come together, and "
				      "each event is counted",
		[MAIL_DIGEST_REPLAY] = "Read again, or from before this tenant was watched%s: "
				       "it comes in one mail",
	};
	const char *gap = strstr(reasons[why], "%s");

	set_counts(s, d);
	set_origin(s, d);
	mail_set(s, MV_RULE, str_of(to->rule), 200, MAIL_TRUSTED);
	set_number(s, MV_EVENTS, d->n);
	if (d->n > s->rows)
		set_number(s, MV_MORE, d->n - s->rows);
	mail_set(s, MV_FROM, str_of(d->first.text), 80, MAIL_TRUSTED);
	mail_set(s, MV_TO, str_of(d->last.text), 80, MAIL_TRUSTED);
	set_zone(s, d);
	buf_add(&s->tmp, reasons[why], (size_t)(gap - reasons[why]));
	buf_puts(&s->tmp, period);
	buf_puts(&s->tmp, gap + 2);
	mail_set_tmp(s, MV_WHY);
}

static void
hash_id(char hash[65], const struct mail_digest *d, const struct mail_to *to)
{
	struct buf b = BUF_INIT(8192);

	buf_printf(&b, "digest\n%zu %llx %llx\n%s\n", d->n, (unsigned long long)d->sum,
	    (unsigned long long)d->mix, to->rule != NULL ? to->rule : "");
	buf_str(&b, mail_address_bare(to->to));
	digest_sha256(buf_peek(&b), hash);
	buf_release(&b);
}

static void
usual_subject(struct buf *out, const struct mail_sheet *s, const struct mail_digest *d)
{
	buf_printf(out, "[%.*s] ", STR_ARG(s->v[MV_SEVERITY]));
	if (s->v[MV_CUSTOMER_NAME].n != 0)
		buf_printf(out, "%.*s: ", STR_ARG(s->v[MV_CUSTOMER_NAME]));
	buf_printf(out, "%zu %s: %.*s", d->n, digest_noun(d), STR_ARG(s->v[MV_COUNTS]));
}

static void
set_subject(struct mail_sheet *s, const struct mail_digest *d)
{
	struct buf subject = BUF_INIT(8192);

	usual_subject(&subject, s, d);
	mail_set_subject(s, s->style->digest_subject, buf_peek(&subject));
	buf_release(&subject);
}

bool
mail_digest_write(struct buf *out, const struct mail_style *style, const struct mail_to *to,
    const struct mail_digest *d, enum mail_digest_why why, const char *period, struct err *err)
{
	const struct mail_writers text = { mail_digest_text_table, mail_digest_text_body, d },
				  html = { mail_digest_html_table, mail_digest_html_body, d };
	struct mail_sheet s;
	struct mail_message m = {
		.style = style,
		.to = to,
		.sheet = &s,
		.kind = "digest",
		.type = "digest",
	};
	bool is_done;

	hash_id(m.id, d, to);
	for (size_t rows = d->nrows;; rows /= 2) {
		mail_sheet_init(&s, style);
		s.rows = rows;
		fill(&s, d, to, why, period);
		set_subject(&s, d);
		mail_body(&m.html, style->digest_html, &s, MV_TABLE, &html);
		if (m.html.n <= MAIL_PAGE_MAX || rows == 0)
			break;
		buf_release(&m.html);
		mail_sheet_release(&s);
	}
	mail_body(&m.text, style->digest_text, &s, MV_TABLE, &text);
	is_done = mail_message_finish(out, &m, err);
	mail_sheet_release(&s);
	return is_done;
}
