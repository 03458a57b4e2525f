#include <stdlib.h>

#include "daemon/delivery/fifo.h"
#include "daemon/delivery/sink_smtp_bundle.h"
#include "daemon/delivery/sink_smtp_conf.h"
#include "daemon/delivery/sink_smtp_post.h"
#include "daemon/delivery/sink_smtp_told.h"
#include "daemon/delivery/sink_smtp_zones.h"
#include "daemon/hush.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/config/unit.h"

#define LETTERS_MAX  1024 /* that wait for a lane: no more is taken meanwhile */
#define BYTES_MAX    (8 * 1024 * 1024)
#define CUSTOMER_MAX 128  /* that wait of one customer: more of it is looked at again later */
#define CROWDED_MS   5000
#define SUSPECTS     64

struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	const struct sink_smtp_conf *conf;
	char *host, *from;
	struct lane_opts lane_opts;
	struct mail_template *templates[MAIL_TEMPLATES];
	struct mail_style *styles; /* by rule */
	struct zones zones;
	struct post *post;
	struct desks *desks;
	struct bundles bundles;
	struct told_set told;

	struct entries entries;  /* with open legs */
	struct entries complete; /* to be reported in the next turn */
	struct fifo aside;       /* tickets of crowded customers, likewise */
	bool is_up, is_draining, wants_ready;

	/* The link is going down: when nothing is under way any more. */
	bool is_ending, is_refused;
	struct err why;

	/* Mails in the middle of which a connection ended: the second time it is the mail's own fault. */
	uint64_t suspects[SUSPECTS];
	size_t next_suspect;
	struct memo memo; /* of the entry that is looked at */
	struct hush hush;
};

/* ---- verdicts -------------------------------------------------------------------- */

static uint32_t
chance(const struct entry *e, int64_t now)
{
	uint64_t seed[2] = { e->ticket, (uint64_t)now };

	return (uint32_t)str_hash(seed, sizeof(seed));
}

static void
say_held(struct sink *s, const struct entry_end *end, int64_t now)
{
	unsigned kept;

	if (!end->is_again || end->why == NULL ||
	    !hush_allows(&s->hush, clock_mono(s->env->clock), &kept))
		return;
	log_warn(sink_log(s->owner), "a recipient is not reached now, others are: %s; tried again in"
	    " %.1fs others_meanwhile=%u", end->why, (double)ticks_to_ms(end->due - now) / 1000, kept);
}

/* The entry is gone then. cut: what of it is not done comes again at once. */
static void
settle(struct sink *s, struct entry *e, bool cut)
{
	struct buf memo = BUF_INIT(MEMO_BYTES);
	int64_t now = clock_wall(s->env->clock);
	struct entry_end end;
	struct err err;

	entry_judge(e, now, chance(e, now), cut, &s->memo, &memo, &end);
	(void)err_set(&err, end.verdict == SINK_REJECT ? ERR_PERM : ERR_TEMP, "%s",
	    end.why != NULL ? end.why : "put off");
	if (end.verdict == SINK_HOLD)
		say_held(s, &end, now);
	sink_result(s->owner, e->ticket, end.verdict, end.verdict == SINK_HOLD ? end.due : TICKS_NONE,
	    end.has_memo ? memo.p : NULL, end.verdict == SINK_OK ? NULL : &err);
	buf_release(&memo);
	entry_free(e);
}

static void
settle_complete(struct sink *s)
{
	struct entry *e;

	while (!TAILQ_EMPTY(&s->complete)) {
		e = TAILQ_FIRST(&s->complete);
		TAILQ_REMOVE(&s->complete, e, link);
		settle(s, e, false);
	}
}

static void
settle_aside(struct sink *s)
{
	int64_t due = clock_wall(s->env->clock) + ticks_from_ms(CROWDED_MS);

	while (s->aside.n > 0) {
		sink_result(s->owner, *(uint64_t *)fifo_at(&s->aside, 0), SINK_HOLD, due, NULL, NULL);
		fifo_drop(&s->aside, 1);
	}
}

static void
on_report(void *arg)
{
	settle_complete(arg);
	settle_aside(arg);
}

static void
report_later(struct sink *s)
{
	loop_forget(s->env->loop, on_report, s);
	loop_defer(s->env->loop, on_report, s);
}

/* After its last leg came to something. */
static void
end_leg(struct sink *s, const struct letter_leg *at, enum leg_state state, const char *why)
{
	struct entry *e = at->entry;

	entry_leg(e, at->leg, state, why);
	if (e->open > 0)
		return;
	TAILQ_REMOVE(&s->entries, e, link);
	TAILQ_INSERT_TAIL(&s->complete, e, link);
}

static void
take_back(struct entry *e)
{
	for (size_t i = 0; i < e->nlegs; i++) {
		if (e->legs[i].admitted != NULL)
			desk_take_back(e->legs[i].admitted);
	}
}

/* What was begun and somebody has got is said, the rest is as if it had not been taken. */
static void
let_go(struct sink *s, bool may_report)
{
	struct entry *e;

	if (may_report)
		settle_complete(s);
	TAILQ_CONCAT(&s->entries, &s->complete, link);
	while (!TAILQ_EMPTY(&s->entries)) {
		e = TAILQ_FIRST(&s->entries);
		TAILQ_REMOVE(&s->entries, e, link);
		if (may_report && entry_has_progress(e)) {
			settle(s, e, true);
			continue;
		}
		take_back(e);
		entry_free(e);
	}
}

static void
free_letter(void *letter)
{
	letter_free(letter);
}

/* Nothing is under way or waits any more. */
static void
clear(struct sink *s, bool may_report)
{
	bundles_clear(&s->bundles);
	post_clear(s->post, free_letter);
	let_go(s, may_report);
	fifo_release(&s->aside);
	loop_forget(s->env->loop, on_report, s);
	s->is_up = s->is_ending = s->wants_ready = false;
}

/* ---- the link ------------------------------------------------------------------------- */

/* When the last mail that is under way has ended, so that none is sent twice. */
static void
finish_ending(struct sink *s)
{
	bool is_refused = s->is_refused;
	struct err why = s->why;

	if ((!s->is_ending && !s->is_draining) || !post_is_idle(s->post))
		return;
	clear(s, true);
	if (s->is_draining)
		sink_drained(s->owner);
	else
		sink_link(s->owner, is_refused ? SINK_REFUSED : SINK_DOWN, &why);
}

static void
begin_ending(struct sink *s, bool is_refused, const struct err *why)
{
	post_stand(s->post);
	if (s->is_ending)
		return;
	s->is_ending = true;
	s->is_refused = is_refused;
	s->why = *why;
}

static void
on_probed(void *arg, enum lane_end end, const char *note, const struct err *err)
{
	struct sink *s = arg;
	struct err text = { 0 };

	if (end != LANE_ACCEPTED) {
		sink_link(s->owner, end == LANE_REFUSED ? SINK_REFUSED : SINK_DOWN, err);
		return;
	}
	s->is_up = true;
	post_go(s->post);
	(void)err_set(&text, ERR_NONE, "connected to %s", note);
	sink_link(s->owner, SINK_UP, &text);
}

/* ---- mails that ended -------------------------------------------------------------------- */

static uint64_t
suspicion(const struct letter *l)
{
	uint64_t what[2] = { str_hash(l->to, strlen(l->to)), l->legs[0].entry->event };

	return str_hash(what, sizeof(what));
}

/* A server that ends the connection at the same mail again does not like that mail. */
static bool
is_suspect(struct sink *s, const struct letter *l)
{
	uint64_t this = suspicion(l);

	for (size_t i = 0; i < SUSPECTS; i++) {
		if (s->suspects[i] == this)
			return true;
	}
	s->suspects[s->next_suspect++ % SUSPECTS] = this;
	return false;
}

static void
end_letter(struct sink *s, struct letter *l, enum leg_state state, const struct err *err)
{
	struct err why = { 0 };

	if (err != NULL) {
		why = *err;
		(void)err_wrap(&why, "%s", l->to);
	}
	for (size_t i = 0; i < l->n; i++)
		end_leg(s, &l->legs[i], state, err != NULL ? why.text : NULL);
	report_later(s);
}

static void
tell_ready(struct sink *s)
{
	if (!s->wants_ready || post_letters(s->post) > LETTERS_MAX / 2 ||
	    post_bytes(s->post) > BYTES_MAX / 2)
		return;
	s->wants_ready = false;
	sink_ready(s->owner);
}

static void
on_ended(void *arg, void *letter, enum lane_end end, const struct err *err)
{
	struct sink *s = arg;

	switch (end) {
	case LANE_ACCEPTED:
		end_letter(s, letter, LEG_DONE, NULL);
		break;
	case LANE_LATER:
		end_letter(s, letter, LEG_LATER, err);
		break;
	case LANE_NEVER:
		end_letter(s, letter, LEG_DEAD, err);
		break;
	case LANE_CUT:
		if (is_suspect(s, letter))
			end_letter(s, letter, LEG_LATER, err);
		else
			begin_ending(s, false, err);
		break;
	case LANE_DOWN:
	case LANE_REFUSED:
		begin_ending(s, end == LANE_REFUSED, err);
		break;
	}
	letter_free(letter);
	finish_ending(s);
	if (s->is_up && !s->is_ending)
		tell_ready(s);
}

/* ---- making mails ---------------------------------------------------------------------------- */

static size_t
rule_number(const struct sink *s, const struct smtp_rule *rule)
{
	return (size_t)(rule - s->conf->rules.v);
}

static void
mail_to(const struct sink *s, const struct smtp_rule *rule, const char *to, struct mail_to *out)
{
	*out = (struct mail_to){ .to = to, .rule = rule->name, .date = clock_wall(s->env->clock) };
}

static struct mail_item
item_of(struct sink *s, const struct event *ev)
{
	struct mail_item item = { .event = ev };

	item.zone = zones_find(&s->zones, ev->origin->time_zone, sink_log(s->owner));
	item.zone_name = item.zone != NULL ? ev->origin->time_zone : NULL;
	return item;
}

static void
send_alone(struct sink *s, const struct smtp_leg *to, const struct event *ev, struct entry *e,
    size_t leg)
{
	struct buf message = BUF_INIT(MAIL_MAX);
	struct letter_leg at = { e, leg };
	struct mail_item item = item_of(s, ev);
	struct letter *letter;
	struct mail_to who;
	struct err err;

	mail_to(s, to->rule, to->to, &who);
	if (!mail_write(&message, &s->styles[rule_number(s, to->rule)], &who, &item, &err)) {
		end_leg(s, &at, LEG_DEAD, err.text);
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

/* A bundle is complete; it is not called from inside send(). */
static void
on_bundle(void *arg, struct bundle *b)
{
	struct sink *s = arg;
	struct buf message = BUF_INIT(MAIL_MAX), period = BUF_INIT(100);
	struct letter *letter = b->letter;
	struct mail_to who;
	struct err err;

	b->letter = NULL;
	write_period(&period, b);
	mail_to(s, b->rule, letter->to, &who);
	if (mail_digest_write(&message, &s->styles[rule_number(s, b->rule)], &who, b->digest,
	    reason_of(b->why), buf_peek(&period).s, &err)) {
		post_add(s->post, b->customer, mail_address_bare(letter->to), &message, letter);
	} else {
		end_letter(s, letter, LEG_DEAD, &err);
		letter_free(letter);
		buf_release(&message);
	}
	buf_release(&period);
	bundle_free(b);
}

/* ---- taking entries ---------------------------------------------------------------------- */

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
	size_t i = rule_number(s, rule);

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
	size_t rule = rule_number(s, to->rule);
	struct leg *leg = &e->legs[i];
	struct mail_item mail;

	leg->address = to->address;
	ask_desk(s, p, to->rule, item, leg);
	switch (p->fate[rule]) {
	case DESK_SEND:
		send_alone(s, to, &item->event, e, i);
		break;
	case DESK_BUNDLE:
		mail = item_of(s, &item->event);
		bundles_add(&s->bundles, to, p->held[rule].why, &mail, e, i);
		break;
	case DESK_HOLD:
		leg->held = p->held[rule];
		end_leg(s, &(struct letter_leg){ e, i }, LEG_HELD, NULL);
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
	/* Held by one more, so that it does not end before all of its legs have begun. */
	e->open++;
	TAILQ_INSERT_TAIL(&s->entries, e, link);
	for (size_t i = 0; i < p.n; i++)
		begin_leg(s, &p, i, item, e);
	if (--e->open > 0)
		return;
	TAILQ_REMOVE(&s->entries, e, link);
	TAILQ_INSERT_TAIL(&s->complete, e, link);
	report_later(s);
}

/* So many of this customer wait that others would have to wait for them. */
static bool
is_crowded(const struct sink *s, const struct sink_item *item)
{
	return item->memo == NULL &&
	    post_of_customer(s->post, item->event.origin->customer) >= CUSTOMER_MAX;
}

static void
put_aside(struct sink *s, const struct sink_item *item)
{
	*(uint64_t *)fifo_push(&s->aside) = item->ticket;
	report_later(s);
}

static size_t
on_send(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t i;

	if (!s->is_up || s->is_ending || s->is_draining)
		return 0;
	for (i = 0; i < n; i++) {
		if (post_letters(s->post) >= LETTERS_MAX || post_bytes(s->post) >= BYTES_MAX)
			break;
		if (is_crowded(s, &items[i]))
			put_aside(s, &items[i]);
		else
			take(s, &items[i]);
	}
	s->wants_ready = i < n;
	return i;
}

/* ---- life --------------------------------------------------------------------------------- */

static void
on_start(struct sink *s)
{
	post_probe(s->post);
}

static void
on_drained_later(void *arg)
{
	finish_ending(arg);
}

static void
on_drain(struct sink *s)
{
	s->is_draining = true;
	post_stand(s->post);
	loop_defer(s->env->loop, on_drained_later, s);
}

static void
on_cancel(struct sink *s)
{
	clear(s, false);
	loop_forget(s->env->loop, on_drained_later, s);
}

static void
on_close(struct sink *s)
{
	if (s == NULL)
		return;
	on_cancel(s);
	post_free(s->post);
	desks_free(s->desks);
	told_release(&s->told);
	zones_release(&s->zones);
	for (size_t i = 0; i < MAIL_TEMPLATES; i++)
		mail_template_free(s->templates[i]);
	free(s->styles);
	free(s->host);
	free(s->from);
	free(s);
}

static void
make_styles(struct sink *s)
{
	const struct smtp_rules *rules = &s->conf->rules;

	free(s->styles);
	s->styles = xcalloc(rules->n, sizeof(*s->styles));
	for (size_t i = 0; i < rules->n; i++) {
		s->styles[i] = (struct mail_style){
			.from = s->conf->from, .list_id = s->conf->list_id,
			.without_organization = !rules->v[i].organization_name,
			.without_portal_link = !rules->v[i].portal_link,
			.with_device = rules->v[i].device_information,
			.subject = s->templates[MAIL_SUBJECT], .text = s->templates[MAIL_TEXT],
			.html = s->templates[MAIL_HTML],
			.digest_subject = s->templates[MAIL_DIGEST_SUBJECT],
			.digest_text = s->templates[MAIL_DIGEST_TEXT],
			.digest_html = s->templates[MAIL_DIGEST_HTML],
		};
	}
}

/* Passwords and certificates are read for each connection; what is left are templates. */
static void
on_refresh(struct sink *s)
{
	struct mail_template *now[MAIL_TEMPLATES];
	struct err err;

	if (!sink_smtp_templates(s->conf, now, &err)) {
		log_error(sink_log(s->owner), "%s; the templates read before stay in use", err.text);
		return;
	}
	for (size_t i = 0; i < MAIL_TEMPLATES; i++) {
		mail_template_free(s->templates[i]);
		s->templates[i] = now[i];
	}
	make_styles(s);
}

static struct sink *
on_open(const struct engine_env *env, struct sink_owner *owner, const char *name, const void *conf,
    struct err *err)
{
	static const struct post_user user = { .ended = on_ended, .probed = on_probed };
	struct sink *s = xcalloc(1, sizeof(*s));
	struct post_user mine = user;
	struct str from;

	(void)name;
	s->env = env;
	s->owner = owner;
	s->conf = conf;
	TAILQ_INIT(&s->entries);
	TAILQ_INIT(&s->complete);
	fifo_init(&s->aside, sizeof(uint64_t));
	if (!sink_smtp_templates(s->conf, s->templates, err) ||
	    !sink_smtp_server(s->conf, env->hostname, &s->lane_opts, &s->host, err)) {
		free(s);
		return NULL;
	}
	from = mail_address_bare(s->conf->from);
	s->from = xstrndup(from.s, from.n);
	mine.arg = s;
	make_styles(s);
	s->desks = desks_new();
	bundles_init(&s->bundles, env, on_bundle, s);
	s->post = post_new(env, &s->lane_opts, (size_t)s->conf->connections, s->from, &mine);
	return s;
}

const struct sink_kind sink_smtp = {
	.name = "smtp",
	.help = "Mail to people: who gets one about what is said by rules.",
	.opts = sink_smtp_options,
	.conf_size = sizeof(struct sink_smtp_conf),
	.default_kinds = (1u << KIND_COUNT) - 1 - (1u << KIND_CANARY),
	.read = sink_smtp_read,
	.wants = sink_smtp_wants,
	.check = sink_smtp_check,
	.check_origin = sink_smtp_check_origin,
	.open = on_open,
	.start = on_start,
	.send = on_send,
	.drain = on_drain,
	.cancel = on_cancel,
	.refresh = on_refresh,
	.close = on_close,
	.held = sink_smtp_held,
	.cancel_held = sink_smtp_cancel_held,
};
