/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/host.h"

#include <arpa/inet.h>

#define ADDRESS_MAX 64

static bool
is_address(int family, struct str text)
{
	char copy[ADDRESS_MAX];
	struct in6_addr out; /* holds either */

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.s, text.n);
	copy[text.n] = '\0';
	return strlen(copy) == text.n && inet_pton(family, copy, &out) == 1;
}

bool
host_is_ours(struct str host, const struct conf_list *names)
{
	if (host.n >= 2 && host.s[0] == '[' && host.s[host.n - 1] == ']')
		return is_address(AF_INET6, (struct str) { host.s + 1, host.n - 2 });
	if (is_address(AF_INET, host) || str_same_nocase(host, STR("localhost")))
		return true;
	for (size_t i = 0; i < names->n; i++) {
		if (str_same_nocase(host, str_of(names->v[i])))
			return true;
	}
	return false;
}
