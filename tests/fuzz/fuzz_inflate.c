/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever comes, in whatever pieces, decodes to the same, and to what zlib makes of
 * it. Where msspd was built with ISA-L, that is compared with another's work.
 */
#include <stdlib.h>
#include <zlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/inflate.h"

#define MAX_BYTES (32u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum end { END_WHOLE, END_CUT, END_DAMAGED, END_TOO_LARGE };

struct outcome {
	enum end end;
	struct buf out;
};

/* Pieces of step bytes, or of varying length with step 0, into not much more room. */
static struct outcome
run(const uint8_t *data, size_t size, size_t step)
{
	struct outcome o = { END_WHOLE, BUF_INIT(MAX_BYTES) };
	struct inflate *z = inflate_new();
	struct err err;

	for (size_t at = 0, i = 0; at < size && o.end == END_WHOLE; i++) {
		size_t n = step != 0 ? step : 1 + data[i % size] % 7, room = 20 * n + 1, got;
		struct str in;

		n = n < size - at ? n : size - at;
		in = (struct str){ (const char *)data + at, n };
		at += n;
		do {
			if (!buf_room(&o.out, room))
				o.end = END_TOO_LARGE;
			else if (!inflate_some(z, &in, o.out.p + o.out.n, room, &got, &err))
				o.end = END_DAMAGED;
			else
				o.out.n += got;
		} while (o.end == END_WHOLE && (in.n != 0 || got == room));
	}
	if (o.end == END_WHOLE && !inflate_may_end(z))
		o.end = END_CUT;
	inflate_free(z);
	return o;
}

/* One member, with zlib alone. */
static enum end
zlib_member(const uint8_t **data, size_t *size, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)*data, .avail_in = (uInt)*size };
	int result;

	BUG_IF(inflateInit2(&z, MAX_WBITS + 16) != Z_OK);
	z.next_out = (Bytef *)out->p + out->n;
	z.avail_out = (uInt)(MAX_BYTES - out->n);
	result = inflate(&z, Z_NO_FLUSH);
	out->n = (size_t)((char *)z.next_out - out->p);
	*data = z.next_in;
	*size = z.avail_in;
	(void)inflateEnd(&z);
	if (result == Z_STREAM_END)
		return END_WHOLE;
	if (result != Z_OK && result != Z_BUF_ERROR)
		return END_DAMAGED;
	return out->n == MAX_BYTES ? END_TOO_LARGE : END_CUT;
}

static struct outcome
zlib_run(const uint8_t *data, size_t size)
{
	struct outcome o = { END_WHOLE, BUF_INIT(MAX_BYTES) };

	(void)buf_room(&o.out, MAX_BYTES);
	if (size != 0)
		o.end = zlib_member(&data, &size, &o.out);
	while (o.end == END_WHOLE && size >= 2 && data[0] == 0x1f && data[1] == 0x8b)
		o.end = zlib_member(&data, &size, &o.out);
	return o;
}

/* Who notices damage first depends on the pieces; how far it came until then, too. */
static void
compare(const struct outcome *a, const struct outcome *b)
{
	if (a->end == END_TOO_LARGE || b->end == END_TOO_LARGE)
		return;
	BUG_IF((a->end == END_WHOLE) != (b->end == END_WHOLE));
	BUG_IF(a->end == END_WHOLE && !str_same(buf_peek(&a->out), buf_peek(&b->out)));
}

/* All at once is what came of it piece by piece. */
static void
compare_at_once(const uint8_t *data, size_t size, const struct outcome *whole)
{
	char *out = xmalloc(MAX_BYTES);
	size_t n = inflate_whole((struct str){ (const char *)data, size }, out, MAX_BYTES);

	BUG_IF(whole->end == END_WHOLE &&
	    !str_same(buf_peek(&whole->out), (struct str){ out, n }));
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 0, 1, 5, 64, 1000 };
	struct outcome zlib = zlib_run(data, size), whole = run(data, size, MAX_BYTES);

	compare(&zlib, &whole);
	compare_at_once(data, size, &whole);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct outcome pieces = run(data, size, steps[i]);

		compare(&whole, &pieces);
		buf_release(&pieces.out);
	}
	buf_release(&whole.out);
	buf_release(&zlib.out);
	return 0;
}
