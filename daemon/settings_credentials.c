/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keypair.h"
#include "daemon/secret.h"
#include "daemon/settings_build.h"
#include "lib/config/unit.h"

/* A list beside another one has something for each of it. */
static void
check_count(struct build *b, const struct app_draft *a, const char *option,
    const struct conf_list *list, const char *beside, size_t n)
{
	if (list->n != 0 && list->n != n)
		conf_error(&b->conf, node_get(a->d.node, option),
		    "lists %zu and %s lists %zu; write one for each, in the same order",
		    list->n, beside, n);
}

static void
check_counts(struct build *b, const struct app_draft *a)
{
	size_t n = a->certificates.n;

	check_count(b, a, "key_file", &a->keys, "certificate_file", n);
	if (a->passphrases.n != 1 || n == 0)
		check_count(
		    b, a, "key_passphrase_file", &a->passphrases, "certificate_file", n);
	check_count(b, a, "secret_expires", &a->secret_ends, "secret_file", a->secrets.n);
	if (a->federated == NULL && n == 0 && a->secrets.n == 0)
		conf_error_key(&b->conf, a->d.node, NULL,
		    "has no way to sign in; write certificate_file with key_file, "
		    "federated_token_file, or secret_file");
}

static const char *
nth(const struct conf_list *list, size_t i)
{
	return list->n == 0 ? NULL : list->v[list->n == 1 ? 0 : i];
}

static void
add(struct app_draft *a, struct credential *all, struct credential c)
{
	all[a->app.ncredentials++] = c;
}

static void
gather(struct build *b, struct app_draft *a)
{
	size_t n = a->certificates.n + a->secrets.n + 1;
	struct credential *all = arena_alloc(&b->w->arena, n * sizeof(*all));

	if (a->federated != NULL)
		add(a, all,
		    (struct credential){ .kind = CREDENTIAL_FEDERATED, .file = a->federated });
	for (size_t i = 0; i < a->certificates.n; i++)
		add(a, all,
		    (struct credential){ .kind = CREDENTIAL_CERTIFICATE,
			.file = a->certificates.v[i],
			.key_file = nth(&a->keys, i),
			.passphrase_file = nth(&a->passphrases, i) });
	for (size_t i = 0; i < a->secrets.n; i++) {
		struct credential c = { .kind = CREDENTIAL_SECRET, .file = a->secrets.v[i] };

		if (a->secret_ends.n != 0 && !unit_date(str_of(a->secret_ends.v[i]), &c.ends))
			c.ends = 0; /* reported where it was read */
		add(a, all, c);
	}
	a->app.credentials = all;
}

/* What the portal shows of a secret at any time is its ID. */
static void
warn_of_id(struct build *b, const struct node *n, const char *file)
{
	struct buf secret = BUF_INIT(SECRET_MAX);
	struct err err; /* of what cannot be read is told already */
	char guid[37];

	if (secret_read(file, &secret, &err) && guid_parse(buf_peek(&secret), guid))
		conf_warn(&b->conf, n,
		    "%.200s holds a GUID, as a secret's ID is one; write its value, which Microsoft shows "
		    "once, when the secret is made",
		    file);
	buf_wipe(&secret);
}

static void
check_files(struct build *b, const struct app_draft *a)
{
	struct keypair keys = { 0 };
	struct buf token = BUF_INIT(SECRET_MAX);
	struct err err;

	for (size_t i = 0; i < a->app.ncredentials; i++) {
		const struct credential *c = &a->app.credentials[i];
		struct keypair_files files = { c->file, c->key_file, c->passphrase_file };

		if (c->kind == CREDENTIAL_CERTIFICATE && !keypair_read(&keys, &files, &err))
			conf_error(
			    &b->conf, node_get(a->d.node, "certificate_file"), "%s", err.text);
		if (c->kind == CREDENTIAL_FEDERATED && !secret_read_open(c->file, &token, &err))
			conf_error(&b->conf, node_get(a->d.node, "federated_token_file"), "%s",
			    err.text);
	}
	for (size_t i = 0; i < a->secrets.n; i++)
		warn_of_id(b, node_at(node_get(a->d.node, "secret_file"), i), a->secrets.v[i]);
	buf_wipe(&token);
	keypair_release(&keys);
}

void
settings_read_credentials(struct build *b, struct app_draft *a)
{
	size_t before = b->conf.problems->errors;

	check_counts(b, a);
	if (b->conf.problems->errors != before)
		return;
	gather(b, a);
	if (b->check_secrets)
		check_files(b, a);
}
