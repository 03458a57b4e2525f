/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/un.h>

#include "daemon/secret.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"

/* Without looking at the disk: is it a name that could stand for a file? */
static bool
check_secret_name(const char *name, struct err *err)
{
	return name[0] == '/' || strchr(name, '/') == NULL ||
	       err_set(err, ERR_CONF,
		   "\"%.200s\" is neither a bare name nor an absolute path; begin "
		   "it with /",
		   name);
}

/* The first of several directories, as systemd gives them: "/a:/b". */
static char *
dir_from_env(struct arena *a, const char *variable)
{
	const char *v = getenv(variable);

	if (v == NULL || v[0] != '/')
		return NULL;
	return (char *)arena_copy(a, (struct str){ v, strcspn(v, ":") }).s;
}

static char *
control_socket(struct arena *a, const char *state_dir)
{
	const char *dir = dir_from_env(a, "RUNTIME_DIRECTORY");
	char *path = xasprintf("%s/control.sock", dir != NULL ? dir : state_dir), *copy;

	copy = arena_strdup(a, path);
	free(path);
	return copy;
}

/* Whoever can reach it can read it. */
static void
warn_of_listening(struct build *b)
{
	const struct node *n = node_get(b->root, "http");
	const char *listen = b->w->s.http_listen;

	if (listen != NULL && strncmp(listen, "127.", 4) != 0 && strncmp(listen, "[::1]:", 6) != 0)
		conf_warn(&b->conf, node_get(n, "listen"),
		    "%s is reached from other machines, and nobody has to sign in: the names of "
		    "tenants and sinks and how they are doing are shown to whoever asks; better "
		    "127.0.0.1, with a proxy before it that asks who comes", listen);
}

static void
fill_root(struct build *b)
{
	struct settings *s = &b->w->s;
	struct sockaddr_un addr;
	const struct node *n = node_get(b->root, "control_socket");

	(void)conf_fill_one(&b->conf, b->root, root_opts, b->w);
	settings_finish_proxy(b, b->root, &s->proxy, NULL);
	warn_of_listening(b);
	if (s->state_dir == NULL)
		s->state_dir = dir_from_env(&b->w->arena, "STATE_DIRECTORY");
	if (s->state_dir == NULL)
		s->state_dir = arena_strdup(&b->w->arena, "/var/lib/msspd");
	s->is_socket_said = s->control_socket != NULL;
	if (!s->is_socket_said)
		s->control_socket = control_socket(&b->w->arena, s->state_dir);
	if (strlen(s->control_socket) >= sizeof(addr.sun_path))
		conf_error_key(&b->conf, n != NULL ? n : b->root,
		    n != NULL ? NULL : "control_socket",
		    "%.120s... is too long for a socket; at most %zu characters", s->control_socket,
		    sizeof(addr.sun_path) - 1);
}

static void
name_drafts(struct build *b)
{
	struct settings_whole *w = b->w;

	b->apps = settings_names(b, w->apps, "app", sizeof(struct app_draft));
	b->customers = settings_names(b, w->customers, "customer", sizeof(struct customer_draft));
	b->sinks = settings_names(b, w->sinks, "sink", sizeof(struct sink_draft));
	b->tenants = settings_names(b, w->tenants, "tenant", sizeof(struct tenant_draft));
	if (w->tenants == NULL)
		conf_warn(&b->conf, b->root, "there are no tenants; nothing will be read");
}

/* Sinks come after tenants: what they say about customers needs those. */
static void
build(struct build *b)
{
	fill_root(b);
	name_drafts(b);
	settings_read_apps(b);
	settings_warn_environment(b);
	settings_read_customers(b);
	settings_read_tenants(b);
	settings_read_sinks(b);
	settings_link(b);
	b->w->apps = b->w->customers = b->w->tenants = b->w->sinks = NULL;
}

struct settings *
settings_make(
    const struct node *root, const char *file, bool check_secrets, struct problems *problems)
{
	struct settings_whole *w = xcalloc(1, sizeof(*w));
	struct build b = { .w = w,
		.check_secrets = check_secrets,
		.root = root,
		.conf = { &w->arena, problems, check_secrets ? secret_check : check_secret_name } };

	arena_init(&w->arena);
	arena_init(&b.scratch);
	w->s.refs = 1;
	w->s.file = arena_strdup(&w->arena, file);
	build(&b);
	arena_release(&b.scratch);
	if (problems->errors == 0)
		return &w->s;
	settings_unref(&w->s);
	return NULL;
}

struct settings *
settings_load(const char *file, bool check_secrets, settings_report *report, void *arg)
{
	struct settings *s = NULL;
	struct problems problems;
	const struct node *root;
	struct arena trees;

	arena_init(&trees);
	problems_init(&problems);
	root = settings_read_files(&trees, file, &problems);
	if (root != NULL)
		s = settings_make(root, file, check_secrets, &problems);
	problems_report(&problems, report, arg);
	problems_release(&problems);
	arena_release(&trees);
	return s;
}
