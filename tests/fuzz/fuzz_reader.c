/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader and jansson take the same texts for JSON and find the same values
 * in them; what is repaired is repaired for good; what is written reads back; a
 * glance finds the members that reading finds.
 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/json/reader.h"
#include "lib/json/repair.h"
#include "lib/json/skim.h"
#include "lib/json/writer.h"

#define MAX_DEPTH 100 /* of this file's own recursion */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct jr *r, json_t *want, int depth);

static void
compare_text(struct str got, const char *want, size_t n)
{
	BUG_IF(!utf8_valid(got.s, got.n));
	BUG_IF(got.n != n || memcmp(got.s, want, n) != 0);
}

static void
compare_object(struct jr *r, json_t *want, int depth)
{
	size_t n = 0;
	struct str name;

	BUG_IF(!jr_enter_object(r));
	for (; jr_next_member(r, &name); n++) {
		char *key = xstrndup(name.s, name.n);
		json_t *value = json_object_get(want, key);

		BUG_IF(value == NULL);
		free(key);
		compare(r, value, depth + 1);
	}
	BUG_IF(!jr_ok(r) || n != json_object_size(want));
}

static void
compare_array(struct jr *r, json_t *want, int depth)
{
	size_t n = 0;

	BUG_IF(!jr_enter_array(r));
	for (; jr_next_element(r); n++)
		compare(r, json_array_get(want, n), depth + 1);
	BUG_IF(!jr_ok(r) || n != json_array_size(want));
}

static void
compare_number(struct jr *r, json_t *want)
{
	struct str text;
	int64_t v;
	bool is_int;

	BUG_IF(!jr_raw(r, &text));
	is_int = jr_int64(text, &v);
	BUG_IF(is_int != json_is_integer(want));
	BUG_IF(is_int && v != json_integer_value(want));
}

static void
compare(struct jr *r, json_t *want, int depth)
{
	struct str text;
	bool v;

	if (depth == MAX_DEPTH) {
		BUG_IF(!jr_skip(r));
		return;
	}
	switch (json_typeof(want)) {
	case JSON_OBJECT:
		compare_object(r, want, depth);
		break;
	case JSON_ARRAY:
		compare_array(r, want, depth);
		break;
	case JSON_STRING:
		BUG_IF(!jr_string(r, &text));
		compare_text(text, json_string_value(want), json_string_length(want));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		compare_number(r, want);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		BUG_IF(!jr_bool(r, &v) || v != json_is_true(want));
		break;
	case JSON_NULL:
		BUG_IF(!jr_null(r));
		break;
	}
}

/* For reasons of its own jansson refuses these. */
static bool
is_jansson_strict(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_duplicate_key ||
	       code == json_error_stack_overflow || code == json_error_null_byte_in_key;
}

static void
check_against_jansson(struct str text, struct arena *arena)
{
	json_error_t error;
	json_t *root = json_loadb(
	    text.s, text.n, JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	bool is_json;
	struct jr r;

	jr_init(&r, text, arena);
	is_json = jr_skip(&r) && jr_end(&r);
	BUG_IF(is_json != jr_ok(&r));
	/* A NUL byte behind the end is the end to jansson. */
	if (root != NULL && !is_json && memchr(text.s, '\0', text.n) != NULL) {
		json_decref(root);
		return;
	}
	BUG_IF(root != NULL && !is_json);
	BUG_IF(root == NULL && is_json && !is_jansson_strict(&error));
	BUG_IF(is_json && jr_repair(text, arena).s != text.s);
	if (root != NULL) {
		jr_init(&r, text, arena);
		compare(&r, root, 0);
		BUG_IF(!jr_end(&r));
	}
	json_decref(root);
}

static void
check_repair(struct str text, struct arena *arena)
{
	struct str mended = jr_repair(text, arena);

	BUG_IF(mended.n > text.n * 6 || mended.n > text.n + (1u << 20));
	BUG_IF(jr_repair(mended, arena).s != mended.s);
}

/* Any bytes as name and as value: what was well-formed comes back as it was. */
static void
check_writer(struct str text, struct arena *arena)
{
	struct buf out = BUF_INIT(text.n * 12 + 64);
	bool is_sound = utf8_valid(text.s, text.n), v;
	struct str back;
	struct jw w;
	struct jr r;

	jw_init(&w, &out);
	jw_object(&w);
	jw_name_str(&w, text);
	jw_array(&w);
	jw_str(&w, text);
	jw_int(&w, (int64_t)text.n);
	jw_bool(&w, is_sound);
	jw_null(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	BUG_IF(!buf_ok(&out));
	jr_init(&r, buf_peek(&out), arena);
	BUG_IF(!jr_enter_object(&r) || !jr_next_member(&r, &back));
	BUG_IF(is_sound && !str_same(back, text));
	BUG_IF(!jr_enter_array(&r) || !jr_next_element(&r) || !jr_string(&r, &back));
	BUG_IF(is_sound && !str_same(back, text));
	BUG_IF(!jr_next_element(&r) || !jr_skip(&r));
	BUG_IF(!jr_next_element(&r) || !jr_bool(&r, &v) || v != is_sound);
	BUG_IF(!jr_next_element(&r) || !jr_null(&r) || jr_next_element(&r));
	BUG_IF(jr_next_member(&r, &back) || !jr_end(&r));
	buf_release(&out);
}

/* Every member that the reader finds, a glance finds in the same place. */
static void
check_skim(struct str text, struct arena *arena)
{
	struct skim_member m;
	struct str name;
	struct skim s;
	struct jr r, all;

	skim_init(&s, text);
	jr_init(&r, text, arena);
	all = r;
	if (jr_type(&r) != JR_OBJECT || !jr_skip(&all) || !jr_end(&all)) {
		while (skim_next(&s, &m))
			continue;
		return;
	}
	jr_enter_object(&r);
	while (jr_next_member(&r, &name)) {
		BUG_IF(!skim_next(&s, &m));
		jr_type(&r);
		BUG_IF(m.value.s != r.p);
		if (memchr(m.name.s, '\\', m.name.n) == NULL)
			BUG_IF(!str_same(m.name, name));
		if (jr_type(&r) == JR_STRING) {
			jr_skip(&r);
			BUG_IF(m.value.n != (size_t)(r.p - m.value.s));
		} else {
			jr_skip(&r);
			BUG_IF(m.value.n != 1);
		}
	}
	BUG_IF(skim_next(&s, &m));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly that size: reading past its end is seen. */
	char *copy = xmemdup(data, size);
	struct str text = { copy, size };
	struct arena arena;

	arena_init(&arena);
	check_against_jansson(text, &arena);
	check_repair(text, &arena);
	check_writer(text, &arena);
	check_skim(text, &arena);
	arena_release(&arena);
	free(copy);
	return 0;
}
