/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <event2/http.h>

#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/mde.h"
#include "tests/fake_graph/page.h"
#include "tests/fake_graph/reply.h"
#include "tests/fake_graph/server.h"

/*
 * Defender for Endpoint: GET /mde/api/alerts. Endpoint alerts only, in its own
 * words; $skip without an end, no $orderby, and no link to a next page. Its tokens
 * are its own, and so are its limits, by the minute and by the hour.
 */
#define MAX_PAGE  (512u << 20)
#define MAX_ALERT (16u << 20)
#define MAX_LINK  65536
#define HOUR_MS   3600000

/* Seconds to wait, or 0. */
static int64_t
over(struct meter *m, int64_t span_ms, unsigned most)
{
	int64_t now = mono_ms();

	if (most == 0)
		return 0;
	if (now - m->since_ms >= span_ms) {
		m->since_ms = now;
		m->n = 0;
	}
	if (++m->n <= most)
		return 0;
	return (span_ms - (now - m->since_ms)) / 1000 + 1;
}

static int64_t
over_limit(const struct server *s, struct tenant *t)
{
	int64_t minute = over(&t->mde_minute, 60000, (unsigned)s->opt->mde_per_minute);
	int64_t hour = over(&t->mde_hour, HOUR_MS, (unsigned)s->opt->mde_per_hour);

	t->counters.limited += minute > 0 || hour > 0;
	return minute > hour ? minute : hour;
}

static void
put_alerts(struct buf *b, const struct page *page, const struct query *q, const struct bend *bend)
{
	struct buf alert = BUF_INIT(MAX_ALERT);

	buf_byte(b, '[');
	for (size_t i = 0; i < page->n; i++) {
		buf_clear(&alert);
		mde_render(&alert, page->v[i]->alert, &page->v[i]->facts, q->wants_evidence);
		j_comma(b);
		page_put_bent(b, buf_peek(&alert), "aadTenantId", i, bend);
	}
	buf_byte(b, ']');
	buf_release(&alert);
}

/* A link is only ever a fault's, and so is followed by nobody. */
static void
answer_list(struct ask *a, const struct query *q)
{
	struct buf b = BUF_INIT(MAX_PAGE), link = BUF_INIT(MAX_LINK), tenant_id = BUF_INIT(64);
	struct bend bend;
	struct page page;

	ask_bend(&bend, &link, &tenant_id, a);
	page_select(&page, a->tenant, q);
	buf_byte(&b, '{');
	j_key(&b, "@odata.context");
	buf_printf(&b, "\"%s/mde/api/$metadata#Alerts\"", a->server->url);
	if (bend.next != NULL)
		j_strs(&b, "@odata.nextLink", bend.next);
	j_key(&b, "value");
	put_alerts(&b, &page, q, &bend);
	buf_byte(&b, '}');
	a->tenant->counters.pages++;
	reply_json(a, 200, buf_peek(&b));
	page_release(&page);
	buf_release(&b);
	buf_release(&link);
	buf_release(&tenant_id);
}

static void
mde_go_on(struct ask *a)
{
	struct policy policy = a->server->policies[a->tenant->index - 1];
	int64_t wait = over_limit(a->server, a->tenant);
	struct err err = { 0 };
	struct query q;
	char text[24];

	world_catch_up(&a->server->world, wall_ms());
	if (a->plan.answer != NULL) {
		reply_fault(a, FAULT_GRAPH);
		return;
	}
	if (wait > 0) {
		snprintf(text, sizeof(text), "%lld", (long long)wait);
		reply_header(a, "Retry-After", text);
		reply_graph_error(a, 429, "TooManyRequests", "Too many requests.");
		return;
	}
	policy.is_mde = true;
	if (query_parse(&q, a->query, &policy, &err))
		answer_list(a, &q);
	else
		reply_graph_error(a, 400, "ODataError", err.text);
	query_release(&q);
}

void
mde_ask(struct ask *a)
{
	struct token_claims c;

	if (!ask_authenticate(a, &c))
		return;
	a->tenant->counters.mde_requests++;
	if (!c.is_mde)
		reply_unauthorized(a, "The token's audience is another one.", false);
	else if (!c.has_role)
		reply_graph_error(a, 403, "Forbidden",
		    "Missing application roles. API required roles: Alert.Read.All.");
	else
		ask_plan(a, FAULT_GRAPH, mde_go_on);
}
