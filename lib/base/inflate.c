/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/inflate.h"

#define STEP_MAX ((size_t)1 << 30) /* the engines count in 32 bits */

/*
 * An engine decodes one member, header and checksum with it. It moves in and out on
 * as far as it gets.
 */
enum engine_says { ENGINE_MORE, ENGINE_END, ENGINE_DAMAGED };

#ifdef HAVE_LIBISAL
#include <isa-l/igzip_lib.h>

/* It forgets what a header has when that comes in pieces, unless it is read on its own. */
struct engine {
	struct isal_gzip_header header;
	bool is_behind_header;
	struct inflate_state state;
};

static void
engine_restart(struct engine *e)
{
	isal_gzip_header_init(&e->header);
	e->is_behind_header = false;
	isal_inflate_reset(&e->state);
	e->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
}

static void
engine_init(struct engine *e)
{
	isal_inflate_init(&e->state);
	engine_restart(e);
}

static void
engine_release(struct engine *e)
{
	(void)e;
}

static enum engine_says
engine_run(struct engine *e, struct str *in, char **out, size_t room)
{
	struct inflate_state *s = &e->state;
	int result = ISAL_DECOMP_OK;

	s->next_in = (uint8_t *)(uintptr_t)in->s;
	s->avail_in = (uint32_t)in->n;
	s->next_out = (uint8_t *)*out;
	s->avail_out = (uint32_t)room;
	if (!e->is_behind_header)
		result = isal_read_gzip_header(s, &e->header);
	e->is_behind_header = result == ISAL_DECOMP_OK;
	if (e->is_behind_header)
		result = isal_inflate(s);
	*in = (struct str){ (const char *)s->next_in, s->avail_in };
	*out = (char *)s->next_out;
	if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT)
		return ENGINE_DAMAGED;
	return s->block_state == ISAL_BLOCK_FINISH ? ENGINE_END : ENGINE_MORE;
}

#else
#include <zlib.h>

#define GZIP_WINDOW (MAX_WBITS + 16)

struct engine {
	z_stream z;
};

static void
engine_restart(struct engine *e)
{
	BUG_IF(inflateReset(&e->z) != Z_OK);
}

static void
engine_init(struct engine *e)
{
	if (inflateInit2(&e->z, GZIP_WINDOW) != Z_OK)
		BUG("zlib cannot start");
}

static void
engine_release(struct engine *e)
{
	(void)inflateEnd(&e->z);
}

static enum engine_says
engine_run(struct engine *e, struct str *in, char **out, size_t room)
{
	z_stream *z = &e->z;
	int result;

	z->next_in = (Bytef *)(uintptr_t)in->s;
	z->avail_in = (uInt)in->n;
	z->next_out = (Bytef *)*out;
	z->avail_out = (uInt)room;
	result = inflate(z, Z_NO_FLUSH);
	*in = (struct str){ (const char *)z->next_in, z->avail_in };
	*out = (char *)z->next_out;
	if (result == Z_STREAM_END)
		return ENGINE_END;
	/* Z_BUF_ERROR: it had nothing to read, or no room. */
	return result == Z_OK || result == Z_BUF_ERROR ? ENGINE_MORE : ENGINE_DAMAGED;
}
#endif

static const char magic[] = { '\x1f', '\x8b' };

enum inflate_at { AT_BEGIN, AT_MEMBER, AT_NEXT, AT_REST };

struct inflate {
	enum inflate_at at;
	size_t nmagic; /* AT_BEGIN, AT_NEXT: bytes that begin a member and were held back */
	struct engine engine;
};

struct inflate *
inflate_new(void)
{
	struct inflate *z = xcalloc(1, sizeof(*z));

	engine_init(&z->engine);
	return z;
}

void
inflate_free(struct inflate *z)
{
	if (z == NULL)
		return;
	engine_release(&z->engine);
	free(z);
}

void
inflate_restart(struct inflate *z)
{
	engine_restart(&z->engine);
	z->at = AT_BEGIN;
	z->nmagic = 0;
}

/* Where a member may begin. Only behind another there may be something else. */
static bool
look_for_member(struct inflate *z, struct str *in)
{
	struct str held = { magic, sizeof(magic) };
	char nothing, *out = &nothing;

	if (*in->s != magic[z->nmagic]) {
		bool is_first = z->at == AT_BEGIN;

		z->at = AT_REST;
		return !is_first;
	}
	z->nmagic++;
	in->s++;
	in->n--;
	if (z->nmagic < sizeof(magic))
		return true;
	inflate_restart(z);
	z->at = AT_MEMBER;
	return engine_run(&z->engine, &held, &out, sizeof(nothing)) == ENGINE_MORE;
}

static bool
run(struct inflate *z, struct str *in, char **out, size_t room)
{
	size_t more = in->n > STEP_MAX ? in->n - STEP_MAX : 0, left;
	enum engine_says says;
	char *was = *out;

	left = in->n -= more;
	says = engine_run(&z->engine, in, out, room < STEP_MAX ? room : STEP_MAX);
	z->at = says == ENGINE_END ? AT_NEXT : AT_MEMBER;
	if (says == ENGINE_MORE && left != 0 && in->n == left && *out == was)
		says = ENGINE_DAMAGED; /* whoever calls would ask for ever */
	in->n += more;
	return says != ENGINE_DAMAGED;
}

bool
inflate_some(
    struct inflate *z, struct str *in, char *out, size_t room, size_t *n, struct err *err)
{
	char *at = out, *end = out + room;
	bool is_sound = true;

	do {
		if (z->at == AT_MEMBER)
			is_sound = run(z, in, &at, (size_t)(end - at));
		else if (z->at == AT_REST)
			*in = (struct str){ in->s + in->n, 0 };
		else if (in->n != 0)
			is_sound = look_for_member(z, in);
	} while (is_sound && in->n != 0 && (at != end || z->at != AT_MEMBER));
	*n = (size_t)(at - out);
	return is_sound || err_set(err, ERR_TEMP, "the compressed body is damaged");
}

size_t
inflate_whole(struct str packed, char *out, size_t size)
{
	struct inflate *z = inflate_new();
	size_t n = 0, more = 0;
	bool is_sound = true;

	while (is_sound && n < size && (packed.n != 0 || more != 0)) {
		is_sound = inflate_some(z, &packed, out + n, size - n, &more, NULL);
		n += more;
	}
	inflate_free(z);
	return n;
}

bool
inflate_may_end(const struct inflate *z)
{
	return z->at != AT_MEMBER && (z->at != AT_BEGIN || z->nmagic == 0);
}
