/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_PARSE_H
#define MAIL_PARSE_H

#include "lib/base/buf.h"

/*
 * mail_parse: the strictest reader of our mails there could be. Shared with the fuzzer.
 */

/*
 * NULL, or what is wrong: a line end that is not CRLF, a byte that is not printable ASCII, a line
 * over 998 bytes, a field that we never write or that comes twice, parts other than text and
 * HTML in quoted-printable, text that is no UTF-8 or has controls or marks of direction in it,
 * a tag or attribute that is not ours, a link that is not https://<portal>/.
 */
const char *mail_fault(struct str message, const char *portal);

/* A field's value, unfolded; false when there is none. */
bool mail_header(struct buf *out, struct str message, const char *name);
/* The part of that type, decoded, with '\n'; false when there is none. */
bool mail_part(struct buf *out, struct str message, const char *type);

#endif
