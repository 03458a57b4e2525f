/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_H
#define MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/format/zone.h"
#include "lib/record/event.h"

/*
 * mail: an event, or a digest of many, as a complete message of RFC 5322 and MIME:
 * headers, and multipart/alternative of text/plain and text/html.
 *
 * It knows nothing of SMTP, of who is to get what and when, or of the journal.
 *
 * Promises
 *  - lines end with CRLF, have at most 998 bytes, and all is ASCII (encoded words in headers,
 *    quoted-printable in parts). No text of an event makes a header, a line of one, or HTML.
 *  - the only thing to click is the link that portal_link() makes; addresses of the evidence
 *    are defanged (hxxps://evil[.]example). Characters that turn the direction of text
 *    or cannot be seen are shown as [U+202E].
 *  - the same event to the same recipient has the same Message-ID, whenever it is written.
 *    Events of one tenant and incident refer to one root, whoever they go to, and so are one
 *    thread; those of an alert without incident likewise. No state is kept for that: the
 *    root itself is never sent.
 *  - what is too long is cut and says so; what a digest has no room for is counted.
 *  - no remote content, no scripts, nothing that a reader of mail would have to fetch.
 *
 * Cost: some 150 us a mail, 400 us a digest, 2 us an event that is added to one; any thread.
 */
struct mail_template;

/* How mails look; one per sink. Zeros are defaults: name and link shown, no devices. */
struct mail_style {
	const char *from;    /* "Name <alerts@soc.example>", or bare: mail_address_check() */
	const char *list_id; /* "alerts.soc.example"; NULL: "msspd." and the domain of from */
	/* Not the customer's name or the tenant's in any part or header (but where a health
	 * record is about them). */
	bool without_organization;
	bool without_portal_link;
	bool with_device; /* names and addresses of devices, which are left out otherwise */
	/* NULL: ours. */
	const struct mail_template *subject, *text, *html;
	const struct mail_template *digest_subject, *digest_text, *digest_html;
};

/* One transaction: who gets it, why, and when. */
struct mail_to {
	const char *to;   /* one recipient, as mail_address_check() takes it */
	const char *rule; /* the rule's name: X-Msspd-Rule, and part of a digest's Message-ID */
	int64_t date;     /* ticks: now, for Date */
};

/* An event and what is needed to tell people of it. A view. */
struct mail_item {
	const struct event *event;
	const struct zone *zone; /* the customer's; NULL: UTC */
	const char *zone_name;   /* "Europe/Berlin"; NULL: UTC */
};

/* No mail is larger; most have 15 to 30 KiB. */
#define MAIL_MAX (4 * 1024 * 1024)

/* Appends the message of one event (of any type and kind; a canary is marked as a test).
 * ERR_PERM, and nothing appended, when out has no room for it. */
bool mail_write(struct buf *out, const struct mail_style *style, const struct mail_to *to,
    const struct mail_item *item, struct err *err) MUST_CHECK;

/*
 * A digest is filled event by event and keeps of each only what its table shows, so that ten
 * thousand cost no more than a few hundred: the MAIL_DIGEST_ROWS worst have a row each, all
 * are counted by severity and by title (MAIL_DIGEST_TITLES of them, then "other titles").
 * It says how many events it holds, from when to when, and how many have no row.
 */
#define MAIL_DIGEST_ROWS   60
#define MAIL_DIGEST_TITLES 40
struct mail_digest;

enum mail_digest_why {
	MAIL_DIGEST_PERIOD, /* the rule wants one every so often */
	MAIL_DIGEST_LIMIT,  /* more mails than the rule's limit */
	MAIL_DIGEST_REPLAY, /* read again, or from before the tenant was watched; period is "" */
};

struct mail_digest *mail_digest_new(void);
void mail_digest_free(struct mail_digest *d);
/* Copies what it keeps; item may go. */
void mail_digest_add(struct mail_digest *d, const struct mail_item *item);
/* Appends the message; d stays as it is (for the next recipient) and has one event at least.
 * period: "15 minutes", "60 an hour": said to the reader. The customer is named where there is
 * one, and has a column where there are several. */
bool mail_digest_write(struct buf *out, const struct mail_style *style, const struct mail_to *to,
    const struct mail_digest *d, enum mail_digest_why why, const char *period, struct err *err)
    MUST_CHECK;

/*
 * Templates of the user's own: text with {variables}, docs/FORMATS.md has them all.
 * "{?name}…{/name}" is there only where name has a value; "{{" is a brace; a brace that begins
 * no name (as in CSS) is itself. Values are escaped as the part needs it. NULL and ERR_CONF
 * ("line 3, column 14: unknown variable {severty}; did you mean {severity}?") where it is wrong.
 */
enum mail_template_kind {
	MAIL_SUBJECT, /* one line */
	MAIL_TEXT,
	MAIL_HTML,
	MAIL_DIGEST_SUBJECT,
	MAIL_DIGEST_TEXT,
	MAIL_DIGEST_HTML,
};
#define MAIL_TEMPLATE_MAX (256 * 1024)

struct mail_template *mail_template_new(
    enum mail_template_kind kind, struct str text, struct err *err);
void mail_template_free(struct mail_template *t);
/* For option tables. */
bool mail_subject_check(const char *text, struct err *err) MUST_CHECK;
bool mail_digest_subject_check(const char *text, struct err *err) MUST_CHECK;

/*
 * "name@host", or "A name <name@host>", of one mailbox: the address ASCII, RFC 5321's dot-string
 * and a domain, at most 254 bytes; the name any text. ERR_CONF says what is wrong and what
 * would be right.
 */
bool mail_address_check(const char *text, struct err *err) MUST_CHECK;
/* The bare address within a text that was checked: what MAIL FROM and RCPT TO want. */
struct str mail_address_bare(const char *text);
/* "alerts.soc.example": dots and labels of letters, digits, - and _. */
bool mail_list_id_check(const char *text, struct err *err) MUST_CHECK;

/* Appends Markdown for docs/FORMATS.md: headers, and the variables of templates. */
void mail_manual(struct buf *out);

#endif
