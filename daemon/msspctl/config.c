/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/base/alloc.h"
#include "lib/config/nearest.h"

/* What only the daemon may care about is not said here. */
static void
on_problem(void *arg, bool is_error, const char *line)
{
	(void)arg;
	if (is_error)
		fprintf(stderr, "%s\n", line);
}

char *
config_socket(const char *file, bool *is_said, int *status)
{
	struct settings *s = settings_load(file, false, on_problem, NULL);
	char *path;

	if (s == NULL) {
		fputs("msspctl: the configuration cannot be used; name the control_socket with -s\n", stderr);
		*status = EX_CONFIG;
		return NULL;
	}
	path = xstrdup(s->control_socket);
	*is_said = s->is_socket_said;
	settings_unref(s);
	return path;
}

static void
add(struct chosen *c, const struct tenant *t)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->tenants[i] == t)
			return;
	}
	c->tenants[c->n++] = t;
}

static void
add_customer(struct chosen *c, const char *name)
{
	const struct settings *s = c->settings;

	for (size_t i = 0; i < s->ntenants; i++) {
		const struct tenant *t = &s->tenants[i];

		if (t->customer != NULL && strcmp(t->customer->name, name) == 0)
			add(c, t);
	}
}

static bool
say_unknown(const struct settings *s, const char *name)
{
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; i < s->ntenants; i++)
		nearest_offer(&near, s->tenants[i].name);
	for (size_t i = 0; i < s->ncustomers; i++)
		nearest_offer(&near, s->customers[i].name);
	fprintf(stderr, "msspctl: %s has no tenant and no customer with tenants named '%s'%s%s%s\n",
	    s->file, name, near.best != NULL ? "; did you mean " : "",
	    near.best != NULL ? near.best : "", near.best != NULL ? "?" : "");
	return false;
}

static bool
add_name(struct chosen *c, const char *name)
{
	const struct tenant *t = settings_tenant(c->settings, name);
	size_t before = c->n;

	if (t != NULL) {
		add(c, t);
		return true;
	}
	add_customer(c, name);
	return c->n > before || say_unknown(c->settings, name);
}

bool
choose(struct chosen *c, const struct args *a, int *status)
{
	bool ok = true;

	*c = (struct chosen){ .settings = settings_load(a->config, false, on_problem, NULL) };
	if (c->settings == NULL) {
		fprintf(stderr, "msspctl: the configuration cannot be used; name another with -c\n");
		*status = EX_CONFIG;
		return false;
	}
	c->tenants = xcalloc(c->settings->ntenants + 1, sizeof(const struct tenant *));
	for (size_t i = 0; i < a->nnames; i++)
		ok = add_name(c, a->names[i]) && ok;
	for (size_t i = 0; a->nnames == 0 && i < c->settings->ntenants; i++)
		add(c, &c->settings->tenants[i]);
	if (ok && c->n != 0)
		return true;
	if (ok)
		fprintf(stderr, "msspctl: %s has no tenants\n", a->config);
	*status = ok ? EX_CONFIG : EX_USAGE;
	chosen_release(c);
	return false;
}

void
chosen_release(struct chosen *c)
{
	free(c->tenants);
	settings_unref(c->settings);
	*c = (struct chosen){ 0 };
}
