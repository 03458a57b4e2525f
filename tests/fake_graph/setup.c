/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/server.h"

/* What the options say of tenants, their policies and faults. */

/* The name stands in mail addresses and JSON without escapes. */
static bool
name_is_sound(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
	           strlen(name);
}

static bool
add_tenants(struct server *s, struct err *err)
{
	const struct options *o = s->opt;
	char guid[48], name[32];

	for (size_t i = 0; i < o->nnamed; i++) {
		const char *colon = strchr(o->named[i], ':');

		if (colon == NULL || !name_is_sound(colon + 1) ||
		    !guid_parse((struct str){ o->named[i], (size_t)(colon - o->named[i]) }, guid))
			return err_set(
			    err, ERR_CONF, "--tenant %s: GUID:NAME is wanted", o->named[i]);
		world_add_tenant(&s->world, guid, colon + 1, rng_child((uint64_t)o->seed, i));
	}
	for (long long i = 1; o->nnamed == 0 && i <= o->ntenants; i++) {
		snprintf(guid, sizeof(guid), "00000000-0000-4000-8000-%012lld", i);
		snprintf(name, sizeof(name), "tenant%lld", i);
		world_add_tenant(&s->world, guid, name, rng_child((uint64_t)o->seed, (uint64_t)i));
	}
	return true;
}

bool
server_set_policy(struct server *s, const char *text, struct err *err)
{
	static const char *const pagings[] = { "skiptoken", "skip", "none" };
	static const char *const obeys[] = { "honour", "ignore", "refuse" };
	const char *colon = strchr(text, ':'), *equals = colon != NULL ? strchr(colon, '=') : NULL;
	struct str who, what;
	struct tenant *t;
	int value = -1;

	if (equals == NULL)
		return err_set(err, ERR_CONF, "--policy %s: TENANT:OPTION=VALUE is wanted", text);
	who = (struct str){ text, (size_t)(colon - text) };
	what = (struct str){ colon + 1, (size_t)(equals - colon) - 1 };
	for (int i = 0; i < 3; i++) {
		if (strcmp(equals + 1, str_is(what, "paging") ? pagings[i] : obeys[i]) == 0)
			value = i;
	}
	t = world_find(&s->world, who);
	if (value < 0 || (t == NULL && !str_is(who, "*")))
		return err_set(err, ERR_CONF, "--policy %s: no such tenant or value", text);
	for (size_t i = 0; i < s->world.ntenants; i++) {
		struct policy *p = &s->policies[i];

		if (t != NULL && t->index != i + 1)
			continue;
		if (str_is(what, "paging"))
			p->paging = (enum paging)value;
		else if (str_is(what, "orderby"))
			p->orderby = (enum obey)value;
		else if (str_is(what, "filter"))
			p->filter = (enum obey)value;
		else
			return err_set(err, ERR_CONF, "--policy %s: no such option", text);
	}
	return true;
}

static bool
set_policies(struct server *s, struct err *err)
{
	const struct options *o = s->opt;

	s->policies = xcalloc(s->world.ntenants, sizeof(*s->policies));
	for (size_t i = 0; i < s->world.ntenants; i++)
		s->policies[i] = (struct policy){ (enum paging)o->paging, (enum obey)o->orderby,
			(enum obey)o->filter, (unsigned)o->max_top };
	for (size_t i = 0; i < o->npolicies; i++) {
		if (!server_set_policy(s, o->policies[i], err))
			return false;
	}
	return true;
}

static bool
add_faults(struct server *s, struct err *err)
{
	faults_init(&s->faults, rng_child((uint64_t)s->opt->seed, 9));
	for (size_t i = 0; i < s->opt->nfaults; i++) {
		if (!faults_add(&s->faults, s->opt->faults[i], server_resolve_tenant, s, err))
			return false;
	}
	return true;
}

unsigned
server_resolve_tenant(struct str who, void *arg)
{
	struct server *s = arg;
	struct tenant *t = world_find(&s->world, who);

	return t != NULL ? t->index : 0;
}

bool
server_set_up(struct server *s, struct err *err)
{
	return add_tenants(s, err) && set_policies(s, err) && add_faults(s, err);
}
