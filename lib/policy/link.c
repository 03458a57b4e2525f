/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/link.h"

#include "lib/base/str.h"

/* A URL in its parts, as far as we read it. All are views into its text. */
struct parts {
	bool is_https;
	struct str host; /* with brackets when it is IPv6 */
	unsigned port;
	struct str path; /* begins with a slash */
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
starts_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_same_nocase((struct str){ s.s, prefix.n }, prefix);
}

static struct str
after(struct str s, size_t n)
{
	return (struct str){ s.s + n, s.n - n };
}

static size_t
span_to(struct str s, const char *ends)
{
	size_t i = 0;

	while (i < s.n && strchr(ends, s.s[i]) == NULL)
		i++;
	return i;
}

/* Printable ASCII without what readers of URLs disagree about: backslash, fragment, quotes. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] <= ' ' || s.s[i] > '~' || strchr("\\#\"<>", s.s[i]) != NULL)
			return false;
	}
	return true;
}

static bool
read_port(struct str s, unsigned *port)
{
	*port = 0;
	if (s.n == 0 || s.n > 5)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9')
			return false;
		*port = *port * 10 + (unsigned)(s.s[i] - '0');
	}
	return *port > 0 && *port <= 65535;
}

/* A colon that separates the port stands behind the bracket of an IPv6 address. */
static bool
read_authority(struct str s, struct parts *u)
{
	size_t colon = s.n > 0 && s.s[0] == '[' ? span_to(s, "]") : 0;

	colon += span_to(after(s, colon), ":");
	u->host = (struct str){ s.s, colon };
	u->port = u->is_https ? 443 : 80;
	if (colon < s.n && !read_port(after(s, colon + 1), &u->port))
		return false;
	return u->host.n > 0 && span_to(u->host, "@%") == u->host.n;
}

static bool
read_url(struct str s, struct parts *u)
{
	size_t n;

	u->is_https = starts_nocase(s, STR("https://"));
	if (!u->is_https && !starts_nocase(s, STR("http://")))
		return false;
	s = after(s, u->is_https ? 8 : 7);
	n = span_to(s, "/?");
	if (!read_authority((struct str){ s.s, n }, u))
		return false;
	s = after(s, n);
	u->path = (struct str){ s.s, span_to(s, "?") };
	return true;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at the start of s, decoded once, and how long it is written; -1: a bad escape. */
static int
decode(struct str s, size_t *n)
{
	int high, low;

	*n = 1;
	if (s.s[0] != '%')
		return (unsigned char)s.s[0];
	if (s.n < 3)
		return -1;
	high = hex(s.s[1]);
	low = hex(s.s[2]);
	*n = 3;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/*
 * No segment of one or two dots however it is written, and no escape that would
 * be a separator, a control character or another escape for a server that decodes.
 */
static bool
is_straight(struct str path)
{
	size_t dots = 0, others = 0, n;

	for (; path.n > 0; path = after(path, n)) {
		int c = decode(path, &n);

		if (c < ' ' || c == 0x7f)
			return false;
		if (n == 3 && (c == '/' || c == '\\' || c == '%'))
			return false;
		if (c == '/') {
			if (others == 0 && (dots == 1 || dots == 2))
				return false;
			dots = others = 0;
		} else if (c == '.') {
			dots++;
		} else if (c == ';' && others == 0) {
			return false; /* "..;": some servers cut there */
		} else {
			others++;
		}
	}
	return others > 0 || dots == 0 || dots > 2;
}

/* Below, not beside: "/v1.0/securityX" is not below "/v1.0/security". */
static bool
is_below(struct str path, struct str root)
{
	if (root.n == 0)
		root = STR("/");
	if (!starts_nocase(path, root))
		return false;
	return root.s[root.n - 1] == '/' || (path.n > root.n && path.s[root.n] == '/');
}

static bool
is_loopback(struct str host)
{
	if (str_same_nocase(host, STR("localhost")) || str_is(host, "[::1]"))
		return true;
	for (size_t i = 0; i < host.n; i++) {
		if ((host.s[i] < '0' || host.s[i] > '9') && host.s[i] != '.')
			return false;
	}
	return str_starts(host, "127.");
}

bool
link_is_allowed(const char *base_url, const char *link, struct err *err)
{
	struct str l = { link, strnlen(link, LINK_MAX + 1) };
	struct parts u, base;

	if (l.n > LINK_MAX)
		return err_set(err, ERR_PERM, "a link longer than %d bytes", LINK_MAX);
	if (!is_plain(l))
		return err_set(err, ERR_PERM, "a link with characters that do not belong in one");
	if (!read_url(l, &u))
		return err_set(err, ERR_PERM, "a link that is no plain http URL");
	if (!read_url(str_of(base_url), &base))
		return err_set(err, ERR_CONF, "the API's own URL cannot be read: %s", base_url);
	if (!u.is_https && !is_loopback(base.host))
		return err_set(err, ERR_PERM, "a link to plain http");
	if (u.is_https != base.is_https || u.port != base.port ||
	    !str_same_nocase(u.host, base.host))
		return err_set(err, ERR_PERM, "a link to another place: %.*s port %u",
		    (int)(u.host.n < 200 ? u.host.n : 200), u.host.s, u.port);
	if (!is_straight(u.path))
		return err_set(err, ERR_PERM, "a link whose path is not plain");
	if (!is_below(u.path, base.path))
		return err_set(err, ERR_PERM, "a link outside of the API");
	return true;
}
