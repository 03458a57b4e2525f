/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/credential_watch.h"

#include <sys/stat.h>

#include "daemon/keypair.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

#define LOOK_MS  INT64_C(3600000)
#define STAMP_MS INT64_C(30000)

struct credential_watch {
	const struct engine_env *env;
	struct expiries *expiries;
	struct settings *settings;
	struct timer timer;
	uint64_t stamp;    /* of all certificates' files, as they were read last */
	int64_t looked_at; /* mono ms */
};

/* Ticks; 0: not known. A file that cannot be read is told of where it is used. */
static int64_t
end_of(const struct credential *c)
{
	int64_t ends = 0;
	struct err ignored;

	switch (c->kind) {
	case CREDENTIAL_FEDERATED:
		return 0;
	case CREDENTIAL_CERTIFICATE:
		return certificate_ends(c->file, &ends, &ignored) ? ends : 0;
	case CREDENTIAL_SECRET:
		return c->ends;
	}
	BUG("credential kind %d", (int)c->kind);
}

/* Whether the app has one that lasts longer, or that somebody else renews. */
static bool
is_outlived(const struct app *app, int64_t ends)
{
	for (size_t i = 0; i < app->ncredentials; i++) {
		if (app->credentials[i].kind == CREDENTIAL_FEDERATED ||
		    end_of(&app->credentials[i]) > ends)
			return true;
	}
	return false;
}

static void
set_end(struct credential_watch *w, const struct app *app, const struct credential *c)
{
	bool is_secret = c->kind == CREDENTIAL_SECRET;
	const char *remedy = is_secret ? "make a new one at the app registration, name its file in "
					 "secret_file and its day in secret_expires"
	                               : "make a new one, register it with the app and name it in "
					 "certificate_file, or put it in its place";
	int64_t ends = end_of(c);
	char *what = xasprintf("its %s in %s", is_secret ? "client secret" : "certificate", c->file);
	struct expiry e = { "app", app->name, what, remedy, ends };

	if (is_outlived(app, ends))
		e.remedy = "it has another one for longer: see that it is registered with the app";
	if (ends != 0)
		expiries_set(w->expiries, &e);
	else if (c->kind == CREDENTIAL_CERTIFICATE) /* being replaced, maybe: no all-clear */
		expiries_keep(w->expiries, &e);
	free(what);
}

/* Another number when a file is another one, or there is one now. */
static uint64_t
stamp_of(const struct credential *c, uint64_t so_far)
{
	struct stat st;
	uint64_t v[5] = { so_far };

	if (stat(c->file, &st) == 0) {
		v[1] = (uint64_t)st.st_ino;
		v[2] = (uint64_t)st.st_size;
		v[3] = (uint64_t)st.st_mtim.tv_sec;
		v[4] = (uint64_t)st.st_mtim.tv_nsec;
	}
	return str_hash(v, sizeof(v));
}

static uint64_t
stamp(const struct settings *s)
{
	uint64_t all = 0;

	for (size_t i = 0; i < s->napps; i++) {
		const struct app *app = &s->apps[i];

		for (size_t k = 0; k < app->ncredentials; k++) {
			if (app->credentials[k].kind == CREDENTIAL_CERTIFICATE)
				all = stamp_of(&app->credentials[k], all);
		}
	}
	return all;
}

static void
look(struct credential_watch *w)
{
	const struct settings *s = w->settings;

	w->stamp = stamp(s);
	w->looked_at = clock_mono(w->env->clock);
	expiries_begin(w->expiries, "app");
	for (size_t i = 0; i < s->napps; i++) {
		for (size_t k = 0; k < s->apps[i].ncredentials; k++)
			set_end(w, &s->apps[i], &s->apps[i].credentials[k]);
	}
	expiries_end(w->expiries, "app");
}

static void
on_timer(void *arg)
{
	struct credential_watch *w = arg;

	if (clock_mono(w->env->clock) - w->looked_at >= LOOK_MS || stamp(w->settings) != w->stamp)
		look(w);
	timer_set(w->env->timers, &w->timer, STAMP_MS);
}

struct credential_watch *
credential_watch_new(const struct engine_env *env, struct expiries *x)
{
	struct credential_watch *w = xcalloc(1, sizeof(*w));

	w->env = env;
	w->expiries = x;
	timer_init(&w->timer, on_timer, w);
	return w;
}

void
credential_watch_free(struct credential_watch *w)
{
	if (w == NULL)
		return;
	timer_unset(w->env->timers, &w->timer);
	settings_unref(w->settings);
	free(w);
}

void
credential_watch_configure(struct credential_watch *w, const struct settings *s)
{
	settings_unref(w->settings);
	w->settings = settings_ref(s);
	look(w);
	timer_set(w->env->timers, &w->timer, STAMP_MS);
}
