/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/intake/graph.h"
#include "daemon/intake/page.h"
#include "daemon/intake/poller.h"
#include "lib/base/alloc.h"
#include "lib/policy/link.h"

#define SLOW_MS 5000
/* With less of an answer after so long, its page holds no room that others could use. */
#define LATE_MS    1000
#define LATE_BYTES 4096
/* Then it has nothing of its place left that others wait for. */
#define HANG_MS 4000
#define SLICES_MAX 10000
#define PACKED_MAX ((size_t)1 << 20)
#define PACKED_PART 6 /* of the body: about */
#define URL_MAX    (LINK_MAX + 1024)

/* ---- the reader and its next request ------------------------------------------- */

/*
 * The memory of a stream begins at its first start, by the server's clock; by ours where that
 * is behind it, because what a wrong Date put in the future would never be read.
 */
static void
begin_stream(struct poller *p)
{
	int64_t now = clock_wall(p->in->env->clock), server_now = poller_server_now(p);

	if (p->begin == TICKS_NONE)
		p->begin =
		    (now < server_now ? now : server_now) - ticks_from_ms(p->t->first_lookback_ms);
	if (p->routing == NULL)
		p->routing = 
		    routing_new(p->in->journal, p->settings, p->t, p->s, p->begin);
}

static bool
open_reader(struct poller *p)
{
	struct reader *r = p->r;
	struct paging_bounds b;

	if (r->is_open)
		return true;
	if (!reader_bounds(p, r, &b))
		return false;
	paging_begin(&r->paging, &r->habits, &b);
	r->is_open = true;
	r->opened = p->asked;
	r->new_pages = 0;
	r->is_held = false;
	if (r->span_ms == 0) {
		p->figures.polls++;
		window_begins(&p->window, b.from);
	}
	return true;
}

static void
forget_bearer(struct poller *p)
{
	if (p->bearer != NULL)
		explicit_bzero(p->bearer, strlen(p->bearer));
	free(p->bearer);
	p->bearer = NULL;
}

static void
forget_split(struct poller *p)
{
	if (p->is_splitting)
		split_release(&p->split);
	p->is_splitting = false;
	spares_take(p->in->bodies, &p->packed);
}

/* The request is over; what its page holds was handed over or is nothing. */
static void
leave(struct poller *p)
{
	scheduler_hand_over(&p->in->scheduler, &p->place, 0);
	scheduler_leave(&p->in->scheduler, &p->place);
}

/* ---- what an answer means ---------------------------------------------------------- */

static void
on_fault(struct poller *p, enum paging_fault fault, const struct err *why)
{
	static const enum poller_told told[] = { [PAGING_TOO_LARGE] = TOLD_LARGE,
		[PAGING_ORDER_REFUSED] = TOLD_ORDER,
		[PAGING_REFUSED] = TOLD_REFUSED };
	struct paging_step step;
	struct reader *r = p->r;

	paging_fault(&r->paging, fault, &step);
	if (step.what == PAGING_FAILED) {
		poller_trouble(p, TENANT_GARBLED, -1, "%s: %s", step.err.text, why->text);
		poller_abandon(p);
		return;
	}
	if (poller_tells(p, told[fault]))
		log_info(&p->s->log,
		    "%s; asking otherwise, and not telling again top=%u skip=%u orderby=%d%s",
		    why->text, r->paging.ask.top, r->paging.ask.skip, r->paging.ask.with_order,
		    buf_peek(&p->answer).s);
	if (step.gap_why != NULL)
		r->gap = (struct journal_gap){ r->gap.why != NULL ? r->gap.from : step.gap_from,
			step.gap_to, step.gap_why };
	poller_again(p, 0);
}

static void
on_unauthorized(struct poller *p, const struct err *why)
{
	token_reject(p->in->tokens, p->t, p->s->kind->api, p->bearer);
	if (!p->is_renewed) {
		p->is_renewed = true;
		log_info(&p->s->log, "%s; asking with a new token%s", why->text,
		    buf_peek(&p->answer).s);
		poller_again(p, 0);
		return;
	}
	p->is_renewed = false;
	poller_trouble(p, TENANT_REFUSED, -1,
	    "the API refuses a fresh token: %s; "
	    "check the app registration of app %s",
	    why->text, p->t->app->name);
}

static void
on_forbidden(struct poller *p, const struct err *why)
{
	struct buf role = BUF_INIT(256);

	/* The token may be older than what the customer changed: only a new one says which it is. */
	token_forget(p->in->tokens, p->t, p->s->kind->api, p->bearer);
	if (p->has_role && !p->is_renewed && p->state != TENANT_NO_LICENCE) {
		p->is_renewed = true;
		poller_again(p, 0);
		return;
	}
	p->is_renewed = false;
	buf_printf(&role,
	    "the token has no role %s: grant that application permission "
	    "to the app and have the customer's administrator consent to it",
	    p->s->kind->role);
	poller_trouble(p, state_of_forbidden(p->has_role, poller_was_read(p)), -1, "%s; %s",
	    why->text,
	    p->has_role
		? "the customer needs a licence for Microsoft Defender, or took the consent back"
		: buf_peek(&role).s);
	buf_release(&role);
}

static void
on_no_page(struct poller *p, enum graph_answer answer, const struct fetch_reply *reply,
    const struct err *why)
{
	struct paging_step ignored;

	switch (answer) {
	case GRAPH_PAGE:
		BUG("a page is no trouble");
	case GRAPH_TOO_LARGE:
		on_fault(p, PAGING_TOO_LARGE, why);
		break;
	case GRAPH_ORDER_REFUSED:
		on_fault(p, PAGING_ORDER_REFUSED, why);
		break;
	case GRAPH_BAD_REQUEST:
		on_fault(p, PAGING_REFUSED, why);
		break;
	case GRAPH_UNAUTHORIZED:
		on_unauthorized(p, why);
		break;
	case GRAPH_FORBIDDEN:
		on_forbidden(p, why);
		break;
	case GRAPH_THROTTLED:
		p->figures.throttled++;
		poller_trouble(p, TENANT_THROTTLED, reply->retry_after_ms, "%s", why->text);
		break;
	case GRAPH_BROKEN:
		paging_fault(&p->r->paging, PAGING_BROKEN, &ignored);
		poller_trouble(p, TENANT_UNREACHABLE, reply->retry_after_ms, "%s", why->text);
		break;
	case GRAPH_DOWN:
		p->is_fresh = reply->status == 503 || reply->status == 0;
		poller_trouble(p, TENANT_UNREACHABLE, reply->retry_after_ms, "%s", why->text);
		break;
	case GRAPH_ODD:
		poller_trouble(p, TENANT_GARBLED, reply->retry_after_ms, "%s", why->text);
		/* A link that is too old is answered so for ever: a new read has new ones. */
		if (reply->status >= 400 && p->r->paging.ask.mode == PAGING_LINK)
			poller_abandon(p);
		break;
	}
}

static void
on_page(struct poller *p)
{
	struct paging_step ignored;
	struct split_page page;
	bool is_too_big;
	struct err err;

	p->is_splitting = false;
	if (!split_finish(&p->split, &page, &err)) {
		is_too_big = p->split.fault == SPLIT_TOO_BIG;
		spares_take(p->in->bodies, &p->packed);
		leave(p);
		if (is_too_big) {
			on_fault(p, PAGING_TOO_LARGE, &err);
			return;
		}
		paging_fault(&p->r->paging, PAGING_BROKEN, &ignored);
		poller_trouble(
		    p, TENANT_GARBLED, -1, "HTTP 200 with a body that is no page: %s", err.text);
		return;
	}
	scheduler_leave(&p->in->scheduler, &p->place);
	page_start(p, &page);
}

/* What Microsoft's support asks for; goes with whatever is logged of this answer. */
static void
note_answer(struct poller *p, const struct fetch_reply *reply)
{
	buf_printf(&p->answer, " status=%d request-id=%s client-request-id=%s took=%" PRId64 "ms",
	    reply->status, reply->request_id, p->request_id, reply->took_ms);
}

/* A request that was stopped because the splitter had enough is what its head says. */
static enum graph_answer
judge_answer(
    const struct poller *p, const struct fetch_reply *reply, struct str body, struct err *why)
{
	struct fetch_reply seen = *reply;
	enum graph_answer answer;

	if (p->split.fault == SPLIT_TOO_BIG)
		return GRAPH_PAGE;
	if (p->split.fault == SPLIT_BROKEN)
		seen.is_too_large = false;
	answer = graph_judge(&seen, body, &p->r->paging.ask, why);
	if (answer == GRAPH_DOWN && p->split.page.body.n != 0)
		return GRAPH_BROKEN;
	return answer;
}

static void
fetch_on_done(void *arg, const struct fetch_reply *reply, struct str body)
{
	struct err why = { .kind = ERR_NONE };
	struct poller *p = arg;
	enum graph_answer answer;

	p->fetch = NULL;
	poller_learn_date(p, reply->server_date);
	poller_compare_clocks(p, reply->server_date, reply->took_ms);
	p->place.is_slow = reply->took_ms > SLOW_MS;
	if (p->is_postponed) {
		p->is_postponed = false;
		forget_split(p);
		leave(p);
		poller_again(p, 0);
		return;
	}
	answer = judge_answer(p, reply, body, &why);
	note_answer(p, reply);
	if (answer == GRAPH_PAGE) {
		on_page(p);
	} else {
		forget_split(p);
		leave(p);
		on_no_page(p, answer, reply, &why);
	}
	buf_clear(&p->answer);
	forget_bearer(p);
}

static struct buf *
fetch_on_body(void *arg)
{
	struct poller *p = arg;

	spares_lend(p->in->bodies, &p->split.page.body, p->place.expected);
	return &p->split.page.body;
}

/* One that is larger than that is none to keep. */
static void
fetch_on_packed(void *arg, struct str piece)
{
	struct poller *p = arg;

	/* In one piece: what grows leaves holes behind, as large as many small things. */
	if (p->packed.n == 0)
		spares_lend(p->in->bodies, &p->packed, p->place.expected / PACKED_PART);
	buf_str(&p->packed, piece);
}

/* Where pages altogether become too much for memory, this one is read later. */
static bool
fetch_on_more(void *arg)
{
	struct poller *p = arg;
	size_t size = p->split.page.body.n + p->packed.n;

	if (!scheduler_grow(&p->in->scheduler, &p->place, size)) {
		p->is_postponed = true;
		p->place.expected = size * 2;
		return false;
	}
	return split_go_on(&p->split);
}

/* ---- asking -------------------------------------------------------------------------- */

static void
send_request(struct poller *p)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct reader *r = p->r;
	size_t max_body = (size_t)p->settings->max_body;

	if (r->paging.ask.mode == PAGING_LINK)
		buf_puts(&url, r->link);
	else if (listing_is_at_it(p))
		listing_url(p, &url);
	else
		graph_url(&url, p->t->app, p->s->kind, &r->paging.ask);
	split_init(&p->split, max_body, SLICES_MAX);
	buf_init(&p->packed, PACKED_MAX);
	p->is_splitting = true;
	graph_request_id(p->request_id);
	p->fetch = fetch_start(p->in->fetcher, &(struct fetch_req){ .url = url.p,
						   .bearer = p->bearer,
						   .prefer = api_kinds[p->s->kind->api].prefer,
						   .client_request_id = p->request_id,
						   .ca_file = p->t->app->ca_file,
						   .proxy = &p->t->app->proxy,
						   .is_fresh = p->is_fresh,
						   .timeout_ms = p->settings->request_timeout_ms,
						   .max_body = max_body,
						   .on_body = fetch_on_body,
						   .on_packed = fetch_on_packed,
						   .on_more = fetch_on_more,
						   .on_done = fetch_on_done,
						   .arg = p });
	buf_release(&url);
}

/* It was followed when it came, and a reload has changed since where the API is: the read begins
 * anew there. */
static bool
is_link_stale(const struct poller *p)
{
	struct buf root = BUF_INIT(URL_MAX);
	struct err err;
	bool is_allowed;

	if (p->r->paging.ask.mode != PAGING_LINK || p->r->link == NULL)
		return false;
	graph_root(&root, p->t->app, p->s->kind->api);
	is_allowed = link_is_allowed(root.p, p->r->link, &err);
	buf_release(&root);
	return !is_allowed;
}

static void
token_on_reply(void *arg, const struct token_reply *reply)
{
	struct paging_step done = { .what = PAGING_DONE, .cursor = TICKS_NONE };
	struct poller *p = arg;

	p->wait = NULL;
	if (!p->has_skew)
		poller_learn_date(p, reply->server_date);
	if (reply->trouble != TOKEN_OK) {
		leave(p);
		poller_trouble(p, state_of_token(reply->trouble, poller_was_read(p)),
		    reply->retry_after_ms, "%s", reply->err.text);
		return;
	}
	if (poller_is_told_to_wait(p)) {
		leave(p);
		poller_again(p, 0);
		return;
	}
	forget_bearer(p);
	p->bearer = xstrdup(reply->bearer);
	p->has_role = (reply->roles & p->s->kind->may) != 0;
	begin_stream(p);
	if (!open_reader(p)) {
		leave(p);
		poller_go_on(p, &done);
		return;
	}
	if (is_link_stale(p)) {
		leave(p);
		poller_abandon(p);
		poller_again(p, 0);
		return;
	}
	if (p->r->paging.ask.mode == PAGING_LINK && p->r->link == NULL) {
		leave(p);
		poller_trouble(p, TENANT_GARBLED, -1,
		    "the next page can only be reached by a link that is not followed");
		poller_abandon(p);
		return;
	}
	send_request(p);
}

void
request_start(struct place *place)
{
	struct poller *p = (struct poller *)((char *)place - offsetof(struct poller, place));
	int64_t late = poller_mono(p) - p->slot;

	if (p->r->span_ms == 0 && !p->r->is_open && late > p->figures.max_late_ms)
		p->figures.max_late_ms = late;
	p->at = POLLER_ASKING;
	p->is_outdated = false;
	p->asked = poller_mono(p);
	timer_set(p->in->env->timers, &p->timer, LATE_MS);
	p->wait = token_get(p->in->tokens, p->settings, p->t, p->s->kind->api, token_on_reply, p);
}

/*
 * Servers that hang must not hold, with pages that never come, the room of all others;
 * nor, when many begin to hang at the same moment, all the places until they time out.
 */
void
request_is_late(struct poller *p)
{
	size_t n = p->is_splitting ? p->split.page.body.n : 0;

	if (n >= LATE_BYTES)
		return;
	scheduler_shrink(&p->in->scheduler, &p->place, n);
	if (poller_mono(p) - p->asked >= HANG_MS &&
	    !scheduler_keeps_slow(&p->in->scheduler, &p->place)) {
		log_debug(&p->s->log, "no answer yet, and others wait; asked again in turn");
		request_cancel(p);
		poller_again(p, 0);
		return;
	}
	timer_set(p->in->env->timers, &p->timer, LATE_MS);
}

/* A link that may not be followed is kept as absent: paging may not need it. */
void
request_keep_link(struct poller *p, const char *link)
{
	struct buf root = BUF_INIT(URL_MAX);
	struct err err;

	free(p->r->link);
	p->r->link = NULL;
	if (link == NULL)
		return;
	graph_root(&root, p->t->app, p->s->kind->api);
	if (link_is_allowed(root.p, link, &err))
		p->r->link = xstrdup(link);
	else if (poller_tells(p, TOLD_LINK))
		log_error(&p->s->log,
		    "links to the next page are not followed, the token goes nowhere "
		    "else: %s",
		    err.text);
	buf_release(&root);
}

void
request_cancel(struct poller *p)
{
	if (p->wait != NULL)
		token_cancel(p->wait);
	if (p->fetch != NULL)
		fetch_cancel(p->fetch);
	p->wait = NULL;
	p->fetch = NULL;
	forget_split(p);
	forget_bearer(p);
	if (p->place.is_out)
		scheduler_hand_over(&p->in->scheduler, &p->place, 0);
	scheduler_leave(&p->in->scheduler, &p->place);
}
