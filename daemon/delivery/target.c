/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/target.h"

#include <stdlib.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

static const struct {
	const char *scheme;
	enum transport transport;
	const char *port;
} schemes[] = {
	{ "udp://", TRANSPORT_UDP, "514" },
	{ "tcp://", TRANSPORT_TCP, "514" },
	{ "tls://", TRANSPORT_TLS, "6514" },
	{ "unix://", TRANSPORT_UNIX, NULL },
};

static bool
port_is_sound(const char *port)
{
	size_t n = strlen(port);
	long value = strtol(port, NULL, 10);

	return n >= 1 && n <= 5 && strspn(port, "0123456789") == n && value >= 1 && value <= 65535;
}

static bool
host_is_sound(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-_:%";

	return host[0] != '\0' && strlen(host) <= 255 && strspn(host, allowed) == strlen(host);
}

static bool
unix_parse(struct target *t, const char *rest, struct err *err)
{
	struct sockaddr_un sun;

	if (rest[0] != '/')
		return err_set(err, ERR_CONF, "%s: the path of a unix socket is absolute: unix:///dev/log",
		    t->text);
	if (strlen(rest) >= sizeof(sun.sun_path))
		return err_set(err, ERR_CONF, "%s: the path is longer than %zu bytes", t->text,
		    sizeof(sun.sun_path) - 1);
	t->host = xstrdup(rest);
	return true;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool
host_parse(struct target *t, const char *rest, const char *default_port, struct err *err)
{
	bool has_brackets = rest[0] == '[';
	const char *end = has_brackets ? strchr(rest, ']') : rest + strcspn(rest, ":");
	const char *after = end == NULL ? "?" : has_brackets ? end + 1 : end;

	if (after[0] != '\0' && (after[0] != ':' || strchr(after + 1, ':') != NULL))
		return err_set(err, ERR_CONF, "%s: is not scheme://host:port"
		    " (an IPv6 address stands in brackets)", t->text);
	t->host = has_brackets ? xstrndup(rest + 1, (size_t)(end - rest - 1)) :
	    xstrndup(rest, (size_t)(end - rest));
	t->port = xstrdup(after[0] == ':' ? after + 1 : default_port);
	if (!host_is_sound(t->host))
		return err_set(err, ERR_CONF, "%s: no such host name is possible", t->text);
	if (!port_is_sound(t->port))
		return err_set(err, ERR_CONF, "%s: the port must be a number from 1 to 65535", t->text);
	return true;
}

static bool
target_parse(struct target *t, const char *text, struct err *err)
{
	*t = (struct target) { .text = xstrdup(text) };
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (!str_starts(str_of(text), schemes[i].scheme))
			continue;
		t->transport = schemes[i].transport;
		text += strlen(schemes[i].scheme);
		if (t->transport == TRANSPORT_UNIX)
			return unix_parse(t, text, err);
		return host_parse(t, text, schemes[i].port, err);
	}
	return err_set(err, ERR_CONF, "%s: must begin with udp://, tcp://, tls:// or unix://", text);
}

bool
targets_parse(struct targets *ts, const struct conf_list *servers, struct err *err)
{
	*ts = (struct targets) { .v = xcalloc(servers->n + 1, sizeof(*ts->v)) };
	if (servers->n == 0) {
		(void)err_set(err, ERR_CONF, "at least one is needed");
		goto fail;
	}
	for (size_t i = 0; i < servers->n; i++) {
		ts->n++;
		if (!target_parse(&ts->v[i], servers->v[i], err))
			goto fail;
		if (transport_is_stream(ts->v[i].transport) == transport_is_stream(ts->v[0].transport))
			continue;
		(void)err_set(err, ERR_CONF, "%s and %s in one sink promise different things;"
		    " use tcp and tls, or udp and unix", ts->v[0].text, ts->v[i].text);
		goto fail;
	}
	return true;
fail:
	targets_release(ts);
	return false;
}

void
targets_release(struct targets *ts)
{
	for (size_t i = 0; i < ts->n; i++) {
		free(ts->v[i].text);
		free(ts->v[i].host);
		free(ts->v[i].port);
	}
	free(ts->v);
	*ts = (struct targets) { 0 };
}
