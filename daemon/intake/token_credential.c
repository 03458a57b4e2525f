/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/token_credential.h"

#include "daemon/intake/token_assertion.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

struct good_credential {
	LIST_ENTRY(good_credential) link;
	char *app_key, *name;
};

struct kept_pair {
	LIST_ENTRY(kept_pair) link;
	char *name;
	struct keypair keys;
	bool is_split; /* its files do not fit together now; told */
};

void
token_credentials_init(struct token_credentials *m)
{
	LIST_INIT(&m->good);
	LIST_INIT(&m->pairs);
}

void
token_credentials_release(struct token_credentials *m)
{
	struct good_credential *g;
	struct kept_pair *p;

	while (!LIST_EMPTY(&m->good)) {
		g = LIST_FIRST(&m->good);
		LIST_REMOVE(g, link);
		free(g->app_key);
		free(g->name);
		free(g);
	}
	while (!LIST_EMPTY(&m->pairs)) {
		p = LIST_FIRST(&m->pairs);
		LIST_REMOVE(p, link);
		keypair_release(&p->keys);
		free(p->name);
		free(p);
	}
}

/* ---- which ---------------------------------------------------------------------------- */

char *
token_app_key(const struct app *app)
{
	return xasprintf("%s %s", app->login_url, app->client_id);
}

static struct good_credential *
find_good(const struct token_credentials *m, const struct app *app)
{
	char *key = token_app_key(app);
	struct good_credential *g;

	LIST_FOREACH (g, &m->good, link) {
		if (strcmp(g->app_key, key) == 0)
			break;
	}
	free(key);
	return g;
}

void
token_credentials_remember(
    struct token_credentials *m, const struct app *app, const struct credential *c)
{
	struct good_credential *g = find_good(m, app);

	if (g == NULL) {
		g = xcalloc(1, sizeof(*g));
		g->app_key = token_app_key(app);
		LIST_INSERT_HEAD(&m->good, g, link);
	} else if (strcmp(g->name, c->file) == 0) {
		return;
	}
	free(g->name);
	g->name = xstrdup(c->file);
}

size_t
token_credentials_first(const struct token_credentials *m, const struct app *app)
{
	const struct good_credential *g = find_good(m, app);

	for (size_t i = 0; g != NULL && i < app->ncredentials; i++) {
		if (strcmp(app->credentials[i].file, g->name) == 0)
			return i;
	}
	return 0;
}

const struct credential *
token_credentials_at(const struct app *app, size_t first, size_t attempt)
{
	if (attempt == 0)
		return &app->credentials[first];
	return &app->credentials[attempt <= first ? attempt - 1 : attempt];
}

/* ---- certificates ------------------------------------------------------------------------ */

static struct kept_pair *
pair_of(struct token_credentials *m, const struct credential *c)
{
	const char *key = c->key_file != NULL ? c->key_file : "";
	char *name = xasprintf("%s %s", c->file, key);
	struct kept_pair *p;

	LIST_FOREACH (p, &m->pairs, link) {
		if (strcmp(p->name, name) == 0) {
			free(name);
			return p;
		}
	}
	p = xcalloc(1, sizeof(*p));
	p->name = name;
	LIST_INSERT_HEAD(&m->pairs, p, link);
	return p;
}

/* NULL: there is none to sign with. */
static const struct keypair *
current_keys(struct token_credentials *m, const struct credential *c, struct err *err)
{
	struct kept_pair *p = pair_of(m, c);
	struct keypair_files files = { c->file, c->key_file, c->passphrase_file };

	if (keypair_read(&p->keys, &files, err)) {
		p->is_split = false;
		return &p->keys;
	}
	if (err->kind != ERR_TEMP || p->keys.key == NULL) {
		keypair_release(&p->keys);
		return NULL;
	}
	if (!p->is_split)
		log_warn(NULL, "%s; the pair read before stays in use meanwhile",
		    err->text);
	p->is_split = true;
	return &p->keys;
}

static bool
sign(struct token_credentials *m, const struct token_request *q, struct buf *out, struct err *err)
{
	const struct keypair *keys = current_keys(m, q->credential, err);
	const struct assertion a = {
		.audience = q->url,
		.client_id = q->app->client_id,
		.now = q->now,
		.signature = (enum signature)q->app->signature,
	};

	return keys != NULL && assertion_sign(&a, keys, out, err);
}

/* ---- tokens of others ------------------------------------------------------------------------- */

static bool
read_federated(const struct credential *c, struct buf *out, struct err *err)
{
	unsigned dots = 0;

	if (!secret_read_open(c->file, out, err))
		return false;
	for (size_t i = 0; i < out->n; i++) {
		if (out->p[i] <= ' ' || out->p[i] > '~')
			return err_set(err, ERR_CONF, "%.200s holds no token (JWT)", c->file);
		dots += out->p[i] == '.';
	}
	return dots == 2 || err_set(err, ERR_CONF, "%.200s holds no token (JWT)", c->file);
}

/* ---- the form ----------------------------------------------------------------------------------- */

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

static bool
read_proof(
    struct token_credentials *m, const struct token_request *q, struct buf *out, struct err *err)
{
	switch (q->credential->kind) {
	case CREDENTIAL_FEDERATED:
		return read_federated(q->credential, out, err);
	case CREDENTIAL_CERTIFICATE:
		return sign(m, q, out, err);
	case CREDENTIAL_SECRET:
		return secret_read(q->credential->file, out, err);
	}
	BUG("credential kind %d", (int)q->credential->kind);
}

/* Room for all of it at once: growing would leave copies. */
bool
token_form(
    struct token_credentials *m, const struct token_request *q, struct buf *form, struct err *err)
{
	struct buf proof = BUF_INIT(SECRET_MAX);
	const struct app *app = q->app;
	char *scope;
	bool ok = read_proof(m, q, &proof, err);

	if (ok) {
		scope = xasprintf("%s/.default", app->resource[q->api]);
		(void)buf_room(
		    form, proof.n * 3 + strlen(scope) * 3 + strlen(app->client_id) * 3 + 256);
		add_field(form, "client_id", str_of(app->client_id));
		add_field(form, "scope", str_of(scope));
		add_field(form, "grant_type", STR("client_credentials"));
		if (q->credential->kind == CREDENTIAL_SECRET) {
			add_field(form, "client_secret", buf_peek(&proof));
		} else {
			add_field(form, "client_assertion_type",
			    STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
			add_field(form, "client_assertion", buf_peek(&proof));
		}
		free(scope);
		ok = buf_ok(form) ||
		     err_set(err, ERR_CONF, "%.200s is too long", q->credential->file);
	}
	buf_wipe(&proof);
	return ok;
}
