/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_parts.h"
#include "lib/format/wrap.h"

/*
 * The part that is plain text, in lines of 78 columns: for pagers, phones and ticket
 * systems.
 */
#define LABEL_WIDTH 16

const enum mail_value mail_facts[] = { MV_CUSTOMER_NAME, MV_TENANT_ID, MV_STATUS, MV_WAS, MV_SINCE,
	MV_VERDICT, MV_ASSIGNED, MV_DEVICE, MV_USER, MV_CATEGORY, MV_TECHNIQUES, MV_THREAT,
	MV_ACTOR, MV_PRODUCT, MV_SOURCE, MV_INCIDENT, MV_MERGED, MV_PRIORITY, MV_TAGS, MV_FIRST,
	MV_LAST, MV_CREATED, MV_UPDATED, MV_RESOLVED, MV_ID, MV_NOTE };
const size_t mail_nfacts = ARRAY_LEN(mail_facts);

const struct mail_section mail_sections[] = {
	{ MV_CHANGED, "What changed", true },
	{ MV_DESCRIPTION, "What happened", false },
	{ MV_ACTIONS, "What to do", false },
	{ MV_COMMENT, "Comment", false },
	{ MV_EVIDENCE, "Evidence", true },
};
const size_t mail_nsections = ARRAY_LEN(mail_sections);

bool
mail_shows_fact(const struct mail_sheet *s, enum mail_value v)
{
	if (v == MV_ID && str_same(s->v[v], s->v[MV_INCIDENT]))
		return false;
	return s->v[v].n != 0;
}

/* Takes the next line off *rest. */
static struct str
next_line(struct str *rest)
{
	const char *end = memchr(rest->s, '\n', rest->n);
	size_t n = end != NULL ? (size_t)(end - rest->s) : rest->n;
	struct str line = { rest->s, n };

	n += end != NULL;
	*rest = (struct str){ rest->s + n, rest->n - n };
	return line;
}

static void
put_wrapped(struct buf *out, const char *first, const char *rest, struct str text)
{
	struct buf line = BUF_INIT(256 * 1024);

	buf_str(&line, text);
	wrap_put(out, first, rest, line.p != NULL ? line.p : "");
	buf_release(&line);
}

static void
put_paragraphs(struct buf *out, struct str text)
{
	while (text.n > 0) {
		struct str line = next_line(&text);

		if (line.n == 0)
			buf_byte(out, '\n');
		else
			put_wrapped(out, "  ", "  ", line);
	}
}

static void
put_labelled(struct buf *out, struct str label, struct str text)
{
	char first[LABEL_WIDTH * 4 + 4], rest[LABEL_WIDTH + 3];
	size_t columns = 0;
	struct buf b = { .p = first, .room = sizeof(first), .max = sizeof(first) - 1 };

	label.n = utf8_cut(label.s, label.n, sizeof(first) - 8);
	buf_puts(&b, "  ");
	for (size_t i = 0; i < label.n; i++) {
		buf_byte(&b, label.s[i]);
		columns += ((unsigned char)label.s[i] & 0xc0) != 0x80;
	}
	for (; columns < LABEL_WIDTH; columns++)
		buf_byte(&b, ' ');
	if (label.n >= LABEL_WIDTH)
		buf_puts(&b, "  ");
	memset(rest, ' ', sizeof(rest) - 1);
	rest[sizeof(rest) - 1] = '\0';
	put_wrapped(out, first, rest, text);
}

static void
put_table(struct buf *out, struct str text)
{
	while (text.n > 0) {
		struct str line = next_line(&text);
		const char *tab = memchr(line.s, '\t', line.n);
		size_t n = tab != NULL ? (size_t)(tab - line.s) : 0;

		if (tab == NULL)
			put_wrapped(out, "  ", "    ", line);
		else
			put_labelled(out, (struct str){ line.s, n },
			    (struct str){ tab + 1, line.n - n - 1 });
	}
}

static void
put_heading(struct buf *out, const char *heading)
{
	buf_byte(out, '\n');
	for (const char *p = heading; *p != '\0'; p++)
		buf_byte(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
	buf_byte(out, '\n');
}

static void
put_facts(struct buf *out, const struct mail_sheet *s)
{
	buf_byte(out, '\n');
	for (size_t i = 0; i < mail_nfacts; i++) {
		enum mail_value v = mail_facts[i];

		if (mail_shows_fact(s, v))
			put_labelled(out, str_of(mail_values[v].label), s->v[v]);
	}
}

void
mail_text_details(struct buf *out, const struct mail_sheet *s)
{
	if (s->v[MV_LINK].n != 0)
		buf_printf(
		    out, "Open in the customer's Defender portal:\n%.*s\n", STR_ARG(s->v[MV_LINK]));
	for (size_t i = 0; i < mail_nsections; i++) {
		const struct mail_section *sec = &mail_sections[i];

		/* Evidence is long: the facts stand before it. */
		if (sec->v == MV_EVIDENCE)
			put_facts(out, s);
		if (s->v[sec->v].n == 0)
			continue;
		put_heading(out, sec->heading);
		if (sec->is_table)
			put_table(out, s->v[sec->v]);
		else
			put_paragraphs(out, s->v[sec->v]);
	}
}

static void
put_who(struct buf *out, const struct mail_sheet *s)
{
	if (s->v[MV_USER].n != 0)
		put_wrapped(out, "User ", "  ", s->v[MV_USER]);
	if (s->v[MV_DEVICE].n != 0)
		put_wrapped(out, "Device ", "  ", s->v[MV_DEVICE]);
}

void
mail_text_body(struct buf *out, const struct mail_sheet *s)
{
	buf_printf(out, "%.*s: %.*s", STR_ARG(s->v[MV_SEVERITY]), STR_ARG(s->v[MV_WHAT]));
	if (s->v[MV_CUSTOMER_NAME].n != 0)
		buf_printf(out, ", %.*s", STR_ARG(s->v[MV_CUSTOMER_NAME]));
	buf_byte(out, '\n');
	put_wrapped(out, "", "", s->v[MV_TITLE]);
	buf_printf(out, "%.*s\n", STR_ARG(s->v[MV_TIME]));
	put_who(out, s);
	buf_byte(out, '\n');
	mail_text_details(out, s);
	/* The mark that readers of mail take for the end of the message. */
	buf_puts(out, "\n-- \n");
	put_wrapped(out, "Event ", "", s->v[MV_EVENT_ID]);
	buf_printf(out, "Sent by msspd%s%.*s for the rule %.*s\n",
	    s->v[MV_INSTANCE].n != 0 ? " " : "", STR_ARG(s->v[MV_INSTANCE]),
	    STR_ARG(s->v[MV_RULE]));
}
