/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CEF_PARSE_H
#define CEF_PARSE_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * cef_parse: the strictest reader of CEF there could be, to test the writer with.
 *
 * It refuses whatever any receiver is known to trip over: controls, bytes that
 * are not UTF-8, escapes that the standard does not have, empty fields, header
 * fields that end in a backslash, keys given twice, labels without a value,
 * values without a label, spaces around values, numbers and addresses that are
 * none, values longer than the dictionary allows.
 */
#define CEF_PAIRS_MAX 80

struct cef_pair {
	struct str key, value; /* the value unescaped */
};

struct cef_parsed {
	struct str header[6]; /* vendor, product, version, class, name, severity, unescaped */
	struct cef_pair pair[CEF_PAIRS_MAX];
	size_t n;
	struct buf text; /* what the rest points into */
};

/* NULL, or what is wrong with the line. cef_parsed_release() in both cases. */
const char *cef_parse(struct cef_parsed *out, struct str line);
void cef_parsed_release(struct cef_parsed *p);
/* Absent when there is no such key. */
struct str cef_get(const struct cef_parsed *p, const char *key);

#endif
