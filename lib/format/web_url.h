/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEB_URL_H
#define WEB_URL_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * web_url: the parts of a URL in an alert, as far as they can be told without
 * guessing: scheme://user@host:port/path?query#fragment. Nothing is decoded; what an
 * attacker wrote is shown as it is. Pure.
 */
struct web_url {
	struct str scheme, host, path, query; /* absent or empty: none */
};

/* False where there is no scheme:// to begin with. */
bool web_url_split(struct str text, struct web_url *u);

#endif
