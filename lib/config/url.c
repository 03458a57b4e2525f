/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "lib/config/url.h"

#define HOST_MAX 253

static bool
fail(struct str text, struct err *err, const char *what)
{
	return err_set(err, ERR_CONF,
	    "\"%.*s\" is not usable: %s; write https://host or "
	    "https://host:port",
	    (int)(text.n < 120 ? text.n : 120), text.s, what);
}

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

/* Into a C string for inet_pton; false when it is too long for any address. */
static bool
is_address(int family, struct str host)
{
	char text[INET6_ADDRSTRLEN], out[sizeof(struct in6_addr)];

	if (host.n == 0 || host.n >= sizeof(text))
		return false;
	memcpy(text, host.s, host.n);
	text[host.n] = '\0';
	return inet_pton(family, text, out) == 1;
}

static bool
is_host(const struct url *u)
{
	if (u->is_ipv6)
		return is_address(AF_INET6, u->host);
	if (u->host.n == 0 || u->host.n > HOST_MAX || u->host.s[0] == '.' || u->host.s[0] == '-')
		return false;
	for (size_t i = 0; i < u->host.n; i++) {
		if (!is_host_char(u->host.s[i]))
			return false;
	}
	return true;
}

static bool
is_path(struct str path)
{
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.s[i];

		if (c <= 0x20 || c >= 0x7f || c == '?' || c == '#' || c == '\\')
			return false;
	}
	return true;
}

/* Digits between 1 and 65535 fill it; no digits leave it. */
static bool
read_port(struct str s, unsigned *port)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 5)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.s[i] - '0');
	}
	*port = v;
	return v >= 1 && v <= 65535;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool
split_authority(struct str a, struct url *u)
{
	const char *end = a.s + a.n, *colon;

	u->is_ipv6 = a.n != 0 && a.s[0] == '[';
	if (u->is_ipv6) {
		const char *close = memchr(a.s, ']', a.n);

		if (close == NULL)
			return false;
		u->host = (struct str){ a.s + 1, (size_t)(close - a.s) - 1 };
		colon = close + 1;
		if (colon < end && *colon != ':')
			return false;
	} else {
		colon = memchr(a.s, ':', a.n);
		if (colon == NULL)
			colon = end;
		u->host = (struct str){ a.s, (size_t)(colon - a.s) };
	}
	return colon >= end ||
	       read_port((struct str){ colon + 1, (size_t)(end - colon) - 1 }, &u->port);
}

bool
url_split(struct str text, struct url *u, struct err *err)
{
	struct str rest;
	const char *slash;

	*u = (struct url){ .is_https = str_starts(text, "https://") };
	if (!u->is_https && !str_starts(text, "http://"))
		return fail(text, err, "it does not begin with https://");
	u->port = u->is_https ? 443 : 80;
	rest.s = text.s + (u->is_https ? 8 : 7);
	rest.n = text.n - (u->is_https ? 8 : 7);
	slash = memchr(rest.s, '/', rest.n);
	if (slash != NULL) {
		u->path = (struct str){ slash, rest.n - (size_t)(slash - rest.s) };
		rest.n = (size_t)(slash - rest.s);
	}
	if (memchr(rest.s, '@', rest.n) != NULL)
		return fail(text, err, "a user name or password has no place in it");
	if (memchr(text.s, '?', text.n) != NULL || memchr(text.s, '#', text.n) != NULL)
		return fail(text, err, "a query (?) or fragment (#) has no place in it");
	if (!split_authority(rest, u) || !is_host(u))
		return fail(text, err, "its host or port is not one");
	if (!is_path(u->path))
		return fail(text, err, "its path holds a character that must be escaped");
	return true;
}

bool
url_is_loopback(const struct url *u)
{
	struct str localhost = STR("localhost");

	if (u->is_ipv6)
		return str_is(u->host, "::1");
	return str_same_nocase(u->host, localhost) ||
	       (str_starts(u->host, "127.") && is_address(AF_INET, u->host));
}
