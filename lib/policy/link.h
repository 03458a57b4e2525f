/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>

#include "lib/base/err.h"

/*
 * link: may a URL that came over the network (a nextLink) be asked with a
 * customer's bearer token?
 *
 * It knows nothing of OData: it compares text, strictly, and refuses what two
 * readers of URLs could read in two ways. Pure; any bytes may come in.
 */
#define LINK_MAX (16 * 1024)

/*
 * base_url is the API's root, with its path: "https://graph.microsoft.com/v1.0/security/".
 * True when link is https (or http, where the base is that of a loopback address), of the same
 * host and port, without user information, with a path below the base's that has no dot
 * segments, plain or percent-encoded, and is not longer than LINK_MAX.
 * Otherwise ERR_PERM and why, never with more of the link than its host.
 */
bool link_is_allowed(const char *base_url, const char *link, struct err *err) MUST_CHECK;

#endif
