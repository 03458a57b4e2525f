/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_digest.h"
#include "lib/format/wrap.h"

/* A digest as plain text. */

static void
put_row(struct buf *out, const struct mail_digest *d, const struct mail_sheet *s,
    const struct digest_row *r)
{
	static const enum digest_column names[] = { DC_CUSTOMER, DC_USER, DC_DEVICE };
	struct buf who = BUF_INIT(4096);

	buf_printf(out, "%s  %s  %s\n", r->v[DC_TIME] != NULL ? r->v[DC_TIME] : "",
	    r->v[DC_SEVERITY], r->v[DC_WHAT]);
	wrap_put(out, "  ", "  ", r->v[DC_TITLE]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (digest_shows(d, s->style, r, names[i]))
			buf_printf(&who, "%s%s", who.n > 0 ? "; " : "", r->v[names[i]]);
	}
	if (who.n > 0)
		wrap_put(out, "  ", "  ", who.p);
	buf_release(&who);
	if (digest_shows(d, s->style, r, DC_LINK))
		buf_printf(out, "  %s\n", r->v[DC_LINK]);
	buf_byte(out, '\n');
}

static void
put_titles(struct buf *out, const struct mail_digest *d)
{
	const struct digest_title *by[MAIL_DIGEST_TITLES];

	buf_printf(out, "ALL %zu BY TITLE\n", d->n);
	digest_sort_titles(d, by);
	for (size_t i = 0; i < d->ntitles; i++) {
		char first[60];
		struct buf b = { .p = first, .room = sizeof(first), .max = sizeof(first) - 1 };

		buf_printf(&b, "%7zu  %-13s  ", by[i]->n, mail_looks[by[i]->look].word);
		wrap_put(out, first, "                        ", by[i]->title);
	}
	if (d->other_titles > 0)
		buf_printf(out, "%7zu  of other titles\n", d->other_titles);
	buf_byte(out, '\n');
}

void
mail_digest_text_table(struct buf *out, const struct mail_sheet *s, const void *digest)
{
	const struct mail_digest *d = digest;

	for (size_t i = 0; i < s->rows; i++)
		put_row(out, d, s, &d->rows[i]);
	if (d->n <= s->rows)
		return;
	buf_printf(out,
	    "%zu more have no line of their own here; the worst are above. They are\n"
	    "counted below, and all are in the portal.\n\n",
	    d->n - s->rows);
	put_titles(out, d);
}

void
mail_digest_text_body(struct buf *out, const struct mail_sheet *s, const void *digest)
{
	const struct mail_digest *d = digest;

	buf_printf(out, "%zu %s", d->n, digest_noun(d));
	if (s->v[MV_CUSTOMER_NAME].n != 0)
		buf_printf(out, ", %.*s", STR_ARG(s->v[MV_CUSTOMER_NAME]));
	buf_printf(out, "\n%.*s\n\nFrom  %.*s\nTo    %.*s\n", STR_ARG(s->v[MV_COUNTS]),
	    STR_ARG(s->v[MV_FROM]), STR_ARG(s->v[MV_TO]));
	buf_printf(out, "%.*s.\n\n", STR_ARG(s->v[MV_WHY]));
	mail_digest_text_table(out, s, d);
	buf_printf(out, "-- \nSent by msspd%s%.*s for the rule %.*s\n",
	    s->v[MV_INSTANCE].n != 0 ? " " : "", STR_ARG(s->v[MV_INSTANCE]),
	    STR_ARG(s->v[MV_RULE]));
}
