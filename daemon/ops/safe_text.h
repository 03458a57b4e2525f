/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAFE_TEXT_H
#define SAFE_TEXT_H

#include <jansson.h>

#include "lib/base/str.h"

/* safe_text: an id or a reason, bytes from outside, as JSON: what is no UTF-8 in them is escaped. */
json_t *safe_text(struct str bytes);

#endif
