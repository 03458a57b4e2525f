/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_parts.h"

/*
 * The part that is HTML. Outlook on Windows draws it with Word: so tables, colours as
 * attributes and inline styles do everything that must be; the style sheet adds only what the
 * others understand: dark colours, narrow screens. Nothing is fetched from anywhere.
 */
static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"supported-color-schemes\" content=\"light dark\">\n"
    "<meta name=\"format-detection\" "
    "content=\"telephone=no,date=no,address=no,email=no,url=no\">\n";
static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; supported-color-schemes: light dark; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    " .pg { background-color: #14171b !important; }\n"
    " .cd { background-color: #1f242a !important; border-color: #363d46 !important; }\n"
    " .tx { color: #e8ebef !important; }\n"
    " .mu { color: #a3adb9 !important; }\n"
    " .ln { border-color: #363d46 !important; }\n"
    " .bar { border-top-color: #363d46 !important; }\n"
    " .lk { color: #8ab8ff !important; }\n"
    "}\n"
    "@media (max-width: 520px) {\n"
    " .pad { padding-left: 16px !important; padding-right: 16px !important; }\n"
    " .lb { display: block !important; width: auto !important; border: 0 !important;"
    " padding-bottom: 0 !important; }\n"
    " .vl { display: block !important; border-top: 0 !important; padding-top: 1px !important; }\n"
    "}\n"
    "</style>\n"
    "</head>\n";

#define FONT "font-family:'Segoe UI',-apple-system,Roboto,Helvetica,Arial,sans-serif;"
#define MONO "font-family:Consolas,Menlo,'DejaVu Sans Mono',monospace;"
#define TABLE \
	"<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" " \
	"border=\"0\""
#define BREAK "word-break:break-word;overflow-wrap:anywhere;"

static void
put(struct buf *out, struct str text)
{
	mail_escape(out, text, MAIL_AS_HTML);
}

/* What a list of messages shows beside the subject. */
static void
put_preview(struct buf *out, const struct mail_sheet *s)
{
	static const enum mail_value shown[] = { MV_WHAT, MV_WHY, MV_COUNTS, MV_DEVICE, MV_USER,
		MV_CATEGORY };
	size_t n = 0;

	buf_puts(out, "<div style=\"display:none;font-size:1px;line-height:1px;max-height:0;"
		      "max-width:0;opacity:0;overflow:hidden;mso-hide:all\">");
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		if (s->v[shown[i]].n == 0)
			continue;
		buf_puts(out, n++ > 0 ? " &middot; " : "");
		put(out, s->v[shown[i]]);
	}
	buf_puts(out, "</div>\n");
}

void
mail_html_begin(struct buf *out, const struct mail_sheet *s, unsigned width)
{
	const char *colour = mail_looks[s->look].colour;

	buf_puts(out, head);
	buf_puts(out, "<title>");
	put(out, s->v[MV_SUBJECT]);
	buf_puts(out, "</title>\n");
	buf_puts(out, style);
	buf_puts(out, "<body class=\"pg\" bgcolor=\"#eef1f4\" style=\"margin:0;padding:0;"
		      "background-color:#eef1f4;-webkit-text-size-adjust:100%\">\n");
	put_preview(out, s);
	buf_puts(out, TABLE " class=\"pg\" bgcolor=\"#eef1f4\" style=\"background-color:#eef1f4\">"
			    "<tr><td align=\"center\" style=\"padding:20px 10px\">\n");
	buf_printf(out,
	    "<!--[if mso]><table role=\"presentation\" width=\"%u\"><tr><td><![endif]-->\n", width);
	buf_puts(out, TABLE " class=\"cd\" bgcolor=\"#ffffff\"");
	buf_printf(out,
	    " style=\"max-width:%upx;background-color:#ffffff;border:1px solid #d5dbe1;"
	    "text-align:left\">\n",
	    width);
	buf_printf(out,
	    "<tr><td bgcolor=\"%s\" height=\"6\" style=\"background-color:%s;height:6px;"
	    "line-height:6px;font-size:1px\">&nbsp;</td></tr>\n",
	    colour, colour);
}

void
mail_html_end(struct buf *out, const struct mail_sheet *s)
{
	buf_puts(out, "<tr><td class=\"mu ln pad\" style=\"" FONT BREAK
		      "padding:14px 28px 18px;border-top:1px solid #e3e7ec;font-size:12px;"
		      "line-height:18px;color:#66707c\">");
	if (s->v[MV_EVENT_ID].n != 0) {
		buf_puts(out, "Event ");
		put(out, s->v[MV_EVENT_ID]);
		buf_puts(out, "<br>\n");
	}
	buf_puts(out, s->v[MV_INSTANCE].n != 0 ? "Sent by msspd " : "Sent by msspd");
	put(out, s->v[MV_INSTANCE]);
	buf_puts(out, " for the rule ");
	put(out, s->v[MV_RULE]);
	buf_puts(out, "</td></tr>\n</table>\n"
		      "<!--[if mso]></td></tr></table><![endif]-->\n"
		      "</td></tr></table>\n</body>\n</html>\n");
}

static void
put_badge(struct buf *out, const struct mail_sheet *s)
{
	const char *colour = mail_looks[s->look].colour;

	buf_printf(out,
	    "<span style=\"" FONT "display:inline-block;background-color:%s;color:#ffffff;"
	    "font-size:12px;line-height:20px;font-weight:bold;padding:0 9px;border-radius:3px\">"
	    "&#8202;",
	    colour);
	put(out, s->v[MV_SEVERITY]);
	buf_puts(out, "&#8202;</span>");
}

static void
put_who(struct buf *out, const struct mail_sheet *s, enum mail_value v, const char *before)
{
	if (s->v[v].n == 0)
		return;
	buf_puts(out, before);
	buf_puts(out, "<span class=\"tx\" style=\"color:#1c232b\">");
	put(out, s->v[v]);
	buf_puts(out, "</span>");
}

static void
put_top(struct buf *out, const struct mail_sheet *s)
{
	buf_puts(out, "<tr><td class=\"pad\" style=\"padding:22px 28px 4px\">\n");
	put_badge(out, s);
	buf_puts(out, "<span class=\"mu\" style=\"" FONT
		      "font-size:14px;line-height:20px;color:#566270\">&nbsp;&nbsp;");
	put(out, s->v[MV_WHAT]);
	if (s->v[MV_CUSTOMER_NAME].n != 0) {
		buf_puts(out, " &middot; <b class=\"tx\" style=\"color:#1c232b\">");
		put(out, s->v[MV_CUSTOMER_NAME]);
		buf_puts(out, "</b>");
	}
	buf_puts(out, "</span>\n<div class=\"tx\" dir=\"auto\" style=\"" FONT BREAK
		      "font-size:21px;line-height:28px;font-weight:bold;color:#1c232b;"
		      "margin:12px 0 4px\">");
	put(out, s->v[MV_TITLE]);
	buf_puts(out, "</div>\n<div class=\"mu\" style=\"" FONT
		      "font-size:14px;line-height:20px;color:#566270\">");
	put(out, s->v[MV_TIME]);
	put_who(out, s, MV_USER, "<br>\nUser ");
	put_who(out, s, MV_DEVICE, s->v[MV_USER].n != 0 ? " &middot; Device " : "<br>\nDevice ");
	buf_puts(out, "</div>\n</td></tr>\n");
}

/* A button that Outlook draws too: a cell with a colour. */
static void
put_link(struct buf *out, const struct mail_sheet *s)
{
	if (s->v[MV_LINK].n == 0)
		return;
	buf_puts(out, "<tr><td class=\"pad\" style=\"padding:14px 28px 6px\">"
		      "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" "
		      "border=\"0\"><tr><td bgcolor=\"#1a5fb4\" style=\"background-color:#1a5fb4;"
		      "border-radius:4px;padding:9px 18px\"><a href=\"");
	put(out, s->v[MV_LINK]);
	buf_puts(out,
	    "\" style=\"" FONT "font-size:14px;line-height:20px;font-weight:bold;color:#ffffff;"
	    "text-decoration:none\">"
	    "Open in the customer&#39;s portal</a></td></tr></table></td></tr>\n");
}

static void
put_row(struct buf *out, struct str label, struct str text, bool is_code)
{
	buf_puts(out, "<tr><td class=\"mu ln lb\" width=\"122\" valign=\"top\" style=\"" FONT
		      "width:122px;padding:6px 12px 6px 0;border-top:1px solid #e9ecf0;"
		      "font-size:13px;line-height:20px;color:#66707c\">");
	put(out, label);
	buf_puts(out, "</td><td class=\"tx ln vl\" valign=\"top\" dir=\"auto\" style=\"");
	buf_puts(out, is_code ? MONO "font-size:13px;" : FONT "font-size:14px;");
	buf_puts(out, BREAK "padding:6px 0;border-top:1px solid #e9ecf0;line-height:20px;"
			    "color:#1c232b\">");
	put(out, text);
	buf_puts(out, "</td></tr>\n");
}

static void
put_facts(struct buf *out, const struct mail_sheet *s)
{
	buf_puts(out, "<tr><td class=\"pad\" style=\"padding:12px 28px 6px\">" TABLE ">\n");
	for (size_t i = 0; i < mail_nfacts; i++) {
		enum mail_value v = mail_facts[i];

		if (mail_shows_fact(s, v))
			put_row(out, str_of(mail_values[v].label), s->v[v], false);
	}
	buf_puts(out, "</table></td></tr>\n");
}

static void
put_rows(struct buf *out, struct str text, bool is_code)
{
	buf_puts(out, TABLE ">\n");
	while (text.n > 0) {
		const char *end = memchr(text.s, '\n', text.n), *tab;
		struct str line = { text.s, end != NULL ? (size_t)(end - text.s) : text.n };
		size_t n;

		tab = memchr(line.s, '\t', line.n);
		n = tab != NULL ? (size_t)(tab - line.s) : 0;
		put_row(out, (struct str){ line.s, n },
		    (struct str){ line.s + n + (tab != NULL), line.n - n - (tab != NULL) },
		    is_code);
		n = line.n + (end != NULL);
		text = (struct str){ text.s + n, text.n - n };
	}
	buf_puts(out, "</table>");
}

static void
put_section(struct buf *out, const struct mail_section *sec, struct str text)
{
	if (text.n == 0)
		return;
	buf_puts(out, "<tr><td class=\"pad\" style=\"padding:12px 28px 8px\">"
		      "<div class=\"tx\" style=\"" FONT "font-size:15px;line-height:22px;"
		      "font-weight:bold;color:#1c232b;margin-bottom:4px\">");
	put(out, str_of(sec->heading));
	buf_puts(out, "</div>");
	if (sec->is_table) {
		put_rows(out, text, sec->v == MV_EVIDENCE);
	} else {
		buf_puts(out, "<div class=\"tx\" dir=\"auto\" style=\"" FONT BREAK
			      "font-size:14px;line-height:21px;color:#1c232b\">");
		put(out, text);
		buf_puts(out, "</div>");
	}
	buf_puts(out, "</td></tr>\n");
}

static void
put_details(struct buf *out, const struct mail_sheet *s)
{
	put_link(out, s);
	for (size_t i = 0; i < mail_nsections; i++) {
		/* Evidence is long: the facts stand before it. */
		if (mail_sections[i].v == MV_EVIDENCE)
			put_facts(out, s);
		put_section(out, &mail_sections[i], s->v[mail_sections[i].v]);
	}
}

void
mail_html_details(struct buf *out, const struct mail_sheet *s)
{
	buf_puts(out, TABLE ">\n");
	put_details(out, s);
	buf_puts(out, "</table>\n");
}

void
mail_html_body(struct buf *out, const struct mail_sheet *s)
{
	mail_html_begin(out, s, 640);
	put_top(out, s);
	put_details(out, s);
	buf_puts(out,
	    "<tr><td style=\"padding:6px 0;font-size:1px;line-height:1px\">&nbsp;</td></tr>\n");
	mail_html_end(out, s);
}
