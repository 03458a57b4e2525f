/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JSON_LINES_H
#define JSON_LINES_H

#include <jansson.h>

#include "lib/base/buf.h"

/*
 * json_lines: how the tests read a line of JSON again, with a reader that is not
 * ours. Shared with the fuzzers.
 */

/* NULL, or what keeps the text from being one line of UTF-8 for every reader. */
const char *line_fault(struct str text);

/* The value at "evidences[0].device.ip" or "finding_info.title"; NULL when there is none. */
json_t *json_at(json_t *top, const char *path);

/* NULL, or what is wrong with an OCSF event's observables: a name that is not the path of its value. */
const char *observables_fault(json_t *top);

#endif
