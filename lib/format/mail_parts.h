/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_PARTS_H
#define MAIL_PARTS_H

#include "lib/base/arena.h"
#include "lib/format/mail.h"

/*
 * mail_parts: what the files of mail share. A sheet holds everything that a mail may
 * show, as text that is safe to show (mail_clean.h); who writes text, HTML, subjects or
 * headers takes its values and nothing else. Private to lib/format/mail*.c.
 */
enum mail_value {
	/* of every mail */
	MV_SUBJECT,
	MV_SEVERITY,
	MV_CUSTOMER_NAME,
	MV_CUSTOMER,
	MV_RULE,
	MV_INSTANCE,
	/* of an event */
	MV_KIND,
	MV_WHAT,
	MV_TITLE,
	MV_TENANT,
	MV_TENANT_ID,
	MV_CLOUD,
	MV_STREAM,
	MV_EVENT_ID,
	MV_ID,
	MV_STATUS,
	MV_VERDICT,
	MV_ASSIGNED,
	MV_CATEGORY,
	MV_TECHNIQUES,
	MV_THREAT,
	MV_ACTOR,
	MV_PRODUCT,
	MV_SOURCE,
	MV_INCIDENT,
	MV_MERGED,
	MV_PRIORITY,
	MV_TAGS,
	MV_DEVICE,
	MV_USER,
	MV_TIME,
	MV_CREATED,
	MV_UPDATED,
	MV_RESOLVED,
	MV_FIRST,
	MV_LAST,
	MV_SINCE,
	MV_WAS,
	MV_NOTE,
	MV_CHANGED,
	MV_DESCRIPTION,
	MV_EVIDENCE,
	MV_ACTIONS,
	MV_COMMENT,
	MV_LINK,
	MV_DETAILS,
	/* of a digest */
	MV_EVENTS,
	MV_COUNTS,
	MV_WHY,
	MV_FROM,
	MV_TO,
	MV_MORE,
	MV_TABLE,
	MV_VALUES,
};

/* Where it is to be had, by kinds of templates. */
#define MV_ONE  1
#define MV_MANY 2

struct mail_value_row {
	const char *name;  /* in templates */
	const char *label; /* for people; NULL where it has none */
	unsigned where;
	const char *from; /* for the manual */
};
extern const struct mail_value_row mail_values[MV_VALUES];

/* How bad it looks: one for each colour. */
enum mail_look {
	LOOK_HIGH,
	LOOK_MEDIUM,
	LOOK_LOW,
	LOOK_INFO,
	LOOK_UNKNOWN,
	LOOK_WELL,
	LOOK_NOTICE,
	LOOK_PROBLEM,
	LOOK_ALARM,
	LOOK_UNREADABLE,
	LOOK_TEST,
	LOOK_COUNT,
};
struct mail_look_row {
	const char *word;   /* "High" */
	const char *colour; /* of the bar and the badge: white can be read on it */
};
extern const struct mail_look_row mail_looks[LOOK_COUNT];
enum mail_look mail_look_of(const struct record *r);

/*
 * Values of several lines have '\n' between them; in CHANGED and EVIDENCE a line is
 * "label\ttext". DETAILS and TABLE are written by who needs them.
 */
struct mail_sheet {
	struct arena arena;
	struct buf tmp;
	const struct mail_style *style;
	enum mail_look look;
	unsigned level; /* how often the page came out too large before: texts are shorter then */
	size_t rows;    /* of a digest, that are shown */
	const struct origin *origin; /* NULL for a digest of several customers */
	struct str v[MV_VALUES];     /* absent: { NULL, 0 } */
};

void mail_sheet_init(struct mail_sheet *s, const struct mail_style *style);
void mail_sheet_release(struct mail_sheet *s);
/* Everything of an event but SUBJECT, RULE and DETAILS. */
void mail_sheet_fill(struct mail_sheet *s, const struct mail_item *item);
/* Cleans and keeps. flags: mail_clean.h. Where the value is there already it stays. */
void mail_set(
    struct mail_sheet *s, enum mail_value v, struct str text, size_t limit, unsigned flags);
/* How much of a text of that limit is shown at the sheet's level. */
size_t mail_limit(const struct mail_sheet *s, size_t limit);
/* Keeps what s->tmp holds, which is clean. */
void mail_set_tmp(struct mail_sheet *s, enum mail_value v);

/* "2026-11-22 05:10:30 +01:00"; nothing for no time. */
void mail_time(struct buf *out, int64_t ticks, const struct zone *zone);

/* mail_evidence.c */
void mail_sheet_evidence(struct mail_sheet *s, const struct alert *a);

/* The values that make the table of facts, and the sections, in their order. */
extern const enum mail_value mail_facts[];
extern const size_t mail_nfacts;
/* It has a value, and none that stands above it already. */
bool mail_shows_fact(const struct mail_sheet *s, enum mail_value v);
struct mail_section {
	enum mail_value v;
	const char *heading;
	bool is_table; /* its lines are labels and texts */
};
extern const struct mail_section mail_sections[];
extern const size_t mail_nsections;

/* How a template's values are written into it. */
enum mail_escape { MAIL_AS_LINE, MAIL_AS_TEXT, MAIL_AS_HTML };
void mail_escape(struct buf *out, struct str text, enum mail_escape how);
void mail_template_write(
    struct buf *out, const struct mail_template *t, const struct mail_sheet *s);

/* mail_text.c, mail_html.c: the bodies that are ours, and of them what is a user's {details}. */
void mail_text_details(struct buf *out, const struct mail_sheet *s);
void mail_text_body(struct buf *out, const struct mail_sheet *s);
void mail_html_details(struct buf *out, const struct mail_sheet *s);
void mail_html_body(struct buf *out, const struct mail_sheet *s);
/* What every page of ours begins and ends with. */
void mail_html_begin(struct buf *out, const struct mail_sheet *s, unsigned width);
void mail_html_end(struct buf *out, const struct mail_sheet *s);

/* mail.c: how a user's template and our own words become subject and bodies. A template that makes
 * nothing, or more than can be, gives way to ours. */
struct mail_writers {
	void (*block)(struct buf *out, const struct mail_sheet *s, const void *arg);
	void (*whole)(struct buf *out, const struct mail_sheet *s, const void *arg);
	const void *arg;
};
void mail_set_subject(struct mail_sheet *s, const struct mail_template *t, struct str usual);
void mail_body(struct buf *out, const struct mail_template *t, struct mail_sheet *s,
    enum mail_value block, const struct mail_writers *w);

/* Gmail hides what is beyond 102 KB of a page: one that is larger is made again, with less of
 * each text; whoever wrote a text of nothing but "<" shall not hide the rest. */
#define MAIL_PAGE_MAX    100000
#define MAIL_LEVEL_LEAST 64 /* no text is made shorter than so many bytes for that */
#define MAIL_LEVELS      4

/* mail_message.c: headers and parts around two bodies. */
struct mail_message {
	const struct mail_style *style;
	const struct mail_to *to;
	const struct mail_sheet *sheet;
	const char *kind, *type; /* X-Msspd-Kind, X-Msspd-Type */
	char id[65], thread[65]; /* hashes; thread: "" where it is no part of one */
	struct buf text, html;
	struct str event_id;    /* as it is; absent: a digest */
};
/* False, and nothing appended, when out is full. */
bool mail_message_write(struct buf *out, const struct mail_message *m);
/* Likewise, and releases the parts. ERR_PERM. */
bool mail_message_finish(struct buf *out, struct mail_message *m, struct err *err) MUST_CHECK;

#endif
