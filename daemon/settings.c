/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <strings.h>

#include "daemon/settings_build.h"
#include "lib/base/alloc.h"

struct settings *
settings_ref(const struct settings *s)
{
	struct settings *mine = (struct settings *)s;

	mine->refs++;
	return mine;
}

void
settings_unref(struct settings *s)
{
	struct settings_whole *w = (struct settings_whole *)s;

	if (s == NULL)
		return;
	BUG_IF(s->refs == 0);
	if (--s->refs != 0)
		return;
	for (size_t i = 0; i < s->ntenants; i++)
		for (size_t k = 0; k < s->tenants[i].nstreams; k++)
			origin_unref(s->tenants[i].streams[k].origin);
	arena_release(&w->arena);
	free(w);
}

const struct tenant *
settings_tenant(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->ntenants; i++) {
		if (strcmp(s->tenants[i].name, name) == 0)
			return &s->tenants[i];
	}
	return NULL;
}

const struct sink_conf *
settings_sink(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->nsinks; i++) {
		if (strcmp(s->sinks[i].name, name) == 0)
			return &s->sinks[i];
	}
	return NULL;
}

const struct sink_conf *
tenant_sink(const struct tenant *t, const char *name)
{
	for (size_t i = 0; i < t->nsinks; i++) {
		if (strcmp(t->sinks[i]->name, name) == 0)
			return t->sinks[i];
	}
	return NULL;
}

void
settings_fixed_changes(const struct settings *was, const struct settings *now,
    void (*changed)(void *arg, const char *option), void *arg)
{
	conf_fixed_changes(root_opts, was, now, "", changed, arg);
}
