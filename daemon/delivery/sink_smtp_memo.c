/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_memo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "t3 d00ff hRULE:p:since:due cRULE x…": parts by blanks; the reason is the last, to the end. */

static bool
read_hex(const char **p, uint64_t *v)
{
	char *end;

	*v = strtoull(*p, &end, 16);
	if (end == *p)
		return false;
	*p = end;
	return true;
}

static bool
read_held(const char *p, struct memo_held *h)
{
	char why;
	char *end;

	if (!read_hex(&p, &h->rule) || p[0] != ':')
		return false;
	why = p[1];
	if ((why != HOLD_PERIOD && why != HOLD_LIMIT && why != HOLD_REPLAY) || p[2] != ':')
		return false;
	h->why = (enum memo_hold)why;
	h->since = strtoll(p + 3, &end, 10);
	if (*end != ':')
		return false;
	h->due = strtoll(end + 1, &end, 10);
	return true;
}

static void
read_part(struct memo *m, const char *p)
{
	struct memo_held held;
	uint64_t address;
	char kind = *p++;

	if (kind == 't')
		m->tries = (unsigned)strtoul(p, NULL, 10);
	else if (kind == 'd' && read_hex(&p, &address))
		memo_add_done(m, address);
	else if (kind == 'c' && read_hex(&p, &address))
		memo_cancel(m, address);
	else if (kind == 'h' && read_held(p, &held))
		memo_hold(m, &held);
}

void
memo_read(struct memo *m, const char *text)
{
	*m = (struct memo){ .tries = 0 };
	while (text != NULL && *text != '\0') {
		if (*text == 'x') {
			memo_add_why(m, text + 1);
			return;
		}
		read_part(m, text);
		text = strchr(text, ' ');
		text = text != NULL ? text + 1 : NULL;
	}
}

void
memo_write(struct buf *out, const struct memo *m)
{
	buf_printf(out, "t%u", m->tries);
	for (size_t i = 0; i < m->ndone; i++)
		buf_printf(out, " d%" PRIx64, m->done[i]);
	for (size_t i = 0; i < m->nheld; i++)
		buf_printf(out, " h%" PRIx64 ":%c:%" PRId64 ":%" PRId64, m->held[i].rule,
		    (char)m->held[i].why, m->held[i].since, m->held[i].due);
	for (size_t i = 0; i < m->ncancelled; i++)
		buf_printf(out, " c%" PRIx64, m->cancelled[i]);
	if (m->why[0] != '\0')
		buf_printf(out, " x%s", m->why);
}

bool
memo_is_done(const struct memo *m, uint64_t address)
{
	for (size_t i = 0; i < m->ndone; i++) {
		if (m->done[i] == address)
			return true;
	}
	return false;
}

void
memo_add_done(struct memo *m, uint64_t address)
{
	if (m->ndone < MEMO_DONE && !memo_is_done(m, address))
		m->done[m->ndone++] = address;
}

static struct memo_held *
find_held(struct memo *m, uint64_t rule)
{
	for (size_t i = 0; i < m->nheld; i++) {
		if (m->held[i].rule == rule)
			return &m->held[i];
	}
	return NULL;
}

const struct memo_held *
memo_held(const struct memo *m, uint64_t rule)
{
	return find_held((struct memo *)(uintptr_t)m, rule);
}

void
memo_hold(struct memo *m, const struct memo_held *held)
{
	struct memo_held *known = find_held(m, held->rule);

	if (known != NULL)
		*known = *held;
	else if (m->nheld < MEMO_HELD)
		m->held[m->nheld++] = *held;
}

void
memo_cancel(struct memo *m, uint64_t rule)
{
	struct memo_held *held = find_held(m, rule);

	if (held != NULL)
		*held = m->held[--m->nheld];
	if (m->ncancelled < MEMO_HELD && !memo_is_cancelled(m, rule))
		m->cancelled[m->ncancelled++] = rule;
}

bool
memo_is_cancelled(const struct memo *m, uint64_t rule)
{
	for (size_t i = 0; i < m->ncancelled; i++) {
		if (m->cancelled[i] == rule)
			return true;
	}
	return false;
}

void
memo_add_why(struct memo *m, const char *why)
{
	if (m->why[0] == '\0')
		snprintf(m->why, sizeof(m->why), "%.*s", (int)utf8_cut(why, strlen(why), MEMO_WHY), why);
}
