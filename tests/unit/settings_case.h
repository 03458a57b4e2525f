/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SETTINGS_CASE_H
#define SETTINGS_CASE_H

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/delivery/sink.h"
#include "daemon/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

/*
 * settings_case: a configuration in a directory of its own, with a fake kind of
 * sink, for the tests of settings. In a header because what it defines (the
 * table of kinds) must not reach other tests.
 */
struct fake_conf {
	char *host;
	int64_t size;
	struct conf_list secrets;
	struct {
		char *ca_file;
	} tls;
};

#define F(field) offsetof(struct fake_conf, field)
static const struct conf_opt fake_tls_opts[] = {
	{ .name = "ca_file", .type = CONF_STR, .help = "Whom to trust." },
	{ .name = NULL }
};

static const struct conf_opt fake_opts[] = {
	{ .name = "host", .type = CONF_STR, .off = F(host), .def = "localhost", .help = "Where to." },
	{ .name = "size", .type = CONF_SIZE, .off = F(size), .def = "8KiB", .help = "How much." },
	{ .name = "password_file", .type = CONF_SECRET, .off = F(secrets), .help = "Password." },
	{ .name = "tls", .type = CONF_MAP, .off = F(tls), .sub = fake_tls_opts, .help = "TLS." },
	{ .name = NULL }
};
#undef F

static bool
fake_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg, struct err *err)
{
	const struct fake_conf *c = conf;

	if (strcmp(c->host, "udp") == 0)
		warn(arg, "udp promises nothing");
	return strcmp(c->host, "nowhere") != 0
	    || err_set(err, ERR_CONF, "there is no way to nowhere; take another");
}

static const struct sink_kind fake_kind = {
	.name = "fake", .help = "For tests", .opts = fake_opts,
	.conf_size = sizeof(struct fake_conf), .check = fake_check,
};
static const struct sink_kind other_kind = {
	.name = "other", .help = "Without options", .opts = fake_tls_opts,
	.conf_size = sizeof(char *),
};
const struct sink_kind *const sink_kinds[] = { &fake_kind, &other_kind, NULL };

#define GUID(n) "0000000" #n "-1111-2222-3333-444444444444"

struct settings_case {
	char dir[64];
	struct buf said;
	unsigned unwatched; /* warnings that nobody is told of msspd's own health */
};

static inline void
case_open(struct settings_case *c)
{
	char path[100];

	*c = (struct settings_case) { .dir = "/tmp/check_settings.XXXXXX" };
	buf_init(&c->said, 1 << 20);
	BUG_IF(mkdtemp(c->dir) == NULL);
	snprintf(path, sizeof(path), "%s/conf.d", c->dir);
	BUG_IF(mkdir(path, 0700) != 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("STATE_DIRECTORY");
	unsetenv("RUNTIME_DIRECTORY");
}

static inline void
case_close(struct settings_case *c)
{
	char *command = xasprintf("rm -rf '%s'", c->dir);

	BUG_IF(system(command) != 0);
	free(command);
	buf_release(&c->said);
}

static inline void
case_write(const struct settings_case *c, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", c->dir, name);
	FILE *f = fopen(path, "w");

	BUG_IF(f == NULL || fputs(text, f) < 0 || fclose(f) != 0);
	free(path);
}

/* Each line without the directory, and warnings marked. */
static inline void
case_said(void *arg, bool is_error, const char *line)
{
	struct settings_case *c = arg;
	size_t n = strlen(c->dir) + 1;
	const char *at;

	/* True of nearly every case, and so counted only. */
	if (strstr(line, "no sink has health: daemon") != NULL) {
		c->unwatched++;
		return;
	}
	buf_puts(&c->said, is_error ? "" : "warning ");
	for (at = strstr(line, c->dir); at != NULL; at = strstr(line, c->dir)) {
		buf_add(&c->said, line, (size_t)(at - line));
		line = at + n;
	}
	buf_puts(&c->said, line);
	buf_byte(&c->said, '\n');
}

static inline struct settings *
case_load(struct settings_case *c, bool check_secrets)
{
	char *path = xasprintf("%s/m.yaml", c->dir);
	struct settings *s;

	c->unwatched = 0;
	buf_clear(&c->said);
	buf_puts(&c->said, "");
	s = settings_load(path, check_secrets, case_said, c);
	free(path);
	return s;
}

#endif
