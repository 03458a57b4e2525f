/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/page.h"

#define MAX_LINK (64 * 1024)

/* Indexes of the order from first on, step by step, until end. */
struct walk {
	const struct order *o;
	size_t at, left;
	int step;
};

static struct walk
walk_start(const struct order *o, const struct query *q)
{
	int64_t lo, hi;
	size_t from, to;

	query_bounds(q, &lo, &hi);
	from = order_seek(o, lo, 0);
	to = hi == INT64_MAX ? o->n : order_seek(o, hi + 1, 0);
	if (q->has_place && !q->is_descending) {
		size_t next =
		    order_seek(o, q->place.stamp, q->place.tie + (q->place.tie != UINT64_MAX));

		from = next > from ? next : from;
	} else if (q->has_place) {
		size_t next = order_seek(o, q->place.stamp, q->place.tie);

		to = next < to ? next : to;
	}
	if (to < from)
		to = from;
	return (struct walk){ o, q->is_descending ? to - 1 : from, to - from,
		q->is_descending ? -1 : 1 };
}

static struct version *
walk_next(struct walk *w)
{
	struct version *v;

	if (w->left == 0)
		return NULL;
	v = w->o->v[w->at]->shown;
	w->at += (size_t)w->step;
	w->left--;
	return v;
}

void
page_select(struct page *p, const struct tenant *t, const struct query *q)
{
	struct walk w = walk_start(q->by_created ? &t->by_created : &t->by_updated, q);
	size_t skip = q->has_place ? 0 : q->skip;
	struct version *v;

	*p = (struct page){ .v = xmalloc((q->top + 1) * sizeof(struct version *)) };
	for (v = walk_next(&w); v != NULL; v = walk_next(&w)) {
		if (!query_matches(q, v))
			continue;
		if (skip > 0) {
			skip--;
		} else if (p->n < q->top) {
			p->v[p->n++] = v;
		} else {
			p->has_more = true;
			break;
		}
	}
	if (!q->wants_count)
		return;
	for (w = walk_start(w.o, q), v = walk_next(&w); v != NULL; v = walk_next(&w))
		p->total += query_matches(q, v);
}

void
page_release(struct page *p)
{
	free(p->v);
}

/* The request's own parameters again, without those that say where it was. */
static void
put_parameters(struct buf *b, struct str query)
{
	static const char *const places[] = {
		"$skip=", "%24skip=", "$skiptoken=", "%24skiptoken="
	};

	while (query.n > 0) {
		const char *amp = memchr(query.s, '&', query.n);
		struct str pair = { query.s, amp != NULL ? (size_t)(amp - query.s) : query.n };
		bool is_place = false;

		for (size_t i = 0; i < ARRAY_LEN(places); i++)
			is_place |= str_starts(pair, places[i]);
		if (!is_place) {
			buf_str(b, pair);
			buf_byte(b, '&');
		}
		query.s += pair.n + (amp != NULL);
		query.n -= pair.n + (amp != NULL);
	}
}

static void
put_place(struct buf *b, const struct page *p, const struct query *q, const struct page_view *view)
{
	struct place at = { q->is_descending ? INT64_MAX : INT64_MIN, 0 };

	if (view->paging == PAGING_SKIP) {
		buf_printf(b, "$skip=%zu", q->skip + p->n);
		return;
	}
	if (p->n > 0 && (q->has_place || !view->bend->is_empty)) {
		const struct version *last = p->v[p->n - 1];

		at.stamp = q->by_created ? last->alert->created : last->facts.updated;
		at.tie = last->alert->tie;
	}
	buf_printf(b, "$skiptoken=v1_%lld_%llx", (long long)at.stamp, (unsigned long long)at.tie);
}

static void
put_next(struct buf *b, const struct page *p, const struct query *q, const struct page_view *view)
{
	struct buf link = BUF_INIT(MAX_LINK);
	bool is_empty = view->bend->is_empty && !q->has_place;

	if (view->bend->next != NULL) {
		buf_puts(&link, view->bend->next);
	} else if ((p->has_more || is_empty) && view->paging != PAGING_NONE) {
		buf_printf(&link, "%s%s?", view->url, view->path);
		put_parameters(&link, view->query);
		put_place(&link, p, q, view);
	}
	if (link.n > 0) {
		j_key(b, "@odata.nextLink");
		j_text(b, buf_peek(&link));
	}
	buf_release(&link);
}

/* The alert with another tenantId than its own. */
static void
put_foreign(struct buf *b, struct str body, const char *tenant_key, const char *tenant_id)
{
	struct buf key = BUF_INIT(64);
	const char *at;
	size_t head = body.n;

	buf_printf(&key, "\"%s\":", tenant_key);
	at = memmem(body.s, body.n, key.p, key.n);
	if (at != NULL)
		head = (size_t)(at - body.s) + key.n;
	buf_release(&key);

	buf_add(b, body.s, head);
	if (at == NULL)
		return;
	buf_puts(b, tenant_id);
	head += 38; /* the quoted GUID */
	buf_add(b, body.s + head, body.n - head);
}

/* Room for a padding member before the last brace. */
static void
put_fat(struct buf *b, size_t n)
{
	if (n == 0 || b->n == 0 || b->p[b->n - 1] != '}' || !buf_room(b, n + 32))
		return;
	buf_cut(b, b->n - 1);
	j_key(b, "padding");
	buf_byte(b, '"');
	memset(b->p + b->n, 'x', n);
	b->n += n;
	buf_puts(b, "\"}");
}

void
page_put_bent(
    struct buf *b, struct str body, const char *tenant_key, size_t i, const struct bend *bend)
{
	if (bend->tenant_id != NULL && (i == 0 || !bend->only_first))
		put_foreign(b, body, tenant_key, bend->tenant_id);
	else
		buf_str(b, body);
	put_fat(b, bend->fat);
}

static void
put_alert(struct buf *b, const struct version *v, size_t i, const struct page_view *view)
{
	struct buf older = BUF_INIT(b->max);
	struct str body = { v->body, v->len };

	if (!view->has_newer_enums) {
		corpus_render(&older, v->alert, &v->facts, false, view->is_bench);
		body = buf_peek(&older);
	}
	page_put_bent(b, body, "tenantId", i, view->bend);
	buf_release(&older);
}

void
page_render(
    struct buf *b, const struct page *p, const struct query *q, const struct page_view *view)
{
	bool is_empty = view->bend->is_empty && !q->has_place;

	buf_byte(b, '{');
	j_key(b, "@odata.context");
	buf_printf(b, "\"%s/v1.0/$metadata#security/%s\"", view->url, view->list);
	if (q->wants_count)
		j_int(b, "@odata.count", (int64_t)p->total);
	if (view->link_first)
		put_next(b, p, q, view);
	j_key(b, "value");
	buf_byte(b, '[');
	for (size_t i = 0; i < p->n && !is_empty; i++) {
		if (i != 0)
			buf_byte(b, ',');
		put_alert(b, p->v[i], i, view);
	}
	buf_byte(b, ']');
	if (!view->link_first)
		put_next(b, p, q, view);
	buf_byte(b, '}');
}
