/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SETTINGS_BUILD_H
#define SETTINGS_BUILD_H

#include "daemon/settings.h"
#include "lib/config/conf.h"

/*
 * settings_build: what the files of settings share while a configuration is
 * being made; private to them.
 *
 * A draft is a thing with the names it refers to still being text; when all
 * drafts are there, names are looked up and the things are moved to their final
 * arrays. Drafts are sorted by name (without case), and so are those arrays.
 */
struct defaults {
	char *app;
	struct conf_list sinks, streams;
	int64_t poll_interval_ms, overlap_ms, first_lookback_ms, page_size, budget_per_min;
	int64_t mde_wait_ms;
};

/* What a struct settings really is: settings.c gives it back as a whole. */
struct settings_whole {
	struct settings s; /* first: a pointer to one is a pointer to the other */
	struct arena arena; /* everything that s points to, but for the origins */
	struct defaults defaults;
	const struct node *apps, *customers, *tenants, *sinks; /* while it is made */
};

/* Every draft begins with these, so that names are found alike. */
struct draft {
	const char *name;
	const struct node *node;
	bool is_used; /* by a tenant */
};

struct app_draft {
	struct draft d;
	struct app app;
	char *federated;
	struct conf_list certificates, keys, passphrases, secrets, secret_ends;
};

struct customer_draft {
	struct draft d;
	struct customer customer;
	struct conf_pairs labels;
	struct conf_list sinks;
	const struct node *contacts;
};

struct sink_draft {
	struct draft d;
	struct sink_conf sink;
	char *type;
	struct conf_pairs require_labels;
	const struct node *match;
};

struct tenant_draft {
	struct draft d;
	struct tenant tenant;
	char *app, *customer;
	struct conf_list sinks, streams;
};

struct drafts {
	const char *what; /* "sink" */
	void *v;
	size_t n, size;
};

struct build {
	struct settings_whole *w;
	struct conf conf;      /* values go to w->arena */
	struct arena scratch;  /* drafts */
	bool check_secrets;
	const struct node *root;
	struct drafts apps, customers, sinks, tenants;
};

/* The i-th of them, whatever they are drafts of. */
static inline struct draft *
draft_at(const struct drafts *d, size_t i)
{
	return (struct draft *)((char *)d->v + i * d->size);
}

/* ---- settings_load.c: a tree to settings; NULL when there is an error, now or before ---- */

struct settings *settings_make(const struct node *root, const char *file, bool check_secrets,
    struct problems *problems);

/* ---- settings_tables.c: the rows, for reading and for the manual ---------------- */

extern const struct conf_opt root_opts[];     /* into struct settings_whole */
extern const struct conf_opt app_opts[];      /* struct app_draft */
extern const struct conf_opt customer_opts[]; /* struct customer_draft */
extern const struct conf_opt tenant_opts[];   /* struct tenant_draft */
extern const struct conf_opt sink_opts[];     /* struct sink_draft: what every kind has */

/* ---- settings_proxy.c ------------------------------------------------------------ */

extern const struct conf_opt proxy_opts[]; /* struct proxy_conf */
/* After the values of `of` (the root, an app) were read: what they say together. `none` becomes
 * no proxy, and what is not given becomes inherited (NULL: nothing). */
void settings_finish_proxy(struct build *b, const struct node *of, struct proxy_conf *proxy,
    const struct proxy_conf *inherited);
/* Proxies of the environment are not used; says so where somebody may think they are. */
void settings_warn_environment(struct build *b);

/* For the checks of a sink_kind: a warning is about what is read at node. arg: a settings_about. */
struct settings_about {
	const struct build *b;
	const struct node *node;
};
static inline void
settings_on_warning(void *arg, const char *text)
{
	const struct settings_about *about = arg;

	conf_warn(&about->b->conf, about->node, "%s", text);
}

/* ---- settings_match.c ------------------------------------------------------------ */

extern const struct conf_opt match_opts[];
/* NULL when it is wrong; reported then. */
const struct match *settings_read_match(struct build *b, const struct node *n);

/* ---- settings_contacts.c ----------------------------------------------------------- */

/* Of what was read into c: c->customer.contacts. */
void settings_read_contacts(struct build *b, struct customer_draft *c);
/* When all is read without an error: warns of groups that rules name and no customer has. */
void settings_check_groups(struct build *b);

/* ---- settings_files.c -------------------------------------------------------------- */

/* The trees of file and of conf.d as one; NULL when one of them is not sound (reported). */
struct node *settings_read_files(struct arena *a, const char *file, struct problems *p);

/* ---- settings_names.c --------------------------------------------------------------- */

/* Makes a draft of size for each child of section, with name and node set; reports bad names. */
struct drafts settings_names(struct build *b, const struct node *section, const char *what,
    size_t size);
/* NULL when there is none of that name. */
struct draft *settings_find(const struct drafts *d, const char *name);
/* The same; what is not there is reported at `at`. */
struct draft *settings_refer(struct build *b, const struct drafts *d, const char *name,
    const struct node *at);
/* True when it names a customer, or a tenant that has none and so is its own. `at` as above. */
bool settings_refer_customer(struct build *b, const char *name, const struct node *at);

/* ---- settings_credentials.c ----------------------------------------------------------- */

/* How an app signs in, of what was read into a: a->app.credentials. */
#define CREDENTIALS_MAX 8 /* of each kind */
void settings_read_credentials(struct build *b, struct app_draft *a);

/* ---- settings_parts.c: one section each, drafts filled ------------------------------- */

void settings_read_apps(struct build *b);
void settings_read_customers(struct build *b);
void settings_read_sinks(struct build *b);
void settings_read_tenants(struct build *b);

/* ---- settings_link.c, settings_routing.c: after all of those ----------------------------- */

/* Makes the final arrays, names being pointers. Only what has no error may be used. */
void settings_link(struct build *b);
/* The names of sinks that are routed to, where they are written. */
void settings_check_routes(struct build *b);
/* Which of the drafts of sinks t is routed to; checks that each may have what it gets.
 * Returns how many, at most SETTINGS_SINKS_MAX. */
#define SETTINGS_SINKS_MAX 32
size_t settings_route(struct build *b, const struct tenant_draft *t,
    struct sink_draft *out[SETTINGS_SINKS_MAX]);

#endif
