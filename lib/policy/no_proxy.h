/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NO_PROXY_H
#define NO_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

/*
 * no_proxy: which hosts are reached directly although there is a proxy. Pure; it
 * resolves nothing, so a network of addresses covers hosts that are written as
 * addresses only.
 *
 * A pattern is "*" (every host), a name (that host and all below it, with or
 * without a dot before it), an address, or a network like 10.0.0.0/8 or fd00::/8.
 * Case does not matter.
 */
bool no_proxy_check(const char *pattern, struct err *err) MUST_CHECK;
/* host: as in a URL, an IPv6 address with or without its brackets. */
bool no_proxy_covers(char *const *patterns, size_t n, const char *host);

#endif
