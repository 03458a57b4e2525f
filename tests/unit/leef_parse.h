/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEEF_PARSE_H
#define LEEF_PARSE_H

#include "lib/base/str.h"

/*
 * leef_parse: the strictest reader of LEEF:2.0 there could be: seven header fields, none
 * of them empty, a tab for a delimiter, keys of letters and digits that come once, no
 * control character, no empty value.
 */
#define LEEF_PAIRS_MAX 80

struct leef_parsed {
	struct str header[6]; /* "LEEF:2.0", vendor, product, version, event id, delimiter */
	struct {
		struct str key, value;
	} pair[LEEF_PAIRS_MAX];
	size_t n;
};

/* NULL, or what is wrong with the line, into which the rest points. */
const char *leef_parse(struct leef_parsed *out, struct str line);
/* Absent when there is no such key. */
struct str leef_get(const struct leef_parsed *p, const char *key);

#endif
