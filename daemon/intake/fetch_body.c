/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_body.h"

#define STEP_MAX   ((size_t)128 << 10) /* decoded at a time */
#define ROOM_LEAST ((size_t)1 << 10)   /* with less, the buf grows */
#define ROOM_MORE  ((size_t)16 << 10)

static enum fetch_body_says
add_plain(struct buf *into, struct str piece, bool (*on_more)(void *arg), void *arg)
{
	size_t left = into->max - into->n;

	buf_add(into, piece.s, piece.n < left ? piece.n : left);
	if (on_more != NULL && !on_more(arg))
		return BODY_REFUSED;
	return piece.n > left ? BODY_FULL : BODY_GOES_ON;
}

/* Room behind what is there; 0 when it is full. */
static size_t
make_room(struct buf *into)
{
	size_t left = into->max - into->n;
	size_t room = into->room > into->n ? into->room - into->n - 1 : 0;

	if (room < left && room < ROOM_LEAST) {
		(void)buf_room(into, left < ROOM_MORE ? left : ROOM_MORE);
		room = into->room - into->n - 1;
	}
	room = room < left ? room : left;
	return room < STEP_MAX ? room : STEP_MAX;
}

/* One step. *is_more: another is to follow. */
static enum fetch_body_says
add_step(struct buf *into, struct inflate *z, struct str *piece, bool *is_more)
{
	size_t room = make_room(into), n;
	bool is_sound, is_full = room == 0;
	char beyond; /* there may be a checksum to come, but no text */

	room = is_full ? 1 : room;
	is_sound =
	    inflate_some(z, piece, is_full ? &beyond : into->p + into->n, room, &n, NULL);
	*is_more = piece->n != 0 || n == room;
	if (is_full && n != 0)
		return BODY_FULL;
	if (!is_full) {
		into->n += n;
		into->p[into->n] = '\0';
	}
	return is_sound ? BODY_GOES_ON : BODY_DAMAGED;
}

enum fetch_body_says
fetch_body_add(struct buf *into, struct inflate *z, struct str piece, bool (*on_more)(void *arg),
    void *arg)
{
	enum fetch_body_says says;
	bool is_more;

	if (z == NULL)
		return add_plain(into, piece, on_more, arg);
	do {
		size_t was = into->n;

		says = add_step(into, z, &piece, &is_more);
		if (on_more != NULL && into->n != was && !on_more(arg))
			return BODY_REFUSED;
	} while (says == BODY_GOES_ON && is_more);
	return says;
}
