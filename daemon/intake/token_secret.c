#include "daemon/intake/token_secret.h"

#include "lib/base/alloc.h"

struct good_secret {
	LIST_ENTRY(good_secret) link;
	char *app_key, *name;
};

void
token_secrets_init(struct token_secrets *m)
{
	LIST_INIT(&m->good);
}

void
token_secrets_release(struct token_secrets *m)
{
	struct good_secret *g;

	while (!LIST_EMPTY(&m->good)) {
		g = LIST_FIRST(&m->good);
		LIST_REMOVE(g, link);
		free(g->app_key);
		free(g->name);
		free(g);
	}
}

char *
token_app_key(const struct app *app)
{
	return xasprintf("%s %s", app->login_url, app->client_id);
}

static struct good_secret *
find_good(const struct token_secrets *m, const struct app *app)
{
	char *key = token_app_key(app);
	struct good_secret *g;

	LIST_FOREACH (g, &m->good, link) {
		if (strcmp(g->app_key, key) == 0)
			break;
	}
	free(key);
	return g;
}

void
token_secrets_remember(struct token_secrets *m, const struct app *app, const char *name)
{
	struct good_secret *g = find_good(m, app);

	if (g == NULL) {
		g = xcalloc(1, sizeof(*g));
		g->app_key = token_app_key(app);
		LIST_INSERT_HEAD(&m->good, g, link);
	} else if (strcmp(g->name, name) == 0) {
		return;
	}
	free(g->name);
	g->name = xstrdup(name);
}

size_t
token_secrets_first(const struct token_secrets *m, const struct app *app)
{
	const struct good_secret *g = find_good(m, app);

	for (size_t i = 0; g != NULL && i < app->secrets.n; i++) {
		if (strcmp(app->secrets.v[i], g->name) == 0)
			return i;
	}
	return 0;
}

const char *
token_secrets_name(const struct app *app, size_t first, size_t attempt)
{
	if (attempt == 0)
		return app->secrets.v[first];
	return app->secrets.v[attempt <= first ? attempt - 1 : attempt];
}

/* application/x-www-form-urlencoded; no locale. */
static void
add_field(struct buf *b, const char *name, struct str value)
{
	static const char hex[] = "0123456789ABCDEF";

	if (b->n > 0)
		buf_byte(b, '&');
	buf_puts(b, name);
	buf_byte(b, '=');
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr("-._~", c) != NULL)) {
			buf_byte(b, (char)c);
		} else {
			buf_byte(b, '%');
			buf_byte(b, hex[c >> 4]);
			buf_byte(b, hex[c & 15]);
		}
	}
}

/* Room for all of it at once: growing would leave copies. */
bool
token_form(const struct app *app, enum api api, const char *secret_name, struct buf *form,
    struct err *err)
{
	struct buf secret = BUF_INIT(SECRET_MAX);
	char *scope;
	bool ok = secret_read(secret_name, &secret, err);

	if (ok) {
		scope = xasprintf("%s/.default", app->resource[api]);
		(void)buf_room(
		    form, secret.n * 3 + strlen(scope) * 3 + strlen(app->client_id) * 3 + 128);
		add_field(form, "client_id", str_of(app->client_id));
		add_field(form, "scope", str_of(scope));
		add_field(form, "grant_type", STR("client_credentials"));
		add_field(form, "client_secret", buf_peek(&secret));
		free(scope);
		ok = buf_ok(form) ||
		     err_set(err, ERR_CONF, "secret %.200s is too long", secret_name);
	}
	buf_wipe(&secret);
	return ok;
}
