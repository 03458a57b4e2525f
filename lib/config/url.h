/* SPDX-License-Identifier: Apache-2.0 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * url: addresses of services as an operator writes them into a configuration:
 * scheme, host, port, path, and nothing that could carry a secret or be
 * misread (user names, queries, fragments, blanks). Pure.
 */
struct url {
	bool is_https; /* else http */
	bool is_ipv6;  /* host was in brackets; they are not part of it */
	struct str host;
	unsigned port;   /* the scheme's where none is written */
	struct str path; /* with its first slash; empty: none */
};

/* Views into text. ERR_CONF says what is wrong and what would be right. */
bool url_split(struct str text, struct url *u, struct err *err) MUST_CHECK;

/* localhost, 127.0.0.0/8 written out in full, ::1. Names that merely resolve there are not. */
bool url_is_loopback(const struct url *u);

#endif
