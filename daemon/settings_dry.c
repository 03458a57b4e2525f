/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"

/* One sink stands for all: standard output. Each keeps its match, so an event is
 * printed (once) when any of them would get it. */
void
settings_dry_run(struct settings *s)
{
	struct settings_whole *w = (struct settings_whole *)s;
	struct problems problems;
	struct conf conf = { .arena = &w->arena, .problems = &problems };
	void *out = arena_alloc(&w->arena, sink_file.conf_size);
	char *name = arena_strdup(&w->arena, "standard output");
	const struct node *map;

	BUG_IF(s->refs != 1);
	problems_init(&problems);
	map = yaml_read(&w->arena, STR("{path: '-', format: cef}"), "dry run", 0, &problems);
	if (map == NULL || !conf_fill_one(&conf, map, sink_file.opts, out))
		BUG("the options of the file sink have changed");
	problems_release(&problems);
	for (size_t i = 0; i < s->nsinks; i++) {
		s->sinks[i].name = name;
		s->sinks[i].kind = &sink_file;
		s->sinks[i].conf = out;
		s->sinks[i].text = name;
	}
	s->nsinks = s->nsinks != 0 ? 1 : 0;
}
