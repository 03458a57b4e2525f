/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever comes, in whatever pieces, the splitter finds the same; and where
 * jansson reads the body as a page, it finds the same elements and link.
 */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/json/split.h"

#define MAX_BYTES  (1u << 20)
#define MAX_SLICES 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	bool ok;
	enum split_fault fault;
	struct split_page page;
};

/* Pieces of step bytes, or of varying length with step 0. */
static struct outcome
run(const uint8_t *data, size_t size, size_t step)
{
	struct outcome out = { .ok = false };
	struct split s;
	struct err err;

	split_init(&s, MAX_BYTES, MAX_SLICES);
	for (size_t at = 0, i = 0; at < size; i++) {
		size_t n = step != 0 ? step : 1 + data[i % size] % 7;

		n = n < size - at ? n : size - at;
		if (!split_feed(&s, data + at, n))
			break;
		at += n;
	}
	out.ok = split_finish(&s, &out.page, &err);
	out.fault = s.fault;
	return out;
}

static void
compare(const struct outcome *a, const struct outcome *b)
{
	BUG_IF(a->ok != b->ok || a->fault != b->fault);
	if (!a->ok)
		return;
	BUG_IF(a->page.n != b->page.n);
	BUG_IF((a->page.next_link == NULL) != (b->page.next_link == NULL));
	BUG_IF(a->page.next_link != NULL && strcmp(a->page.next_link, b->page.next_link) != 0);
	for (size_t i = 0; i < a->page.n; i++)
		BUG_IF(!str_same(split_slice(&a->page, i), split_slice(&b->page, i)));
}

static void
release(struct outcome *o)
{
	if (o->ok)
		split_page_release(&o->page);
}

static void
compare_elements(const struct outcome *whole, json_t *list)
{
	BUG_IF(whole->page.n != json_array_size(list));
	for (size_t i = 0; i < whole->page.n; i++) {
		struct str slice = split_slice(&whole->page, i);
		json_t *v = json_loadb(slice.s, slice.n, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

		BUG_IF(v == NULL || !json_equal(v, json_array_get(list, i)));
		json_decref(v);
	}
}

static void
compare_jansson(const uint8_t *data, size_t size, const struct outcome *whole)
{
	/* A NUL byte behind the end is the end to jansson. */
	json_t *root = size != 0 && memchr(data, '\0', size) != NULL
	                   ? NULL
	                   : json_loadb((const char *)data, size,
				 JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_object_get(root, "value");
	json_t *link = json_object_get(root, "@odata.nextLink");
	const char *text = json_string_value(link);
	bool has_nul = text != NULL && strlen(text) != json_string_length(link);
	bool is_link = link == NULL || json_is_null(link) || (text != NULL && !has_nul);

	if (root != NULL && !json_is_array(list))
		BUG_IF(whole->ok);
	if (root != NULL && json_is_array(list) && is_link && json_array_size(list) <= MAX_SLICES) {
		BUG_IF(!whole->ok);
		BUG_IF((text == NULL) != (whole->page.next_link == NULL));
		BUG_IF(text != NULL && strcmp(text, whole->page.next_link) != 0);
		compare_elements(whole, list);
	}
	json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 0, 1, 2, 3, 17, 64 };
	struct outcome whole = run(data, size, size + 1);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct outcome pieces = run(data, size, steps[i]);

		compare(&whole, &pieces);
		release(&pieces);
	}
	compare_jansson(data, size, &whole);
	release(&whole);
	return 0;
}
