/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_parts.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"

#define CUSTOMER_MAX 128 /* mails that wait of one customer: more of it is looked at again later */

/* What each rule's desk says about an entry: asked once, whoever many it sends to. */
struct plan {
	struct smtp_leg legs[RECIPIENTS_MAX];
	size_t n, left_out;
	bool is_asked[RULES_MAX];
	enum desk_fate fate[RULES_MAX];
	struct memo_held held[RULES_MAX];
};

static void
ask_desk(struct sink *s, struct plan *p, const struct smtp_rule *rule,
    const struct sink_item *item, struct leg *leg)
{
	const struct event *ev = &item->event;
	struct desk *desk = desk_of(s->desks, rule, ev->origin->customer);
	const struct desk_question q = {
		.memo = &s->memo,
		.is_replay = (ev->flags & (EVENT_REPLAY | EVENT_BACKFILL)) != 0,
		.was_admitted = item->tries > 0 || s->memo.tries > 0 || s->memo.ndone > 0,
		.replay_digest_ms = s->conf->replay_digest_ms,
		.now = clock_wall(s->env->clock),
	};
	size_t i = smtp_rule_number(s, rule);

	if (p->is_asked[i])
		return;
	p->is_asked[i] = true;
	p->fate[i] = desk_decide(desk, &q, &p->held[i]);
	if (p->fate[i] == DESK_SEND && !q.was_admitted)
		leg->admitted = desk;
}

static uint64_t
told_key(const struct smtp_rule *rule, const struct event *ev)
{
	const struct record *r = ev->record;
	uint64_t what[4] = { rule->key, str_hash(ev->origin->tenant_id, strlen(ev->origin->tenant_id)),
		r->type, str_hash(r->id.s, r->id.n) };

	return str_hash(what, sizeof(what)) | 1;
}

static bool
fires(struct sink *s, const struct smtp_rule *rule, const struct event *ev)
{
	uint64_t key = told_key(rule, ev);
	int64_t version = ev->record->version;
	enum smtp_first first = smtp_rule_first(rule, ev);

	if (!smtp_rule_fires(rule, ev, first != FIRST_NEVER && !told_before(&s->told, key, version)))
		return false;
	told_add(&s->told, key, version);
	return true;
}

/* A bit for each rule. s->memo is the entry's. */
static uint32_t
rules_that_fire(struct sink *s, const struct event *ev)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < s->conf->rules.n; i++) {
		if (!memo_is_cancelled(&s->memo, s->conf->rules.v[i].key) &&
		    fires(s, &s->conf->rules.v[i], ev))
			bits |= 1u << i;
	}
	return bits;
}

static uint64_t
event_hash(const struct event *ev)
{
	struct buf id = BUF_INIT(2048);
	uint64_t hash;

	event_id(&id, ev);
	hash = str_hash(id.p, id.n);
	buf_release(&id);
	return hash;
}

static void
begin_leg(struct sink *s, struct plan *p, size_t i, const struct sink_item *item, struct entry *e)
{
	const struct smtp_leg *to = &p->legs[i];
	size_t rule = smtp_rule_number(s, to->rule);
	struct leg *leg = &e->legs[i];
	struct mail_item mail;

	leg->address = to->address;
	ask_desk(s, p, to->rule, item, leg);
	switch (p->fate[rule]) {
	case DESK_SEND:
		smtp_send_alone(s, to, &item->event, e, i);
		break;
	case DESK_BUNDLE:
		mail = smtp_item_of(s, &item->event);
		bundles_add(&s->bundles, to, p->held[rule].why, &mail, e, i);
		break;
	case DESK_HOLD:
		leg->held = p->held[rule];
		smtp_end_leg(s, &(struct letter_leg){ e, i }, LEG_HELD, NULL);
		break;
	}
}

/* Those that have it already are not asked again. */
static void
leave_out_done(struct sink *s, struct plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (!memo_is_done(&s->memo, p->legs[i].address))
			p->legs[kept++] = p->legs[i];
	}
	p->n = kept;
}

static void
note_unreachable(struct plan *p, uint32_t fired, const struct event *ev, struct entry *e)
{
	char text[MEMO_WHY];

	text[0] = '\0';
	if (p->left_out > 0)
		snprintf(text, sizeof(text), "it has %zu recipients more than %d, which is all that an event"
		    " may have", p->left_out, RECIPIENTS_MAX);
	else if (p->n == 0 && fired != 0)
		snprintf(text, sizeof(text), "nobody to send it to: customer %.100s has none of the contacts"
		    " that the rule names", ev->origin->customer);
	if (text[0] != '\0')
		e->dead = xstrdup(text);
}

static void
take(struct sink *s, const struct sink_item *item)
{
	struct plan p = { .n = 0 };
	struct entry *e;
	uint32_t fired;

	memo_read(&s->memo, item->memo);
	fired = rules_that_fire(s, &item->event);
	p.n = smtp_recipients(&s->conf->rules, fired, item->event.origin, p.legs, &p.left_out);
	e = entry_new(item->ticket, item->memo, p.n);
	note_unreachable(&p, fired, &item->event, e);
	leave_out_done(s, &p);
	e->nlegs = e->open = (unsigned)p.n;
	e->event = event_hash(&item->event);
	e->crowd = crowd_enter(&s->crowd, item->event.origin->customer, 1 + e->nlegs);
	/* Held by one more, so that it does not end before all of its legs have begun. */
	e->open++;
	TAILQ_INSERT_TAIL(&s->entries, e, link);
	for (size_t i = 0; i < p.n; i++)
		begin_leg(s, &p, i, item, e);
	if (--e->open > 0)
		return;
	TAILQ_REMOVE(&s->entries, e, link);
	TAILQ_INSERT_TAIL(&s->complete, e, link);
	smtp_report_later(s);
}

/* By itself, to one recipient, whatever rules, digests and limits say; they notice nothing of it. */
static void
take_test(struct sink *s, const struct sink_item *item)
{
	struct smtp_leg to;
	bool is_known =
	    smtp_find_recipient(&s->conf->rules, item->only_to, item->event.origin, &to);
	struct entry *e = entry_new(item->ticket, NULL, is_known);

	e->event = event_hash(&item->event);
	e->crowd = crowd_enter(&s->crowd, item->event.origin->customer, 1 + e->nlegs);
	e->open = (unsigned)e->nlegs + 1; /* as in take() */
	TAILQ_INSERT_TAIL(&s->entries, e, link);
	if (is_known) {
		e->legs[0].address = to.address;
		smtp_send_alone(s, &to, &item->event, e, 0);
	} else {
		e->dead = xstrdup("no rule knows that recipient any more");
	}
	if (--e->open > 0)
		return;
	TAILQ_REMOVE(&s->entries, e, link);
	TAILQ_INSERT_TAIL(&s->complete, e, link);
	smtp_report_later(s);
}

/* So much of this customer is here that others would have to wait for it. */
static bool
is_crowded(const struct sink *s, const struct sink_item *item)
{
	const char *customer = item->event.origin->customer;

	return (item->memo == NULL && post_of_customer(s->post, customer) >= CUSTOMER_MAX) ||
	    crowd_of(&s->crowd, customer) >= SMTP_CROWD_MAX / 2;
}

static bool
is_full(const struct sink *s)
{
	return post_letters(s->post) >= SMTP_LETTERS_MAX || post_bytes(s->post) >= SMTP_BYTES_MAX ||
	    s->crowd.size >= SMTP_CROWD_MAX || s->bundles.n >= SMTP_BUNDLES_MAX;
}

size_t
smtp_take(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t i;

	if (!s->is_up || s->is_ending || s->is_draining)
		return 0;
	for (i = 0; i < n && !is_full(s); i++) {
		if (is_crowded(s, &items[i]))
			smtp_put_aside(s, &items[i]);
		else if (items[i].only_to != NULL)
			take_test(s, &items[i]);
		else
			take(s, &items[i]);
	}
	s->wants_ready = i < n;
	return i;
}
