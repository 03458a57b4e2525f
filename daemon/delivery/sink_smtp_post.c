/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_post.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "lib/base/alloc.h"

struct mail {
	TAILQ_ENTRY(mail) link;
	char *to;
	struct buf message;
	void *letter;
};
TAILQ_HEAD(mails, mail);

/* What waits of one customer. It is there as long as something does. */
struct pile {
	TAILQ_ENTRY(pile) link;
	char *customer;
	struct mails mails;
	size_t n;
};

struct post {
	const char *from;
	struct post_user user;
	struct lane **lanes;
	struct mail **under_way; /* by lane; NULL: idle */
	size_t nlanes, nbusy;
	bool is_going, is_probing;
	TAILQ_HEAD(, pile) piles; /* the first one's turn is next */
	size_t letters, bytes;
};

static void
mail_free(struct post *p, struct mail *m)
{
	p->letters--;
	p->bytes -= m->message.n;
	buf_release(&m->message);
	free(m->to);
	free(m);
}

static struct pile *
find_pile(const struct post *p, const char *customer)
{
	struct pile *pile;

	TAILQ_FOREACH(pile, &p->piles, link) {
		if (strcmp(pile->customer, customer) == 0)
			return pile;
	}
	return NULL;
}

static void
pile_free(struct post *p, struct pile *pile)
{
	TAILQ_REMOVE(&p->piles, pile, link);
	free(pile->customer);
	free(pile);
}

static bool
is_under_way(const struct post *p, const char *to)
{
	for (size_t i = 0; i < p->nlanes; i++) {
		if (p->under_way[i] != NULL && strcmp(p->under_way[i]->to, to) == 0)
			return true;
	}
	return false;
}

static struct mail *
first_of(const struct post *p, const struct pile *pile, bool is_last_lane)
{
	struct mail *m;

	TAILQ_FOREACH(m, &pile->mails, link) {
		if (!is_last_lane || !is_under_way(p, m->to))
			return m;
	}
	return NULL;
}

/*
 * Of the customer whose turn it is, which then is the last. The last lane is for recipients
 * that have no other: one for whom the server takes its time would have them all.
 */
static struct mail *
next_mail(struct post *p, bool is_last_lane)
{
	struct mail *m = NULL;
	struct pile *pile;

	TAILQ_FOREACH(pile, &p->piles, link) {
		m = first_of(p, pile, is_last_lane);
		if (m != NULL)
			break;
	}
	if (m == NULL)
		return NULL;
	TAILQ_REMOVE(&pile->mails, m, link);
	pile->n--;
	if (TAILQ_EMPTY(&pile->mails)) {
		pile_free(p, pile);
		return m;
	}
	TAILQ_REMOVE(&p->piles, pile, link);
	TAILQ_INSERT_TAIL(&p->piles, pile, link);
	return m;
}

static void
fill_lanes(struct post *p)
{
	struct mail *m;

	for (size_t i = 0; i < p->nlanes && p->is_going; i++) {
		if (p->under_way[i] != NULL)
			continue;
		m = next_mail(p, p->nbusy + 1 == p->nlanes);
		if (m == NULL)
			return;
		p->under_way[i] = m;
		p->nbusy++;
		lane_send(p->lanes[i], p->from, m->to, buf_peek(&m->message));
	}
}

static void
post_on_end(void *arg, struct lane *l, enum lane_end end, const char *note, const struct err *err)
{
	struct post *p = arg;
	struct mail *m;
	void *letter;
	size_t i = 0;

	if (p->is_probing) {
		p->is_probing = false;
		p->user.probed(p->user.arg, end, note, err);
		return;
	}
	while (p->lanes[i] != l)
		i++;
	m = p->under_way[i];
	letter = m->letter;
	p->under_way[i] = NULL;
	p->nbusy--;
	mail_free(p, m);
	p->user.ended(p->user.arg, letter, end, err);
	fill_lanes(p);
}

/* ---- calls ------------------------------------------------------------------------ */

void
post_probe(struct post *p)
{
	BUG_IF(p->nbusy != 0 || p->is_going || p->is_probing);
	p->is_probing = true;
	lane_probe(p->lanes[0]);
}

void
post_go(struct post *p)
{
	p->is_going = true;
	fill_lanes(p);
}

void
post_stand(struct post *p)
{
	p->is_going = false;
}

void
post_add(struct post *p, const char *customer, struct str to, struct buf *message, void *letter)
{
	struct mail *m = xcalloc(1, sizeof(*m));
	struct pile *pile = find_pile(p, customer);

	if (pile == NULL) {
		pile = xcalloc(1, sizeof(*pile));
		pile->customer = xstrdup(customer);
		TAILQ_INIT(&pile->mails);
		TAILQ_INSERT_TAIL(&p->piles, pile, link);
	}
	m->to = xstrndup(to.s, to.n);
	m->letter = letter;
	buf_fit(message);
	m->message = *message;
	buf_init(message, message->max);
	TAILQ_INSERT_TAIL(&pile->mails, m, link);
	pile->n++;
	p->letters++;
	p->bytes += m->message.n;
	fill_lanes(p);
}

bool
post_is_idle(const struct post *p)
{
	return p->nbusy == 0;
}

size_t
post_letters(const struct post *p)
{
	return p->letters;
}

size_t
post_bytes(const struct post *p)
{
	return p->bytes;
}

size_t
post_of_customer(const struct post *p, const char *customer)
{
	const struct pile *pile = find_pile(p, customer);

	return pile != NULL ? pile->n : 0;
}

static void
forget_mail(struct post *p, struct mail *m, void (*forget)(void *letter))
{
	forget(m->letter);
	mail_free(p, m);
}

void
post_clear(struct post *p, void (*forget)(void *letter))
{
	struct mail *m;

	p->is_going = p->is_probing = false;
	for (size_t i = 0; i < p->nlanes; i++) {
		if (lane_is_busy(p->lanes[i]))
			lane_cancel(p->lanes[i]);
		if (p->under_way[i] != NULL)
			forget_mail(p, p->under_way[i], forget);
		p->under_way[i] = NULL;
	}
	p->nbusy = 0;
	for (m = next_mail(p, false); m != NULL; m = next_mail(p, false))
		forget_mail(p, m, forget);
}

struct post *
post_new(const struct engine_env *env, const struct lane_opts *opts, size_t nlanes,
    const char *from, const struct post_user *user)
{
	struct post *p = xcalloc(1, sizeof(*p));

	p->from = from;
	p->user = *user;
	p->nlanes = nlanes;
	p->lanes = xcalloc(nlanes, sizeof(struct lane *));
	p->under_way = xcalloc(nlanes, sizeof(struct mail *));
	for (size_t i = 0; i < nlanes; i++)
		p->lanes[i] = lane_new(env, opts, post_on_end, p);
	TAILQ_INIT(&p->piles);
	return p;
}

void
post_free(struct post *p)
{
	if (p == NULL)
		return;
	BUG_IF(p->letters != 0);
	for (size_t i = 0; i < p->nlanes; i++)
		lane_free(p->lanes[i]);
	free(p->lanes);
	free(p->under_way);
	free(p);
}
