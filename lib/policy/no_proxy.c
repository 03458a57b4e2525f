/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/no_proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"

struct address {
	unsigned char b[16];
	unsigned bits; /* that count: of a network fewer than all */
	int family;
};

static bool
read_address(struct str text, struct address *a)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.n >= 2 && text.s[0] == '[' && text.s[text.n - 1] == ']')
		text = (struct str){ text.s + 1, text.n - 2 };
	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.s, text.n);
	copy[text.n] = '\0';
	*a = (struct address){ .family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET };
	a->bits = a->family == AF_INET6 ? 128 : 32;
	return inet_pton(a->family, copy, a->b) == 1;
}

static bool
read_bits(struct str text, unsigned most, unsigned *bits)
{
	*bits = 0;
	if (text.n == 0 || text.n > 3)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] < '0' || text.s[i] > '9')
			return false;
		*bits = *bits * 10 + (unsigned)(text.s[i] - '0');
	}
	return *bits <= most;
}

/* An address, or a network of them. */
static bool
read_network(const char *pattern, struct address *a)
{
	size_t n = strcspn(pattern, "/");

	if (!read_address((struct str){ pattern, n }, a))
		return false;
	return pattern[n] == '\0' || read_bits(str_of(pattern + n + 1), a->bits, &a->bits);
}

static bool
is_inside(const struct address *net, const struct address *a)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	if (net->family != a->family || memcmp(net->b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((net->b[whole] ^ a->b[whole]) & mask) == 0;
}

static struct str
without_dots(const char *name)
{
	struct str s = str_of(name);

	if (s.n > 0 && s.s[0] == '.')
		s = (struct str){ s.s + 1, s.n - 1 };
	if (s.n > 0 && s.s[s.n - 1] == '.')
		s.n--;
	return s;
}

static bool
is_below(struct str domain, struct str host)
{
	struct str end;

	if (domain.n == 0 || host.n < domain.n)
		return false;
	end = (struct str){ host.s + host.n - domain.n, domain.n };
	if (!str_same_nocase(end, domain))
		return false;
	return host.n == domain.n || end.s[-1] == '.';
}

static bool
covers(const char *pattern, const char *host)
{
	struct address net, a;

	if (strcmp(pattern, "*") == 0)
		return true;
	if (read_address(str_of(host), &a))
		return read_network(pattern, &net) && is_inside(&net, &a);
	return is_below(without_dots(pattern), without_dots(host));
}

bool
no_proxy_covers(char *const *patterns, size_t n, const char *host)
{
	for (size_t i = 0; i < n; i++) {
		if (covers(patterns[i], host))
			return true;
	}
	return false;
}

bool
no_proxy_check(const char *pattern, struct err *err)
{
	struct str name = without_dots(pattern);
	struct address a;

	if (strcmp(pattern, "*") == 0 || read_network(pattern, &a))
		return true;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.s[i];
		bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
			name.n = 0;
	}
	return name.n != 0 ||
	       err_set(err, ERR_CONF,
		   "\"%.100s\" is no host; write a name (which covers all names below it), an "
		   "address, a network like 10.0.0.0/8, or *",
		   pattern);
}
