/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is in a configuration, reading it ends: with settings, or with at
 * least one error, each of them one clean line. What was read shows in all the
 * ways in which settings are looked at.
 */
#include <stdlib.h>

#include "daemon/delivery/sink.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"
#include "lib/config/url.h"

#define MAX_INPUT 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses a buffer of 2 KB at some syntax errors ("{c,''''''''''''''''''").
 * That we give back all that it gave us is shown by check_yaml. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so\n";
}

/* A kind of sink with an option of each type, whose files are never looked at. */
struct any_conf {
	char *text;
	int64_t number, time, size;
	bool is_on;
	int choice;
	unsigned choices;
	struct conf_list list, secret;
	struct conf_pairs pairs;
	struct {
		char *ca_file;
	} map;
};

static const char *const words[] = { "udp", "tcp", "tls", NULL };

static const struct conf_opt map_opts[] = {
	{ .name = "ca_file", .type = CONF_STR, .flags = CONF_REQUIRED, .help = "X." },
	{ .name = NULL }
};

#define F(field) offsetof(struct any_conf, field)
static const struct conf_opt any_opts[] = {
	{ .name = "text", .type = CONF_STR, .off = F(text), .def = "x", .help = "X." },
	{ .name = "number", .type = CONF_INT, .off = F(number), .def = "1", .max = 9, .help = "X." },
	{ .name = "time", .type = CONF_TIME, .off = F(time), .def = "1s", .help = "X." },
	{ .name = "size", .type = CONF_SIZE, .off = F(size), .def = "1KiB", .help = "X." },
	{ .name = "is_on", .type = CONF_BOOL, .off = F(is_on), .def = "true", .help = "X." },
	{ .name = "choice", .type = CONF_CHOICE, .off = F(choice), .def = "udp", .choices = words,
	  .help = "X." },
	{ .name = "choices", .type = CONF_CHOICES, .off = F(choices), .choices = words, .help = "X." },
	{ .name = "list", .type = CONF_LIST, .off = F(list), .def = "a b", .max = 3, .help = "X." },
	{ .name = "secret", .type = CONF_SECRET, .off = F(secret), .help = "X." },
	{ .name = "pairs", .type = CONF_PAIRS, .off = F(pairs), .help = "X." },
	{ .name = "map", .type = CONF_MAP, .off = F(map), .sub = map_opts, .help = "X." },
	{ .name = NULL }
};
#undef F

static bool
check_any(const void *conf, void (*warn)(void *arg, const char *text), void *arg, struct err *err)
{
	const struct any_conf *c = conf;

	warn(arg, c->text);
	return c->is_on || err_set(err, ERR_CONF, "%s is off", c->text);
}

static const struct sink_kind any_kind = { .name = "any", .help = "X", .opts = any_opts,
	.conf_size = sizeof(struct any_conf), .check = check_any };
const struct sink_kind *const sink_kinds[] = { &any_kind, NULL };

static void
on_problem(void *arg, bool is_error, const char *line)
{
	size_t *errors = arg;

	*errors += is_error;
	BUG_IF(line[0] == '\0' || !utf8_valid(line, strlen(line)));
	for (const char *p = line; *p != '\0'; p++)
		BUG_IF((unsigned char)*p < 0x20 || *p == 0x7f);
}

/* Every node has a place in the text, a path, and the right parent. */
static void
walk(const struct node *n, unsigned depth)
{
	char path[100];
	size_t i = 0;

	BUG_IF(depth > YAML_MAX_DEPTH || n->at.line == 0 || n->at.column == 0);
	node_path(n, path, sizeof(path));
	for (const struct node *c = n->first; c != NULL; c = c->next, i++) {
		BUG_IF(c->parent != n || (c->key == NULL) != (n->kind == NODE_LIST));
		walk(c, depth + 1);
	}
	BUG_IF(i != n->n);
}

static void
look(const struct settings *s)
{
	for (size_t i = 0; i < s->ntenants; i++) {
		const struct tenant *t = &s->tenants[i];

		BUG_IF(settings_tenant(s, t->name) != t || t->app == NULL || t->origin == NULL);
		BUG_IF(t->nsinks > SETTINGS_SINKS_MAX || strlen(t->id) != 36);
		BUG_IF(t->poll_interval_ms <= 0 || t->page_size <= 0 || t->budget_per_min <= 0);
		for (size_t k = 0; k < t->nsinks; k++)
			BUG_IF(settings_sink(s, t->sinks[k]->name) != t->sinks[k]);
	}
	for (size_t i = 0; i < s->nsinks; i++)
		BUG_IF(s->sinks[i].text == NULL || s->sinks[i].kind != &any_kind);
	BUG_IF(s->state_dir[0] != '/' || s->control_socket[0] != '/');
}

/* The whole as one file, and its halves as two. */
static void
read_one(struct str text, struct str more)
{
	struct settings *s = NULL;
	struct node *root, *other;
	struct problems p;
	struct arena a;
	size_t errors = 0;

	arena_init(&a);
	problems_init(&p);
	root = yaml_read(&a, text, "f", 0, &p);
	BUG_IF(root == NULL && p.errors == 0);
	other = root != NULL && more.n != 0 ? yaml_read(&a, more, "g", 1, &p) : NULL;
	if (other != NULL)
		yaml_join(root, other, &p);
	if (root != NULL) {
		yaml_joined(root, &p);
		walk(root, 0);
		s = settings_make(root, "f", false, &p);
		BUG_IF((s != NULL) != (p.errors == 0));
	}
	if (s != NULL)
		look(s);
	settings_unref(s);
	problems_report(&p, on_problem, &errors);
	BUG_IF((errors != 0) != (p.errors != 0));
	problems_release(&p);
	arena_release(&a);
}

static void
read_url(struct str text)
{
	struct err err = { ERR_NONE };
	struct url u;

	if (!url_split(text, &u, &err)) {
		BUG_IF(err.text[0] == '\0');
		return;
	}
	BUG_IF(u.host.n == 0 || u.port < 1 || u.port > 65535);
	BUG_IF(memchr(text.s, '@', text.n) != NULL && memchr(u.path.s, '@', u.path.n) == NULL);
	(void)url_is_loopback(&u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size < MAX_INPUT ? size : MAX_INPUT };
	struct str first = { text.s, text.n / 2 }, second = { text.s + first.n, text.n - first.n };

	read_one(text, (struct str) { NULL, 0 });
	read_one(first, second);
	read_url(text);
	return 0;
}
