/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_parts.h"
#include "lib/config/unit.h"

size_t
smtp_rule_number(const struct sink *s, const struct smtp_rule *rule)
{
	return (size_t)(rule - s->conf->rules.v);
}

static void
mail_to(const struct sink *s, const struct smtp_rule *rule, const char *to, struct mail_to *out)
{
	*out = (struct mail_to){ .to = to, .rule = rule->name, .date = clock_wall(s->env->clock) };
}

struct mail_item
smtp_item_of(struct sink *s, const struct event *ev)
{
	struct mail_item item = { .event = ev };

	item.zone = zones_find(&s->zones, ev->origin->time_zone, sink_log(s->owner));
	item.zone_name = item.zone != NULL ? ev->origin->time_zone : NULL;
	return item;
}

void
smtp_send_alone(struct sink *s, const struct smtp_leg *to, const struct event *ev, struct entry *e,
    size_t leg)
{
	struct buf message = BUF_INIT(MAIL_MAX);
	struct letter_leg at = { e, leg };
	struct mail_item item = smtp_item_of(s, ev);
	struct letter *letter;
	struct mail_to who;
	struct err err;

	mail_to(s, to->rule, to->to, &who);
	if (!mail_write(&message, &s->styles[smtp_rule_number(s, to->rule)], &who, &item, &err)) {
		smtp_end_leg(s, &at, LEG_DEAD, err.text);
		buf_release(&message);
		return;
	}
	letter = letter_new(to->to);
	letter_add(letter, e, leg);
	post_add(s->post, ev->origin->customer, mail_address_bare(to->to), &message, letter);
}

static void
write_period(struct buf *out, const struct bundle *b)
{
	switch (b->why) {
	case HOLD_LIMIT:
		buf_printf(out, "%u in ", b->rule->limit.n);
		unit_put_time(out, b->rule->limit.per_ms);
		break;
	case HOLD_PERIOD:
		unit_put_time(out, b->rule->digest_ms);
		break;
	case HOLD_REPLAY:
		break;
	}
}

static enum mail_digest_why
reason_of(enum memo_hold why)
{
	switch (why) {
	case HOLD_PERIOD:
		return MAIL_DIGEST_PERIOD;
	case HOLD_LIMIT:
		return MAIL_DIGEST_LIMIT;
	case HOLD_REPLAY:
		return MAIL_DIGEST_REPLAY;
	}
	return MAIL_DIGEST_PERIOD;
}

void
smtp_on_bundle(void *arg, struct bundle *b)
{
	struct sink *s = arg;
	struct buf message = BUF_INIT(MAIL_MAX), period = BUF_INIT(100);
	struct letter *letter = b->letter;
	struct mail_to who;
	struct err err;

	b->letter = NULL;
	write_period(&period, b);
	mail_to(s, b->rule, letter->to, &who);
	if (mail_digest_write(&message, &s->styles[smtp_rule_number(s, b->rule)], &who, b->digest,
	    reason_of(b->why), buf_peek(&period).s, &err)) {
		post_add(s->post, b->customer, mail_address_bare(letter->to), &message, letter);
	} else {
		smtp_end_letter(s, letter, LEG_DEAD, &err);
		letter_free(letter);
		buf_release(&message);
	}
	buf_release(&period);
	bundle_free(b);
}
