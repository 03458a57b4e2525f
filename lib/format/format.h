/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/event.h"

/*
 * format: an event as the bytes a receiver wants. The same set for every sink.
 *
 * A format knows nothing of transports, of JSON's syntax (it reads struct
 * record) or of the configuration's files.
 */
struct format_opts {
	size_t max_bytes;      /* the whole result, at most; at least 480 */
	bool cef_plain_header; /* | \ = in CEF header fields become / / : */
	bool without_raw;      /* ocsf, ecs: not the alert's own text */
};

struct format {
	const char *name, *help;
	const char *version;      /* of what it writes, for receivers: "1.8.0" */
	const char *content_type; /* RFC 9110: "application/json" */
	/*
	 * Appends one event, without any line end inside or behind. Shortens the
	 * least useful parts to keep to max_bytes, never cuts the whole; false only
	 * when not even the shortest form fits, or out is full (nothing appended then).
	 */
	bool (*write)(struct buf *out, const struct event *ev, const struct format_opts *opts);
	/* Appends Markdown for docs/FORMATS.md: what stands where. */
	void (*describe)(struct buf *out);
};

extern const struct format format_cef; /* CEF:0 */
extern const struct format format_leef; /* LEEF:2.0 */
extern const struct format format_ocsf; /* OCSF 1.8 */
extern const struct format format_ecs; /* Elastic Common Schema */
extern const struct format format_raw; /* {"msspd":{…},"alert":<the object as Microsoft sent it>} */

/* What the option tables of sinks say. */
#define FORMATS_HELP \
	"cef: CEF:0 for SIEMs. leef: LEEF:2.0 for QRadar. ocsf: JSON of OCSF 1.8 for data lakes." \
	" ecs: JSON of the Elastic Common Schema." \
	" raw: the alert's JSON in a small envelope. docs/FORMATS.md has each, field by field."
#define RAW_DATA_HELP \
	"With ocsf and ecs: the alert as Microsoft sent it, in raw_data or event.original, too." \
	" It goes first where a message would be too long."

/* NULL-ended, in the order of the manual. */
extern const struct format *const formats[];
const struct format *format_find(const char *name);
/* For option tables: ERR_CONF names those that there are. */
bool format_check(const char *name, struct err *err) MUST_CHECK;

#endif
