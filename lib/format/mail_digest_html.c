/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_digest.h"

/* A digest as HTML: few bytes to a row, as Gmail shows no more than 102 KB of a mail. */

#define FONT "font-family:'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
#define CELL "border-top:1px solid #e3e7ec;padding:7px 10px;font-size:13px;line-height:19px;" FONT
#define BREAK "word-break:break-word;overflow-wrap:anywhere;"
#define TABLE \
	"<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" " \
	"border=\"0\""

static void
put(struct buf *out, const char *text)
{
	mail_escape(out, str_of(text), MAIL_AS_HTML);
}

static void
put_value(struct buf *out, const char *before, const struct mail_sheet *s, enum mail_value v,
    const char *after)
{
	if (s->v[v].n == 0)
		return;
	buf_puts(out, before);
	mail_escape(out, s->v[v], MAIL_AS_HTML);
	buf_puts(out, after);
}

/* ---- rows ------------------------------------------------------------------------------- */

static void
put_cell(struct buf *out, const char *text, const char *more)
{
	buf_printf(out, "<td class=\"mu ln\" valign=\"top\" style=\"%s", CELL);
	buf_printf(out, "%scolor:#566270\">", more);
	put(out, text != NULL ? text : "");
	buf_puts(out, "</td>");
}

static void
put_severity(struct buf *out, const char *word, enum mail_look look)
{
	buf_printf(out, "<tr><td class=\"tx bar\" valign=\"top\" style=\"%s", CELL);
	buf_printf(out, "border-left:5px solid %s;font-weight:bold;color:#1c232b\">",
	    mail_looks[look].colour);
	put(out, word);
	buf_puts(out, "</td>");
}

static void
put_title(struct buf *out, const struct mail_digest *d, const struct mail_sheet *s,
    const struct digest_row *r)
{
	static const enum digest_column names[] = { DC_USER, DC_DEVICE };
	bool has_link = digest_shows(d, s->style, r, DC_LINK);

	buf_printf(out, "<td class=\"tx ln\" valign=\"top\" dir=\"auto\" style=\"%s", CELL);
	buf_puts(out, BREAK "color:#1c232b\">");
	if (has_link) {
		buf_puts(out, "<a class=\"lk\" style=\"color:#1a5fb4;text-decoration:none;"
			      "font-size:14px\" href=\"");
		put(out, r->v[DC_LINK]);
		buf_puts(out, "\">");
	}
	put(out, r->v[DC_TITLE]);
	buf_puts(out, has_link ? "</a><br>" : "<br>");
	buf_puts(out, "<span class=\"mu\" style=\"color:#566270\">");
	put(out, r->v[DC_WHAT]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!digest_shows(d, s->style, r, names[i]))
			continue;
		buf_puts(out, " &middot; ");
		put(out, r->v[names[i]]);
	}
	buf_puts(out, "</span></td></tr>\n");
}

static void
put_row(struct buf *out, const struct mail_digest *d, const struct mail_sheet *s,
    const struct digest_row *r)
{
	put_severity(out, r->v[DC_SEVERITY], r->look);
	put_cell(out, r->v[DC_TIME], "width:116px;");
	if (d->has_customers && !s->style->without_organization)
		put_cell(out, r->v[DC_CUSTOMER], "");
	put_title(out, d, s, r);
}

static void
put_titles(struct buf *out, const struct mail_digest *d)
{
	const struct digest_title *by[MAIL_DIGEST_TITLES];
	char number[24];

	digest_sort_titles(d, by);
	buf_puts(out, TABLE ">\n");
	for (size_t i = 0; i < d->ntitles; i++) {
		struct buf n = { .p = number, .room = sizeof(number), .max = sizeof(number) - 1 };

		buf_int(&n, (int64_t)by[i]->n);
		put_severity(out, mail_looks[by[i]->look].word, by[i]->look);
		put_cell(out, number, "text-align:right;");
		buf_printf(out, "<td class=\"tx ln\" dir=\"auto\" style=\"%s", CELL);
		buf_puts(out, BREAK "color:#1c232b\">");
		put(out, by[i]->title);
		buf_puts(out, "</td></tr>\n");
	}
	if (d->other_titles > 0)
		buf_printf(out,
		    "<tr><td></td><td class=\"mu ln\" style=\"%stext-align:right;"
		    "color:#566270\">%zu</td><td class=\"mu ln\" style=\"%scolor:#566270\">of "
		    "other "
		    "titles</td></tr>\n",
		    CELL, d->other_titles, CELL);
	buf_puts(out, "</table>\n");
}

void
mail_digest_html_table(struct buf *out, const struct mail_sheet *s, const void *digest)
{
	const struct mail_digest *d = digest;

	buf_puts(out, TABLE ">\n");
	for (size_t i = 0; i < s->rows; i++)
		put_row(out, d, s, &d->rows[i]);
	buf_puts(out, "</table>\n");
	if (d->n <= s->rows)
		return;
	buf_printf(out,
	    "<div class=\"tx\" style=\"%sfont-size:14px;line-height:21px;margin:18px 0 8px;"
	    "color:#1c232b\"><b>%zu more</b> have no row of their own here: the worst are above. "
	    "All %zu by title:</div>\n",
	    FONT, d->n - s->rows, d->n);
	put_titles(out, d);
}

/* ---- the page --------------------------------------------------------------------------- */

/* "3 High" in the colour of it. */
static void
put_counts(struct buf *out, const struct mail_digest *d)
{
	for (size_t i = 0; i < LOOK_COUNT; i++) {
		enum mail_look look = digest_order[i];

		if (d->counts[look] == 0)
			continue;
		buf_printf(out,
		    "<span style=\"%sdisplay:inline-block;background-color:%s;color:#ffffff;"
		    "font-size:12px;line-height:20px;font-weight:bold;padding:0 9px;"
		    "border-radius:3px\">&#8202;%zu %s&#8202;</span>&nbsp; ",
		    FONT, mail_looks[look].colour, d->counts[look], mail_looks[look].word);
	}
}

void
mail_digest_html_body(struct buf *out, const struct mail_sheet *s, const void *digest)
{
	const struct mail_digest *d = digest;

	mail_html_begin(out, s, 760);
	buf_printf(out,
	    "<tr><td class=\"pad\" style=\"padding:22px 28px 16px\">\n"
	    "<div class=\"tx\" style=\"%sfont-size:21px;line-height:28px;font-weight:bold;"
	    "color:#1c232b;margin-bottom:8px\">%zu %s",
	    FONT, d->n, digest_noun(d));
	put_value(out, " &middot; ", s, MV_CUSTOMER_NAME, "");
	buf_puts(out, "</div>\n");
	put_counts(out, d);
	buf_puts(out, "<div class=\"mu\" style=\"" FONT
		      "font-size:14px;line-height:21px;color:#566270;margin-top:10px\">");
	put_value(out, "", s, MV_FROM, " to ");
	put_value(out, "", s, MV_TO, "<br>\n");
	put_value(out, "", s, MV_WHY, ".</div>\n</td></tr>\n");
	buf_puts(out, "<tr><td class=\"pad\" style=\"padding:0 28px 22px\">\n");
	mail_digest_html_table(out, s, d);
	buf_puts(out, "</td></tr>\n");
	mail_html_end(out, s);
}
