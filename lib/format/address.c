/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "lib/format/address.h"

static enum address_rank
rank4(const unsigned char *a)
{
	if (a[0] == 0 || a[0] >= 224)
		return ADDRESS_NONE;
	if (a[0] == 127 || (a[0] == 169 && a[1] == 254))
		return ADDRESS_LOCAL;
	if (a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	    (a[0] == 100 && (a[1] & 0xc0) == 64))
		return ADDRESS_PRIVATE;
	return ADDRESS_GLOBAL;
}

/* Global unicast is 2000::/3 (RFC 4291), fc00::/7 is private; the rest names no device. */
static enum address_rank
rank6(const unsigned char *a)
{
	if ((a[0] & 0xe0) == 0x20)
		return ADDRESS_GLOBAL;
	return (a[0] & 0xfe) == 0xfc ? ADDRESS_PRIVATE : ADDRESS_NONE;
}

int
address_family(struct str text, enum address_rank *rank)
{
	unsigned char a[16];
	char ended[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(ended) || memchr(text.s, '\0', text.n) != NULL)
		return 0;
	memcpy(ended, text.s, text.n);
	ended[text.n] = '\0';
	if (inet_pton(AF_INET, ended, a) == 1) {
		*rank = rank4(a);
		return AF_INET;
	}
	if (inet_pton(AF_INET6, ended, a) == 1) {
		*rank = rank6(a);
		return AF_INET6;
	}
	return 0;
}

void
address_best_add(struct address_best *best, struct str text)
{
	enum address_rank rank = ADDRESS_NONE;
	int family = address_family(text, &rank);

	if (family == AF_INET && rank > best->rank4) {
		best->v4 = text;
		best->rank4 = rank;
	} else if (family == AF_INET6 && rank > best->rank6) {
		best->v6 = text;
		best->rank6 = rank;
	}
}
