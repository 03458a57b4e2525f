#include "daemon/credential_watch.h"

#include "daemon/keypair.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

#define LOOK_MS INT64_C(3600000)

struct credential_watch {
	const struct engine_env *env;
	struct expiries *expiries;
	struct settings *settings;
	struct timer timer;
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

static void
look(void *arg)
{
	struct credential_watch *w = arg;
	const struct settings *s = w->settings;

	expiries_begin(w->expiries, "app");
	for (size_t i = 0; i < s->napps; i++) {
		for (size_t k = 0; k < s->apps[i].ncredentials; k++)
			set_end(w, &s->apps[i], &s->apps[i].credentials[k]);
	}
	expiries_end(w->expiries, "app");
	timer_set(w->env->timers, &w->timer, LOOK_MS);
}

struct credential_watch *
credential_watch_new(const struct engine_env *env, struct expiries *x)
{
	struct credential_watch *w = xcalloc(1, sizeof(*w));

	w->env = env;
	w->expiries = x;
	timer_init(&w->timer, look, w);
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
}
