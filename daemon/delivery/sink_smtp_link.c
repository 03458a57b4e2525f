/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_parts.h"

void
smtp_finish_ending(struct sink *s)
{
	bool is_refused = s->is_refused;
	struct err why = s->why;

	if ((!s->is_ending && !s->is_draining) || !post_is_idle(s->post))
		return;
	smtp_clear(s, true);
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

void
smtp_on_probed(void *arg, enum lane_end end, const char *note, const struct err *err)
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

	for (size_t i = 0; i < SMTP_SUSPECTS; i++) {
		if (s->suspects[i] == this)
			return true;
	}
	s->suspects[s->next_suspect++ % SMTP_SUSPECTS] = this;
	return false;
}

void
smtp_on_ended(void *arg, void *letter, enum lane_end end, const struct err *err)
{
	struct sink *s = arg;

	switch (end) {
	case LANE_ACCEPTED:
		smtp_end_letter(s, letter, LEG_DONE, NULL);
		break;
	case LANE_LATER:
		smtp_end_letter(s, letter, LEG_LATER, err);
		break;
	case LANE_NEVER:
		smtp_end_letter(s, letter, LEG_DEAD, err);
		break;
	case LANE_CUT:
		if (is_suspect(s, letter))
			smtp_end_letter(s, letter, LEG_LATER, err);
		else
			begin_ending(s, false, err);
		break;
	case LANE_DOWN:
	case LANE_REFUSED:
		begin_ending(s, end == LANE_REFUSED, err);
		break;
	}
	letter_free(letter);
	smtp_finish_ending(s);
	if (s->is_up && !s->is_ending)
		smtp_tell_ready(s);
}
