/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * mail_mime: the envelope that text gets in a mail: header fields (RFC 5322), encoded words
 * (RFC 2047), quoted-printable (RFC 2045). Pure; it knows nothing of alerts.
 *
 * Promises, whatever it is given
 *  - printable ASCII and CRLF only; no line over 998 bytes, and where there are blanks none
 *    over 78; a field is one field: line ends and controls of a value are blanks.
 */

/* A field of free text: as it is where it is ASCII, else as encoded words. */
void mime_field(struct buf *out, const char *name, struct str value);
/* One whose value is ours, and ASCII: ids, dates. */
void mime_field_plain(struct buf *out, const char *name, const char *value);
/* From, To: a text that mail_address_check() took. */
void mime_field_address(struct buf *out, const char *name, const char *address);
/* "Sun, 22 Nov 2026 04:11:00 +0000" */
void mime_field_date(struct buf *out, int64_t ticks);

/* Text with '\n' as lines in quoted-printable; ends with CRLF. */
void mime_quoted(struct buf *out, struct str text);

#endif
