/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_DIGEST_H
#define MAIL_DIGEST_H

#include "lib/format/mail_parts.h"

/*
 * mail_digest: what a digest keeps of the events it was given. mail_digest.c fills it,
 * mail_digest_text.c and mail_digest_html.c show it. Private to lib/format/mail*.c.
 */

/* What a row keeps of its event's sheet. */
enum digest_column {
	DC_SEVERITY,
	DC_TIME,
	DC_CUSTOMER,
	DC_WHAT,
	DC_TITLE,
	DC_USER,
	DC_DEVICE,
	DC_LINK,
	DC_COUNT,
};

struct digest_row {
	enum mail_look look;
	char *v[DC_COUNT]; /* clean; NULL: none */
};

struct digest_title {
	enum mail_look look;
	uint64_t hash;
	size_t n;
	char *title;
};

struct digest_end {
	int64_t at;
	char text[64]; /* as mail_time() has it, with the zone's name */
};

struct mail_digest {
	struct digest_row rows[MAIL_DIGEST_ROWS]; /* the worst first, then as they came */
	size_t nrows;
	struct digest_title titles[MAIL_DIGEST_TITLES]; /* as they came */
	size_t ntitles, other_titles;                   /* events with none of these titles */
	size_t counts[LOOK_COUNT], n, alerts;
	struct digest_end first, last;
	uint64_t sum, mix; /* of the event ids, in any order */
	struct origin *origin; /* a copy of the first event's */
	bool has_customers, has_tenants; /* several */
};

/* Looks in order, the worst first. */
extern const enum mail_look digest_order[LOOK_COUNT];
/* "alerts" or, where there are others, "events"; of one "alert", "event". */
const char *digest_noun(const struct mail_digest *d);
/* The titles, the worst and most frequent first, into by[]. */
void digest_sort_titles(
    const struct mail_digest *d, const struct digest_title *by[MAIL_DIGEST_TITLES]);
/* Is that column shown? */
bool digest_shows(const struct mail_digest *d, const struct mail_style *style,
    const struct digest_row *r, enum digest_column c);

void mail_digest_text_table(struct buf *out, const struct mail_sheet *s, const void *digest);
void mail_digest_text_body(struct buf *out, const struct mail_sheet *s, const void *digest);
void mail_digest_html_table(struct buf *out, const struct mail_sheet *s, const void *digest);
void mail_digest_html_body(struct buf *out, const struct mail_sheet *s, const void *digest);

#endif
