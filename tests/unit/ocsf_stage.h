/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCSF_STAGE_H
#define OCSF_STAGE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "tests/unit/json_lines.h"
#include "tests/unit/make_record.h"

/*
 * ocsf_stage: events written as OCSF, held to what holds for every one of them, and read
 * again, for the tests of the format.
 */
#define PLENTY (1 << 20)
#define LEAST  1000 /* what an event of usual names needs; longer ones are cut */
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Writes it, checks what holds for every event, and returns it; NULL when it was not written. */
static inline json_t *
try_write(const struct event *ev, const struct format_opts *opts)
{
	struct buf out = BUF_INIT(opts->max_bytes);
	json_error_t error;
	json_t *top;

	if (!format_ocsf.write(&out, ev, opts)) {
		ck_assert_uint_eq(out.n, 0);
		ck_assert(buf_ok(&out));
		buf_release(&out);
		return NULL;
	}
	ck_assert_uint_le(out.n, opts->max_bytes);
	ck_assert_ptr_null(line_fault(buf_peek(&out)));
	top = json_loadb(out.p, out.n, JSON_ALLOW_NUL, &error);
	ck_assert_msg(top != NULL, "%s: %s", error.text, out.p);
	ck_assert_msg(observables_fault(top) == NULL, "%s: %s", observables_fault(top), out.p);
	buf_release(&out);
	return top;
}

static inline json_t *
write_ocsf(const struct event *ev, size_t max_bytes)
{
	struct format_opts opts = { .max_bytes = max_bytes };
	json_t *top = try_write(ev, &opts);

	ck_assert_msg(top != NULL, "not written in %zu bytes", max_bytes);
	return top;
}

/* What is at the path, as JSON text; "" when nothing is. */
static inline char *
text_at(json_t *top, const char *path)
{
	json_t *value = json_at(top, path);

	return value == NULL ? xstrdup("")
	                     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
}

static inline void
assert_at(json_t *top, const char *says, const char *path, const char *want)
{
	char *got = text_at(top, path);

	ck_assert_msg(strcmp(got, want) == 0, "%s: %s is %s, not %s", says, path, got, want);
	free(got);
}

#endif
