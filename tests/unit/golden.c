/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "tests/unit/golden.h"

#define FILE_MAX 65536

static struct str
read_whole(const char *folder, const char *name, const char *file)
{
	char *path = xasprintf("%s/%s/%s", folder, name, file), *text;
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		BUG("%s cannot be read; run from the root of the tree", path);
	text = xmalloc(FILE_MAX);
	n = fread(text, 1, FILE_MAX, f);
	fclose(f);
	free(path);
	return (struct str){ text, n };
}

static unsigned
bits(const json_t *list, const char *const *names)
{
	unsigned found = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		for (unsigned n = 0; names[n] != NULL; n++)
			found |= strcmp(json_string_value(v), names[n]) == 0 ? 1u << n : 0;
	}
	return found;
}

static void
take_event(struct golden *g, const json_t *top)
{
	const char *kind = json_string_value(json_object_get(top, "kind"));
	json_int_t max = json_integer_value(json_object_get(top, "max_bytes"));

	for (unsigned k = 0; k < KIND_COUNT && kind != NULL; k++) {
		if (strcmp(kind, kind_names[k]) == 0)
			g->made.event.kind = (enum event_kind)k;
	}
	g->made.event.changed = bits(json_object_get(top, "changed"), part_names);
	g->made.event.flags = (unsigned)json_integer_value(json_object_get(top, "flags"));
	g->opts = (struct format_opts){ .max_bytes = max > 0 ? (size_t)max : 1 << 20 };
}

static void
one(const char *folder, const char *name, void (*each)(const char *, const struct golden *))
{
	struct str input = read_whole(folder, name, "input.json");
	json_t *top = json_loadb(input.s, input.n, JSON_ALLOW_NUL, NULL),
	       *incident = json_object_get(top, "incident"),
	       *thing = incident != NULL ? incident : json_object_get(top, "alert");
	char *slice = json_is_string(thing) ? xstrdup(json_string_value(thing))
	                                    : json_dumps(thing, JSON_COMPACT);
	struct golden g = { .want = read_whole(folder, name, "expected") };

	if (slice == NULL)
		BUG("%s/%s/input.json", folder, name);
	g.record = incident != NULL ? make_from_incident(&g.made, str_of(slice))
	                            : make_from_json(&g.made, str_of(slice));
	take_event(&g, top);
	each(name, &g);
	record_unref(g.record);
	json_decref(top);
	free(slice);
	free((char *)(uintptr_t)input.s);
	free((char *)(uintptr_t)g.want.s);
}

unsigned
golden_each(const char *folder, void (*each)(const char *name, const struct golden *g))
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	unsigned n = 0;

	if (d == NULL)
		BUG("%s: run from the root of the tree", folder);
	for (entry = readdir(d); entry != NULL; entry = readdir(d)) {
		if (entry->d_name[0] == '.')
			continue;
		one(folder, entry->d_name, each);
		n++;
	}
	closedir(d);
	return n;
}

void
golden_assert_json(const char *name, const struct golden *g, json_t *taken_top)
{
	json_t *want = json_loadb(g->want.s, g->want.n, JSON_ALLOW_NUL, NULL);
	char *text = json_dumps(taken_top, JSON_INDENT(1));

	ck_assert_msg(json_equal(taken_top, want), "%s gives\n%s", name, text);
	free(text);
	json_decref(want);
	json_decref(taken_top);
}
