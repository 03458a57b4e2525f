/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_STAGE_H
#define MAIL_STAGE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/mail.h"
#include "tests/unit/mail_parse.h"
#include "tests/unit/make_record.h"

/*
 * mail_stage: mails to someone, of an event or a digest, written and read again by the
 * strictest reader there could be.
 */
#define PORTAL "security.microsoft.com"

static const struct mail_style plain = { .from = "Alerts <alerts@soc.example>" };
static const struct mail_style devices = { .from = "alerts@soc.example", .with_device = true };
static struct mail_to someone = { .to = "Oncall <oncall@soc.example>", .rule = "oncall" };

/* A message read again. */
struct read {
	struct buf message, text, html;
};

static inline void
release(struct read *r)
{
	buf_release(&r->message);
	buf_release(&r->text);
	buf_release(&r->html);
}

static inline void
read_again(struct read *r)
{
	const char *fault = mail_fault(buf_peek(&r->message), PORTAL);

	ck_assert_msg(fault == NULL, "%s:\n%s", fault, r->message.p);
	buf_init(&r->text, 4 << 20);
	buf_init(&r->html, 4 << 20);
	ck_assert(mail_part(&r->text, buf_peek(&r->message), "text/plain"));
	ck_assert(mail_part(&r->html, buf_peek(&r->message), "text/html"));
}

static inline void
write_one(struct read *r, const struct mail_style *style, const struct event *ev)
{
	const struct mail_item item = { .event = ev };
	struct err err;

	someone.date = ticks_at("2026-11-22T04:11:02Z");
	buf_init(&r->message, MAIL_MAX);
	ck_assert(mail_write(&r->message, style, &someone, &item, &err));
	read_again(r);
}

static inline bool
has(const struct buf *b, const char *what)
{
	return b->n > 0 && memmem(b->p, b->n, what, strlen(what)) != NULL;
}

static inline void
assert_header(const struct read *r, const char *says, const char *name, const char *want)
{
	struct buf got = BUF_INIT(4096);
	bool is_there = mail_header(&got, buf_peek(&r->message), name);

	if (want == NULL)
		ck_assert_msg(!is_there, "%s: %s: %s", says, name, got.p);
	else
		ck_assert_msg(is_there && strcmp(got.p, want) == 0, "%s: %s: %s", says, name,
		    is_there ? got.p : "none");
	buf_release(&got);
}

static inline struct mail_digest *
digest_of(unsigned n, bool is_mixed)
{
	static const enum severity severities[] = { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_LOW,
		SEVERITY_HIGH };
	struct mail_digest *d = mail_digest_new();
	struct made m;
	char id[20], title[20];

	for (unsigned i = 0; i < n; i++) {
		const struct mail_item item = { .event = &m.event };

		make_alert(&m);
		snprintf(id, sizeof(id), "da%u_1", i);
		snprintf(title, sizeof(title), "Title %u", i % 45);
		m.record.id = m.record.alert.id = str_of(id);
		m.record.alert.title = str_of(title);
		m.record.alert.severity = severities[i % 4];
		m.record.alert.created += i * TICKS_SEC;
		if (is_mixed && i % 2 == 1) {
			m.origin.customer = (char *)(uintptr_t) "fabrikam";
			m.origin.customer_name = (char *)(uintptr_t) "Fabrikam & Co";
		}
		mail_digest_add(d, &item);
	}
	return d;
}

static inline void
write_digest(struct read *r, const struct mail_style *style, const struct mail_digest *d,
    enum mail_digest_why why)
{
	struct err err;

	buf_init(&r->message, MAIL_MAX);
	ck_assert(
	    mail_digest_write(&r->message, style, &someone, d, why, "the last 15 minutes", &err));
	read_again(r);
}

#endif
