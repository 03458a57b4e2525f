/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/digest.h"
#include "lib/format/mail_clean.h"
#include "lib/format/mail_parts.h"

/* More than the usual bodies can have; a user's template that makes more is not used. */
#define BODY_MAX    (1024 * 1024)
#define SUBJECT_MAX 300

/* "[High] Contoso Ltd: Resolved: Suspicious thing" */
static void
usual_subject(struct buf *out, const struct mail_sheet *s, const struct event *ev)
{
	static const char *const words[] = {
		[KIND_NEW] = "",
		[KIND_ESCALATED] = "Escalated: ",
		[KIND_UPDATED] = "Updated: ",
		[KIND_RESOLVED] = "Resolved: ",
		[KIND_REOPENED] = "Reopened: ",
		[KIND_HEALTH] = "",
		[KIND_CANARY] = "",
		[KIND_UNREADABLE] = "",
	};

	buf_printf(out, "[%.*s] ", STR_ARG(s->v[MV_SEVERITY]));
	if (s->v[MV_CUSTOMER_NAME].n != 0)
		buf_printf(out, "%.*s: ", STR_ARG(s->v[MV_CUSTOMER_NAME]));
	buf_puts(out, words[ev->kind]);
	if (ev->record->type == RECORD_INCIDENT && s->v[MV_INCIDENT].n != 0)
		buf_printf(out, "Incident %.*s: ", STR_ARG(s->v[MV_INCIDENT]));
	buf_str(out, s->v[MV_TITLE]);
}

void
mail_set_subject(struct mail_sheet *s, const struct mail_template *t, struct str usual)
{
	struct buf text = BUF_INIT(BODY_MAX);

	/* Its values are clean already: what this adds is the limit, and no blanks at the ends. */
	if (t != NULL) {
		mail_template_write(&text, t, s);
		if (buf_ok(&text))
			mail_set(s, MV_SUBJECT, buf_peek(&text), SUBJECT_MAX, MAIL_TRUSTED);
	}
	if (s->v[MV_SUBJECT].n == 0)
		mail_set(s, MV_SUBJECT, usual, SUBJECT_MAX, MAIL_TRUSTED);
	buf_release(&text);
}

void
mail_body(struct buf *out, const struct mail_template *t, struct mail_sheet *s,
    enum mail_value block, const struct mail_writers *w)
{
	buf_init(out, BODY_MAX);
	if (t != NULL) {
		struct buf part = BUF_INIT(BODY_MAX);

		w->block(&part, s, w->arg);
		s->v[block] = buf_peek(&part);
		mail_template_write(out, t, s);
		s->v[block] = (struct str){ NULL, 0 };
		buf_release(&part);
		if (buf_ok(out) && out->n > 0)
			return;
		buf_clear(out);
	}
	w->whole(out, s, w->arg);
}

static void
text_block(struct buf *out, const struct mail_sheet *s, const void *arg)
{
	(void)arg;
	mail_text_details(out, s);
}

static void
text_whole(struct buf *out, const struct mail_sheet *s, const void *arg)
{
	(void)arg;
	mail_text_body(out, s);
}

static void
html_block(struct buf *out, const struct mail_sheet *s, const void *arg)
{
	(void)arg;
	mail_html_details(out, s);
}

static void
html_whole(struct buf *out, const struct mail_sheet *s, const void *arg)
{
	(void)arg;
	mail_html_body(out, s);
}

/* The recipient's own copy of the event. */
static void
hash_id(char hash[65], const struct mail_to *to, struct str event)
{
	struct buf b = BUF_INIT(8192);

	buf_puts(&b, "event\n");
	buf_str(&b, event);
	buf_byte(&b, '\n');
	buf_str(&b, mail_address_bare(to->to));
	digest_sha256(buf_peek(&b), hash);
	buf_release(&b);
}

/* Events of one incident, else of one alert, else of one thing that health is about. */
static void
hash_thread(char hash[65], const struct event *ev)
{
	const struct record *r = ev->record;
	struct buf b = BUF_INIT(8192);
	bool is_incident =
	    r->type == RECORD_INCIDENT || (r->type == RECORD_ALERT && r->alert.incident_id.n != 0);

	buf_printf(&b, "thread\n%s\n%s\n", ev->origin->tenant_id,
	    is_incident                ? "incident"
	    : r->type == RECORD_HEALTH ? "health"
				       : "alert");
	buf_str(&b, r->type == RECORD_ALERT && is_incident ? r->alert.incident_id : r->id);
	digest_sha256(buf_peek(&b), hash);
	buf_release(&b);
	if (r->type == RECORD_CANARY)
		hash[0] = '\0';
}

static const char *const types[] = {
	[RECORD_ALERT] = "alert",
	[RECORD_INCIDENT] = "incident",
	[RECORD_HEALTH] = "health",
	[RECORD_CANARY] = "canary",
	[RECORD_UNREADABLE] = "unreadable",
};

bool
mail_message_finish(struct buf *out, struct mail_message *m, struct err *err)
{
	bool is_done = mail_message_write(out, m);

	buf_release(&m->text);
	buf_release(&m->html);
	return is_done || err_set(err, ERR_PERM, "the mail is too large");
}

/* All that a template may ask for. */
static void
fill(struct mail_sheet *s, const struct mail_to *to, const struct mail_item *item)
{
	bool is_test = item->event->record->type == RECORD_CANARY;
	struct buf subject = BUF_INIT(8192);

	mail_sheet_fill(s, item);
	mail_set(s, MV_RULE, str_of(to->rule), 200, MAIL_TRUSTED);
	usual_subject(&subject, s, item->event);
	/* That it is a test must be plain whatever a template of the user's own says. */
	mail_set_subject(s, is_test ? NULL : s->style->subject, buf_peek(&subject));
	buf_release(&subject);
}

bool
mail_write(struct buf *out, const struct mail_style *style, const struct mail_to *to,
    const struct mail_item *item, struct err *err)
{
	static const struct mail_writers text = { text_block, text_whole, NULL },
					 html = { html_block, html_whole, NULL };
	struct mail_sheet s;
	struct mail_message m = {
		.style = style,
		.to = to,
		.sheet = &s,
		.kind = kind_names[item->event->kind],
		.type = types[item->event->record->type],
	};
	struct buf id = BUF_INIT(8192);
	bool is_done;

	event_id(&id, item->event);
	m.event_id = buf_peek(&id);
	hash_id(m.id, to, m.event_id);
	hash_thread(m.thread, item->event);
	for (unsigned level = 0;; level++) {
		mail_sheet_init(&s, style);
		s.level = level;
		fill(&s, to, item);
		mail_body(&m.html, style->html, &s, MV_DETAILS, &html);
		if (m.html.n <= MAIL_PAGE_MAX || level == MAIL_LEVELS)
			break;
		buf_release(&m.html);
		mail_sheet_release(&s);
	}
	mail_body(&m.text, style->text, &s, MV_DETAILS, &text);
	is_done = mail_message_finish(out, &m, err);
	buf_release(&id);
	mail_sheet_release(&s);
	return is_done;
}
