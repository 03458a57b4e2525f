/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CEF_STAGE_H
#define CEF_STAGE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "tests/unit/cef_parse.h"
#include "tests/unit/make_record.h"

/* cef_stage: events written as CEF and parsed again, for the tests of the format. */
static const struct format_opts plenty = { .max_bytes = 60000 };

/* One event as a line, parsed again. */
struct line {
	struct buf text;
	struct cef_parsed cef;
};

static inline void
write_line(struct line *l, const struct event *ev, const struct format_opts *opts)
{
	const char *wrong;

	buf_init(&l->text, opts->max_bytes);
	ck_assert(format_cef.write(&l->text, ev, opts));
	wrong = cef_parse(&l->cef, buf_peek(&l->text));
	ck_assert_msg(wrong == NULL, "%s: %s", wrong, l->text.p);
	ck_assert_uint_le(l->text.n, opts->max_bytes);
}

static inline void
release(struct line *l)
{
	cef_parsed_release(&l->cef);
	buf_release(&l->text);
}

#endif
